"""One submission -> Report: draw its cases, run it apart, judge what came back."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder import messages
from autograder.course import Course, read_secret, seed_of
from autograder.exercise import Case, Check, Exercise, Function
from autograder.judging import Judged, Trial, judge
from autograder.report import Note, Report, ReportStatus
from autograder.sandbox.jail import Jail, JailError
from autograder.sandbox.levels import SAFE, Level, at_least
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


@dataclass(frozen=True)
class Grader:
    """All that grading a submission of one exercise takes.

    Without `seed`, the seed of a submission is told by the student's own code and the secret.
    """

    exercise: Exercise
    jail: Jail
    limits: Limits
    secret: bytes | None = None
    seed: int | None = None

    def grade(self, path: Path, name: str) -> Report:
        """Grade the submission at `path`, shown as `name`. Work that cannot be read is `refused`.

        A fault of the grader itself is a `grader_error`, so that the submissions after it are graded: never raises.
        """
        try:
            return self._grade(path, name)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission only
            last = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}: {error}"
            note = Note("instructor", messages.quote(f"The grader failed with {what}"))
            return self._without_verdict(name, "grader_error", note)

    def _grade(self, path: Path, name: str) -> Report:
        exercise = self.exercise
        try:
            submission = read_submission(path, exercise.name, released(exercise))
        except Refused as reason:
            return self._without_verdict(name, "refused", Note("student", str(reason)))
        seed = seed_of(submission.code, exercise.name, self.secret) if self.seed is None else self.seed
        plans = [_plan(exercise, function, seed) for function in exercise.functions]
        execution = self.jail.run(_program(exercise, submission), [plan.batch for plan in plans], self.limits)
        judged = [
            judge(exercise, plan.function, plan.trials(execution, exercise), execution, self.limits) for plan in plans
        ]
        checks = tuple(result for one in judged for result in one.results)
        return Report(
            exercise=exercise.name,
            submission=name,
            status="graded",
            score=round(sum(result.points for result in checks), 6),
            max_score=exercise.max_score,
            seed=seed,
            isolation=self.jail.level,
            notes=_notes(submission, execution, judged),
            checks=checks,
        )

    def _without_verdict(self, name: str, status: ReportStatus, note: Note) -> Report:
        most = self.exercise.max_score
        return Report(self.exercise.name, name, status, 0.0, most, self.seed or 0, self.jail.level, (note,))


class NotIsolated(Exception):
    """Student code cannot be run here, or not as well isolated as required: one sentence that says what to do."""


@contextmanager
def opened(
    course: Course,
    exercise: Exercise,
    warn: Callable[[str], None],
    required: Level | None = None,
    seed: int | None = None,
) -> Iterator[Grader]:
    """A grader with a jail of its own, closed afterwards; `warn` is told in a sentence what is not as it should be.

    Raises NotIsolated where the machine does not offer the isolation that is required, by the course unless said here,
    and CourseError where the course's secret cannot be read.
    """
    secret = None if seed is not None else read_secret(course)
    if seed is None and secret is None:
        warn(f"{course.secret_file} cannot be made, so students could foresee hidden cases: set AUTOGRADER_SECRET.")
    try:
        jail = Jail()
    except JailError as error:
        raise NotIsolated(f"Student code cannot be run: {error}.") from None
    with jail:
        required = required or course.isolation
        see = "autograder doctor says what is missing."
        if not at_least(jail.level, required):
            raise NotIsolated(f"Isolation {required} is required, and this machine offers {jail.level}: {see}")
        if not at_least(jail.level, SAFE):
            warn(f"student code is isolated at level {jail.level} only, which somebody who cheats gets through: {see}")
        yield Grader(exercise, jail, course.limits, secret, seed)


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


def _notes(submission: Submission, execution: Execution, judged: Sequence[Judged]) -> tuple[Note, ...]:
    texts = [
        *submission.notes,
        *(messages.cell_problem(problem) for problem in execution.problems),
        *(text for one in judged for text in one.notes),
    ]
    return tuple(Note("student", text) for text in texts)
