"""autograder release: what students get."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands import common


@click.command("release")
@click.argument("exercise")
def command(exercise: str) -> None:
    """Build assignments/EXERCISE from solutions/EXERCISE.

    What comes out is what students get: stubs, the given files and the visible checks, nothing of the answers.
    """
    from autograder.release import ReleaseError, release_exercise

    course, loaded = common.open_exercise(exercise)
    try:
        folder = release_exercise(loaded, course.assignments / exercise)
    except ReleaseError as error:
        raise common.Sentence(str(error), common.GRADER_ERROR) from None
    here = Path.cwd()
    click.echo(f"Released {exercise} to {folder.relative_to(here) if folder.is_relative_to(here) else folder}.")
