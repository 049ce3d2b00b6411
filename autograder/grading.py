"""Grade a submission: draw its cases, run it in the sandbox, evaluate what came back, explain it, write the report.

`Grader._grade` is the table of contents: each step calls into another room. Commands get a grader by `open_grader`.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.course import Course, FeedbackLevel, Level, Limits
from autograder.evaluation.call_plans import CallPlan, CallPlanner
from autograder.evaluation.evaluate import FunctionVerdict, evaluate_function
from autograder.evaluation.name_origins import find_origin
from autograder.evaluation.report import CheckResult, Note, Report, ReportStatus
from autograder.evaluation.seeds import load_secret, submission_seed
from autograder.exercise.model import Exercise
from autograder.feedback import messages
from autograder.feedback.builder import (
    MAX_CACHED_FEEDBACK,
    DiagnosticResults,
    FeedbackBuilder,
    FeedbackCache,
    plain_results,
    redact,
)
from autograder.feedback.kept_feedback import KeptFeedback
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import LEVEL_INFO, MIN_SECURE_LEVEL, JailError, at_least
from autograder.sandbox.host.probe import probe_level
from autograder.sandbox.host.program import STAND_IN, CellProblem, Execution, Outcome, Program, Returned
from autograder.submission.global_reads import global_reads
from autograder.submission.reader import ReleasedFiles, Submission, SubmissionRefused, read_submission
from autograder.submission.stub_lines import OwnCode, left_stub_lines

MAX_CACHED_VERDICTS = 400
PLANNED_AHEAD = 64  # submissions whose calls are planned together: twice as many save little more
MAX_CACHED_PLANS = 16  # of seeds that were not planned ahead: equal work has equal seeds
MAX_CELL_NOTES = 20  # of cells that stopped; where more did, the first ones are mostly the reason
Warn = Callable[[str], None]

ReadResult = Submission | SubmissionRefused
"""A submission as it was read, or the reason why it cannot be graded."""

PlanCache = BoundedCache[int, tuple[CallPlan, ...]]
"""The calls of all functions of one exercise, by the seed: those that were planned last."""

VerdictKey = tuple[int, str, tuple[Outcome | bytes, ...], tuple[CellProblem, ...], OwnCode | None]
VerdictCache = BoundedCache[VerdictKey, FunctionVerdict]
"""Verdicts on a function by what they depend on, for one exercise and one set of limits: the seed, the function, the
outcomes of its calls (arrays by the digest of the reply), the cells that stopped, and where code of its own stands
beside a stub's line. With one seed for a whole class, few verdicts differ."""


