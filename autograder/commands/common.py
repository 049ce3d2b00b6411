"""What several commands share: options, errors, the course and its exercise, a grader."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.course import LEVELS, Course, CourseError, FeedbackLevel, Level, find_course
from autograder.submission.sanitize import strip_control_characters

if TYPE_CHECKING:
    from autograder.exercise.model import Exercise
    from autograder.grading import Grader, GradingConfig

GRADER_ERROR, WRONG_USAGE, BELOW_THRESHOLD, INTERRUPTED = 1, 2, 3, 130


def available_cpus() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def complete_exercise(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the exercises whose names begin like this, for the shell; none outside of a course."""
    try:
        return [name for name in find_course(Path.cwd()).exercise_names() if name.startswith(incomplete)]
    except CourseError:
        return []


exercise_argument = click.argument("exercise", shell_complete=complete_exercise)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1),
    default=available_cpus,
    metavar="N",
    help="How many workers grade at once.  [default: one per core]",
)
require_isolation_option = click.option(
    "--require-isolation",
    "required",
    type=click.Choice(LEVELS),
    help="Refuse to grade below this isolation; see autograder doctor.",
)
seed_option = click.option(
    "--seed",
    type=click.IntRange(0, 2**53 - 1),
    metavar="SEED",
    help="Draw the hidden cases from this seed, to replay a verdict.",
)
feedback_option = click.option(
    "--feedback",
    type=click.Choice(["none", "symptom", "hint", "full"]),
    help="How much students read about a check that fails.  [default: set in course.toml]",
)
fail_under_option = click.option(
    "--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit with code 3 if any score is lower."
)


class CommandError(Exception):
    """Ends a command with one sentence on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int = WRONG_USAGE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def translate_errors(*errors: type[Exception], exit_code: int = WRONG_USAGE) -> Iterator[None]:
    """Turn errors whose text is one sentence into a CommandError."""
    try:
        yield
    except errors as error:
        raise CommandError(str(error), exit_code) from None


@contextmanager
def explain_os_errors(path: Path, verb: str, exit_code: int) -> Iterator[None]:
    """Turn an OSError into a CommandError: `path` cannot be read, or written."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{path} cannot be {verb}: {error.strerror}.", exit_code) from None


def say(sentence: str, *, err: bool = False) -> None:
    """Print a sentence on a line of its own. Names and paths in it are text: no terminal and no log obeys them."""
    click.echo(strip_control_characters(sentence), err=err)


def warn(message: str) -> None:
    """Print a warning on stderr, like `say`."""
    click.secho(f"Warning: {strip_control_characters(message)}", err=True, fg="yellow", bold=True)


def write_rendered(text: str) -> None:
    """Write a file's text to stdout. Its format has made names harmless, as that format needs it."""
    click.echo(text, nl=False)


def print_unencodable_text() -> None:
    """Let stdout and stderr take names that their encoding lacks, or that are no text at all: as escapes.

    A stream that was closed takes everything, and keeps nothing.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - open until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def display_path(path: Path) -> Path:
    """Return a path as it is shown: relative to the current folder if it lies in that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def open_course() -> Course:
    """Return the course of the current folder; outside of every course say which one is taken."""
    with translate_errors(CourseError):
        course = find_course(Path.cwd())
    if not Path.cwd().resolve().is_relative_to(course.root):
        say(f"No course.toml here or above: the course in {course.root} is used.", err=True)
    return course


def open_exercise(name: str) -> tuple[Course, Exercise]:
    """Return the course of the current folder, and one of its exercises."""
    # late: numpy, 100 ms
    from autograder.exercise.loader import ExerciseError, load_exercise

    course = open_course()
    with translate_errors(CourseError):
        folder = course.exercise_folder(name)
    try:
        return course, load_exercise(folder, written_questions=course.written_questions)
    except ExerciseError as error:
        if len(error.problems) < 2:
            raise CommandError(str(error)) from None
        for problem in error.problems:
            say(str(problem), err=True)
        raise CommandError(
            f"{name} has {len(error.problems)} problems: correct them, and run this again; "
            "solutions/README.md says what an exercise holds."
        ) from None


def refuse_inside(submission: Path, trusted_folder: Path) -> None:
    """Refuse to grade from inside a submission: its course.toml and exercises would be taken for the course's."""
    folder = (submission if submission.is_dir() else submission.parent).resolve()
    if trusted_folder.resolve().is_relative_to(folder):
        raise CommandError(
            f"{trusted_folder} lies inside the submission {submission}, or beside it: "
            "run this in the folder of the course, with the submission in a folder of its own."
        )


def load_grading_config(
    course: Course, required: Level | None = None, seed: int | None = None, feedback: FeedbackLevel | None = None
) -> GradingConfig:
    """Return how a course grades; the arguments replace its settings if they are not None."""
    # late: numpy and msgpack, 240 ms
    from autograder.grading import grading_config

    with translate_errors(CourseError):
        return grading_config(course, warn, required, seed, feedback)


@contextmanager
def open_grader(exercise: Exercise, config: GradingConfig) -> Iterator[Grader]:
    """Open a grader; if student code cannot be isolated as required, raise CommandError."""
    # late: numpy and msgpack, 240 ms
    from autograder.grading import IsolationError, grader_from_config

    with translate_errors(IsolationError, exit_code=GRADER_ERROR), grader_from_config(exercise, config, warn) as grader:
        yield grader
