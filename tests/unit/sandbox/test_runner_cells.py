"""Tests of loading a submission: its cells share a real module, and errors are reported with their place."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

from autograder.course import Limits
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.program import (
    Batch,
    Call,
    CellProblem,
    Execution,
    FunctionMissing,
    FunctionRaised,
    Program,
    Returned,
)
from autograder.sandbox.protocol.vocabulary import STUDENT_ERROR
from autograder.submission.cells import Cell

BUILDER = "def arguments(arrays, names):\n    return dict(arrays)\n"


CURRENT_JAIL: list[Jail] = []  # in which `execute` runs programs; set by the fixture below


@pytest.fixture(scope="module", params=["AB", "DE"], ids=["sealed", "fresh"], autouse=True)
def jail(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run every test of this module in a sealed fork, and in a fresh process that is not sealed."""
    for level in request.param:
        with suppress(JailError), Jail(level) as jail:
            CURRENT_JAIL[:] = [jail]
            yield
            return
    pytest.skip("neither level works on this machine; autograder doctor says why")


def execute(*cells: str | Cell, function: str = "f") -> Execution:
    parsed = tuple(
        cell if isinstance(cell, Cell) else Cell(textwrap.dedent(cell), f"code cell {number}")
        for number, cell in enumerate(cells, start=1)
    )
    program = Program("rnn_backprop", parsed, {"kit": BUILDER}, {function: ("x",)})
    return CURRENT_JAIL[0].run(program, [Batch(function, (Call({"x": np.arange(3.0)}, {}),))], Limits())


def returned(execution: Execution) -> list[float]:
    """Return the array that f returned, after checking that no cell failed."""
    assert execution.problems == ()
    [outcome] = execution.outcomes["f"]
    assert isinstance(outcome, Returned), outcome
    return outcome.arrays[0].tolist()


class TestModule:
    def test_cells_share_one_module(self):
        assert returned(execute("import numpy as np\na = 2", "def f(x):\n    return a * x", "a = 3")) == [0, 3, 6]

    def test_future_imports_last_and_dataclasses_and_pickling_by_name_work(self):
        execution = execute(
            "from __future__ import annotations\nimport dataclasses, inspect, pickle, sys, typing\nimport numpy as np",
            """
            @dataclasses.dataclass
            class Net:
                size: NotDefinedAnywhere
                more: typing.ClassVar[int] = 3
            """,
            """
            def f(x):
                assert inspect.getsource(f).startswith("def f(x):"), "source"
                assert Net.__module__ == f.__module__ == __name__
                assert sys.modules[__name__].Net is Net
                assert pickle.loads(pickle.dumps(Net(4))) == Net(4)
                assert pickle.loads(pickle.dumps(f)) is f
                assert [field.name for field in dataclasses.fields(Net)] == ["size"]
                return x
            """,
        )
        assert returned(execution) == [0, 1, 2]

    def test_a_future_import_does_not_affect_earlier_cells(self):
        execution = execute("a = 1 <> 2", "from __future__ import barry_as_FLUFL", "a = 1 <> 2")  # spelt != without it
        assert [(problem.cell, problem.error) for problem in execution.problems] == [("code cell 1", "SyntaxError")]

    def test_the_names_of_jupyter_exist(self):
        cells = (
            "display('a', raw=True)\nget_ipython().run_line_magic('time', '')\ninspect = __builtins__",
            "def f(x):\n    return x",
        )
        assert returned(execute(*cells)) == [0, 1, 2]

    def test_a_submission_is_imported_under_its_name_and_is_not_the_main_program(self):
        cells = (
            "import pathlib, sys",
            "if __name__ == '__main__':\n    1/0",
            "sys.path.insert(0, str(pathlib.Path(__file__).parent))",
            "assert (__name__, __file__) == ('rnn_backprop', 'rnn_backprop.py')",
            "assert not hasattr(sys.modules['__main__'], 'sys')",
            "def f(x):\n    return x",
        )
        assert returned(execute(*cells)) == [0, 1, 2]

    def test_the_process_sees_neither_labels_nor_lines_of_the_file(self):
        source = """
            import sys
            def place():
                return sys._getframe().f_code.co_filename, sys._getframe().f_lineno
            """
        check = "assert place() == ('<cell 1>', 4), place()\ndef f(x):\n    return x"
        for label, first_line in (("", 40), ("code cell 7", 1)):
            assert returned(execute(Cell(textwrap.dedent(source), label, first_line), check)) == [0, 1, 2]

    def test_support_modules_can_be_imported_and_checks_do_nothing(self):
        cells = (
            "import kit\nassert kit.arguments({'a': 1}, {}) == {'a': 1}",
            "import inspect\nassert inspect.getsource(kit.arguments).startswith('def arguments(')",
            "from checks import check, hint\ncheck('f'), hint('f')",
            "def f(x):\n    return x",
        )
        assert returned(execute(*cells)) == [0, 1, 2]

    def test_support_modules_may_import_each_other(self):
        support_modules = {
            "first": "from second import two\ndef arguments(a, n): return {'x': two * a['x']}",
            "second": "two = 2",
        }
        program = Program("__main__", (Cell("def f(x): return x"),), support_modules, {"f": ("x",)})
        assert returned(CURRENT_JAIL[0].run(program, [Batch("f", (Call({"x": np.ones(1)}, {}),))], Limits())) == [2]

    def test_student_code_sees_no_other_module_of_the_kit(self):
        execution = execute(
            """
            import sys
            def f(x):
                assert not [name for name in sys.modules if name.startswith("autograder.")]
                assert sys.argv == [""]
                assert len(sys.orig_argv) == 1
                for name in ("autograder", "autograder.sandbox.protocol.framing", "rubric"):
                    try:
                        __import__(name)
                    except ModuleNotFoundError:
                        continue
                    raise AssertionError(name)
                return x
            """
        )
        assert returned(execution) == [0, 1, 2]

    def test_the_process_loads_only_guest_and_protocol(self):
        """Student code that climbs to the runner finds every module of the kit that its process has loaded.

        `prepare_interpreter` takes them out of sys.modules before student code runs, and keeps them in a list. Whatever
        these modules hold (other modules, functions, classes) must come from the same folders.
        """
        execution = execute(
            """
            import sys
            import numpy as np

            def f(x):
                frame = sys._getframe()
                while "_HIDDEN_MODULES" not in frame.f_globals:
                    frame = frame.f_back
                hidden = frame.f_globals["_HIDDEN_MODULES"]
                objects = [item for module in hidden for item in vars(module).values() if hasattr(item, "__name__")]
                names = {module.__name__ for module in hidden}
                names |= {getattr(item, "__module__", item.__name__) or "" for item in objects}
                names |= {name for name, module in sys.modules.items() if module}
                kit = sorted(name for name in names if name.partition(".")[0] == "autograder")
                return np.frombuffer(" ".join(kit).encode(), np.uint8)
            """
        )
        names = set(bytes(map(int, returned(execution))).decode().split())
        folders = {"autograder", "autograder.sandbox", "autograder.sandbox.guest", "autograder.sandbox.protocol"}
        assert names > folders | {"autograder.sandbox.guest.runner", "autograder.sandbox.protocol.framing"}
        allowed = ("autograder.sandbox.guest.", "autograder.sandbox.protocol.")
        assert [name for name in names - folders if not name.startswith(allowed)] == []