@dataclass(eq=False, repr=False)  # no repr: it would show the secret
class Grader:
    """Grades submissions of an exercise, one after the other, in the jail that it is given.

    Without `seed`, each submission has its own, derived from its code and the secret. Three caches hold what many
    submissions share: the call plans of the last seeds, and verdicts and feedback by what they depend on. A grader
    starts with empty ones unless others are passed in: those of a grader of the same exercise and limits.
    """

    exercise: Exercise
    jail: Jail
    limits: Limits
    secret: bytes | None = None
    seed: int | None = None
    feedback: FeedbackLevel = "full"
    plan_cache: PlanCache = field(default_factory=lambda: BoundedCache(MAX_CACHED_PLANS))
    verdict_cache: VerdictCache = field(default_factory=lambda: BoundedCache(MAX_CACHED_VERDICTS))
    feedback_cache: FeedbackCache = field(default_factory=lambda: BoundedCache(MAX_CACHED_FEEDBACK))

    def __post_init__(self) -> None:
        self._builder = FeedbackBuilder(self.exercise, self.feedback_cache)
        self._planner = CallPlanner(self.exercise, is_shared=self.seed is not None)
        self._plans_ahead: dict[int, tuple[CallPlan, ...]] = {}  # by the seed

    def grade(self, path: Path, name: str) -> Report:
        """Grade the submission at `path` and call it `name` in the report. Never raises.

        Work that cannot be read is `refused`; a fault of the grader itself is a `grader_error`.
        """
        return self._safely(lambda: self._grade(read_or_refuse(self.exercise, path, self.limits), name), name)

    def grade_submission(self, submission: ReadResult, name: str) -> Report:
        """Grade a submission that was read earlier, perhaps on another machine. Never raises."""
        return self._safely(lambda: self._grade(submission, name), name)

    def plan_ahead(self, submissions: Sequence[ReadResult]) -> None:
        """Plan the calls of the next submissions, PLANNED_AHEAD at most: together, that takes a third of the time.

        The plans are given up when the next ones are made. With one seed for all there is nothing to plan ahead.
        """
        self._plans_ahead = {}  # first, because two of them would take twice the memory
        if self.seed is not None:
            return
        programs = [program_of(self.exercise, work) for work in submissions if isinstance(work, Submission)]
        seeds = [seed for seed in dict.fromkeys(map(self._seed_of, programs)) if seed not in self.plan_cache]
        with suppress(Exception):  # a fault of the exercise: each submission meets it again, and reports it
            self._plans_ahead = dict(zip(seeds, self._planner.plan(seeds), strict=True)) if seeds else {}

    def _plans(self, seed: int) -> tuple[CallPlan, ...]:
        """Return the calls of each function for this seed."""
        # Plans made together share their numbers, so they are kept together and given up together. What is used of one
        # is a copy: it packs requests, which need not outlast its submission.
        ahead = self._plans_ahead.get(seed, ())
        return tuple(map(replace, ahead)) or self.plan_cache.get(seed, lambda: self._planner.plan([seed])[0])

    def _seed_of(self, program: Program) -> int:
        return submission_seed(program.code, self.exercise.name, self.secret) if self.seed is None else self.seed

    def _safely(self, grade: Callable[[], Report], name: str) -> Report:
        try:
            return grade()
        except Exception as error:  # noqa: BLE001 - a fault must cost one submission only, not the rest of the class
            frame = traceback.extract_tb(error.__traceback__)[-1]
            why = messages.grader_failed(error, Path(frame.filename).name, frame.lineno)
            return self._without_verdict(name, "grader_error", Note("instructor", why))

    def _grade(self, submission: ReadResult, name: str) -> Report:
        if isinstance(submission, SubmissionRefused):
            return self._without_verdict(name, "refused", Note("student", str(submission)))
        program, start = program_of(self.exercise, submission), time.monotonic()
        seed = self._seed_of(program)
        plans = self._plans(seed)
        # The verdict first, in numbers; then the words, in what is left of the submission's time.
        execution, diagnostics = self._run(program, plans)
        functions, cells = [plan.function.name for plan in plans], [cell.source for cell in submission.cells]
        left = left_stub_lines(functions, cells, self.exercise.stub_cells)
        verdicts = [self._evaluate(plan, execution, seed, left.get(plan.function.name)) for plan in plans]
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
            notes=(*self._notes(submission, execution, verdicts), *(notes if self.feedback != "none" else ())),
            checks=checks,
        )

    def _run(self, program: Program, plans: Sequence[CallPlan]) -> tuple[Execution, DiagnosticResults]:
        """Make all calls in one process: first the public ones, whose numbers feedback may quote, then the others."""
        with self.jail.load_program(program, self.limits) as loaded:
            try:
                diagnostics = self._builder.probe_public_cases(loaded, program, plans, self.limits)
            except Exception:  # noqa: BLE001 - the verdict needs no feedback; `_explain` tries again and reports it
                diagnostics = DiagnosticResults()
            alive = [plan for plan in plans if plan.function.name not in diagnostics.aborted]
            execution = loaded.run(program, [plan.batch for plan in alive], self.limits)
        # A function whose first call ended the process is not called again: all its calls end like the first.
        steps = {plan.function.name: len(plan.batch.steps) for plan in plans}
        aborted = {name: (outcome,) * steps[name] for name, outcome in diagnostics.aborted.items()}
        return replace(execution, outcomes={**execution.outcomes, **aborted}), diagnostics

    def _evaluate(self, plan: CallPlan, execution: Execution, seed: int, own_code: OwnCode | None) -> FunctionVerdict:
        function, outcomes, problems = plan.function, execution.outcomes[plan.function.name], execution.problems

        def evaluate() -> FunctionVerdict:
            return evaluate_function(self.exercise, function, plan.results(outcomes), problems, self.limits, own_code)

        if not plan.is_shared:
            return evaluate()
        # Arrays count by the digest of the reply: students whose functions return equal bytes share a verdict.
        replies = tuple(outcome.digest if isinstance(outcome, Returned) else outcome for outcome in outcomes)
        return self.verdict_cache.get((seed, function.name, replies, problems, own_code), evaluate)

    def _explain(
        self, verdicts: Sequence[FunctionVerdict], diagnostics: DiagnosticResults, program: Program, start: float
    ) -> tuple[tuple[CheckResult, ...], tuple[Note, ...]]:
        """Return the results of all checks with feedback, or without it if the feedback fails."""
        left = self.limits.submission_wall_seconds - (time.monotonic() - start)
        try:
            pending = self._builder.pending_functions(verdicts, diagnostics)
            if pending and left > 0 and self.exercise.diagnostic_cases:
                # Feedback quotes the student's numbers, so it needs a process that has not seen any hidden case.
                with self.jail.load_program(program, replace(self.limits, submission_wall_seconds=left)) as fresh:
                    later = self._builder.run_diagnostics(fresh, program, pending, self.limits)
                diagnostics = diagnostics.merge(later)
            return self._builder.attach_feedback(verdicts, diagnostics)
        except Exception as error:  # noqa: BLE001 - the verdict stands, whatever went wrong with its explanation
            results = tuple(result for verdict in verdicts for result in plain_results(verdict))
            return results, (Note("instructor", messages.feedback_failed(error)),)

    def _notes(
        self, submission: Submission, execution: Execution, verdicts: Sequence[FunctionVerdict]
    ) -> tuple[Note, ...]:
        """Return the notes that do not depend on feedback: for the student, then for the instructor."""
        student = [*submission.notes]
        problems = execution.problems
        for number, problem in enumerate(problems[:MAX_CELL_NOTES]):
            origin = find_origin(problem.error, problem.text, problems[:number] + problems[number + 1 :])
            student.append(messages.cell_problem(problem, self.limits, origin))
        if len(problems) > MAX_CELL_NOTES:
            student.append(messages.more_cell_problems(len(problems) - MAX_CELL_NOTES))
        remarks = [remark for verdict in verdicts for remark in verdict.remarks]
        if self.feedback != "none":
            student += [messages.remark(remark) for remark in remarks if remark.audience == "student"]
        instructor = [messages.remark(remark) for remark in remarks if remark.audience == "instructor"]
        functions = [function.name for function in self.exercise.functions]
        reads = global_reads(functions, [cell.source for cell in submission.cells])
        instructor += [messages.reads_globals(function, names) for function, names in reads.items()]
        return (*(Note("student", text) for text in student), *(Note("instructor", text) for text in instructor))

    def _without_verdict(self, name: str, status: ReportStatus, note: Note) -> Report:
        exercise, seed = self.exercise, self.seed or 0
        return Report(exercise.name, name, status, 0.0, exercise.max_score, seed, self.jail.level, (note,))


