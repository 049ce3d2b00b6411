"""Tests of StudentModule: how cells run, and what still runs of a cell with a failed import."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from autograder.sandbox.guest.student_module import StudentModule


@pytest.fixture
def make_module(monkeypatch):
    """Return a function that makes modules, which are removed from this process afterwards."""

    def make() -> StudentModule:
        for key in ("submission", "__main__"):
            monkeypatch.setitem(sys.modules, key, sys.modules.get(key, ModuleType(key)))
        return StudentModule("submission")

    return make


def run_cell(module: StudentModule, source: str) -> None:
    module.run(4, source)


class TestMissingImports:
    def test_the_rest_of_the_cell_runs_before_the_first_error_is_raised(self, make_module):
        module = make_module()
        source = "import math, not_here.a as a, neither\nfrom not_here import *\nfrom not_here import b, c as d\nx = 1"
        with pytest.raises(ModuleNotFoundError, match="No module named 'not_here'") as caught:
            run_cell(module, source)
        assert module.get("x") == 1
        assert module.get("math") is sys.modules["math"]
        assert [name for name in ("a", "neither", "b", "d") if name in module] == ["a", "neither", "b", "d"]
        assert module.locate_error(caught.value, caught.tb) == (4, 1)

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
        assert module.locate_error(caught.value, caught.tb) == (4, 4)

    @pytest.mark.parametrize(
        ("needs_it", "names"),
        [
            ("class A(a):\n    pass", ["A"]),
            ("@a\nclass A:\n    pass", ["A"]),
            ("@a\ndef f(): pass", ["f"]),
            ("isinstance(1, a)", []),
            ("a.manual_seed(0)", []),
            ("A = B = a()", ["A", "B"]),
            ("A, (B, *C) = a.b", ["A", "B", "C"]),
            ("for i in a.b:\n    A = i", ["i", "A"]),
            ("if True:\n    import neither\n    def f(): pass", ["neither", "f"]),
            ("class A(a):\n    pass\nB = A()", ["A", "B"]),
        ],
    )
    def test_statements_that_need_a_missing_module_are_left_out(self, needs_it, names, make_module):
        module: Any = make_module()
        with pytest.raises(ModuleNotFoundError, match="No module named 'not_here'"):
            run_cell(module, f"from not_here import a\n{needs_it}\nx = 1")
        assert module.get("x") == 1
        assert not module.stopped
        for name in names:
            with pytest.raises(ModuleNotFoundError):
                module.get(name)()

    def test_what_a_statement_defined_before_it_failed_stays(self, make_module):
        module: Any = make_module()
        with pytest.raises(ModuleNotFoundError):
            run_cell(module, "if True:\n    def f(): return 1\n    import not_here\nx = 1")
        assert module.get("f")() == module.get("x") == 1

    def test_a_name_that_was_to_come_from_a_missing_module_is_left_out(self, make_module):
        module = make_module()
        with pytest.raises(ModuleNotFoundError):
            run_cell(module, "from not_here import *\na = make()\nx = 1")
        assert module.get("x") == 1
        with pytest.raises(NameError):
            run_cell(make_module(), "a = make()\nx = 1")

    def test_a_class_that_cannot_be_defined_is_left_out(self, make_module):
        module: Any = make_module()
        with pytest.raises(AttributeError, match="has no attribute 'nn'") as caught:
            run_cell(module, "lib = None\nclass A(lib.nn.B):\n    pass\nx = 1\ndef f():\n    return A()")
        assert module.locate_error(caught.value, caught.tb) == (4, 2)
        assert module.get("x") == 1
        assert not module.stopped
        with pytest.raises(AttributeError, match="has no attribute 'nn'"):
            module.get("f")()

    def test_a_statement_of_another_kind_stops_the_cell(self, make_module):
        module = make_module()
        with pytest.raises(ZeroDivisionError):
            run_cell(module, "class A(None):\n    pass\n1 / 0\nx = 1")
        assert module.stopped
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

    def test_a_cell_may_await(self, make_module):
        module = make_module()
        run_cell(module, "import asyncio\nasync def g():\n    await asyncio.sleep(0)\n    return 3\nx = await g()")
        assert module.get("x") == 3

    def test_an_await_that_needs_an_event_loop_raises(self, make_module):
        with pytest.raises(RuntimeError, match="no running event loop"):
            run_cell(make_module(), "import asyncio\nawait asyncio.sleep(1)")

    def test_an_exported_notebook_finds_its_magics(self, make_module):
        module = make_module()
        magics = "get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')\ndisplay(1)\n"
        time = "get_ipython().run_cell_magic('time', '', 'def f():\\n    return 3 / 0\\n')\n"
        timeit = "get_ipython().run_cell_magic('timeit', '', 'def g():\\n    return 3\\n')\n"
        run_cell(module, magics + time + timeit)
        with pytest.raises(ZeroDivisionError) as caught:
            module.get("f")()
        assert module.locate_error(caught.value, caught.tb) == (4, 5)
        assert "g" not in module
