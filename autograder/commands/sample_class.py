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
DETAILED_SUBMISSION = "truncated_bptt"


def list_sample_submissions(course: Course) -> list[Path]:
    """The folders of the sample class, or none outside a clone."""
    return sorted(path for path in _sample_class_folder(course).glob("*") if path.is_dir())


def present_reports(course: Course, reports: Sequence[Report]) -> None:
    """Show the table and one report in full; write every report as JSON and as text to build/demo."""
    folder = course.root / "build" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    for report in reports:
        (folder / f"{report.submission}.json").write_text(json_report.render([report]), encoding="utf-8")
        (folder / f"{report.submission}.txt").write_text(text.render([report]), encoding="utf-8")
    console = Console()
    if console.is_terminal:
        _print_reports(reports, console)
    else:
        click.echo(text.to_plain_text(lambda console: _print_reports(reports, console)), nl=False)
    click.echo(f"The submissions lie in {_sample_class_folder(course)}.\nThe reports lie in {folder}.")


def _print_reports(reports: Sequence[Report], console: Console) -> None:
    console.print(text.class_table(reports))
    console.print("One of them in full:\n")
    for report in reports:
        if report.submission == DETAILED_SUBMISSION:
            text.print_report(report, console)


def _sample_class_folder(course: Course) -> Path:
    return course.root / "tests" / "submissions" / "class"
