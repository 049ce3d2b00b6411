"""One submission -> Report: draw its cases, run it apart, judge what came back."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course import Course, FeedbackLevel, Level, Limits
from autograder.evaluation.call_plans import CallPlan, plan_calls
from autograder.evaluation.evaluate import FunctionVerdict, evaluate_function
from autograder.evaluation.report import CheckResult, Note, Report, ReportStatus
from autograder.evaluation.seeds import load_secret, submission_seed
from autograder.exercise.model import Exercise
from autograder.feedback import messages
from autograder.feedback.builder import MAX_CACHED_FEEDBACK, DiagnosticResults, FeedbackBuilder, plain_results, redact
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import MIN_SECURE_LEVEL, JailError, at_least
from autograder.sandbox.host.program import CellProblem, Execution, Outcome, Program, Returned
from autograder.submission.global_reads import global_reads
from autograder.submission.reader import ReleasedFiles, Submission, SubmissionRefused, read_submission

MAX_CACHED_VERDICTS = 400

ReadResult = Submission | SubmissionRefused
"""What was handed in, as it was read, or why it cannot be."""

VerdictKey = tuple[int, str, tuple[Outcome | bytes, ...], tuple[CellProblem, ...]]
VerdictCache = BoundedCache[VerdictKey, FunctionVerdict]
"""Verdicts on one function by all that they are made of: the seed, the function, what came back of its calls (arrays by
the digest of the reply), and the cells that stopped. A class with one seed for all returns few different numbers."""


class Grader:
    """Grades submissions of one exercise, one after the other, in the jail that it is given.

    Without `seed`, the seed of a submission is made of the student's own code and the secret. It keeps what is the same
    for many submissions: the call plans of the last seed, verdicts and feedback by what they are made of.
    """

    def __init__(
        self,
        exercise: Exercise,
        jail: Jail,
        limits: Limits,
        secret: bytes | None = None,
        seed: int | None = None,
        feedback: FeedbackLevel = "full",
    ) -> None:
        self.exercise = exercise
        self.jail = jail
        self.limits = limits
        self.secret = secret
        self.seed = seed
        self.feedback = feedback
        self._plans: BoundedCache[int, tuple[CallPlan, ...]] = BoundedCache(1)
        self._verdicts: VerdictCache = BoundedCache(MAX_CACHED_VERDICTS)
        self._builder = FeedbackBuilder(exercise, BoundedCache(MAX_CACHED_FEEDBACK))

    def grade(self, path: Path, name: str) -> Report:
        """Grade the submission at `path`, shown as `name`. Work that cannot be read is `refused`.

        A fault of the grader itself is a `grader_error`, so that the submissions after it are graded: never raises.
        """
        return self._safely(lambda: self._grade(read_or_refuse(self.exercise, path), name), name)

    def grade_submission(self, submission: ReadResult, name: str) -> Report:
        """Grade a submission that was read before, on another machine perhaps. Never raises."""
        return self._safely(lambda: self._grade(submission, name), name)

    def _safely(self, grade: Callable[[], Report], name: str) -> Report:
        try:
            return grade()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission only
            frame = traceback.extract_tb(error.__traceback__)[-1]
            why = messages.grader_failed(error, Path(frame.filename).name, frame.lineno)
            return self._without_verdict(name, "grader_error", Note("instructor", why))

    def _grade(self, work: ReadResult, name: str) -> Report:
        if isinstance(work, SubmissionRefused):
            return self._without_verdict(name, "refused", Note("student", str(work)))
        seed = submission_seed(work.code, self.exercise.name, self.secret) if self.seed is None else self.seed
        plans = self._plans.get(seed, lambda: plan_calls(self.exercise, seed))
        program, start = _program(self.exercise, work), time.monotonic()
        execution, diagnostics = self._run(program, plans)
        verdicts = [self._evaluate(plan, execution, seed) for plan in plans]
        results, notes = self._explain(verdicts, diagnostics, program, start)
        checks = tuple(redact(result, self.feedback) for result in results)
        return Report(
            exercise=self.exercise.name,
            submission=name,
            status="graded",
            score=round(sum(result.points for result in checks), 6),
            max_score=self.exercise.max_score,
            seed=seed,
            isolation=self.jail.level,
            notes=(*self._notes(work, execution, verdicts), *(notes if self.feedback != "none" else ())),
            checks=checks,
        )

    def _run(self, program: Program, plans: Sequence[CallPlan]) -> tuple[Execution, DiagnosticResults]:
        """Make all calls, the public ones first. A function that ended its process in the first is not called again."""
        with self.jail.load_program(program, self.limits) as loaded:
            try:
                found = self._builder.probe_public_cases(loaded, program, plans, self.limits)
            except Exception:  # noqa: BLE001 - the verdict does not wait for it; what fails again is told then
                found = DiagnosticResults()
            alive = [plan for plan in plans if plan.function.name not in found.aborted]
            execution = loaded.run(program, [plan.batch for plan in alive], self.limits)
        aborted = {
            plan.function.name: (found.aborted[plan.function.name],) * len(plan.batch.steps)
            for plan in plans
            if plan not in alive
        }
        return replace(execution, outcomes={**execution.outcomes, **aborted}), found

    def _evaluate(self, plan: CallPlan, execution: Execution, seed: int) -> FunctionVerdict:
        outcomes = execution.outcomes[plan.function.name]
        replies = tuple(outcome.digest if isinstance(outcome, Returned) else outcome for outcome in outcomes)
        key = (seed, plan.function.name, replies, execution.problems)
        return self._verdicts.get(
            key,
            lambda: evaluate_function(
                self.exercise, plan.function, plan.results(outcomes), execution.problems, self.limits
            ),
        )

    def _explain(
        self, verdicts: Sequence[FunctionVerdict], found: DiagnosticResults, program: Program, start: float
    ) -> tuple[tuple[CheckResult, ...], tuple[Note, ...]]:
        """Return the results of all checks with feedback; a verdict never fails for want of it.

        Feedback quotes numbers of the student's, so what is still missing comes from a process that has not seen any
        hidden case, in what is left of the submission's time.
        """
        left = self.limits.submission_wall_seconds - (time.monotonic() - start)
        try:
            pending = self._builder.pending_functions(verdicts, found)
            if pending and left > 0 and self.exercise.diagnostic_cases:
                with self.jail.load_program(program, replace(self.limits, submission_wall_seconds=left)) as fresh:
                    found = found.merge(self._builder.run_diagnostics(fresh, program, pending, self.limits))
            return self._builder.attach_feedback(verdicts, found)
        except Exception as error:  # noqa: BLE001 - the verdict stands, whatever went wrong with words about it
            results = tuple(result for verdict in verdicts for result in plain_results(verdict))
            return results, (Note("instructor", messages.feedback_failed(error)),)

    def _notes(
        self, submission: Submission, execution: Execution, verdicts: Sequence[FunctionVerdict]
    ) -> tuple[Note, ...]:
        """Return what else there is to know: for the student, then for the instructor."""
        student = [
            *submission.notes,
            *(messages.cell_problem(problem, self.limits) for problem in execution.problems),
        ]
        remarks = [remark for verdict in verdicts for remark in verdict.remarks]
        if self.feedback != "none":
            student += [messages.remark(remark) for remark in remarks if remark.audience == "student"]
        instructor = [messages.remark(remark) for remark in remarks if remark.audience == "instructor"]
        functions = [function.name for function in self.exercise.functions]
        reads = global_reads(functions, [cell.source for cell in submission.cells])
        instructor += [messages.reads_globals(function, names) for function, names in reads.items()]
        return (*(Note("student", text) for text in student), *(Note("instructor", text) for text in instructor))

    def _without_verdict(self, name: str, status: ReportStatus, note: Note) -> Report:
        most = self.exercise.max_score
        return Report(self.exercise.name, name, status, 0.0, most, self.seed or 0, self.jail.level, (note,))


class IsolationError(Exception):
    """Student code cannot be run here, or not as well isolated as required: one sentence that says what to do."""


@dataclass(frozen=True)
class GradingConfig:
    """What a verdict depends on besides the exercise and the submission; `isolation` is the weakest to grade at."""

    limits: Limits
    isolation: Level
    secret: bytes | None
    seed: int | None
    feedback: FeedbackLevel = "full"


def grading_config(
    course: Course,
    warn: Callable[[str], None],
    required: Level | None,
    seed: int | None,
    feedback: FeedbackLevel | None = None,
) -> GradingConfig:
    """The terms of a course; `warn` is told in a sentence when it can keep no secret. Raises CourseError."""
    secret = None if seed is not None else load_secret(course)
    if seed is None and secret is None:
        warn(f"{course.secret_file} cannot be made, so students could foresee hidden cases: set AUTOGRADER_SECRET.")
    return GradingConfig(course.limits, required or course.isolation, secret, seed, feedback or course.feedback)


@contextmanager
def open_grader(
    course: Course,
    exercise: Exercise,
    warn: Callable[[str], None],
    required: Level | None = None,
    seed: int | None = None,
    feedback: FeedbackLevel | None = None,
) -> Iterator[Grader]:
    """A grader with a jail of its own, closed afterwards; `warn` is told in a sentence what is not as it should be.

    Raises NotIsolated where the machine does not offer the isolation that is required, by the course unless said here,
    and CourseError where the course's secret cannot be read.
    """
    with grader_from_config(exercise, grading_config(course, warn, required, seed, feedback), warn) as grader:
        yield grader


@contextmanager
def grader_from_config(exercise: Exercise, config: GradingConfig, warn: Callable[[str], None]) -> Iterator[Grader]:
    """A grader on these terms with a jail of its own, closed afterwards. Raises NotIsolated; `warn` as in `open_grader`."""
    try:
        jail = Jail()
    except JailError as error:
        raise IsolationError(f"Student code cannot be run: {error}.") from None
    with jail:
        see = "autograder doctor says what is missing."
        if not at_least(jail.level, config.isolation):
            raise IsolationError(
                f"Isolation {config.isolation} is required, and this machine offers {jail.level}: {see}"
            )
        if not at_least(jail.level, MIN_SECURE_LEVEL):
            warn(f"student code is isolated at level {jail.level} only, which somebody who cheats gets through: {see}")
        yield Grader(exercise, jail, config.limits, config.secret, config.seed, config.feedback)


def read_or_refuse(exercise: Exercise, path: Path) -> ReadResult:
    """What was handed in at `path`, or why it is refused."""
    try:
        return read_submission(path, exercise.name, released_files(exercise))
    except SubmissionRefused as reason:
        return reason


def released_files(exercise: Exercise) -> ReleasedFiles:
    """What the reader of submissions must know of the released files."""
    return ReleasedFiles(
        check_cells=exercise.check_cells,
        setup_cells=exercise.setup_cells,
        stub_cells=exercise.stub_cells,
        stub_names=tuple(function.name for function in exercise.functions),
    )


def _program(exercise: Exercise, submission: Submission) -> Program:
    return Program(
        module="__main__" if submission.kind == "notebook" else exercise.name,
        cells=submission.cells,
        support_modules={Path(file).stem: text for file, text in exercise.support_modules.items()},
        functions={function.name: function.arguments for function in exercise.functions},
        result_counts={function.name: len(function.returns) for function in exercise.functions},
    )