class TestProblems:
    @pytest.mark.parametrize(
        ("source", "error", "line", "text"),
        [
            ("a = 1\nb = 1 / 0", "ZeroDivisionError", 2, "division by zero"),
            ("a = 1\n\nb = (", "SyntaxError", 3, "'(' was never closed"),
            ("if True:\nb = 1", "IndentationError", 2, "expected an indented block after 'if' statement on line 1"),
            ("import not_installed_anywhere", "ModuleNotFoundError", 1, "No module named 'not_installed_anywhere'"),
            ("import sys\nsys.exit(3)", "SystemExit", 2, "3"),
            ("raise KeyboardInterrupt", "KeyboardInterrupt", 1, ""),
            ("def r(): r()\nr()", "RecursionError", 1, "maximum recursion depth exceeded"),
            ("quit()", "SystemExit", 1, "None"),
            ("input()", "EOFError", 1, "EOF when reading a line"),
            ("class E(ValueError): pass\n\nraise E('mine')", STUDENT_ERROR, 3, "mine"),
            ("import json\njson.loads('')", "ValueError", 2, "Expecting value: line 1 column 1 (char 0)"),
            ("import numpy as np\nnp.linalg.inv(np.zeros((2, 2)))", "LinAlgError", 2, "Singular matrix"),
            ("a = '\0'", ("SyntaxError", "ValueError"), None, "source code string cannot contain null bytes"),
            ("a = " + "(" * 1000 + ")" * 1000, ("SyntaxError", "MemoryError"), None, ""),
            ("raise ValueError('a' * 10_000)", "ValueError", 1, "a" * 300),
            ("raise ValueError('\\ud800')", "ValueError", 1, "?"),
            ("compile('1 +', 'other', 'exec')", "SyntaxError", 1, "invalid syntax"),
            ("raise SyntaxError('mine', ('<cell 1>', 10**20, 0, ''))", "SyntaxError", None, "mine"),
        ],
        ids=range(18),
    )
    def test_an_error_in_a_cell_is_reported_and_the_next_cells_run(self, source, error, line, text):
        execution = execute(source, "def f(x):\n    return x")
        [problem] = execution.problems
        assert problem.cell == "code cell 1"
        assert problem.ended is None
        assert problem.error in ((error,) if isinstance(error, str) else error)
        assert problem.line == line or error == ("SyntaxError", "MemoryError")
        assert problem.text.startswith(text)
        assert len(problem.text) <= 300
        assert isinstance(execution.outcomes["f"][0], Returned)

    def test_a_failed_import_stops_only_what_uses_it(self):
        [problem] = execute("import not_here\nimport numpy\ndef f(x):\n    return not_here.f(x)").problems
        assert (problem.line, problem.error) == (1, "ModuleNotFoundError")
        execution = execute("import not_here as n\ndef f(x):\n    return n.f(x)")
        text = "No module named 'not_here'"
        assert execution.outcomes["f"] == (FunctionRaised("ModuleNotFoundError", text, "code cell 1", 3),)

    @pytest.mark.parametrize(
        "text",
        ["raise E('a')", "raise E2", "raise type('ValueError', (E,), {'__module__': 'builtins'})('forged')"],
    )
    def test_an_exception_without_a_readable_text_is_reported(self, text):
        execution = execute(
            f"""
            class E(Exception):
                def __str__(self): raise SystemExit
            class Meta(type):
                def mro(cls): return type.mro(cls)
                def __hash__(cls): raise ValueError
            class E2(Exception, metaclass=Meta): pass
            {text}
            """,
            "def f(x):\n    return x",
        )
        [problem] = execution.problems
        assert (problem.error in (STUDENT_ERROR, "Exception"), problem.text) == (True, "")
        assert isinstance(execution.outcomes["f"][0], Returned)

    def test_lines_of_a_script_are_those_of_its_file(self):
        execution = execute(Cell("import numpy as np", "", 2), Cell("a = 1\n1/0", "", 12), Cell("b = (", "", 21))
        assert [(problem.cell, problem.line) for problem in execution.problems] == [("", 13), ("", 21)]

    @pytest.mark.parametrize(("label", "first_line", "line"), [("code cell 7", 3, 4), ("", 30, 31)])
    def test_the_line_is_that_of_the_last_frame_in_the_cell_or_script(self, label, first_line, line):
        cells = (
            Cell("import json\ndef load(text):\n    return json.loads(text)"),
            Cell("a = 1\nload('')", label, first_line),
        )
        [problem] = execute(*cells).problems
        assert (problem.cell, problem.line) == (label, line)

    def test_names_that_a_broken_cell_would_have_defined_are_reported(self):
        execution = execute("def f(x):\n    return x +\n\ndef helper(): pass\nclass A: pass\nsize = 3")
        assert [problem.defines for problem in execution.problems] == [("f", "helper", "A", "size")]
        assert execution.outcomes["f"] == (FunctionMissing((), callable=True),)

    def test_a_cell_of_which_a_class_was_left_out_has_not_stopped(self):
        execution = execute("class A(None): pass\ndef f(x): return x", "1 / 0")
        assert [problem.stopped for problem in execution.problems] == [False, True]

    def test_modules_of_which_everything_was_to_be_imported_are_reported(self):
        execution = execute("from math import *\nfrom not_here.a import *\ndef f(x): return x")
        assert [problem.star_imports for problem in execution.problems] == [("math", "not_here.a")]

    def test_problems_are_in_the_order_of_the_cells(self):
        execution = execute("1/0", "a = 1", "a.b", "def f(x): return x")
        assert execution.problems == (
            CellProblem("code cell 1", 1, "ZeroDivisionError", "division by zero", ()),
            CellProblem("code cell 3", 1, "AttributeError", "'int' object has no attribute 'b'", ()),
        )


class TestMissing:
    @pytest.mark.parametrize(
        ("cell", "similar"),
        [
            ("def djdw(x): return x", ("djdw",)),
            ("def dJ_dw(x): return x\ndef dJdW2(x): return x", ("dJ_dw", "dJdW2")),
            ("def other(x): return x\nfrom numpy import dot as dJdW", ()),
            ("globals()['dJ_dW ' * 30] = lambda x: x\nglobals()[3] = lambda x: x", ()),
            ("", ()),
        ],
    )
    def test_similar_names_are_reported(self, cell, similar):
        [outcome] = execute(cell, function="dJ_dW").outcomes["dJ_dW"]
        assert isinstance(outcome, FunctionMissing)
        assert outcome.callable
        assert set(outcome.similar_names) == set(similar)

    def test_a_value_that_cannot_be_called_is_reported(self):
        assert execute("f = 3").outcomes["f"] == (FunctionMissing((), callable=False),)

    @pytest.mark.parametrize("cell", ["f = lambda x: x", "class F:\n    def __call__(self, x): return x\nf = F()"])
    def test_anything_that_can_be_called_is_a_function(self, cell):
        assert returned(execute(cell)) == [0, 1, 2]
