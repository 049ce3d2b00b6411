"""Tests of StudentModule: what still runs of a cell with a failed import, and which pieces of a script are joined."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from autograder.sandbox.guest.student_module import StudentModule, count_joined_pieces


@pytest.fixture
def make_module(monkeypatch):
    """Return a function that makes modules, which are removed from this process afterwards."""

    def make(name: str = "__main__", *pieces: tuple[int, str]) -> StudentModule:
        for key in {name, "__main__"}:
            monkeypatch.setitem(sys.modules, key, sys.modules.get(key, ModuleType(key)))
        return StudentModule(name, [(index, text, "", line) for index, (line, text) in enumerate(pieces)])

    return make


def run_cell(module: StudentModule, source: str) -> None:
    module.run(source, "code cell 1", 1)


class TestMissingImports:
    def test_the_rest_of_the_cell_runs_before_the_first_error_is_raised(self, make_module):
        module = make_module()
        source = "import math, not_here.a as a, neither\nfrom not_here import *\nfrom not_here import b, c as d\nx = 1"
        with pytest.raises(ModuleNotFoundError, match="No module named 'not_here'") as caught:
            run_cell(module, source)
        assert module.get("x") == 1
        assert module.get("math") is sys.modules["math"]
        assert [name for name in ("a", "neither", "b", "d") if name in module] == ["a", "neither", "b", "d"]
        assert module.locate_error(caught.value, caught.tb) == ("code cell 1", 1)

    @pytest.mark.parametrize(
        "use",
        ["a.b", "a()", "a[0]", "list(a)", "2 * a", "a @ n.eye(2)", "n.sin(a)", "n.eye(2) * a", "float(a)", "a < 1"],
    )
    def test_using_a_missing_module_raises_its_import_error(self, use, make_module):
        module: Any = make_module()
        with pytest.raises(ModuleNotFoundError):
            run_cell(module, f"from not_here import a\nimport numpy as n\ndef f():\n    return {use}")
        with pytest.raises(ModuleNotFoundError, match="No module named 'not_here'") as caught:
            module.get("f")()
        assert module.locate_error(caught.value, caught.tb) == ("code cell 1", 4)

    def test_a_missing_module_cannot_be_a_base_class_or_decorator(self, make_module):
        module = make_module()
        for use in ("class A(a): pass", "isinstance(1, a)", "@a\ndef f(): pass"):
            with pytest.raises(ModuleNotFoundError, match="No module named 'not_here'"):
                run_cell(module, f"from not_here import a\n{use}\nx = 1")
        assert "x" not in module

    def test_an_import_error_that_the_student_catches_is_left_alone(self, make_module):
        module = make_module()
        run_cell(module, "try:\n    import not_here\nexcept ImportError:\n    not_here = None\nassert not_here is None")
        run_cell(module, "import sys\ntry:\n    import not_here as n\nexcept ImportError:\n    n = 3\nassert n == 3")

    def test_a_later_error_replaces_that_of_the_import(self, make_module):
        with pytest.raises(ZeroDivisionError):
            run_cell(make_module(), "import not_here\n1 / 0")

    def test_importing_a_missing_name_stops_the_cell(self, make_module):
        module = make_module()
        with pytest.raises(ImportError, match="cannot import name"):
            run_cell(module, "from math import not_there\nx = 1")
        assert "x" not in module


class TestStatements:
    def test_a_cell_with_a_syntax_error_does_not_run_at_all(self, make_module):
        module = make_module()
        with pytest.raises(SyntaxError):
            run_cell(module, "x = 1\nreturn x")
        assert "x" not in module

    def test_a_notebook_may_await_and_a_script_may_not(self, make_module):
        module = make_module()
        run_cell(module, "import asyncio\nasync def g():\n    await asyncio.sleep(0)\n    return 3\nx = await g()")
        assert module.get("x") == 3
        with pytest.raises(SyntaxError, match="'await' outside function"):
            make_module("script").run("async def g(): pass\nawait g()", "", 1)

    def test_an_await_that_needs_an_event_loop_raises(self, make_module):
        with pytest.raises(RuntimeError, match="no running event loop"):
            run_cell(make_module(), "import asyncio\nawait asyncio.sleep(1)")

    def test_an_exported_notebook_finds_its_magics(self, make_module):
        module = make_module("script")
        magics = "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')\ndisplay(1)\n"
        time = "get_ipython().run_cell_magic('time', '', 'def f():\\n    return 3\\n')\n"
        timeit = "get_ipython().run_cell_magic('timeit', '', 'def g():\\n    return 3\\n')\n"
        module.run(magics + time + timeit, "", 1)
        assert module.get("f")() == 3
        assert "g" not in module


FUNCTION, REST, OTHER = "def f():\n    a = 1", "# %%\n    return a", "# %%\nb = 2"
OPENING, CLOSING = 'def g():\n    """One.', '# %%\ntwo"""\n    return 3'
BROKEN = "# %%\nc = = 3"


class TestJoinedPieces:
    @pytest.mark.parametrize(
        ("texts", "count"),
        [
            ([OTHER], 1),
            ([OTHER, OTHER], 1),
            ([FUNCTION, REST, OTHER], 2),
            ([FUNCTION, OTHER, REST], 1),
            ([OPENING, CLOSING, OTHER], 2),
            ([OPENING, "# %%\nmore words", CLOSING, OTHER], 3),
            ([OTHER, OPENING, CLOSING], 1),
            ([FUNCTION, "# %%\n    if a:", "# %%\n        a = 3", REST, OTHER], 4),
            ([BROKEN, OTHER], 1),
            ([OTHER, BROKEN, OTHER], 1),
            ([OPENING, OTHER, OTHER], 1),
            (["a = '\0'", OTHER], 1),
        ],
        ids=range(12),
    )
    def test_pieces_are_joined_if_only_together_they_are_python(self, texts, count):
        assert count_joined_pieces([(1 + 10 * number, text) for number, text in enumerate(texts)], "") == count

    def test_joined_pieces_run_once_on_their_own_lines(self, make_module):
        pieces = [(1, "import inspect"), (3, FUNCTION), (6, f"{REST} / 0"), (10, OTHER), (12, OPENING), (15, CLOSING)]
        module = make_module("script", *pieces)
        for line, text in pieces:
            module.run(text, "", line)
        assert (module.get("g")(), module.get("b")) == (3, 2)
        with pytest.raises(ZeroDivisionError) as caught:
            module.get("f")()
        assert module.locate_error(caught.value, caught.tb) == ("", 7)
        assert module.get("inspect").getsource(module.get("f")) == f"{FUNCTION}\n\n{REST} / 0\n"
