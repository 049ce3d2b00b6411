"""The command line. Every command is thin, and imports what it needs only when it runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.sandbox.levels import LEVELS, Level

if TYPE_CHECKING:
    from autograder.course import Course
    from autograder.exercise import Exercise
    from autograder.grading import Grader
    from autograder.report import Report

GRADER_ERROR, WRONG_USAGE, BELOW_THRESHOLD = 1, 2, 3
SECONDS_BETWEEN_LINES = 5

# Two BLAS threads cost more time on matrices of this size than they save.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    """Run a command; whatever is wrong with it is said in one sentence on stderr."""
    try:
        commands.main(prog_name="autograder", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(WRONG_USAGE)
    except click.ClickException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", None)
        see = f" See {command} --help." if command else ""
        click.echo(f"autograder: {error.format_message()}{see}", err=True)
        sys.exit(error.exit_code)
    except _Sentence as error:
        click.echo(f"autograder: {error}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("autograder: interrupted.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # whoever reads our output has seen enough, as in `autograder grade ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(GRADER_ERROR)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="rnn-backprop-autograder", message="%(version)s")
def commands() -> None:
    """Hand out and grade numerical exercises: a student's code meets only arrays, never the answers."""


@commands.command()
@click.argument("exercise")
@click.argument("path", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write there, not to stdout."
)
@click.option(
    "--require-isolation",
    "required",
    type=click.Choice(LEVELS),
    help="Refuse to grade below this isolation; see autograder doctor.",
)
@click.option("--seed", type=click.IntRange(0, 2**53 - 1), help="Draw the hidden cases from this, to replay a verdict.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit with 3 if anybody has less.")
def grade(
    exercise: str,
    path: Sequence[Path],
    form: str,
    output: Path | None,
    required: Level | None,
    seed: int | None,
    fail_under: float | None,
) -> None:
    """Grade submissions of EXERCISE.

    Each PATH is a notebook, a .py file, or a folder or zip file that holds one.

    Exit code 0 when everybody has a verdict, whatever the score; 1 when the grader itself failed on one, or the
    isolation is below what is required; 2 for wrong usage; 3 when --fail-under is not reached.
    """
    for one in path:
        _refuse_inside(one, Path.cwd())
    course, loaded = _open(exercise)
    for one in path:
        _refuse_inside(one, course.root)
    with _grader(course, loaded, required, seed) as grader:
        reports = _grade_all(grader, [(str(one), one) for one in path])
    _write(reports, form, output)
    if any(report.status == "grader_error" for report in reports):
        sys.exit(GRADER_ERROR)
    if fail_under is not None and any(100 * report.score < fail_under * report.max_score for report in reports):
        sys.exit(BELOW_THRESHOLD)


@commands.command()
@click.argument("exercise")
def release(exercise: str) -> None:
    """Build assignments/EXERCISE from solutions/EXERCISE.

    What comes out is what students get: stubs, the given files and the visible checks, nothing of the answers.
    """
    from autograder.release import ReleaseError, release_exercise

    course, loaded = _open(exercise)
    try:
        folder = release_exercise(loaded, course.assignments / exercise)
    except ReleaseError as error:
        raise _Sentence(str(error), GRADER_ERROR) from None
    here = Path.cwd()
    click.echo(f"Released {exercise} to {folder.relative_to(here) if folder.is_relative_to(here) else folder}.")


@commands.command()
def demo() -> None:
    """Grade the sample class that ships with the kit.

    Shows the table and one report in full, and writes every report to build/demo.
    """
    from autograder.demo import EXERCISE, run_demo, sample_class

    course, loaded = _open(EXERCISE)
    paths = sample_class(course)
    if not paths:
        raise _Sentence("The sample class lies in tests/submissions/class of a clone of the kit: run this there.")
    with _grader(course, loaded, None, None) as grader:
        reports = _grade_all(grader, [(path.name, path) for path in paths])
    run_demo(course, reports)


@commands.command()
def doctor() -> None:
    """Say how well student code is isolated on this machine.

    Tries every level, from the strongest to the weakest, and says what it protects against, and what to install or set
    where one does not work.
    """
    from rich.console import Console

    from autograder.doctor import show

    show(Console())


class _Sentence(Exception):
    """An error that is one sentence on stderr and an exit code."""

    def __init__(self, sentence: str, exit_code: int = WRONG_USAGE) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def _open(exercise: str) -> tuple[Course, Exercise]:
    from autograder.course import CourseError, find_course
    from autograder.loading import ExerciseError, load_exercise

    try:
        course = find_course(Path.cwd())
        return course, load_exercise(course.exercise_folder(exercise))
    except (CourseError, ExerciseError) as error:
        raise _Sentence(str(error)) from None


def _refuse_inside(submission: Path, place: Path) -> None:
    """A grader must not stand in a student's folder: course.toml and exercises are looked for from where it stands."""
    folder = (submission if submission.is_dir() else submission.parent).resolve()
    if place.resolve().is_relative_to(folder):
        raise _Sentence(
            f"{place} lies inside the submission {submission}, or beside it: "
            "run this in the folder of the course, with the submission in a folder of its own."
        )


@contextmanager
def _grader(course: Course, exercise: Exercise, required: Level | None, seed: int | None) -> Iterator[Grader]:
    from autograder.course import CourseError
    from autograder.grading import NotIsolated, opened

    try:
        with opened(course, exercise, _warn, required, seed) as grader:
            yield grader
    except CourseError as error:
        raise _Sentence(str(error)) from None
    except NotIsolated as error:
        raise _Sentence(str(error), GRADER_ERROR) from None


def _warn(sentence: str) -> None:
    click.secho(f"Warning: {sentence}", err=True, fg="yellow", bold=True)


def _grade_all(grader: Grader, submissions: Sequence[tuple[str, Path]]) -> list[Report]:
    if len(submissions) == 1:
        return [grader.grade(path, name) for name, path in submissions]
    if not sys.stderr.isatty():
        return _grade_and_tell(grader, submissions)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        return [grader.grade(path, name) for name, path in progress.track(submissions)]


def _grade_and_tell(grader: Grader, submissions: Sequence[tuple[str, Path]]) -> list[Report]:
    """Grade with a line on stderr every few seconds and one at the end, for logs."""
    reports: list[Report] = []
    told = time.monotonic()
    for name, path in submissions:
        reports.append(grader.grade(path, name))
        if len(reports) == len(submissions) or time.monotonic() > told + SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            click.echo(f"Graded {len(reports)} of {len(submissions)}.", err=True)
    return reports


def _write(reports: Sequence[Report], form: str, output: Path | None) -> None:
    from rich.console import Console

    from autograder.formats import FORMATS, text

    if form == "text" and output is None and sys.stdout.isatty():
        text.show(reports, Console())
        return
    rendered = FORMATS[form](reports)
    if output is None:
        click.echo(rendered, nl=False)
        return
    try:
        output.write_text(rendered, encoding="utf-8")
    except OSError as error:
        raise _Sentence(f"{output} cannot be written: {error.strerror}.", GRADER_ERROR) from None
