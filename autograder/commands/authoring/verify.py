"""autograder verify: are the checks of an exercise sharp, and fair?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.classroom.progress import ProgressMeter
from autograder.commands import common


@click.command("verify", epilog="Example: autograder verify ridge --html proof.html")
@common.exercise_argument
@click.option(
    "--html",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the proof to this file as a page, too.",
)
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Draw the cases N times."
)
@common.jobs_option
def command(exercise: str, html: Path | None, seeds: int, jobs: int) -> None:
    """Prove the checks of EXERCISE.

    Grades the reference, the stubs, honest variants and every known mistake as if they had been handed in, and shows
    which check catches which mistake, including the checks that students run. It also makes typical slips in the model
    answers, shows those that no check catches, and says what to add next. Run it whenever you change a rubric.

    Exit code 1 when a mistake costs no point, costs points in another function, gets another mistake's name, gets other
    points with another seed, or no longer fits the model answer; when fewer than 95 % of them are named right; when an
    honest variant loses a point or fails a check that students run; or when the reference is wrong. A slip that no
    check catches is shown and counted, and the exit code stays 0: you know whether students would make it.
    """
    # late: numpy, jinja2 and rich, 300 ms
    from rich.console import Console

    from autograder.exercise.loader import ExerciseError
    from autograder.grading import IsolationError
    from autograder.verification import page
    from autograder.verification.verify import build_samples, verify

    course, loaded = common.open_exercise(exercise)
    config = common.load_grading_config(course, seed=1)
    with (
        common.translate_errors(ExerciseError, IsolationError, exit_code=common.GRADER_ERROR),
        ProgressMeter(len(build_samples(loaded)) * seeds) as meter,
    ):
        report = verify(loaded, config, range(1, seeds + 1), jobs, common.warn, meter.count)
    if sys.stdout.isatty():
        page.print_report(report, Console())
    else:
        common.write_rendered(page.render_text(report))
    if html is not None:
        with common.explain_os_errors(html, "written", common.GRADER_ERROR):
            html.write_text(page.render_html(report), encoding="utf-8")
    if report.problems:
        sys.exit(common.GRADER_ERROR)
