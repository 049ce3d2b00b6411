"""autograder verify: are the checks of an exercise sharp, and fair?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.classroom.progress import ProgressMeter
from autograder.commands import common

if TYPE_CHECKING:
    from autograder.exercise.model import Exercise
    from autograder.grading import GradingConfig
    from autograder.verification.outcomes import VerificationReport


@click.command("verify")
@click.argument("exercise")
@click.option(
    "--html", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write it there as a page as well."
)
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Draw the cases N times."
)
@common.jobs_option
def command(exercise: str, html: Path | None, seeds: int, jobs: int) -> None:
    """Prove the checks of EXERCISE.

    Grades the reference, the stubs, honest variants and every known mistake, as if they had been handed in, and shows
    which check catches which mistake. Run it whenever you change a rubric.

    Exit code 1 when a mistake costs no point, costs points in another function or gets another mistake's name, when
    fewer than 95 % of them are named right, when an honest variant loses a point, or when the reference is off.
    """
    # late: jinja2 and rich, 145 ms
    from rich.console import Console

    from autograder.verification import page

    course, loaded = common.open_exercise(exercise)
    report = _run_verification(loaded, common.load_grading_config(course, None, 1), seeds, jobs)
    if sys.stdout.isatty():
        page.print_report(report, Console())
    else:
        click.echo(page.render_text(report), nl=False)
    if html is not None:
        try:
            html.write_text(page.render_html(report), encoding="utf-8")
        except OSError as error:
            raise common.CommandError(f"{html} cannot be written: {error.strerror}.", common.GRADER_ERROR) from None
    if report.problems:
        sys.exit(common.GRADER_ERROR)


def _run_verification(exercise: Exercise, config: GradingConfig, seed_count: int, jobs: int) -> VerificationReport:
    # late: numpy and msgpack, 255 ms
    from autograder.grading import IsolationError
    from autograder.verification.verify import build_samples, verify

    seeds = range(1, seed_count + 1)
    try:
        with ProgressMeter(len(build_samples(exercise)) * seed_count) as meter:
            return verify(exercise, config, seeds, jobs, common.warn, meter.count)
    except IsolationError as error:
        raise common.CommandError(str(error), common.GRADER_ERROR) from None
