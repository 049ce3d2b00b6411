"""autograder grade: submissions named one by one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.classroom.progress import ProgressMeter
from autograder.commands import common, reporting
from autograder.commands.help_sections import GroupedOptionsCommand
from autograder.course import FeedbackLevel, Level

if TYPE_CHECKING:
    from autograder.evaluation.report import Report
    from autograder.grading import Grader

GRADESCOPE_VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")  # Gradescope's words


@click.command(
    "grade", cls=GroupedOptionsCommand, epilog="Example: autograder grade ridge submitted/ada --report html=ada.html"
)
@common.exercise_argument
@click.argument("path", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@reporting.format_option("text")
@reporting.output_option
@reporting.report_option
@common.require_isolation_option
@common.seed_option
@common.feedback_option
@common.fail_under_option
@click.option(
    "--hidden-checks",
    type=click.Choice(GRADESCOPE_VISIBILITIES),
    default=GRADESCOPE_VISIBILITIES[0],
    show_default=True,
    metavar="WHEN",
    help=f"When Gradescope shows students the hidden checks: {', '.join(GRADESCOPE_VISIBILITIES)}. "
    "Until it does, it may keep their total from them as well.",
)
def command(
    exercise: str,
    path: Sequence[Path],
    form: str,
    output: Path | None,
    targets: Sequence[reporting.ReportTarget],
    required: Level | None,
    seed: int | None,
    feedback: FeedbackLevel | None,
    fail_under: float | None,
    hidden_checks: str,
) -> None:
    """Grade submissions of EXERCISE.

    Each PATH is a notebook, a .py file, or a folder or zip file that holds one.

    Exit code 0 when everybody has a verdict, whatever the score; 1 when the grader itself failed on one, or the
    isolation is below what is required; 2 for wrong usage; 3 when --fail-under is not reached.
    """
    reporting.check_targets(form, targets, len(path))
    for submission in path:
        common.refuse_inside(submission, Path.cwd())
    course, loaded = common.open_exercise(exercise)
    for submission in path:
        common.refuse_inside(submission, course.root)
    # late: numpy and msgpack, 240 ms
    from autograder.grading import IsolationError, grader_from_config, ungraded

    config = common.load_grading_config(course, required, seed, feedback)
    assignment = course.assignment_of(loaded.name)
    try:
        with grader_from_config(loaded, config, common.warn) as grader:
            reports = grade_all(grader, [(str(submission), submission) for submission in path])
    except IsolationError as error:
        # A host may show nothing but its own result: that says why there is no score.
        if form != "text" or output or targets:
            reports = [ungraded(loaded, str(submission), error) for submission in path]
            reporting.write_reports(reports, form, output, targets, assignment, visibility=hidden_checks)
        raise common.CommandError(str(error), common.GRADER_ERROR) from None
    reporting.write_reports(reports, form, output, targets, assignment, visibility=hidden_checks)
    if any(report.status == "grader_error" for report in reports):
        sys.exit(common.GRADER_ERROR)
    if fail_under is not None and any(100 * report.score < fail_under * report.max_score for report in reports):
        sys.exit(common.BELOW_THRESHOLD)


def grade_all(grader: Grader, submissions: Sequence[tuple[str, Path]]) -> list[Report]:
    """Grade submissions, given as name and path, one after the other; of several, show the progress on stderr."""
    reports = []
    with ProgressMeter(len(submissions), quiet=len(submissions) == 1, brief=True) as meter:
        for name, path in submissions:
            reports.append(grader.grade(path, name))
            meter.count()
    return reports
