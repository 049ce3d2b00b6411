"""A line in the log for each submission that came in and cannot be graded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autograder.course import CourseError, find_course
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.grading import released_files
from autograder.submission.reader import SubmissionRefused, read_submission
from autograder.submission.sanitize import one_line


def log_refusals(plugin: Any, coursedir: Any, submissions: Iterable[tuple[str, Path]]) -> None:
    """Log whose work cannot be graded, and why. Other assignments than this course's exercises are left alone."""
    try:
        course = find_course(Path(coursedir.root))
        exercise = load_exercise(course.exercise_folder(coursedir.assignment_id))
    except (CourseError, ExerciseError):
        return
    for student, path in submissions:
        try:
            read_submission(path, exercise.name, released_files(exercise, course.limits))
        except SubmissionRefused as reason:
            plugin.log.warning("%s: %s", one_line(str(student), 80), reason)
        except Exception as error:  # noqa: BLE001 - this is for information only, and stops nobody else
            plugin.log.warning("%s: cannot be read (%s).", one_line(str(student), 80), type(error).__name__)
