"""A class graded into its results folder: what was graded before is kept, the rest is graded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from autograder.classroom.cache_keys import key_of
from autograder.classroom.discovery import Entry
from autograder.classroom.progress import Meter
from autograder.classroom.store import Result, Store, Stored, is_problem
from autograder.classroom.tasks import Task
from autograder.evaluation.report import Report
from autograder.sandbox.host.levels import Level, at_least

_SECONDS_BETWEEN_SCORES = 5.0
_WORTH_KEEPING = ("graded", "refused")


class Engine(Protocol):
    """What grades tasks: workers here, or on other machines."""

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[Result]:
        """A result for every task, in any order. `tick` is to be called now and then."""


@dataclass
class Tally:
    """How a class came out: how many of each status, and the percentages that were reached."""

    statuses: dict[str, int] = field(default_factory=dict)
    percents: list[float] = field(default_factory=list)

    def add(self, status: str, percent: float) -> None:
        """Count one report."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.percents.append(percent)


@dataclass(frozen=True)
class Session:
    """One run over a class. `common` is what all keys have in common, `isolation` the weakest that a result may have.

    `force` grades everybody anew, `only_failed` those alone whose last result is a problem.
    """

    entries: Sequence[Entry]
    store: Store
    exercise: str
    common: bytes
    isolation: Level
    force: bool = False
    only_failed: bool = False

    def run(self, engine: Engine, meter: Meter) -> Tally:
        """Grade who is to be graded, keep each result as it comes, and keep scores.csv up to date."""
        tally = Tally()
        ahead = self._look_at_what_is_kept(tally, meter)
        written = time.monotonic()
        try:
            for result in engine.run((Task(entry, key_of(entry, self.common)) for entry in ahead), meter.tick):
                self.store.keep(result)
                tally.add(result.status, result.percent)
                meter.count(kept=False, problem=result.problem)
                if time.monotonic() > written + _SECONDS_BETWEEN_SCORES:
                    self.store.write_scores()
                    written = time.monotonic()
        finally:
            self.store.write_scores()
        return tally

    def reports(self) -> Iterator[tuple[str, Path, Report]]:
        """Student, path and report of everybody who has one, read back one by one: a class may be large."""
        for entry in self.entries:
            if stored := self.store.read(entry.student):
                yield entry.student, entry.path, stored.report

    def _look_at_what_is_kept(self, tally: Tally, meter: Meter) -> list[Entry]:
        """Note every result that is there already, and tell which submissions are to be graded."""
        ahead = []
        for entry in self.entries:
            stored = self.store.read(entry.student)
            if stored is not None:
                self.store.note(entry.student, stored)
            if stored is None or self._is_to_be_graded(entry, stored):
                if stored is not None or not self.only_failed:
                    ahead.append(entry)
                continue
            report = stored.report
            tally.add(report.status, 100 * report.score / report.max_score if report.max_score else 0.0)
            meter.count(kept=True, problem=is_problem(report))
        for student, stored in self.store.others({entry.student for entry in self.entries}, self.exercise):
            self.store.note(student, stored)
        return ahead

    def _is_to_be_graded(self, entry: Entry, stored: Stored) -> bool:
        if self.only_failed:
            return is_problem(stored.report)
        return (
            self.force
            or stored.report.status not in _WORTH_KEEPING
            or not at_least(stored.report.isolation, self.isolation)  # type: ignore[arg-type]  # as we wrote it
            or stored.key != key_of(entry, self.common)
        )
