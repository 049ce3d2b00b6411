"""autograder class: everybody at once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands import common, reporting
from autograder.sandbox.host.levels import Level

if TYPE_CHECKING:
    from autograder.classroom.discovery import Entry
    from autograder.classroom.run import Engine, Session, Tally
    from autograder.classroom.store import Columns
    from autograder.course import Course
    from autograder.evaluation.report import Report, Telling
    from autograder.exercise.model import Exercise
    from autograder.grading import Terms
    from autograder.nbgrader.gradebook.direct import Recorder


@click.command("class")
@click.argument("exercise")
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Workers side by side.  [default: one a core]")
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where results are kept.  [default: grades/EXERCISE]",
)
@click.option("--force", is_flag=True, help="Grade anew what was graded before and has not changed.")
@click.option("--only-failed", is_flag=True, help="Grade anew those alone whose last result is a problem.")
@click.option("--student", "students", multiple=True, metavar="NAME", help="Grade this student alone; may be repeated.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Workers of this machine, or those of Dask.",
)
@click.option("--scheduler", metavar="ADDRESS", help="Dask's, such as tcp://host:8786.  [default: one on this machine]")
@click.option(
    "--gradebook",
    is_flag=False,
    flag_value="",
    metavar="[URL]",
    help="Write scores and autograded notebooks for nbgrader too: to its own gradebook, or a SQLAlchemy URL.",
)
@click.option(
    "--html",
    "as_html",
    is_flag=True,
    help="Write a page about the class, and one for each student, beside the results.",
)
@reporting.format_option(None)
@reporting.report_option
@common.require_isolation
@common.seed_option
@common.feedback_option
@common.fail_under
def command(
    exercise: str,
    folder: Path,
    jobs: int | None,
    results: Path | None,
    force: bool,
    only_failed: bool,
    students: tuple[str, ...],
    quiet: bool,
    engine: str,
    scheduler: str | None,
    gradebook: str | None,
    as_html: bool,
    form: str | None,
    targets: Sequence[reporting.Target],
    required: Level | None,
    seed: int | None,
    feedback: Telling | None,
    fail_under: float | None,
) -> None:
    """Grade everybody who handed in EXERCISE.

    FOLDER holds a folder for each student, with EXERCISE/ in it (as nbgrader's submitted/ has) or without; or a
    notebook, a .py file or a zip file for each. Or it is what Canvas or Moodle gives for "download all submissions":
    the zip file as it is, or the folder it was unpacked to.

    Each result is kept as a JSON file of its own, and scores.csv has a line for everybody. Whatever interrupts this,
    start it again: what was graded is kept, and only work that is new or has changed is graded. A problem is a
    submission without a verdict, or one with a check that ran out of time.

    Exit codes are those of autograder grade.
    """
    from autograder.classroom.cache_keys import exercise_files, key_of_terms
    from autograder.classroom.progress import Meter
    from autograder.classroom.run import Session
    from autograder.classroom.store import Store, StoreError, columns_of

    if scheduler and engine != "dask":
        raise common.Sentence("--scheduler goes with --engine dask.")
    course, loaded = common.open_exercise(exercise)
    for place in (Path.cwd(), course.root) if folder.is_dir() else ():
        common.refuse_inside(folder, place)
    folder = _unpacked(folder)
    terms = common.terms(course, required, seed, feedback)
    recorder = None if gradebook is None else _recorder(course, loaded, gradebook)
    entries = _who(folder, exercise, students)
    reporting.check_targets(form, targets, len(entries))
    columns = columns_of(loaded)
    where = results or course.root / "grades" / exercise
    try:
        with Store(where, columns) as store, Meter(len(entries), quiet=quiet) as meter:
            key = key_of_terms(exercise_files(loaded.folder), terms)
            session = Session(entries, store, exercise, key, terms.isolation, force, only_failed)
            with _workers(engine, scheduler, jobs or common.cores(), len(entries), loaded, terms, columns) as workers:
                tally = _run(lambda: session.run(workers, meter), lambda: f"{meter.done} of {meter.total}")
    except StoreError as error:
        raise common.Sentence(str(error), common.GRADER_ERROR) from None
    _tell(tally, loaded.max_score, where, err=bool(form))
    if recorder:
        _record(recorder, session)
    # what else is made of it: from session.reports(), which gives (student, path, Report) one by one, read back
    if as_html:
        _write_pages(loaded, [report for _, _, report in session.reports()], where)
    if form or targets:
        reporting.write_reports([report for _, _, report in session.reports()], form, None, targets)
    if tally.statuses.get("grader_error"):
        sys.exit(common.GRADER_ERROR)
    if fail_under is not None and any(percent < fail_under for percent in tally.percents):
        sys.exit(common.BELOW_THRESHOLD)


def _recorder(course: Course, exercise: Exercise, url: str) -> Recorder:
    """The way to the gradebook, looked at before anybody is graded."""
    try:
        from autograder.nbgrader.gradebook.direct import NotReady, recorder
    except ModuleNotFoundError as missing:
        raise common.Sentence(f"--gradebook needs {missing.name}, which comes with nbgrader: install that.") from None
    try:
        return recorder(course, exercise, url, common.warn)
    except NotReady as error:
        raise common.Sentence(str(error)) from None


def _record(recorder: Recorder, session: Session) -> None:
    """Write the class to the gradebook, and say who has other points than before."""
    from autograder.nbgrader.gradebook.direct import NotReady

    try:
        for line in recorder.record(session.reports()):
            click.echo(line)
    except NotReady as error:
        raise common.Sentence(str(error), common.GRADER_ERROR) from None
    click.echo(f"The gradebook is {recorder.called}.")


def _write_pages(exercise: Exercise, reports: Sequence[Report], where: Path) -> None:
    """The page of the class, and the page of each submission that it leads to."""
    from urllib.parse import quote

    from autograder.classroom.store import file_name
    from autograder.formats.pages import class_page, feedback_page

    files = {report.submission: f"{Path(file_name(report.submission)).stem}.html" for report in reports}
    try:
        (where / "feedback").mkdir(exist_ok=True)
        for report in reports:
            (where / "feedback" / files[report.submission]).write_text(feedback_page.page([report]), encoding="utf-8")
        links = {name: f"feedback/{quote(file)}" for name, file in files.items()}
        hints = {(mistake.function, mistake.name): mistake.hint for mistake in exercise.mistakes}
        (where / "class.html").write_text(class_page.page(reports, links, hints), encoding="utf-8")
    except OSError as error:
        raise common.Sentence(f"{where} cannot be written: {error.strerror}.", common.GRADER_ERROR) from None
    click.echo(f"The page of the class is {common.shown(where / 'class.html')}.", err=True)


def _unpacked(folder: Path) -> Path:
    """The folder, or one made of a download of Canvas or Moodle, which is removed when the command ends."""
    from autograder.classroom.lms_downloads import DownloadError, laid_out
    from autograder.submission.sanitize import listing

    try:
        folder, left_out = click.get_current_context().with_resource(laid_out(folder))
    except DownloadError as error:
        raise common.Sentence(str(error)) from None
    except OSError as error:
        raise common.Sentence(f"{folder} cannot be read: {error.strerror}.") from None
    if left_out:
        common.warn(f"not graded, since no files that somebody handed in: {listing(left_out)}.")
    return folder


def _who(folder: Path, exercise: str, students: tuple[str, ...]) -> tuple[Entry, ...]:
    """Whose work is to be graded; what is not graded is told."""
    from autograder.classroom.discovery import call_the_roll
    from autograder.submission.sanitize import listing

    try:
        roll = call_the_roll(folder, exercise)
    except OSError as error:
        raise common.Sentence(f"{folder} cannot be read: {error.strerror}.") from None
    if not roll.entries:
        raise common.Sentence(f"{folder} holds no submission: a folder, notebook, script or zip file for each student.")
    if students:
        known = {entry.student for entry in roll.entries}
        if unknown := [name for name in students if name not in known]:
            raise common.Sentence(f"Nobody in {folder} is called {listing(unknown)}.")
        return tuple(entry for entry in roll.entries if entry.student in students)
    if roll.left_out:
        common.warn(f"not graded, since nobody's submission: {listing(roll.left_out)}.")
    if roll.absent:
        common.warn(f"nothing handed in by {listing(roll.absent)}.")
    return roll.entries


@contextmanager
def _workers(
    engine: str, scheduler: str | None, jobs: int, total: int, exercise: Exercise, terms: Terms, columns: Columns
) -> Iterator[Engine]:
    if engine == "dask":
        from autograder.classroom.dask_workers import ClusterError, DaskWorkers

        try:
            with DaskWorkers(scheduler, jobs, total, exercise, terms, columns, common.warn) as cluster:
                yield cluster
        except ClusterError as error:
            raise common.Sentence(str(error), common.GRADER_ERROR) from None
        return
    from autograder.classroom.local_workers import LocalWorkers

    with LocalWorkers(jobs, exercise, terms, columns, common.warn) as workers:
        yield workers


def _run(run: Callable[[], Tally], far: Callable[[], str]) -> Tally:
    """Grade; what ends that early is said in one sentence."""
    from autograder.grading import NotIsolated

    try:
        return run()
    except NotIsolated as error:
        raise common.Sentence(str(error), common.GRADER_ERROR) from None
    except KeyboardInterrupt:
        text = f"interrupted: {far()} have a result; the same command goes on from there."
        raise common.Sentence(text, common.INTERRUPTED) from None


def _tell(tally: Tally, most: float, where: Path, *, err: bool) -> None:
    """The class in two lines."""
    from statistics import mean, median

    counts = ", ".join(f"{number} {status}" for status, number in sorted(tally.statuses.items()))
    if tally.percents:
        points = [percent * most / 100 for percent in tally.percents]
        counts += f"; mean {mean(points):.2f} and median {median(points):.2f} of {most:g} points"
    click.echo(f"{counts or 'Nobody was graded'}.\nResults lie in {common.shown(where)}.", err=err)
