"""autograder release: what students get."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from autograder.commands import common
from autograder.nbgrader.config import CONFIG_FILE, SOURCE_FOLDER


@click.command("release")
@common.exercise_argument
def command(exercise: str) -> None:
    """Build assignments/EXERCISE from solutions/EXERCISE.

    What comes out is what students get: stubs, the given files and the visible checks, nothing of the answers.

    Where the course has an nbgrader_config.py, nbgrader's source folder is built too, and the gradebook is filled.
    """
    # late: numpy, 105 ms
    from autograder.release.build import ReleaseError, ReleaseFiles
    from autograder.release.install import release_exercise

    course, loaded = common.open_exercise(exercise)
    with_nbgrader = (course.root / CONFIG_FILE).is_file()

    def register(built: ReleaseFiles) -> None:
        if with_nbgrader:
            _register_assignment(course.root, exercise, built.source_files)

    source = course.root / SOURCE_FOLDER / exercise if with_nbgrader else None
    with common.translate_errors(ReleaseError, exit_code=common.GRADER_ERROR):
        folder = release_exercise(loaded, course.assignments / exercise, source, before_write=register)
    common.say(f"Released {exercise} to {common.display_path(folder)}.")


def _register_assignment(root: Path, exercise: str, source_files: Mapping[str, bytes]) -> None:
    # late: nbgrader, 930 ms
    from autograder.nbgrader.gradebook.registration import register_assignment
    from autograder.nbgrader.gradebook.session import GradebookError

    with common.translate_errors(GradebookError, exit_code=common.GRADER_ERROR):
        register_assignment(root, exercise, source_files)
