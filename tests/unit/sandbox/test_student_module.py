"""The module in which a student's cells run: what of a cell still runs when a line of it cannot."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from autograder.sandbox.guest.student_module import StudentModule, count_joined_pieces


@pytest.fixture
def new(monkeypatch):
    """Makes modules that leave no trace in this process."""

    def make(name: str = "__main__", *pieces: tuple[int, str]) -> StudentModule:
        for taken in {name, "__main__"}:
            monkeypatch.setitem(sys.modules, taken, sys.modules.get(taken, ModuleType(taken)))
        return StudentModule(name, [(index, text, "", line) for index, (line, text) in enumerate(pieces)])

    return make


def cell(module: StudentModule, source: str) -> None:
    module.run(source, "code cell 1", 1)


class TestMissingImports:
    def test_the_rest_of_the_cell_runs_and_then_the_first_one_is_told(self, new):
        module = new()
        source = "import math, not_here.a as a, neither\nfrom not_here import *\nfrom not_here import b, c as d\nx = 1"
        with pytest.raises(ModuleNotFoundError, match="No module named 'not_here'") as told:
            cell(module, source)
        assert module.get("x") == 1
        assert module.get("math") is sys.modules["math"]
        assert [name for name in ("a", "neither", "b", "d") if name in module] == ["a", "neither", "b", "d"]
        assert module.locate_error(told.value, told.tb) == ("code cell 1", 1)

    @pytest.mark.parametrize(
        "use",
        ["a.b", "a()", "a[0]", "list(a)", "2 * a", "a @ n.eye(2)", "n.sin(a)", "n.eye(2) * a", "float(a)", "a < 1"],
    )
    def test_a_function_that_uses_it_says_why_it_cannot_be_run(self, use, new):
        module: Any = new()
        with pytest.raises(ModuleNotFoundError):
            cell(module, f"from not_here import a\nimport numpy as n\ndef f():\n    return {use}")
        with pytest.raises(ModuleNotFoundError, match="No module named 'not_here'") as told:
            module.get("f")()
        assert module.locate_error(told.value, told.tb) == ("code cell 1", 4)

    def test_it_cannot_be_made_a_base_or_asked_for_instances(self, new):
        module = new()
        for use in ("class A(a): pass", "isinstance(1, a)", "@a\ndef f(): pass"):
            with pytest.raises(ModuleNotFoundError, match="No module named 'not_here'"):
                cell(module, f"from not_here import a\n{use}\nx = 1")
        assert "x" not in module

    def test_what_a_student_prepared_for_is_left_to_the_student(self, new):
        module = new()
        cell(module, "try:\n    import not_here\nexcept ImportError:\n    not_here = None\nassert not_here is None")
        cell(module, "import sys\ntry:\n    import not_here as n\nexcept ImportError:\n    n = 3\nassert n == 3")

    def test_another_error_after_it_is_the_one_that_is_told(self, new):
        with pytest.raises(ZeroDivisionError):
            cell(new(), "import not_here\n1 / 0")

    def test_a_name_that_a_module_does_not_have_stops_the_cell(self, new):
        module = new()
        with pytest.raises(ImportError, match="cannot import name"):
            cell(module, "from math import not_there\nx = 1")
        assert "x" not in module


class TestStatements:
    def test_nothing_runs_of_a_cell_that_is_no_python(self, new):
        module = new()
        with pytest.raises(SyntaxError):
            cell(module, "x = 1\nreturn x")
        assert "x" not in module

    def test_a_notebook_may_await_and_a_script_may_not(self, new):
        module = new()
        cell(module, "import asyncio\nasync def g():\n    await asyncio.sleep(0)\n    return 3\nx = await g()")
        assert module.get("x") == 3
        with pytest.raises(SyntaxError, match="'await' outside function"):
            new("script").run("async def g(): pass\nawait g()", "", 1)

    def test_an_await_that_needs_the_loop_of_jupyter_is_an_error(self, new):
        with pytest.raises(RuntimeError, match="no running event loop"):
            cell(new(), "import asyncio\nawait asyncio.sleep(1)")

    def test_an_exported_notebook_finds_what_it_was_exported_with(self, new):
        module = new("script")
        magics = "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')\ndisplay(1)\n"
        time = "get_ipython().run_cell_magic('time', '', 'def f():\\n    return 3\\n')\n"
        timeit = "get_ipython().run_cell_magic('timeit', '', 'def g():\\n    return 3\\n')\n"
        module.run(magics + time + timeit, "", 1)
        assert module.get("f")() == 3
        assert "g" not in module


FUNCTION, REST, OTHER = "def f():\n    a = 1", "# %%\n    return a", "# %%\nb = 2"
OPEN, SHUT = 'def g():\n    """One.', '# %%\ntwo"""\n    return 3'
BROKEN = "# %%\nc = = 3"


class TestMarkersInside:
    @pytest.mark.parametrize(
        ("texts", "together"),
        [
            ([OTHER], 1),
            ([OTHER, OTHER], 1),
            ([FUNCTION, REST, OTHER], 2),
            ([FUNCTION, OTHER, REST], 1),
            ([OPEN, SHUT, OTHER], 2),
            ([OPEN, "# %%\nmore words", SHUT, OTHER], 3),
            ([OTHER, OPEN, SHUT], 1),
            ([FUNCTION, "# %%\n    if a:", "# %%\n        a = 3", REST, OTHER], 4),
            ([BROKEN, OTHER], 1),
            ([OTHER, BROKEN, OTHER], 1),
            ([OPEN, OTHER, OTHER], 1),
            (["a = '\0'", OTHER], 1),
        ],
        ids=range(12),
    )
    def test_pieces_belong_together_when_only_together_they_are_python(self, texts, together):
        assert count_joined_pieces([(1 + 10 * number, text) for number, text in enumerate(texts)], "") == together

    def test_they_are_run_once_on_their_own_lines(self, new):
        pieces = [(1, "import inspect"), (3, FUNCTION), (6, f"{REST} / 0"), (10, OTHER), (12, OPEN), (15, SHUT)]
        module = new("script", *pieces)
        for line, text in pieces:
            module.run(text, "", line)
        assert (module.get("g")(), module.get("b")) == (3, 2)
        with pytest.raises(ZeroDivisionError) as told:
            module.get("f")()
        assert module.locate_error(told.value, told.tb) == ("", 7)
        assert module.get("inspect").getsource(module.get("f")) == f"{FUNCTION}\n\n{REST} / 0\n"
