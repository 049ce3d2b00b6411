"""autograder verify: are the checks of an exercise sharp, and fair?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands import common

if TYPE_CHECKING:
    from autograder.exercise.model import Exercise
    from autograder.grading import Terms
    from autograder.verification.outcomes import Proof


@click.command("verify")
@click.argument("exercise")
@click.option(
    "--html", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write it there as a page as well."
)
@click.option(
    "--seeds", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Draw the cases N times."
)
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Workers side by side.  [default: one a core]")
def command(exercise: str, html: Path | None, seeds: int, jobs: int | None) -> None:
    """Prove the checks of EXERCISE.

    Grades the reference, the stubs, honest variants and every known mistake, as if they had been handed in, and shows
    which check catches which mistake. Run it whenever you change a rubric.

    Exit code 1 when a mistake costs no point, costs points in another function or gets another mistake's name, when
    fewer than 95 % of them are named right, when an honest variant loses a point, or when the reference is off.
    """
    from rich.console import Console

    from autograder.verification import page as faces

    course, loaded = common.open_exercise(exercise)
    proof = _proof(loaded, common.terms(course, None, 1), seeds, jobs or common.cores())
    if sys.stdout.isatty():
        faces.show(proof, Console())
    else:
        click.echo(faces.plain(proof), nl=False)
    if html is not None:
        try:
            html.write_text(faces.page(proof), encoding="utf-8")
        except OSError as error:
            raise common.Sentence(f"{html} cannot be written: {error.strerror}.", common.GRADER_ERROR) from None
    if proof.complaints:
        sys.exit(common.GRADER_ERROR)


def _proof(exercise: Exercise, terms: Terms, seeds: int, jobs: int) -> Proof:
    from autograder.classroom.progress import Meter
    from autograder.grading import NotIsolated
    from autograder.verification.verify import samples, verify

    numbers = range(1, seeds + 1)
    try:
        with Meter(len(samples(exercise)) * seeds, quiet=False) as meter:
            return verify(exercise, terms, numbers, jobs, common.warn, lambda: meter.count(kept=False, problem=False))
    except NotIsolated as error:
        raise common.Sentence(str(error), common.GRADER_ERROR) from None
