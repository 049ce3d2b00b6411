"""Names that code defines and imports, read from its text."""

from __future__ import annotations

from autograder.submission.names import defined_names, imported_modules, star_imports


def test_defined_names():
    source = "import a\nb = 1\nc, d = 2, 3\ndef f():\n    g = 1\nclass H:\n    i = 2\nasync def j(): pass\n# k = 3"
    assert defined_names(source) == ("f", "H", "j", "b", "c", "d")


def test_star_imports():
    assert star_imports("from a.b import *\nfrom c import d\nif 1:\n    from e import *\n# from f import *") == (
        "a.b",
        "e",
    )


def test_imported_modules():
    cells = ["import a, b.c as d\nfrom e.f import g", "def h():\n    import i; x = 1\n'import j'\nimport a"]
    assert imported_modules(cells) == ("a", "b", "e", "i")
