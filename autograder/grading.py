"""One submission -> Report: draw its cases, run it apart, judge what came back."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder import messages
from autograder.course import seed_of
from autograder.exercise import Case, Check, Exercise, Function
from autograder.judging import Judged, Trial, judge
from autograder.report import CheckResult, Note, Report
from autograder.sandbox import jail
from autograder.sandbox.program import Again, Batch, Call, Execution, Limits, Program, Recall
from autograder.submission import Refused, Released, Submission, read_submission

PUBLIC_SEED = 0


@dataclass(frozen=True)
class Plan:
    """What one function is called with: the cases of its checks, then the calls that look for memory.

    The first step is the first case of the first check. After all cases, `kept` is the first result looked at once
    more, `again` the same call on the very same arguments, and `later` the same case with fresh ones.
    """

    function: Function
    cases: Mapping[str, Case]

    @property
    def batch(self) -> Batch:
        """The steps: cases in order, then kept, again and later."""
        calls = [Call({a: case.arrays[a] for a in self._arrays(case)}, case.names) for case in self.cases.values()]
        return Batch(self.function.name, (*calls, Recall(0), Again(0), calls[0]))

    def _arrays(self, case: Case) -> tuple[str, ...]:
        return tuple(name for name in self.function.arrays if name in case.arrays)

    def trials(self, execution: Execution, exercise: Exercise) -> Mapping[str, Trial]:
        """What came back for each case, beside what was expected; and under `kept`, `again`, `later` for the first."""
        outcomes = execution.outcomes[self.function.name]
        names = (*self.cases, "kept", "again", "later")
        first = next(iter(self.cases.values()))
        return {
            name: Trial(case := self.cases.get(name, first), outcome, exercise.reference(self.function.name, case))
            for name, outcome in zip(names, outcomes, strict=True)
        }


def grade(
    path: Path, name: str, exercise: Exercise, limits: Limits, secret: bytes | None, seed: int | None = None
) -> Report:
    """Grade the submission at `path`, shown as `name`.

    Without `seed`, it is told by the student's own code and the secret. Work that cannot be read is `refused`.
    Never raises because of what a submission holds.
    """
    try:
        submission = read_submission(path, exercise.name, released(exercise))
    except Refused as reason:
        return _refused(exercise, name, str(reason), seed or 0)
    if seed is None:
        seed = seed_of(submission.code, exercise.name, secret)
    plans = [_plan(exercise, function, seed) for function in exercise.functions]
    execution = jail.run(_program(exercise, submission), [plan.batch for plan in plans], limits)
    judged = [judge(exercise, plan.function, plan.trials(execution, exercise), execution, limits) for plan in plans]
    return _report(exercise, name, seed, submission, execution, judged)


def grade_safely(
    path: Path, name: str, exercise: Exercise, limits: Limits, secret: bytes | None, seed: int | None = None
) -> Report:
    """As `grade`, but a fault of the grader itself is a `grader_error`, so that the submissions after it are graded."""
    try:
        return grade(path, name, exercise, limits, secret, seed)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission only
        last = traceback.extract_tb(error.__traceback__)[-1]
        reason = (
            f"The grader failed with {type(error).__name__} in {Path(last.filename).name}, line {last.lineno}: {error}"
        )
        notes = (Note("instructor", messages.quote(reason)),)
        return Report(exercise.name, name, "grader_error", 0.0, exercise.max_score, seed or 0, jail.ISOLATION, notes)


def released(exercise: Exercise) -> Released:
    """What the reader of submissions must know of the released files."""
    return Released(
        check_cells=exercise.check_cells,
        set_up=exercise.set_up,
        stub_cells=exercise.stub_cells,
        stubs=tuple(function.name for function in exercise.functions),
    )


def draw(exercise: Exercise, check: Check, case_id: str, seed: int) -> Case:
    """The case of a check: told by the seed and its own id alone, so that dropping one changes no other."""
    digest = hashlib.sha256(case_id.encode()).digest()
    start = seed if check.hidden else PUBLIC_SEED
    return exercise.draw(case_id, np.random.default_rng([start, int.from_bytes(digest[:8], "big")]))


def _plan(exercise: Exercise, function: Function, seed: int) -> Plan:
    return Plan(
        function,
        {id: draw(exercise, check, id, seed) for check in exercise.checks_of(function.name) for id in check.cases},
    )


def _program(exercise: Exercise, submission: Submission) -> Program:
    return Program(
        module="__main__" if submission.kind == "notebook" else exercise.name,
        cells=submission.cells,
        given={Path(file).stem: text for file, text in exercise.given.items()},
        functions={function.name: function.arguments for function in exercise.functions},
        results={function.name: len(function.returns) for function in exercise.functions},
    )


def _report(
    exercise: Exercise, name: str, seed: int, submission: Submission, execution: Execution, judged: list[Judged]
) -> Report:
    checks: tuple[CheckResult, ...] = tuple(result for one in judged for result in one.results)
    notes = [
        *(Note("student", text) for text in submission.notes),
        *(Note("student", messages.cell_problem(problem)) for problem in execution.problems),
        *(Note("student", text) for one in judged for text in one.notes),
    ]
    return Report(
        exercise=exercise.name,
        submission=name,
        status="graded",
        score=round(sum(result.points for result in checks), 6),
        max_score=exercise.max_score,
        seed=seed,
        isolation=jail.ISOLATION,
        notes=tuple(notes),
        checks=checks,
    )


def _refused(exercise: Exercise, name: str, reason: str, seed: int) -> Report:
    return Report(
        exercise.name, name, "refused", 0.0, exercise.max_score, seed, jail.ISOLATION, (Note("student", reason),)
    )
