"""autograder release: what students get."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands import common
from autograder.nbgrader.config import CONFIG_FILE

if TYPE_CHECKING:
    from autograder.course import Course
    from autograder.exercise.model import Exercise


@click.command("release", epilog="Example: autograder release ridge")
@common.exercise_argument
def command(exercise: str) -> None:
    """Build assignments/EXERCISE from solutions/EXERCISE.

    The folder is what students get: stubs, the given files and the visible checks, and none of the answers.

    In a course with an nbgrader_config.py, this also builds nbgrader's source folder and fills the gradebook.
    """
    # late: numpy, 105 ms
    from autograder.release.build import ReleaseError
    from autograder.release.install import release_exercise

    course, loaded = common.open_exercise(exercise)
    for problem in loaded.mistake_problems:
        common.warn(problem)
    folder = course.assignments / course.assignment_of(loaded.name)
    with common.translate_errors(ReleaseError, exit_code=common.GRADER_ERROR):
        if (course.root / CONFIG_FILE).is_file():
            _release_with_nbgrader(course, loaded, folder)
        else:
            release_exercise(loaded, folder)
    common.say(f"Released {loaded.name} to {common.display_path(folder)}.")


def _release_with_nbgrader(course: Course, exercise: Exercise, folder: Path) -> None:
    """Release to `folder`, to nbgrader's source folder and to its gradebook. Raises ReleaseError."""
    try:
        # late: nbgrader's settings, 930 ms
        from autograder.nbgrader.gradebook.registration import register_assignment
        from autograder.nbgrader.gradebook.session import GradebookError
        from autograder.nbgrader.gradebook.settings import EVERYBODY, read_settings
        from autograder.release.install import release_exercise
    except ModuleNotFoundError as missing:
        raise common.CommandError(
            f"A release with nbgrader needs {missing.name}, which comes with it: install that.", common.GRADER_ERROR
        ) from None

    assignment = course.assignment_of(exercise.name)
    with common.translate_errors(GradebookError, exit_code=common.GRADER_ERROR):
        settings = read_settings(course.root)
    source = settings.folder("source", EVERYBODY, assignment)
    release_exercise(
        exercise,
        folder,
        source,
        lambda built: register_assignment(
            course.root, settings.url, settings.course_id, assignment, built.source_files
        ),
    )