class IsolationError(Exception):
    """Student code cannot be run here, or not at the required isolation: says what is missing and what to do.

    `offered` is the level that this machine offers.
    """

    def __init__(self, message: str, offered: Level = "E") -> None:
        super().__init__(message)
        self.offered = offered


@dataclass(frozen=True)
class GradingConfig:
    """What a report depends on besides the exercise and the submission; `isolation` is the weakest level allowed."""

    limits: Limits
    isolation: Level
    secret: bytes | None
    seed: int | None
    feedback: FeedbackLevel = "full"


def grading_config(
    course: Course, warn: Warn, required: Level | None, seed: int | None, feedback: FeedbackLevel | None = None
) -> GradingConfig:
    """Return the config of a course; calls `warn` if it can have no secret. Raises CourseError."""
    secret = None if seed is not None else load_secret(course)
    if seed is None and secret is None:
        warn(f"{course.secret_file} cannot be made, so students could foresee hidden cases: set AUTOGRADER_SECRET.")
    return GradingConfig(course.limits, required or course.isolation, secret, seed, feedback or course.feedback)


def open_grader(
    course: Course,
    exercise: Exercise,
    warn: Warn,
    required: Level | None = None,
    seed: int | None = None,
    feedback: FeedbackLevel | None = None,
) -> AbstractContextManager[Grader]:
    """Return a grader that opens a jail and closes it afterwards. Calls `warn` with a sentence for each problem.

    Raises CourseError if the course's secret cannot be read, and IsolationError, on entering, if the machine does not
    offer `required`, else the isolation that the course requires.
    """
    return grader_from_config(exercise, grading_config(course, warn, required, seed, feedback), warn)


