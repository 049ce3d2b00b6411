"""A class graded into its results folder: what was graded before is kept, the rest is graded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from autograder.classroom.cache_keys import compute_submission_key
from autograder.classroom.discovery import SubmissionEntry
from autograder.classroom.progress import ProgressMeter
from autograder.classroom.store import ResultStore, SerializedResult, StoredResult, is_problem
from autograder.classroom.tasks import Task
from autograder.course import Level
from autograder.evaluation.report import Report
from autograder.sandbox.host.levels import at_least

_SECONDS_BETWEEN_SCORES = 5.0
_REUSABLE_STATUSES = ("graded", "refused")


class Executor(Protocol):
    """What grades tasks: workers here, or on other machines."""

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[SerializedResult]:
        """A result for every task, in any order. `tick` is to be called now and then."""


@dataclass
class ClassSummary:
    """How a class came out: how many of each status, and the percentages that were reached."""

    status_counts: dict[str, int] = field(default_factory=dict)
    percentages: list[float] = field(default_factory=list)

    def add(self, status: str, percent: float) -> None:
        """Count one report."""
        self.status_counts[status] = self.status_counts.get(status, 0) + 1
        self.percentages.append(percent)


@dataclass(frozen=True)
class ClassRun:
    """One run over a class. `class_key` is what all keys have in common, `required_isolation` the weakest that a result may have.

    `force` grades everybody anew, `only_failed` those alone whose last result is a problem.
    """

    entries: Sequence[SubmissionEntry]
    store: ResultStore
    exercise: str
    class_key: bytes
    required_isolation: Level
    force: bool = False
    only_failed: bool = False

    def run(self, executor: Executor, meter: ProgressMeter) -> ClassSummary:
        """Grade who is to be graded, keep each result as it comes, and keep scores.csv up to date."""
        summary = ClassSummary()
        pending = self._select_pending(summary, meter)
        last_written = time.monotonic()
        try:
            for result in executor.run(
                (Task(entry, compute_submission_key(entry, self.class_key)) for entry in pending), meter.tick
            ):
                self.store.save(result)
                summary.add(result.status, result.percent)
                meter.count(cached=False, problem=result.problem)
                if time.monotonic() > last_written + _SECONDS_BETWEEN_SCORES:
                    self.store.write_scores()
                    last_written = time.monotonic()
        finally:
            self.store.write_scores()
        return summary

    def iter_reports(self) -> Iterator[tuple[str, Path, Report]]:
        """Student, path and report of everybody who has one, read back one by one: a class may be large."""
        for entry in self.entries:
            if stored := self.store.load(entry.student):
                yield entry.student, entry.path, stored.report

    def _select_pending(self, tally: ClassSummary, meter: ProgressMeter) -> list[SubmissionEntry]:
        """Note every result that is there already, and tell which submissions are to be graded."""
        ahead = []
        for entry in self.entries:
            stored = self.store.load(entry.student)
            if stored is not None:
                self.store.register(entry.student, stored)
            if stored is None or self._needs_grading(entry, stored):
                if stored is not None or not self.only_failed:
                    ahead.append(entry)
                continue
            report = stored.report
            tally.add(report.status, 100 * report.score / report.max_score if report.max_score else 0.0)
            meter.count(cached=True, problem=is_problem(report))
        for student, stored in self.store.other_students({entry.student for entry in self.entries}, self.exercise):
            self.store.register(student, stored)
        return ahead

    def _needs_grading(self, entry: SubmissionEntry, stored: StoredResult) -> bool:
        if self.only_failed:
            return is_problem(stored.report)
        return (
            self.force
            or stored.report.status not in _REUSABLE_STATUSES
            or not at_least(stored.report.isolation, self.required_isolation)  # type: ignore[arg-type]  # as we wrote it
            or stored.key != compute_submission_key(entry, self.class_key)
        )
