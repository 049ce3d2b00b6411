"""autograder demo: the sample class."""

from __future__ import annotations

import click

from autograder.commands import common
from autograder.commands.grade import grade_all


@click.command("demo")
def command() -> None:
    """Grade the sample class that ships with the kit.

    Shows the table and one report in full, and writes every report to build/demo.
    """
    from autograder.commands.sample_class import EXERCISE, list_sample_submissions, present_reports

    course, loaded = common.open_exercise(EXERCISE)
    paths = list_sample_submissions(course)
    if not paths:
        raise common.CommandError(
            "The sample class lies in tests/submissions/class of a clone of the kit: run this there."
        )
    with common.open_course_grader(course, loaded, None, None) as grader:
        reports = grade_all(grader, [(path.name, path) for path in paths])
    present_reports(course, reports)