@contextmanager
def grader_from_config(exercise: Exercise, config: GradingConfig, warn: Warn) -> Iterator[Grader]:
    """Open a grader with this config and its own jail, like `open_grader`. Raises IsolationError."""
    with open_jail(config, warn) as jail:
        yield make_grader(exercise, config, jail)


def make_grader(exercise: Exercise, config: GradingConfig, jail: Jail) -> Grader:
    """Return a grader with this config for an open jail, which graders of several exercises may share.

    What it says of known mistakes is kept beside the exercise, and read there if an earlier grader has said it.
    """
    kept = KeptFeedback(exercise, MAX_CACHED_FEEDBACK)
    return Grader(exercise, jail, config.limits, config.secret, config.seed, config.feedback, feedback_cache=kept)


@contextmanager
def open_jail(config: GradingConfig, warn: Warn) -> Iterator[Jail]:
    """Open a jail as isolated as the config requires, and warn of weak isolation. Raises IsolationError."""
    try:
        jail = Jail()
    except JailError as error:
        raise IsolationError(f"Student code cannot be run: {error}.") from None
    with jail:
        level, see = jail.level, "autograder doctor says what is missing."
        if not at_least(level, config.isolation):
            raise IsolationError(_missing_isolation(config.isolation, level), level)
        # A course may accept weak isolation, but nobody should do so without knowing.
        if not at_least(level, MIN_SECURE_LEVEL):
            warn(f"student code is isolated at level {level} only, which code written to cheat can get through: {see}")
        yield jail


def _missing_isolation(required: Level, offered: Level) -> str:
    """Return what is missing for a level, and how to do without. On a host, nobody can run autograder doctor."""
    probe = probe_level(required)
    missing = f"{probe.reason}. {probe.advice}".rstrip() if probe.reason else "autograder doctor says what is missing."
    return (
        f"Isolation {required} is required, and this machine offers {offered}: {missing} "
        f'To grade below it knowingly, write isolation = "{offered}" in course.toml, or {offered} wherever '
        f"--require-isolation is given. What {offered} promises: {LEVEL_INFO[offered].promise}"
    )


def ungraded(exercise: Exercise, name: str, error: IsolationError) -> Report:
    """Return the report of a submission that is not graded because it cannot be isolated."""
    # To students as well: on some hosts that is all that an instructor sees, too.
    note = Note("student", str(error))
    return Report(exercise.name, name, "grader_error", 0.0, exercise.max_score, 0, error.offered, (note,))


def read_or_refuse(exercise: Exercise, path: Path, limits: Limits) -> ReadResult:
    """Return the submission at `path`, or the reason why it is refused."""
    try:
        return read_submission(path, exercise.name, released_files(exercise, limits))
    except SubmissionRefused as reason:
        return reason


def released_files(exercise: Exercise, limits: Limits) -> ReleasedFiles:
    """Return what the reader of submissions needs to know about the released files, and the limit on its size."""
    return ReleasedFiles(
        check_cells=exercise.check_cells,
        stub_cells=exercise.stub_cells,
        stub_names=tuple(function.name for function in exercise.functions),
        modules=(*(Path(file).stem for file in (*exercise.support_modules, *exercise.notebook_modules)), "checks"),
        max_bytes=limits.submission_bytes,
    )


def program_of(exercise: Exercise, submission: Submission) -> Program:
    """Return what the process of a submission runs: the student's cells, and everything else from the exercise."""
    return Program(
        module=exercise.name,
        cells=submission.cells,
        support_modules={
            **exercise.process_modules,
            **{Path(file).stem: STAND_IN for file in exercise.notebook_modules},
        },
        functions={function.name: function.arguments for function in exercise.functions},
        result_counts={function.name: len(function.returns) for function in exercise.functions},
    )
