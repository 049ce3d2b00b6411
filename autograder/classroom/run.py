"""A class -> its results folder: what was graded before and has not changed is kept, the rest is graded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from autograder.classroom.cache_keys import compute_class_key, compute_submission_key, exercise_files, is_same_work
from autograder.classroom.dask_workers import DaskWorkers
from autograder.classroom.discovery import SubmissionEntry
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.progress import ProgressMeter
from autograder.classroom.store import ResultStore, SerializedResult, StoredResult, columns_for, is_problem, percent_of
from autograder.classroom.tasks import Task
from autograder.course import FeedbackLevel, Level
from autograder.evaluation.report import Report
from autograder.exercise.model import Exercise
from autograder.formats.fields import to_decimal
from autograder.formats.totals import Total, report_total
from autograder.grading import GradingConfig
from autograder.sandbox.host.levels import at_least
from autograder.submission.sanitize import join_names, one_line

_SECONDS_BETWEEN_SCORES = 5.0
_REUSABLE_STATUSES = ("graded", "refused")


class ClassInterrupted(Exception):
    """Ctrl-C while a class was graded: one sentence that says how many have a result."""


@dataclass(frozen=True)
class ClassOptions:
    """How a class is graded: by which workers, who is graded again, and what replaces the settings of the course.

    `scheduler` is the address of Dask's scheduler; without one, the engine "dask" starts `jobs` processes here.
    """

    jobs: int
    engine: Literal["local", "dask"]
    scheduler: str | None
    force: bool
    only_failed: bool
    quiet: bool
    required: Level | None
    seed: int | None
    feedback: FeedbackLevel | None
    dry_run: bool = False


@dataclass
class ClassSummary:
    """How a class came out: the number of submissions of each status, and the scores in percent.

    `changes` has a sentence for each student with another result than before, sorted by name.
    """

    status_counts: dict[str, int] = field(default_factory=dict)
    percentages: list[float] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    def add(self, status: str, percent: float) -> None:
        """Count a result."""
        self.status_counts[status] = self.status_counts.get(status, 0) + 1
        self.percentages.append(percent)


def run_class(
    options: ClassOptions,
    entries: Sequence[SubmissionEntry],
    exercise: Exercise,
    config: GradingConfig,
    results: Path,
    warn: Callable[[str], None],
    find_totals: Callable[[ClassRun], Mapping[str, Total]] = lambda run: {},
) -> tuple[ClassRun, ClassSummary, Mapping[str, Total]]:
    """Grade a class into the folder `results`. Returns the run, whose reports can be read back, its summary and totals.

    Once everybody has a result, `find_totals` returns the totals that a gradebook has, for scores.csv. A dry run does
    the same and writes nothing.

    Raises StoreError, ClusterError, IsolationError, and ClassInterrupted for Ctrl-C. Whatever was graded is kept then.
    """
    class_key = compute_class_key(exercise_files(exercise.folder), config)
    workers: DaskWorkers | LocalWorkers
    with (
        ResultStore(results, columns_for(exercise), options.dry_run) as store,
        ProgressMeter(len(entries), quiet=options.quiet) as meter,
    ):
        run = ClassRun(entries, store, exercise.name, class_key, config.isolation, options.force, options.only_failed)
        if options.engine == "dask":
            workers = DaskWorkers(options.scheduler, options.jobs, len(entries), exercise, config, warn)
        else:
            workers = LocalWorkers(options.jobs, [exercise], config, warn)
        with workers:
            try:
                summary = run.run(workers, meter, warn)
            except KeyboardInterrupt:
                raise ClassInterrupted(
                    f"interrupted: {meter.done} of {meter.total} have a result; "
                    "run the same command again to go on from there."
                ) from None
        if totals := find_totals(run):
            store.write_scores(totals)
        return run, summary, totals


class Executor(Protocol):
    """What grades tasks: workers on this machine, or on others."""

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[SerializedResult]:
        """Yield a result for every task, in any order, and call `tick` several times a second."""


@dataclass(frozen=True)
class ClassRun:
    """A run over a class: which results are kept, and which submissions are graded.

    `class_key` is the part that all cache keys share, `required_isolation` the weakest level that a result may have.
    `force` grades everybody again, `only_failed` only those whose last result is a problem.
    """

    entries: Sequence[SubmissionEntry]
    store: ResultStore
    exercise: str
    class_key: bytes
    required_isolation: Level
    force: bool = False
    only_failed: bool = False

    def run(self, executor: Executor, meter: ProgressMeter, warn: Callable[[str], None]) -> ClassSummary:
        """Grade what has no valid result; save each result at once, scores.csv every five seconds and at the end.

        A failure of the grader replaces no verdict on the same work: `warn` is told of it instead.
        """
        summary = ClassSummary()
        pending = self._select_pending(summary, meter)
        tasks = (Task(entry, compute_submission_key(entry, self.class_key), self.exercise) for entry in pending)
        last_written = time.monotonic()
        failed: list[str] = []
        changes: dict[str, str] = {}
        try:
            for result in executor.run(tasks, meter.tick):
                before = self.store.load(result.student)
                if result.status == "grader_error" and _is_verdict_on(before, result.key):
                    failed.append(result.student)
                else:
                    self.store.save(result)
                    self._note_change(before, result.student, changes)
                summary.add(result.status, result.percent)
                meter.count(problem=result.problem)
                if time.monotonic() > last_written + _SECONDS_BETWEEN_SCORES:
                    self.store.write_scores()
                    last_written = time.monotonic()
        finally:
            self.store.write_scores()
            if failed:
                warn(f"the grader failed for {join_names(failed)}, whose earlier verdict on the same work is kept.")
        summary.changes = [line for _, line in sorted(changes.items())]
        return summary

    def _note_change(self, before: StoredResult | None, student: str, changes: dict[str, str]) -> None:
        after = self.store.load(student)
        if before and after and (line := describe_regrade(before.report, after.report)):
            changes[student] = line

    def iter_reports(self) -> Iterator[tuple[str, Path, Report]]:
        """Yield student, path and report of every submission with a result, read one by one: a class may be large."""
        for entry in self.entries:
            if stored := self.store.load(entry.student):
                yield entry.student, entry.path, stored.report

    def iter_class(self) -> Iterator[Report]:
        """Yield the report of everybody in scores.csv: of this run, then of who has an earlier result."""
        yield from (report for _, _, report in self.iter_reports())
        yield from (stored.report for _, stored in self.iter_others())

    def iter_others(self) -> Iterator[tuple[str, StoredResult]]:
        """Yield student and result of everybody in scores.csv whose submission is not in this run."""
        return self.store.other_students({entry.student for entry in self.entries}, self.exercise)

    def _select_pending(self, summary: ClassSummary, meter: ProgressMeter) -> list[SubmissionEntry]:
        """Register every stored result, count those that are kept, and return the submissions to be graded."""
        pending = []
        for entry in self.entries:
            stored = self.store.load(entry.student)
            if stored is None:
                if not self.only_failed:  # nobody fails without a result
                    pending.append(entry)
                continue
            # The line in scores.csv is there even if the submission is graded again: that may be interrupted.
            self.store.register(entry.student, stored)
            if self._needs_grading(entry, stored):
                pending.append(entry)
            else:
                summary.add(stored.report.status, percent_of(stored.report))
                meter.count(cached=True, problem=is_problem(stored.report))
        # So do students who are not graded this time, as with --student.
        for student, stored in self.iter_others():
            self.store.register(student, stored)
        return pending

    def _needs_grading(self, entry: SubmissionEntry, stored: StoredResult) -> bool:
        if self.only_failed:
            return is_problem(stored.report)
        return (
            self.force
            or stored.report.status not in _REUSABLE_STATUSES
            or not at_least(stored.report.isolation, self.required_isolation)  # type: ignore[arg-type]  # as we wrote it
            or stored.key != compute_submission_key(entry, self.class_key)
        )


def _is_verdict_on(stored: StoredResult | None, key: str) -> bool:
    """Return whether a stored result is a verdict on the very work that has this key."""
    return stored is not None and stored.report.status in _REUSABLE_STATUSES and is_same_work(stored.key, key)


def describe_regrade(before: Report, after: Report) -> str:
    """Return a sentence if a report differs from the one before, and in which checks; empty if nothing changed."""
    old, new = ({check.id: check for check in report.checks} for report in (before, after))
    points = [
        f"{name} {old[name].points if name in old else 0:g} to {new[name].points if name in new else 0:g}"
        for name in dict.fromkeys((*old, *new))
        if (old[name].points if name in old else 0) != (new[name].points if name in new else 0)
    ]
    statuses = [f"{before.status} before, {after.status} now"] if before.status != after.status else []
    if not points and not statuses and before.score == after.score:
        return ""
    totals = report_total(before, {}), report_total(after, {})
    difference = to_decimal(float(totals[1].so_far - totals[0].so_far))
    changed = f"{totals[0].so_far:f} before, {totals[1].so_far:f} now ({difference:+f})"
    return f"{one_line(after.submission, 80)}: {': '.join((changed, ', '.join((*statuses, *points))))}"
