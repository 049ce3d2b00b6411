"""autograder watch: everybody is graded, and answered, as they hand in."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands import common
from autograder.submission.sanitize import strip_control_characters

if TYPE_CHECKING:
    from autograder.course import Course, Level
    from autograder.watch.status import Status


@click.command("watch", epilog="Example: autograder watch ridge")
@click.argument("exercises", metavar="[EXERCISE]...", nargs=-1, shell_complete=common.complete_exercise)
@click.option("--once", is_flag=True, help="Grade and answer what is there now, and exit: for cron.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Watch this folder, laid out as for autograder class, instead of nbgrader's exchange.",
)
@click.option("--status", "show_status", is_flag=True, help="Show how the watcher of this course is doing.")
@common.jobs_option
@common.require_isolation_option
def command(
    exercises: tuple[str, ...],
    once: bool,
    folder: Path | None,
    show_status: bool,
    jobs: int,
    required: Level | None,
) -> None:
    """Grade and answer submissions as they arrive in nbgrader's exchange.

    Each is collected as by nbgrader collect, graded as by autograder class, recorded in grades/ and in the gradebook,
    and answered with a page that nbgrader's Fetch feedback finds. [policy] in course.toml says how much students read
    before and after the due date, and how often a day. Without an EXERCISE, all of the course are watched.

    If the watcher ends, start it again: it goes on where it was. A course has one watcher.
    """
    course = common.open_course()
    if show_status:
        _show_status(course)
        return
    # late: numpy, sqlalchemy and nbgrader, 3 s
    from autograder.grading import IsolationError
    from autograder.nbgrader.gradebook.session import GradebookError
    from autograder.watch.events import EventLog
    from autograder.watch.ledger import LedgerError
    from autograder.watch.lock import AlreadyWatched
    from autograder.watch.serve import Order, serve

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # every step can be left at any moment
    loaded = [common.open_exercise(name)[1] for name in exercises or course.exercise_names()]
    config = common.load_grading_config(course, required)
    order = Order(loaded, folder, once, jobs)
    errors = (IsolationError, GradebookError, LedgerError, AlreadyWatched)
    with common.translate_errors(*errors, exit_code=common.GRADER_ERROR), _display() as (write_line, show):
        problems = serve(course, order, config, EventLog(write_line), show)
    if problems:
        raise common.CommandError(" ".join(problems.values()), common.GRADER_ERROR)


@contextmanager
def _display() -> Iterator[tuple[Callable[[str], None], Callable[[Status], None]]]:
    """Return what writes a line of the log to stderr, and what shows the status below it, where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda line: common.say(line, err=True), lambda _: None
        return
    # late: rich, 45 ms, and a log has no such line
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    def write_line(line: str) -> None:
        live.console.print(Text(strip_control_characters(line)), soft_wrap=True)

    def show(status: Status) -> None:
        style = "bold red" if status.problems else "bold"
        live.update(Text(status.headline, style, no_wrap=True, overflow="ellipsis"), refresh=True)

    # A thread that refreshes would be forked with the workers.
    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:
        yield write_line, show


def _show_status(course: Course) -> None:
    """Print the status that the watcher wrote last, and whether it is running."""
    # late: json and the lock, 20 ms
    from autograder.watch.lock import is_watched
    from autograder.watch.serve import watch_folder
    from autograder.watch.status import read_status

    folder = watch_folder(course)
    status = read_status(folder)
    if not is_watched(folder):
        common.say("No watcher is running." if status else "No watcher has run here.")
    if status:
        common.say(f"{status.headline}.")
        for what, text in status.problems.items():
            common.say(f"{what}: {text}")
        for name in status.changed:
            common.say(f"{name} has changed: restart the watcher to use it.")
