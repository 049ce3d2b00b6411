"""One submission -> Report: draw its cases, run it apart, judge what came back."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from autograder import messages
from autograder.cases import Plan, plan
from autograder.course import Course, read_secret, seed_of
from autograder.exercise import Exercise
from autograder.feedback import Seen, Tutor, withheld
from autograder.judging import Judged, judge
from autograder.outside import read_by
from autograder.report import Note, Report, ReportStatus, Telling
from autograder.sandbox.jail import Jail, JailError
from autograder.sandbox.levels import SAFE, Level, at_least
from autograder.sandbox.program import Execution, Limits, Program
from autograder.submission import Refused, Released, Submission, read_submission

_MOST_JUDGED = 100

Work = Submission | Refused
"""What was handed in, as it was read, or why it cannot be."""


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
    feedback: Telling = "full"

    @cached_property
    def _tutor(self) -> Tutor:
        return Tutor(self.exercise)

    @cached_property
    def _plan(self) -> Callable[[int], tuple[Plan, ...]]:
        """The cases of a seed; those of the last one are kept, since a class may have one for all."""
        return lru_cache(maxsize=1)(lambda seed: plan(self.exercise, seed))

    def grade(self, path: Path, name: str) -> Report:
        """Grade the submission at `path`, shown as `name`. Work that cannot be read is `refused`.

        A fault of the grader itself is a `grader_error`, so that the submissions after it are graded: never raises.
        """
        return self._safely(lambda: self._grade(read(self.exercise, path), name), name)

    def grade_read(self, work: Work, name: str) -> Report:
        """The same for a submission that was read before, on another machine perhaps."""
        return self._safely(lambda: self._grade(work, name), name)

    def _safely(self, grade: Callable[[], Report], name: str) -> Report:
        try:
            return grade()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission only
            last = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}: {error}"
            note = Note("instructor", messages.quote(f"The grader failed with {what}"))
            return self._without_verdict(name, "grader_error", note)

    def _grade(self, work: Work, name: str) -> Report:
        if isinstance(work, Refused):
            return self._without_verdict(name, "refused", Note("student", str(work)))
        exercise, submission = self.exercise, work
        seed = seed_of(submission.code, exercise.name, self.secret) if self.seed is None else self.seed
        plans = self._plan(seed)
        program, started = _program(exercise, submission), time.monotonic()
        execution, seen = self._run(program, plans)
        judged = [self._judge(one, execution) for one in plans]
        explained, told = self._explained(judged, seen, program, started)
        checks = tuple(withheld(result, self.feedback) for one in explained for result in one.results)
        return Report(
            exercise=exercise.name,
            submission=name,
            status="graded",
            score=round(sum(result.points for result in checks), 6),
            max_score=exercise.max_score,
            seed=seed,
            isolation=self.jail.level,
            notes=(*self._notes(submission, execution, judged), *(told if self.feedback != "none" else ())),
            checks=checks,
        )

    def _run(self, program: Program, plans: Sequence[Plan]) -> tuple[Execution, Seen]:
        """Make all calls, the public ones first. A function that ended its process in the first is not called again."""
        with self.jail.loaded(program, self.limits) as once:
            try:
                seen = self._tutor.glance(once, program, plans, self.limits)
            except Exception:  # noqa: BLE001 - the verdict does not wait for it; what fails again is told then
                seen = Seen()
            ended = [one for one in plans if one.function.name in seen.ended]
            execution = once.run(program, [one.batch for one in plans if one not in ended], self.limits)
        outcomes = {one.function.name: (seen.ended[one.function.name],) * len(one.batch.steps) for one in ended}
        return replace(execution, outcomes={**execution.outcomes, **outcomes}), seen

    def _judge(self, one: Plan, execution: Execution) -> Judged:
        outcomes = execution.outcomes[one.function.name]
        known = outcomes, execution.problems
        if known not in one.judged:
            if len(one.judged) >= _MOST_JUDGED:
                one.judged.clear()
            trials = one.trials(outcomes)
            one.judged[known] = judge(self.exercise, one.function, trials, execution.problems, self.limits)
        return one.judged[known]

    def _explained(
        self, judged: Sequence[Judged], seen: Seen, program: Program, started: float
    ) -> tuple[Sequence[Judged], tuple[Note, ...]]:
        """The same results with feedback, made in what is left of the time; a verdict never fails for want of it.

        Feedback quotes numbers of the student's, so what was not seen yet comes from a process that has not seen any
        hidden case.
        """
        left = self.limits.submission_wall_seconds - (time.monotonic() - started)
        try:
            unseen = self._tutor.unseen(judged, seen)
            if unseen and left > 0 and self.exercise.ladder:
                with self.jail.loaded(program, replace(self.limits, submission_wall_seconds=left)) as fresh:
                    seen = seen.and_then(self._tutor.look(fresh, program, unseen, self.limits))
            return self._tutor.explain(judged, seen)
        except Exception as error:  # noqa: BLE001 - the verdict stands, whatever went wrong with words about it
            what = messages.quote(f"{type(error).__name__}: {error}")
            return judged, (Note("instructor", f"No feedback beyond the checks' own could be made: {what}"),)

    def _notes(self, submission: Submission, execution: Execution, judged: Sequence[Judged]) -> tuple[Note, ...]:
        texts = [
            *submission.notes,
            *(messages.cell_problem(problem) for problem in execution.problems),
            *(text for one in judged for text in one.notes if self.feedback != "none"),
        ]
        sources = [cell.source for cell in submission.cells]
        data = {function.name: read_by(function.name, sources) for function in self.exercise.functions}
        remarks = [
            *(text for one in judged for text in one.remarks),
            *(messages.reads_globals(name, names) for name, names in data.items() if names),
        ]
        return (*(Note("student", text) for text in texts), *(Note("instructor", text) for text in remarks))

    def _without_verdict(self, name: str, status: ReportStatus, note: Note) -> Report:
        most = self.exercise.max_score
        return Report(self.exercise.name, name, status, 0.0, most, self.seed or 0, self.jail.level, (note,))


class NotIsolated(Exception):
    """Student code cannot be run here, or not as well isolated as required: one sentence that says what to do."""


@dataclass(frozen=True)
class Terms:
    """What a verdict depends on besides the exercise and the submission; `isolation` is the weakest to grade at."""

    limits: Limits
    isolation: Level
    secret: bytes | None
    seed: int | None
    feedback: Telling = "full"


def terms_of(
    course: Course,
    warn: Callable[[str], None],
    required: Level | None,
    seed: int | None,
    feedback: Telling | None = None,
) -> Terms:
    """The terms of a course; `warn` is told in a sentence when it can keep no secret. Raises CourseError."""
    secret = None if seed is not None else read_secret(course)
    if seed is None and secret is None:
        warn(f"{course.secret_file} cannot be made, so students could foresee hidden cases: set AUTOGRADER_SECRET.")
    return Terms(course.limits, required or course.isolation, secret, seed, feedback or course.feedback)


@contextmanager
def opened(
    course: Course,
    exercise: Exercise,
    warn: Callable[[str], None],
    required: Level | None = None,
    seed: int | None = None,
    feedback: Telling | None = None,
) -> Iterator[Grader]:
    """A grader with a jail of its own, closed afterwards; `warn` is told in a sentence what is not as it should be.

    Raises NotIsolated where the machine does not offer the isolation that is required, by the course unless said here,
    and CourseError where the course's secret cannot be read.
    """
    with at_work(exercise, terms_of(course, warn, required, seed, feedback), warn) as grader:
        yield grader


@contextmanager
def at_work(exercise: Exercise, terms: Terms, warn: Callable[[str], None]) -> Iterator[Grader]:
    """A grader on these terms with a jail of its own, closed afterwards. Raises NotIsolated; `warn` as in `opened`."""
    try:
        jail = Jail()
    except JailError as error:
        raise NotIsolated(f"Student code cannot be run: {error}.") from None
    with jail:
        see = "autograder doctor says what is missing."
        if not at_least(jail.level, terms.isolation):
            raise NotIsolated(f"Isolation {terms.isolation} is required, and this machine offers {jail.level}: {see}")
        if not at_least(jail.level, SAFE):
            warn(f"student code is isolated at level {jail.level} only, which somebody who cheats gets through: {see}")
        yield Grader(exercise, jail, terms.limits, terms.secret, terms.seed, terms.feedback)


def read(exercise: Exercise, path: Path) -> Work:
    """What was handed in at `path`, or why it is refused."""
    try:
        return read_submission(path, exercise.name, released(exercise))
    except Refused as reason:
        return reason


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
