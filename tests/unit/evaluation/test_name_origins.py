"""find_origin: where a name that is not defined was meant to come from."""

from __future__ import annotations

from autograder.evaluation.name_origins import NameOrigin, find_origin
from autograder.sandbox.host.program import CellProblem

TEXT = "name 'a' is not defined"
STOPPED = CellProblem("code cell 2", 1, "ValueError", "", ("a", "b"))
LEFT_OUT = CellProblem("code cell 1", 1, "ModuleNotFoundError", "", ("a",), stopped=False, star_imports=("math", "c.d"))


def test_the_cell_that_stopped_before_its_definition():
    assert find_origin("NameError", TEXT, [LEFT_OUT, STOPPED]) == NameOrigin("a", STOPPED, ())


def test_missing_modules_of_which_everything_was_to_be_imported():
    assert find_origin("NameError", TEXT, [LEFT_OUT]) == NameOrigin("a", None, ("c.d",))


def test_a_name_of_unknown_origin():
    assert find_origin("NameError", "name 'c' is not defined", [STOPPED]) == NameOrigin("c", None, ())


def test_other_errors_have_no_origin():
    assert find_origin("KeyError", TEXT, [STOPPED]) is None
    assert find_origin("NameError", "of the student's own", [STOPPED]) is None
