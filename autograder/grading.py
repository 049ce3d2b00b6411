"""One submission -> Report: draw its cases, run it apart, judge what came back."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder import messages
from autograder.cases import plan
from autograder.course import Course, read_secret, seed_of
from autograder.exercise import Exercise
from autograder.judging import Judged, judge
from autograder.report import Note, Report, ReportStatus
from autograder.sandbox.jail import Jail, JailError
from autograder.sandbox.levels import SAFE, Level, at_least
from autograder.sandbox.program import Execution, Limits, Program
from autograder.submission import Refused, Released, Submission, read_submission


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
        plans = [plan(exercise, function, seed) for function in exercise.functions]
        execution = self.jail.run(_program(exercise, submission), [one.batch for one in plans], self.limits)
        judged = [
            judge(exercise, one.function, one.trials(execution, exercise), execution, self.limits) for one in plans
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
