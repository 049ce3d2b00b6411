"""autograder demo: the sample class that ships with the kit, for whoever has no class yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from autograder.commands import common
from autograder.commands.grade import grade_all
from autograder.commands.pages import write_pages

if TYPE_CHECKING:
    from autograder.course import Course
    from autograder.evaluation.report import Report
    from autograder.exercise.model import Exercise

WHERE_THE_CLASS_IS = "The sample class is in a clone of the kit, in tests/submissions/class: run autograder demo there."


@click.command("demo", epilog="Example: autograder demo")
def command() -> None:
    """Grade the sample class that ships with the kit.

    Shows the table and one report in full, and writes all reports and the pages of the class to build/demo.
    """
    try:
        course = common.open_course()
    except common.CommandError as error:
        raise common.CommandError(f"{error} {WHERE_THE_CLASS_IS}") from None
    submissions = sorted(path for path in course.demo.submissions.glob("*") if path.is_dir())
    if not submissions:
        raise common.CommandError(WHERE_THE_CLASS_IS)
    name = course.demo.exercise or next(iter(course.exercise_names()), "")
    _, exercise = common.open_exercise(name)
    with common.open_grader(exercise, common.load_grading_config(course)) as grader:
        reports = grade_all(grader, [(path.name, path) for path in submissions])
    _present_reports(exercise, reports, course)


def _present_reports(exercise: Exercise, reports: Sequence[Report], course: Course) -> None:
    """Show the table and one report in full; write every report as JSON, text and a page to build/demo."""
    # late: rich and jinja2, 90 ms
    from rich.console import Console

    from autograder.formats import json_report, text

    def print_reports(console: Console) -> None:
        console.print(text.class_table(reports))
        for report in reports:
            if report.submission == course.demo.in_full:
                console.print("One report in full:\n")
                text.print_report(report, console)

    folder = course.root / "build" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    for report in reports:
        (folder / f"{report.submission}.json").write_text(json_report.render([report]), encoding="utf-8")
        (folder / f"{report.submission}.txt").write_text(text.render([report]), encoding="utf-8")
    console = Console()
    if console.is_terminal:
        print_reports(console)
    else:
        common.write_rendered(text.to_plain_text(print_reports))
    common.say(f"The submissions lie in {course.demo.submissions}.")
    page = write_pages(exercise, reports, folder, {})
    common.say(f"The reports lie in {folder}; the page of the class is {page}.")
