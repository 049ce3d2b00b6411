"""What several commands need: errors of one sentence, the course and the exercise, a grader."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.course import LEVELS, Level

if TYPE_CHECKING:
    from autograder.course import Course, FeedbackLevel
    from autograder.exercise.model import Exercise
    from autograder.grading import Grader, GradingConfig

GRADER_ERROR, WRONG_USAGE, BELOW_THRESHOLD, INTERRUPTED = 1, 2, 3, 130

require_isolation_option = click.option(
    "--require-isolation",
    "required",
    type=click.Choice(LEVELS),
    help="Refuse to grade below this isolation; see autograder doctor.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**53 - 1), help="Draw the hidden cases from this, to replay a verdict."
)
feedback_option = click.option(
    "--feedback",
    type=click.Choice(["none", "symptom", "hint", "full"]),
    help="How much students are told of a check that fails.  [default: as course.toml says]",
)
fail_under_option = click.option(
    "--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit with 3 if anybody has less."
)


class CommandError(Exception):
    """An error that is one sentence on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int = WRONG_USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def warn(message: str) -> None:
    """Say on stderr what is not as it should be."""
    click.secho(f"Warning: {message}", err=True, fg="yellow", bold=True)


def display_path(path: Path) -> Path:
    """A path as it is told: from the current folder on, where it lies in that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def available_cpus() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_exercise(exercise: str) -> tuple[Course, Exercise]:
    """The course of this folder, and one of its exercises."""
    from autograder.course import CourseError, find_course
    from autograder.exercise.loader import ExerciseError, load_exercise

    try:
        course = find_course(Path.cwd())
        return course, load_exercise(course.exercise_folder(exercise))
    except (CourseError, ExerciseError) as error:
        raise CommandError(str(error)) from None


def refuse_inside(submission: Path, trusted_folder: Path) -> None:
    """A grader must not stand in a student's folder: course.toml and exercises are looked for from where it stands."""
    folder = (submission if submission.is_dir() else submission.parent).resolve()
    if trusted_folder.resolve().is_relative_to(folder):
        raise CommandError(
            f"{trusted_folder} lies inside the submission {submission}, or beside it: "
            "run this in the folder of the course, with the submission in a folder of its own."
        )


def load_grading_config(
    course: Course, required: Level | None, seed: int | None, feedback: FeedbackLevel | None = None
) -> GradingConfig:
    """The terms on which a course grades."""
    from autograder.course import CourseError
    from autograder.grading import grading_config

    try:
        return grading_config(course, warn, required, seed, feedback)
    except CourseError as error:
        raise CommandError(str(error)) from None


@contextmanager
def open_course_grader(
    course: Course, exercise: Exercise, required: Level | None, seed: int | None, feedback: FeedbackLevel | None = None
) -> Iterator[Grader]:
    """A grader, closed afterwards."""
    from autograder.course import CourseError
    from autograder.grading import IsolationError, open_grader

    try:
        with open_grader(course, exercise, warn, required, seed, feedback) as grader:
            yield grader
    except CourseError as error:
        raise CommandError(str(error)) from None
    except IsolationError as error:
        raise CommandError(str(error), GRADER_ERROR) from None
