"""The sample class that ships with the repository: what grading looks like before one has a class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from autograder.course import Course
from autograder.evaluation.report import Report
from autograder.formats import json_report, text

EXERCISE = "rnn_backprop"
TOLD_IN_FULL = "truncated_bptt"


def sample_class(course: Course) -> list[Path]:
    """The folders of the sample class, or none outside a clone."""
    return sorted(path for path in _class_folder(course).glob("*") if path.is_dir())


def run_demo(course: Course, reports: Sequence[Report]) -> None:
    """Show the table and one report in full; write every report as JSON and as text to build/demo."""
    folder = course.root / "build" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    for report in reports:
        (folder / f"{report.submission}.json").write_text(json_report.render([report]), encoding="utf-8")
        (folder / f"{report.submission}.txt").write_text(text.render([report]), encoding="utf-8")
    console = Console()
    if console.is_terminal:
        _show(reports, console)
    else:
        click.echo(text.plain(lambda console: _show(reports, console)), nl=False)
    click.echo(f"The submissions lie in {_class_folder(course)}.\nThe reports lie in {folder}.")


def _show(reports: Sequence[Report], console: Console) -> None:
    console.print(text.class_table(reports))
    console.print("One of them in full:\n")
    for report in reports:
        if report.submission == TOLD_IN_FULL:
            text.show_one(report, console)


def _class_folder(course: Course) -> Path:
    return course.root / "tests" / "submissions" / "class"
