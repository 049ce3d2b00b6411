"""Which assignments of a course are exercises of this kit: nbgrader's own classes work on all others, unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.course import CourseError, read_course
from autograder.release.install import manifest_path


def is_exercise(coursedir: Any) -> bool:
    """Return whether the assignment that nbgrader's `coursedir` names is an exercise of the kit.

    What a release built counts even if course.toml cannot be read or no longer names it: nbgrader itself would run
    students' code with the rights of whoever grades.
    """
    if coursedir is None:
        return False
    name = coursedir.assignment_id
    steps = (coursedir.source_directory, coursedir.release_directory)
    if any(manifest_path(Path(coursedir.format_path(step, ".", name))).is_file() for step in steps):
        return True
    try:
        return read_course(Path(coursedir.root)).exercise_of(name) is not None
    except CourseError:
        return False
