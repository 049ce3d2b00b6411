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
from autograder.verification.outcomes import Proof, Row

WIDTH = 120  # of what is piped; at a terminal its own width counts
LEGEND = "x caught it, X the only check that did, . did not, 1/2 with one of two seeds"


def plain(proof: Proof) -> str:
    """The same as `show` as plain text."""
    out = io.StringIO()
    show(proof, Console(file=out, width=WIDTH, color_system=None))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def show(proof: Proof, console: Console) -> None:
    """The kill matrix of each function, how sharp each check is, and what is wrong if anything is."""
    for function in _functions(proof):
        console.print(_matrix(proof, function))
    if proof.rows:
        console.print(Text(LEGEND, style="dim"), Text("\n"))
        console.print(_sharpness(proof))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for label, text in summary(proof):
        table.add_row(Text(label, style="bold"), Text(text))
    console.print(table)
    console.print()
    for complaint in proof.complaints:
        console.print(Text(complaint, style="red"))
    if not proof.complaints:
        console.print(Text(f"The checks of {proof.exercise} catch what they must, and harm nobody.", style="green"))


def page(proof: Proof) -> str:
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
            "checks": [(check.id, _short(check)) for check in _checks_of(proof, function)],
            "rows": [_line(proof, row) for row in proof.rows if row.mistake.function == function],
        }
        for function in _functions(proof)
    ]
    return environment.get_template("verification.html").render(
        proof=proof, functions=functions, summary=summary(proof), complaints=proof.complaints
    )


def summary(proof: Proof) -> list[tuple[str, str]]:
    """The findings in a line each."""
    lines = []
    for kind, label in (("reference", "reference"), ("stubs", "stubs")):
        fine = not any(other.complaints for other in proof.others if other.kind == kind)
        lines.append((label, ("all points" if kind == "reference" else "no points") if fine else "not as it must be"))
    if proof.slopes:
        worst = max(proof.slopes.values())
        lines.append(("slopes", f"{', '.join(proof.slopes)} of the reference are the slopes of J, to {worst:.0e}"))
    honest = [other for other in proof.others if other.kind == "honest"]
    hurt = sum(bool(other.complaints) for other in honest)
    lines.append(("honest", f"{len(honest)} variants, {hurt} of them lose points"))
    if proof.rows:
        n, wrong = len(proof.rows), sum(bool(set(row.names) - {None, row.mistake.name}) for row in proof.rows)
        lines.append(("mistakes", f"{proof.caught} of {n} caught ({100 * proof.caught / n:.1f} %)"))
        part = f"{proof.named_right} named right ({100 * proof.named_right / n:.1f} %)"
        lines.append(("names", f"{part}, {len(proof.nameless)} without a name, {wrong} misnamed"))
    seeds = ", ".join(map(str, proof.seeds))
    lines.append(
        ("time", f"{proof.graded} gradings in {proof.seconds:.1f} s (seeds {seeds}; isolation {proof.isolation})")
    )
    return lines


def _matrix(proof: Proof, function: str) -> Table:
    checks = _checks_of(proof, function)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=function, title_justify="left")
    table.add_column("mistake", no_wrap=True)
    for check in checks:
        table.add_column(_short(check), justify="center")
    table.add_column("named")
    for row in proof.rows:
        if row.mistake.function == function:
            line = _line(proof, row)
            table.add_row(line["name"], *line["cells"], line["named"], style="red" if line["bad"] else "")
    return table


def _sharpness(proof: Proof) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title="how sharp each check is", title_justify="left")
    table.add_column("check")
    for head in ("catches", "as the only one"):
        table.add_column(head, justify="right")
    for id, (caught, alone) in proof.catches.items():
        table.add_row(id, str(caught), str(alone))
    return table


def _line(proof: Proof, row: Row) -> dict[str, Any]:
    seeds = len(proof.seeds)

    def cell(check: Check) -> str:
        times = row.missed.get(check.id, 0)
        if times not in (0, seeds):
            return f"{times}/{seeds}"
        return "." if not times else "X" if row.alone == check.id else "x"

    named = ", ".join(sorted(name or "-" for name in row.names))
    return {
        "name": row.mistake.name,
        "hint": row.mistake.hint,
        "equation": row.mistake.equation,
        "cells": [cell(check) for check in _checks_of(proof, row.mistake.function)],
        "named": "right" if row.named_right else named,
        "bad": any(row.complaints()),
    }


def _functions(proof: Proof) -> list[str]:
    return list(dict.fromkeys(row.mistake.function for row in proof.rows))


def _checks_of(proof: Proof, function: str) -> Sequence[Check]:
    return [check for check in proof.checks if check.function == function]


def _short(check: Check) -> str:
    return check.id.removeprefix(f"{check.function}.")
