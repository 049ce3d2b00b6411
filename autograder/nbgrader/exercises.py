"""Which assignments of a course are exercises of this kit: nbgrader's own classes work on all others, unchanged."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from autograder.course import CourseError, read_course
from autograder.release.install import manifest_path


def is_exercise(coursedir: Any) -> bool:
    """Return whether the assignment that nbgrader's `coursedir` names is an exercise of the kit, or a pattern for one.

    What a release built counts even if course.toml cannot be read or no longer names it: nbgrader itself would run
    students' code with the rights of whoever grades.
    """
    return coursedir is not None and (_was_released(coursedir) or _is_in_settings(coursedir))


def _was_released(coursedir: Any) -> bool:
    steps = (coursedir.source_directory, coursedir.release_directory)
    paths = (manifest_path(Path(coursedir.format_path(step, ".", coursedir.assignment_id))) for step in steps)
    return any(
        fnmatch(file.name, path.name) for path in paths if path.parent.is_dir() for file in path.parent.iterdir()
    )


def _is_in_settings(coursedir: Any) -> bool:
    try:
        course = read_course(Path(coursedir.root))
    except CourseError:
        return False
    return any(fnmatch(course.assignment_of(name), coursedir.assignment_id) for name in course.exercise_names())
