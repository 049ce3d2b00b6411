"""What `autograder verify` found out, for a person: tables at a terminal, or one page that needs no other file."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.exercise.model import Check
from autograder.verification.outcomes import MistakeOutcome, VerificationReport

PLAIN_TEXT_WIDTH = 120  # of what is piped; at a terminal its own width counts
MATRIX_LEGEND = "x caught it, X the only check that did, . did not, 1/2 with one of two seeds"


def render_text(report: VerificationReport) -> str:
    """The same as `print_report` as plain text."""
    out = io.StringIO()
    print_report(report, Console(file=out, width=PLAIN_TEXT_WIDTH, color_system=None))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def print_report(report: VerificationReport, console: Console) -> None:
    """The kill matrix of each function, how sharp each check is, and what is wrong if anything is."""
    for function in _function_names(report):
        console.print(_kill_matrix(report, function))
    if report.mistake_outcomes:
        console.print(Text(MATRIX_LEGEND, style="dim"), Text("\n"))
        console.print(_sharpness_table(report))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for label, text in summarize(report):
        table.add_row(Text(label, style="bold"), Text(text))
    console.print(table)
    console.print()
    for complaint in report.problems:
        console.print(Text(complaint, style="red"))
    if not report.problems:
        console.print(Text(f"The checks of {report.exercise} catch what they must, and harm nobody.", style="green"))


def render_html(report: VerificationReport) -> str:
    """The same as a page of HTML."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    functions = [
        {
            "name": function,
            "checks": [(check.id, _short_id(check)) for check in _function_checks(report, function)],
            "rows": [_matrix_row(report, row) for row in report.mistake_outcomes if row.mistake.function == function],
        }
        for function in _function_names(report)
    ]
    return environment.get_template("verification.html").render(
        proof=report, functions=functions, summary=summarize(report), complaints=report.problems
    )


def summarize(report: VerificationReport) -> list[tuple[str, str]]:
    """The findings in a line each."""
    lines = []
    for kind, label in (("reference", "reference"), ("stubs", "stubs")):
        as_expected = not any(other.problems for other in report.sample_outcomes if other.kind == kind)
        lines.append(
            (label, ("all points" if kind == "reference" else "no points") if as_expected else "not as it must be")
        )
    if report.gradient_errors:
        largest_error = max(report.gradient_errors.values())
        lines.append(
            (
                "slopes",
                f"{', '.join(report.gradient_errors)} of the reference are the slopes of J, to {largest_error:.0e}",
            )
        )
    correct_variants = [other for other in report.sample_outcomes if other.kind == "honest"]
    losing_variants = sum(bool(other.problems) for other in correct_variants)
    lines.append(("honest", f"{len(correct_variants)} variants, {losing_variants} of them lose points"))
    if report.mistake_outcomes:
        mistake_count, misdiagnosed_count = (
            len(report.mistake_outcomes),
            sum(bool(set(row.diagnoses) - {None, row.mistake.name}) for row in report.mistake_outcomes),
        )
        lines.append(
            (
                "mistakes",
                f"{report.caught_count} of {mistake_count} caught ({100 * report.caught_count / mistake_count:.1f} %)",
            )
        )
        part = f"{report.diagnosed_count} named right ({100 * report.diagnosed_count / mistake_count:.1f} %)"
        lines.append(("names", f"{part}, {len(report.undiagnosed)} without a name, {misdiagnosed_count} misnamed"))
    seeds = ", ".join(map(str, report.seeds))
    lines.append(
        (
            "time",
            f"{report.grading_count} gradings in {report.seconds:.1f} s (seeds {seeds}; isolation {report.isolation})",
        )
    )
    return lines


def _kill_matrix(report: VerificationReport, function: str) -> Table:
    checks = _function_checks(report, function)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=function, title_justify="left")
    table.add_column("mistake", no_wrap=True)
    for check in checks:
        table.add_column(_short_id(check), justify="center")
    table.add_column("named")
    for row in report.mistake_outcomes:
        if row.mistake.function == function:
            matrix_row = _matrix_row(report, row)
            table.add_row(
                matrix_row["name"], *matrix_row["cells"], matrix_row["named"], style="red" if matrix_row["bad"] else ""
            )
    return table


def _sharpness_table(report: VerificationReport) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="how sharp each check is", title_justify="left")
    table.add_column("check")
    for head in ("catches", "as the only one"):
        table.add_column(head, justify="right")
    for id, (caught, alone) in report.catches.items():
        table.add_row(id, str(caught), str(alone))
    return table


def _matrix_row(report: VerificationReport, row: MistakeOutcome) -> dict[str, Any]:
    seeds = len(report.seeds)

    def cell(check: Check) -> str:
        seed_count = row.caught_by.get(check.id, 0)
        if seed_count not in (0, seeds):
            return f"{seed_count}/{seeds}"
        return "." if not seed_count else "X" if row.sole_check == check.id else "x"

    diagnoses = ", ".join(sorted(name or "-" for name in row.diagnoses))
    return {
        "name": row.mistake.name,
        "hint": row.mistake.hint,
        "equation": row.mistake.equation,
        "cells": [cell(check) for check in _function_checks(report, row.mistake.function)],
        "named": "right" if row.is_diagnosed_correctly else diagnoses,
        "bad": any(row.problems()),
    }


def _function_names(report: VerificationReport) -> list[str]:
    return list(dict.fromkeys(row.mistake.function for row in report.mistake_outcomes))


def _function_checks(report: VerificationReport, function: str) -> Sequence[Check]:
    return [check for check in report.checks if check.function == function]


def _short_id(check: Check) -> str:
    return check.id.removeprefix(f"{check.function}.")
