"""A course -> its watcher: whatever can be wrong with the course is found here, before anything is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom.local_workers import LocalWorkers
from autograder.course import Course
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig
from autograder.nbgrader.config import put_alembic_on_path
from autograder.nbgrader.exchange.settings import exchange_settings
from autograder.nbgrader.gradebook.settings import read_hub_settings
from autograder.submission.sanitize import one_line
from autograder.watch.arrivals.drop_folder import FolderInbox
from autograder.watch.arrivals.inboxes import ExchangeInbox, Inbox
from autograder.watch.arrivals.notify import Notifier
from autograder.watch.events import EventLog
from autograder.watch.ledger import Ledger
from autograder.watch.lock import only_watcher
from autograder.watch.problems import Problems
from autograder.watch.setting import Setting
from autograder.watch.status import Status
from autograder.watch.watched import WatchedExercise
from autograder.watch.watcher import Watcher

LEDGER_FILE = "ledger.sqlite3"
SPARE_WORKERS = 8  # that step in for as many submissions that hang


@dataclass(frozen=True)
class Order:
    """What is watched: exercises, in the exchange or in a `folder`; `once` serves what is there now."""

    exercises: Sequence[Exercise]
    folder: Path | None
    once: bool
    jobs: int


def watch_folder(course: Course) -> Path:
    """Return the watcher's own folder, beside the results of classes; no assignment can be called so."""
    return course.root / "grades" / ".watch"


def serve(
    course: Course, order: Order, config: GradingConfig, log: EventLog, show: Callable[[Status], None]
) -> dict[str, str]:
    """Watch until the process is ended, or once. Returns the problems that there were at the end.

    Calls `show` with the status from time to time.

    Raises GradebookError, LedgerError, AlreadyWatched, IsolationError and OSError.
    """
    settings = read_hub_settings(course.root)
    exchange = exchange_settings(settings)
    watched = [WatchedExercise.load(course, exercise, config, settings) for exercise in order.exercises]
    exercises = {one.assignment: one for one in watched}
    folder = watch_folder(course)
    folder.mkdir(parents=True, exist_ok=True)

    def refuse(name: str, reason: str) -> None:
        log.write("not_collected", record=one_line(name, 200), reason=reason)

    inbox: Inbox
    if order.folder:
        inbox = FolderInbox(order.folder, exercises, exchange.rules, refuse)
    else:
        inbox = ExchangeInbox(exchange, exercises, refuse)
    put_alembic_on_path()
    with ExitStack() as stack:
        stack.enter_context(only_watcher(folder))
        ledger = stack.enter_context(Ledger(folder / LEDGER_FILE))
        problems = Problems(log)
        setting = Setting(exercises, inbox, ledger, problems, log, folder, exchange.zone, exchange.before_duedate)
        workers = LocalWorkers(
            order.jobs, order.exercises, config, lambda text: log.write("warning", text=text), SPARE_WORKERS
        )
        stack.callback(log.write, "ended")
        stack.enter_context(workers)
        notifier = stack.enter_context(Notifier(inbox.folders, inbox.deep))
        Watcher(setting, workers, notifier, show).run(order.once)
        return {what: problem.text for what, problem in problems.now.items()}
