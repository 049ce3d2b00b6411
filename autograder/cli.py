"""The command line. Every command is thin, and imports what it needs only when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from autograder.course import Course
    from autograder.exercise import Exercise
    from autograder.report import Report

GRADER_ERROR, WRONG_USAGE, BELOW_THRESHOLD = 1, 2, 3

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
@click.option("--seed", type=click.IntRange(0, 2**53 - 1), help="Draw the hidden cases from this, to replay a verdict.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="Exit with 3 if anybody has less.")
def grade(
    exercise: str, path: Sequence[Path], form: str, output: Path | None, seed: int | None, fail_under: float | None
) -> None:
    """Grade submissions of EXERCISE.

    Each PATH is a notebook, a .py file, or a folder that holds one.

    Exit code 0 when everybody has a verdict, whatever the score; 1 when the grader itself failed on one; 2 for wrong
    usage; 3 when --fail-under is not reached.
    """
    course, loaded = _open(exercise)
    for one in path:
        _refuse_inside(one, course)
    reports = _grade_all(course, loaded, [(str(one), one) for one in path], seed)
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
    click.echo(f"Released {exercise} to {folder}.")


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
    run_demo(course, _grade_all(course, loaded, [(path.name, path) for path in paths], None))


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


def _refuse_inside(submission: Path, course: Course) -> None:
    """Python imports what lies in its working folder: a grader must not stand in a student's."""
    folder = submission.resolve() if submission.is_dir() else None
    for here in (Path.cwd().resolve(), course.root):
        if folder and here.is_relative_to(folder):
            raise _Sentence(f"{here} lies inside the submission {submission}: run this in the folder of the course.")


def _grade_all(
    course: Course, exercise: Exercise, submissions: Sequence[tuple[str, Path]], seed: int | None
) -> list[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from autograder.course import CourseError, read_secret
    from autograder.grading import grade_safely

    secret = None
    if seed is None:
        try:
            secret = read_secret(course)
        except CourseError as error:
            raise _Sentence(str(error)) from None
        if secret is None:
            click.echo(
                f"Warning: {course.secret_file} cannot be made, so a student could work out the hidden cases: "
                "set AUTOGRADER_SECRET.",
                err=True,
            )
    reports = []
    columns = (TextColumn("Grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=len(submissions) == 1, transient=True) as progress:
        for name, path in progress.track(submissions):
            reports.append(grade_safely(path, name, exercise, course.limits, secret, seed))
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
