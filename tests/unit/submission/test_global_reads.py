"""Globals that a function reads: told from its text, and never by mistake of what it sets itself."""

from __future__ import annotations

import pytest

from autograder.submission.global_reads import globals_read_by

BEFORE = "import numpy as np\n\nx = np.ones(3)\nT: int = 4\na, b = 1, 2\nslope = lambda out: 1 - out**2\n"


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("    return len(x) * T\n", ("T",)),  # x is an argument
        ("    return a + b\n", ("a", "b")),
        ("    T = len(x)\n    return T\n", ()),
        ("    a, b = x\n    return a * b\n", ()),
        ("    for T in range(3):\n        pass\n    return [a for a in x]\n", ()),
        ("    total = 0\n    total += b\n    return total\n", ("b",)),
        ("    return slope(x)\n", ()),  # a function, and no data
        ('    """Needs T and a."""\n    return "b"  # T\n', ()),
        ("    return x.T + net.a\n", ()),
        ("    return np.sum(x, axis=T)\n", ("T",)),
        ("    with open(x) as a:\n        return a\n", ()),
    ],
)
def test_what_a_function_reads(body: str, reads: tuple[str, ...]) -> None:
    assert globals_read_by("f", [BEFORE, f"def f(\n    net,\n    x,\n):\n{body}\n\nT = 7\nprint(T)\n"]) == reads


def test_the_last_definition_counts_and_other_cells_do_too() -> None:
    cells = ["def f(x):\n    return k\n", "k = 3\n", "def f(x):\n    return x\n"]
    assert globals_read_by("f", cells) == ()
    assert globals_read_by("f", cells[:2]) == ("k",)
    assert globals_read_by("g", cells) == ()


@pytest.mark.parametrize(
    "text",
    [
        "def f(",
        "def f(x):",
        '"""',
        "(" * 50_000,
        "a," * 50_000,
        "'" * 50_000,
        "a = " * 30_000,
        "def f(x):\n" + " for a\n" * 20_000,
        "def f(x):\n " + "for " * 20_000,
    ],
)
def test_no_text_is_too_strange(text: str) -> None:
    assert globals_read_by("f", [text, text]) == ()
