"""autograder export: results of a class for a gradebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands import common
from autograder.course import CourseError, find_course
from autograder.formats.csv_table import escape_cell
from autograder.nbgrader.config import CONFIG_FILE
from autograder.submission.sanitize import join_names, one_line

if TYPE_CHECKING:
    from autograder.classroom.roster import RosterMatch
    from autograder.evaluation.report import Report
    from autograder.formats.totals import Total


@click.command("export", epilog="Example: autograder export grades/ridge --for canvas --roster roster.csv")
@click.argument("results", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--for", "host", type=click.Choice(["canvas", "moodle"]), required=True, help="Whose gradebook to write for."
)
@click.option(
    "--roster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The class as a CSV file: an export of Canvas's gradebook, Moodle's grading worksheet or one of your own.",
)
@click.option(
    "--gradebook",
    metavar="URL",
    help="nbgrader's gradebook, for late penalties and points by hand.  [default: the course's, if the class is there]",
)
@click.option("--title", metavar="TEXT", help="The column's title; \"Name (1234)\" is Canvas's assignment 1234.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write to this file instead of stdout.",
)
def command(
    results: Path, host: str, roster: Path | None, gradebook: str | None, title: str | None, output: Path | None
) -> None:
    """Write the scores of a class as a file for a gradebook.

    RESULTS is the folder that autograder class made. With a roster, there is a line for each of its students. Students
    without a submission get no score, rather than 0. They are listed on stderr, and so are submissions of nobody in the
    roster.

    The score is the total: late penalties, points by hand and written questions count, as in nbgrader's gradebook.
    Work that waits for a person has no score.

    A submission is matched by the student's name, login, e-mail address or number, or by the number that Canvas or
    Moodle put into the name of its file. A column "submission" in the roster settles it; for a group, put the same
    submission into the line of each member.
    """
    # late: evaluation and the sandbox's plain data, 70 ms
    from autograder.classroom.roster import RosterError, match_roster, read_roster
    from autograder.formats.lms import canvas, grade_columns, moodle

    reports = _load_reports(results)
    totals = _find_totals(results.resolve(), reports, gradebook)
    if roster is None:
        grades = grade_columns.grades_without_roster(reports, totals)
    else:
        with common.translate_errors(RosterError):
            matched = match_roster(reports, read_roster(roster), totals)
        # The gradebook may know students who have no result here.
        grades = [
            grade if grade.report else replace(grade, total=totals.get(grade.student.login, grade.total))
            for grade in matched.grades
        ]
        _print_unmatched(matched, [report.submission for report in reports if report.status == "grader_error"])
    title = title or _assignment(results, grade_columns.column_title(reports))
    max_points = grade_columns.max_points(totals.values())
    if host == "canvas":
        text = canvas.to_csv(grades, title, max_points)
    else:
        text = moodle.to_csv(grades, title)
        if max_points > 100:
            common.warn(
                "Moodle takes no grade above 100 unless its administrator allows it, "
                f"and the maximum here is {max_points:f}."
            )
    identities = [identity for grade in grades for identity in grade.student.identities]
    if changed := [identity for identity in identities if escape_cell(identity) != identity]:
        common.warn(
            f"a spreadsheet would take {join_names(changed)} for a formula or a command: that was changed, so check it."
        )
    if output is None:
        common.write_rendered(text)
        return
    with common.explain_os_errors(output, "written", common.GRADER_ERROR):
        output.write_text(text, encoding="utf-8")


def _find_totals(results: Path, reports: Sequence[Report], gradebook: str | None) -> dict[str, Total]:
    """Return everybody's total, from the gradebook where it has one."""
    # late: numpy, 100 ms
    from autograder.exercise.loader import ExerciseError, load_exercise
    from autograder.formats.totals import report_total, with_excused

    name, written, course = reports[0].exercise, {}, None
    try:
        course = find_course(results)
        if course.written_questions:
            written = dict(load_exercise(course.exercise_folder(name), written_questions=True).written)
    except (CourseError, ExerciseError):
        if gradebook is not None:
            raise common.CommandError("--gradebook needs a course: run this in the folder of one.") from None
    totals = {report.submission: report_total(report, written) for report in reports}
    # A course that is found elsewhere, beside the kit, is perhaps not that of these results.
    is_own = course is not None and results.is_relative_to(course.root) and (course.root / CONFIG_FILE).is_file()
    if course is None or (gradebook is None and not is_own):
        return totals
    try:
        # late: sqlalchemy and nbgrader's settings, 730 ms
        from autograder.nbgrader.gradebook.session import GradebookError, open_gradebook
        from autograder.nbgrader.gradebook.settings import read_settings
    except ModuleNotFoundError as missing:
        if gradebook is not None:
            raise common.CommandError(
                f"--gradebook needs {missing.name}, which comes with nbgrader: install that."
            ) from None
        return totals
    try:
        settings = read_settings(course.root)
        with open_gradebook(gradebook or settings.url, course.root, dry_run=True) as book:
            in_gradebook = book.totals(course.assignment_of(name))
        return with_excused(totals | in_gradebook, settings.excused)
    except GradebookError as error:
        if gradebook is not None:
            raise common.CommandError(str(error)) from None
        common.warn(f"late penalties and points by hand are not in this file: {error}")
        return totals


def _load_reports(results: Path) -> list[Report]:
    """Return the reports of a results folder, all of one exercise."""
    # late: numpy, 80 ms
    from autograder.classroom.store import iter_results

    reports = []
    for file, stored in iter_results(results):
        if stored is None:
            common.warn(f"{file.name} is not the result of a submission, and is skipped.")
        else:
            reports.append(stored.report)
    exercises = sorted({report.exercise for report in reports})
    if not reports:
        raise common.CommandError(f"{results} holds no results: name the folder that autograder class made.")
    if len(exercises) > 1:
        raise common.CommandError(
            f"{results} holds results of {' and '.join(exercises)}: give each a folder of its own."
        )
    return reports


def _assignment(results: Path, exercise: str) -> str:
    """Return the name under which the course of the results hands out an exercise."""
    try:
        return find_course(results).assignment_of(exercise)
    except CourseError:  # a course is not needed to export
        return exercise


def _print_unmatched(matched: RosterMatch, failed: Sequence[str]) -> None:
    """List on stderr whoever has no score, and every submission without a student."""
    lists = (
        ("Missing: in the roster, without a submission", matched.missing),
        ("Unknown: submissions of nobody in the roster, not exported", matched.unknown),
        ("Doubtful: no score exported; a column called submission in the roster tells whose it is", matched.ambiguous),
        ("Not graded because the grader failed: no score exported", failed),
    )
    for title, names in lists:
        if names:
            common.say(f"{title} ({len(names)}):", err=True)
            for name in names:
                common.say(f"  {one_line(name, 300)}", err=True)
