"""A course to watch without workers, gradebook or nbgrader's commands: each submission gets a verdict that is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from autograder.classroom.store import SerializedResult, columns_for, serialize_result
from autograder.classroom.tasks import Task
from autograder.course import Course, Demo, Limits, Policy
from autograder.evaluation.report import CheckResult, Report
from autograder.grading import GradingConfig
from tests.courses import NAME
from tests.in_process import exercise
from tests.watch.exchange import Exchange

pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")

from traitlets.config import Config

from autograder.nbgrader.exchange.records import CopyRules
from autograder.nbgrader.exchange.settings import DEFAULT_IGNORE, ExchangeSettings
from autograder.nbgrader.gradebook.settings import Settings
from autograder.watch import watched
from autograder.watch.arrivals.drop_folder import FolderInbox
from autograder.watch.arrivals.inboxes import ExchangeInbox, Inbox
from autograder.watch.disclosure import DueDates
from autograder.watch.events import EventLog
from autograder.watch.ledger import Ledger
from autograder.watch.problems import Problems
from autograder.watch.setting import Setting
from autograder.watch.watched import WatchedExercise
from autograder.watch.watcher import Watcher


def make_report(student: str = "ada", points: float = 1.0, status: Any = "graded") -> Report:
    """Return a report with a visible check that is right, and a hidden one worth two points."""
    checks = (
        CheckResult("forward.contract", "forward", "its shapes", "pass", 1.0, 1.0, hidden=False),
        CheckResult("forward.plain", "forward", "its values", "fail", points - 1, 2.0, message="The sum is off."),
    )
    if status != "graded":
        return Report(NAME, student, status, 0.0, 3.0, 7, "A")
    return Report(NAME, student, status, points, 3.0, 7, "A", (), checks)


@dataclass
class FakeWorkers:
    """Grades at once: the points stand in the file `points` of a submission, 1 where there is none."""

    graded: list[tuple[str, Path]] = field(default_factory=list)

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[SerializedResult]:
        for task in tasks:
            self.graded.append((task.entry.student, task.entry.path))
            file = task.entry.path / "points"
            report = make_report(task.entry.student, float(file.read_text()) if file.exists() else 1.0)
            tick()
            yield serialize_result(report, task.key, 0.01, columns_for(exercise()))


@dataclass
class FakeNotifier:
    """Tells of no change; `waits` are how long the watcher would have waited."""

    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return False

    def refresh(self) -> None:
        """Nothing is watched."""


@dataclass
class FakeGradebook:
    """Takes what is recorded: the points by student, and how often each was written."""

    points: dict[str, float] = field(default_factory=dict)
    writes: int = 0

    def record(self, results: Any, dry_run: bool = False) -> tuple[list[str], dict[str, Any]]:
        self.points |= {student: report.score for student, _, report in results}
        self.writes += 1
        return [], {}


@dataclass
class WatchedCourse:
    """A course in a folder, with an exchange, and a watcher that can be started again and again."""

    root: Path
    exchange: Exchange
    policy: Policy = field(default_factory=Policy)
    due: DueDates = field(default_factory=DueDates)
    lines: list[str] = field(default_factory=list)
    workers: FakeWorkers = field(default_factory=FakeWorkers)
    notifier: FakeNotifier = field(default_factory=FakeNotifier)
    gradebook: FakeGradebook = field(default_factory=FakeGradebook)
    before_duedate: bool = False
    drop_folder: Path | None = None

    @contextmanager
    def watcher(self) -> Iterator[Watcher]:
        """Start a watcher that goes on where the last one was."""
        self.root.joinpath(".watch").mkdir(exist_ok=True)
        paths = {name: self.root / name for name in ("exercises", "assignments", "secret_file")}
        course = Course(self.root, **paths, demo=Demo(self.root), policies={"": self.policy})
        config = GradingConfig(Limits(), "E", b"tests", None)
        one = WatchedExercise(course, exercise(), config, Settings(self.root, Config()), b"key")
        log = EventLog(self.lines.append)
        rules = CopyRules(DEFAULT_IGNORE, ("*",), 10**8, 10**8, check_owner=True)
        place = ExchangeSettings(
            self.exchange.root, self.exchange.course_id, ZoneInfo("UTC"), self.before_duedate, False, rules
        )

        def refuse(name: str, reason: str) -> None:
            log.write("not_collected", name=name, reason=reason)

        inbox: Inbox = ExchangeInbox(place, [NAME], refuse)
        if self.drop_folder:
            inbox = FolderInbox(self.drop_folder, {NAME: one}, rules, refuse)
        with Ledger(self.root / ".watch" / "ledger.sqlite3") as ledger:
            setting = Setting(
                {NAME: one},
                inbox,
                ledger,
                Problems(log),
                log,
                self.root / ".watch",
                place.zone,
                self.before_duedate,
            )
            yield Watcher(setting, self.workers, self.notifier)  # they do as the real ones

    def serve(self) -> Watcher:
        """Serve what is there now."""
        with self.watcher() as watcher:
            watcher.run(once=True)
            return watcher


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WatchedCourse:
    """A course whose exercise is watched, with nothing in its exchange."""
    made = WatchedCourse(tmp_path / "course", Exchange(tmp_path / "exchange"))
    made.root.mkdir()
    made.exchange.inbound.mkdir(parents=True)
    monkeypatch.setattr(watched, "open_recorder", lambda *_: made.gradebook)
    monkeypatch.setattr(WatchedExercise, "due_dates", lambda _: made.due)
    monkeypatch.setattr(WatchedExercise, "totals", lambda _: {})
    monkeypatch.setattr(WatchedExercise, "has_changed", lambda _: False)
    return made
