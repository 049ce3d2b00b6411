"""autograder class: everybody at once."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder.commands import common, reporting
from autograder.commands.help_sections import GroupedOptionsCommand
from autograder.commands.pages import write_pages
from autograder.submission.sanitize import join_names

if TYPE_CHECKING:
    from autograder.classroom.discovery import SubmissionEntry
    from autograder.classroom.lms_downloads import Source
    from autograder.classroom.run import ClassRun
    from autograder.course import Course
    from autograder.exercise.model import Exercise
    from autograder.formats.totals import Total
    from autograder.nbgrader.gradebook.direct import Recorder


@click.command("class", cls=GroupedOptionsCommand, epilog="Example: autograder class ridge submitted --html")
@common.exercise_argument
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@common.jobs_option
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the results.  [default: grades/EXERCISE]",
)
@click.option("--force", is_flag=True, help="Grade everything again, even what has not changed.")
@click.option("--only-failed", is_flag=True, help="Grade again only those whose last result is a problem.")
@click.option("--student", "students", multiple=True, metavar="NAME", help="Grade only this student; may be repeated.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="Where the workers run: on this machine, or on a Dask cluster.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="The address of Dask's scheduler, such as tls://host:8786.  [default: one on this machine]",
)
@click.option(
    "--from",
    "source",
    type=click.Choice(["lms", "students"]),
    help="What FOLDER holds, if names do not tell: an LMS's download, or files named after students.",
)
@click.option(
    "--gradebook",
    is_flag=False,
    flag_value="",
    metavar="[URL]",
    help="Record scores and autograded notebooks for nbgrader, too: in the course's gradebook, or at a SQLAlchemy URL.",
)
@click.option(
    "--html",
    "as_html",
    is_flag=True,
    help="Write a page about the class and one for each student, too, beside the results.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Write nothing: list whose result would change, and in which checks.",
)
@reporting.format_option(None)
@reporting.report_option
@common.require_isolation_option
@common.seed_option
@common.feedback_option
@common.fail_under_option
def command(
    exercise: str,
    folder: Path,
    results: Path | None,
    students: tuple[str, ...],
    source: Source | None,
    gradebook: str | None,
    as_html: bool,
    form: str | None,
    targets: Sequence[reporting.ReportTarget],
    fail_under: float | None,
    **class_options: Any,
) -> None:
    """Grade everybody who handed in EXERCISE.

    FOLDER holds a folder for each student, with EXERCISE/ in it (as in nbgrader's submitted/) or without; or a
    notebook, a .py file or a zip file for each. It may also be what Canvas or Moodle gives for "download all
    submissions": the zip file itself, or the folder it was unpacked to.

    Each result is a JSON file of its own, and scores.csv has a line for everybody. If this is interrupted, run it
    again: it keeps what was graded, and grades only work that is new or has changed. A problem is a submission without
    a verdict, or one with a check that ran out of time.

    It lists everybody whose result has changed, with the checks that differ; with --dry-run, whose would.

    The exit codes are those of autograder grade.
    """
    # late: numpy and msgpack, 240 ms
    from autograder.classroom.dask_workers import ClusterError, NotEncrypted
    from autograder.classroom.run import ClassInterrupted, ClassOptions, run_class
    from autograder.classroom.store import StoreError
    from autograder.evaluation.seeds import has_secret
    from autograder.formats.totals import report_total
    from autograder.grading import IsolationError

    options = ClassOptions(**class_options)
    if options.scheduler and options.engine != "dask":
        raise common.CommandError("--scheduler goes with --engine dask.")
    if options.dry_run and (as_html or targets):
        raise common.CommandError("--dry-run writes nothing: leave out --html and --report.")
    course, loaded = common.open_exercise(exercise)
    for trusted_folder in (Path.cwd(), course.root) if folder.is_dir() else ():
        common.refuse_inside(folder, trusted_folder)
    # Whatever can be wrong is looked at before anybody is graded.
    folder = _resolve_folder(folder, exercise, source)
    if options.dry_run and options.seed is None and not has_secret(course):
        raise common.CommandError(
            f"There is no {course.secret_file} yet, and a dry run makes none: nobody was graded here before."
        )
    config = common.load_grading_config(course, options.required, options.seed, options.feedback)
    recorder = None if gradebook is None else _open_recorder(course, loaded, gradebook)
    assignment = course.assignment_of(loaded.name)
    entries = _select_entries(folder, loaded.name, assignment, students)
    reporting.check_targets(form, targets, len(entries))
    results = results or course.root / "grades" / assignment
    gradebook_lines: list[str] = []

    def find_totals(class_run: ClassRun) -> Mapping[str, Total]:
        """Write the gradebook, where one is asked for, and return its totals."""
        if not recorder:
            return {}
        with common.translate_errors(*_recorder_errors(), exit_code=common.GRADER_ERROR):
            lines, totals = recorder.record(class_run.iter_reports(), options.dry_run)
        gradebook_lines.extend(lines)
        return totals

    with (
        common.translate_errors(StoreError, ClusterError, IsolationError, exit_code=common.GRADER_ERROR),
        common.translate_errors(ClassInterrupted, exit_code=common.INTERRUPTED),
        common.translate_errors(NotEncrypted, exit_code=common.WRONG_USAGE),
    ):
        class_run, summary, in_gradebook = run_class(
            options, entries, loaded, config, results, common.warn, find_totals
        )
    # Everybody has a result now, on disk: whatever is made of the class reads them back from there.
    statuses: Counter[str] = Counter()
    counts: Counter[Total] = Counter()  # even a large class has few that differ
    totals: dict[str, Total] = {}
    for report in class_run.iter_class():
        total = in_gradebook.get(report.submission) or report_total(report, loaded.written)
        statuses[report.status] += 1
        counts[total] += 1
        if as_html:
            totals[report.submission] = total
    if not students and (others := [student for student, _ in class_run.iter_others()]):
        common.warn(f"an earlier result counts, without a submission here: {join_names(others)}.")
    _print_summary(statuses, counts, err=bool(form))
    for line in (*summary.changes, *(f"Gradebook: {line}" for line in gradebook_lines)):
        common.say(line, err=bool(form))
    _print_places(None if options.dry_run else results, recorder, err=bool(form))
    if as_html:
        page = write_pages(loaded, list(class_run.iter_class()), results, totals)
        common.say(f"The page of the class is {common.display_path(page)}.", err=True)
    if form or targets:
        reporting.write_reports([report for _, _, report in class_run.iter_reports()], form, None, targets, assignment)
    if summary.status_counts.get("grader_error"):
        sys.exit(common.GRADER_ERROR)
    if fail_under is not None and any(percent < fail_under for percent in summary.percentages):
        sys.exit(common.BELOW_THRESHOLD)


def _resolve_folder(folder: Path, exercise: str, source: Source | None) -> Path:
    """Return the folder, or of a download of Canvas or Moodle a temporary one that is removed when the command ends."""
    # late: zipfile and tempfile, 30 ms
    from autograder.classroom.lms_downloads import DownloadError, open_download

    with common.translate_errors(DownloadError), common.explain_os_errors(folder, "read", common.WRONG_USAGE):
        folder, skipped = click.get_current_context().with_resource(open_download(folder, exercise, source))
    if skipped:
        common.warn(f"not graded, because it is unclear who handed it in: {join_names(skipped)}.")
    return folder


def _open_recorder(course: Course, exercise: Exercise, url: str) -> Recorder:
    """Open the way to the gradebook and check that the exercise was released there."""
    try:
        # late: sqlalchemy and nbgrader's settings, 730 ms
        from autograder.nbgrader.gradebook.direct import RECORDER_ERRORS, open_recorder
    except ModuleNotFoundError as missing:
        raise common.CommandError(
            f"--gradebook needs {missing.name}, which comes with nbgrader: install that."
        ) from None
    with common.translate_errors(*RECORDER_ERRORS):
        return open_recorder(course, exercise, url, common.warn)


def _select_entries(
    folder: Path, exercise: str, assignment: str, students: tuple[str, ...]
) -> tuple[SubmissionEntry, ...]:
    """Return the submissions that are to be graded, and warn about everything else in the folder."""
    # late: the reader of submissions, 26 ms
    from autograder.classroom.discovery import discover_submissions

    with common.explain_os_errors(folder, "read", common.WRONG_USAGE):
        discovered = discover_submissions(folder, exercise, assignment)
    if not discovered.entries:
        raise common.CommandError(
            f"{folder} holds no submissions: it needs a folder, notebook, script or zip file for each student "
            "(autograder/classroom/README.md shows how)."
        )
    if students:
        known_students = {entry.student for entry in discovered.entries}
        if unknown := [name for name in students if name not in known_students]:
            raise common.CommandError(f"Nobody in {folder} is called {join_names(unknown)}.")
        return tuple(entry for entry in discovered.entries if entry.student in students)
    if discovered.skipped:
        common.warn(f"not graded, because they belong to no student: {join_names(discovered.skipped)}.")
    if discovered.missing:
        common.warn(f"nothing handed in by {join_names(discovered.missing)}.")
    return discovered.entries


def _recorder_errors() -> tuple[type[Exception], ...]:
    # late: sqlalchemy and nbgrader's settings, 730 ms
    from autograder.nbgrader.gradebook.direct import RECORDER_ERRORS

    return RECORDER_ERRORS


def _print_summary(statuses: Mapping[str, int], totals: Counter[Total], *, err: bool) -> None:
    # late: formats and the report, 60 ms
    from autograder.formats.totals import mean_and_median

    counts = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
    if average := mean_and_median(totals.elements()):
        max_points = max(total.max_points for total in totals)
        counts += f"; mean {average[0]:.2f} and median {average[1]:.2f} of {max_points:f} points"
    common.say(f"{counts or 'Nobody was graded'}.", err=err)


def _print_places(results: Path | None, recorder: Recorder | None, *, err: bool) -> None:
    """Say where the results went; None is a dry run, which wrote none."""
    if results is None:
        common.say("Nothing was written: this was a dry run.", err=err)
        return
    common.say(f"Results lie in {common.display_path(results)}.", err=err)
    if recorder:
        common.say(f"The gradebook is {recorder.display_url}.", err=err)
