"""autograder new: a small exercise to begin with."""

from __future__ import annotations

import click

from autograder.commands import common
from autograder.release.new_exercise import write_new_exercise


@click.command("new", epilog="Example: autograder new ridge")
@click.argument("name")
def command(name: str) -> None:
    """Write a new exercise, solutions/NAME/NAME.py.

    The exercise is small and complete: change it, and run lint, preview and verify as you go.
    """
    course = common.open_course()
    if not name.isidentifier():
        raise common.CommandError(f"{name!r} cannot name an exercise: use letters, digits and _, as in my_exercise.")
    folder = course.exercises / name
    if folder.exists():
        raise common.CommandError(f"{common.display_path(folder)} exists already: choose another name.")
    with common.explain_os_errors(folder, "written", common.GRADER_ERROR):
        file = write_new_exercise(folder)
    common.say(f"Wrote {common.display_path(file)}: change it as you like.")
    for verb, what in (
        ("lint", "says what is wrong with it"),
        ("preview", "shows it as students see it"),
        ("verify", "proves its checks"),
        ("release", "builds what students get"),
    ):
        common.say(f"  autograder {f'{verb} {name}':<{len(name) + 9}} {what}")
