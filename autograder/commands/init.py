"""autograder init: a course of this kit, from nothing or from one that nbgrader works in already."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.commands import common
from autograder.course import CourseError, read_course


@click.command("init", epilog="Example: autograder init my_course")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option(
    "--exercise",
    "exercises",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    multiple=True,
    help="The folder of an exercise to copy; may be repeated.  [default: those of the kit's clone]",
)
def command(folder: Path, exercises: tuple[Path, ...]) -> None:
    """Make FOLDER, or the current folder, a course of this kit.

    A course that nbgrader works in already keeps its settings, assignments and gradebook. The kit adds course.toml, a
    few lines at the end of nbgrader_config.py, and solutions/EXERCISE. It lists what it adds, and adds nothing twice.
    """
    # late: numpy, 105 ms
    from autograder.nbgrader.course_setup import set_up_course

    done = False
    with (
        common.translate_errors(CourseError),
        common.explain_os_errors(folder, "set up", common.GRADER_ERROR),
    ):
        for sentence in set_up_course(folder, exercises):
            common.say(sentence)
            done = True
        names = read_course(folder).exercise_names()
    if not done:
        common.say("Nothing to do: the course has all that the kit adds.")
    if not names:
        common.say(
            "There is no exercise yet: autograder init --exercise PATH copies one, "
            "and autograder new NAME writes a small one."
        )
    elif done:
        common.say(f"Next, build what students get: autograder release {names[0]}")
