"""open_grader(): the required isolation, the warnings, the secret. Grader: how much is said."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import grading
from autograder.course import Course, Level, Limits, find_course
from autograder.evaluation.call_plans import CallPlan, CallPlanner
from autograder.evaluation.seeds import SECRET_VARIABLE
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import MAX_CELL_NOTES, PLANNED_AHEAD, Grader, IsolationError, open_grader
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.program import Batch, CellProblem, Execution, FunctionMissing, Outcome, Program
from autograder.submission.cells import Cell
from autograder.submission.reader import Submission

COURSE = find_course(Path(__file__))


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return load_exercise(COURSE.exercise_folder("rnn_backprop"))


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "tests")


def jail_class(level: Level) -> type[Jail]:
    class FakeJail(Jail):
        def __init__(self) -> None:
            self.level = level

        def close(self) -> None:
            """Nothing was opened."""

    return FakeJail


@pytest.mark.parametrize(("offered", "warns"), [("A", False), ("B", False), ("C", True), ("D", True), ("E", True)])
def test_open_grader_warns_below_level_b(
    monkeypatch: pytest.MonkeyPatch, exercise: Exercise, offered: Level, warns: bool
) -> None:
    monkeypatch.setattr(grading, "Jail", jail_class(offered))
    warnings: list[str] = []
    with open_grader(COURSE, exercise, warnings.append) as grader:
        assert grader.jail.level == offered
    assert any("autograder doctor" in warning for warning in warnings) is warns


@pytest.mark.parametrize("course", [COURSE, replace(COURSE, isolation="B")])
def test_open_grader_refuses_below_the_required_level(
    monkeypatch: pytest.MonkeyPatch, exercise: Exercise, course: Course
) -> None:
    monkeypatch.setattr(grading, "Jail", jail_class("C"))
    required: Level | None = "B" if course is COURSE else None
    with (
        pytest.raises(IsolationError, match="Isolation B is required, and this machine offers C"),
        open_grader(course, exercise, print, required),
    ):
        pass


def test_open_grader_fails_if_no_code_can_run(monkeypatch: pytest.MonkeyPatch, exercise: Exercise) -> None:
    def failing_jail() -> Jail:
        raise JailError("no process can be started")

    monkeypatch.setattr(grading, "Jail", failing_jail)
    with (
        pytest.raises(IsolationError, match="cannot be run: no process can be started"),
        open_grader(COURSE, exercise, print),
    ):
        pass


def test_open_grader_warns_without_a_secret_unless_a_seed_is_given(
    monkeypatch: pytest.MonkeyPatch, exercise: Exercise, tmp_path: Path
) -> None:
    monkeypatch.delenv(SECRET_VARIABLE)
    monkeypatch.setattr(grading, "Jail", jail_class("A"))
    course = replace(COURSE, secret_file=tmp_path / "no" / "where")
    for seed, count in ((None, 1), (7, 0)):
        warnings: list[str] = []
        with open_grader(course, exercise, warnings.append, seed=seed) as grader:
            assert (grader.secret, grader.seed) == (None, seed)
        assert len(warnings) == count


def jail_without_functions(problems: tuple[CellProblem, ...] = ()) -> Jail:
    """Return a jail in which every submission has cells that stopped, and no function."""
    missing = FunctionMissing(())

    class LoadedProgram:
        def run(self, _program: Program, batches: Sequence[Batch], _limits: Limits) -> Execution:
            return Execution(problems, {batch.function: (missing,) * len(batch.steps) for batch in batches})

        def run_first_calls(self, batches: Sequence[Batch], _limits: Limits) -> dict[str, Outcome]:
            return {batch.function: missing for batch in batches}

    jail = jail_class("A")()
    jail.load_program = lambda *_: nullcontext(LoadedProgram())
    return jail


def test_of_very_many_cells_that_stopped_the_first_are_described(exercise: Exercise) -> None:
    problems = tuple(CellProblem(f"code cell {n}", 1, "KeyError", "'a'", ()) for n in range(2 * MAX_CELL_NOTES))
    submission = Submission("notebook", (Cell("a[0]"),), (), Path("a.ipynb"))
    report = Grader(exercise, jail_without_functions(problems), Limits()).grade_submission(submission, "mia")
    texts = [note.text for note in report.notes]
    assert (report.status, len(texts)) == ("graded", MAX_CELL_NOTES + 1)
    assert "code cell 19" in texts[-2]
    assert texts[-1].startswith(f"{MAX_CELL_NOTES} more pieces of your code stopped")


def test_what_is_planned_ahead_is_planned_once(monkeypatch: pytest.MonkeyPatch, exercise: Exercise) -> None:
    planned: list[int] = []
    plan = CallPlanner.plan
    monkeypatch.setattr(CallPlanner, "plan", lambda self, seeds: planned.extend(seeds) or plan(self, seeds))
    works = [Submission("script", (Cell(f"a = {n}"),), (), Path("a.py")) for n in range(PLANNED_AHEAD + 8)]
    grader = Grader(exercise, jail_without_functions(), Limits(), secret=b"tests")
    grader.grade_submission(works[0], "mia")  # equal work was graded before
    for share in (works[:PLANNED_AHEAD], works[PLANNED_AHEAD:]):
        grader.plan_ahead(share)
        assert {grader.grade_submission(work, "mia").status for work in share} == {"graded"}
    assert len(planned) == len(set(planned)) == len(works)


def test_with_one_seed_for_all_nothing_is_planned_ahead(monkeypatch: pytest.MonkeyPatch, exercise: Exercise) -> None:
    planned: list[int] = []
    monkeypatch.setattr(CallPlanner, "plan", lambda self, seeds: planned.extend(seeds) or [()] * len(seeds))
    grader = Grader(exercise, jail_without_functions(), Limits(), seed=7)
    grader.plan_ahead([Submission("script", (Cell("a = 1"),), (), Path("a.py"))])
    assert planned == []


def test_plans_made_ahead_are_given_up_with_the_next_even_for_work_that_comes_again(
    monkeypatch: pytest.MonkeyPatch, exercise: Exercise
) -> None:
    stacks: list[weakref.ref[object]] = []
    plan = CallPlanner.plan

    def plan_and_watch(planner: CallPlanner, seeds: Sequence[int]) -> list[tuple[CallPlan, ...]]:
        plans = plan(planner, seeds)
        _, hidden, *_ = plans[0][0].cases.values()
        stacks.append(weakref.ref(hidden.stack))
        return plans

    monkeypatch.setattr(CallPlanner, "plan", plan_and_watch)
    works = [Submission("script", (Cell(f"a = {n}"),), (), Path("a.py")) for n in range(4)]
    grader = Grader(exercise, jail_without_functions(), Limits(), secret=b"tests")
    for own in works[1:]:
        share = [works[0], own]
        grader.plan_ahead(share)
        assert {grader.grade_submission(work, "mia").status for work in share} == {"graded"}
    gc.collect()
    assert [stack() is not None for stack in stacks] == [False, False, True]
