"""Reports for a person at a terminal: in colour there, plain when piped.

`render` gives plain text; `print_reports` writes to a rich console, which knows what it is connected to. Everything
that a submission could have a hand in (its path, its messages) goes in as literal text and never as markup.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.evaluation.report import CheckResult, CheckStatus, Report
from autograder.formats.fields import STATUS_LABELS
from autograder.submission.sanitize import strip_control_characters

WIDTH = 100
STATUS_STYLES: dict[CheckStatus, str] = {"pass": "green", "not_attempted": "dim"}  # else red


def render(reports: Sequence[Report]) -> str:
    """The reports as plain text."""
    return to_plain_text(lambda console: print_reports(reports, console))


def to_plain_text(print_to: Callable[[Console], None]) -> str:
    """What `print_to` writes to a console, as plain text without white space at its end and at the ends of lines."""
    out = io.StringIO()
    print_to(Console(file=out, width=WIDTH, color_system=None))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).rstrip("\n") + "\n"


def print_reports(reports: Sequence[Report], console: Console) -> None:
    """One submission with all its checks and messages; several as a table of points per function."""
    if len(reports) == 1:
        print_report(reports[0], console)
    else:
        console.print(class_table(reports))
        for report in reports:
            if report.status != "graded":
                console.print(_literal(f"{report.submission}: {' '.join(note.text for note in report.notes)}"))


def class_table(reports: Sequence[Report]) -> Table:
    """A line per submission: points per function, in all, and what is remarkable."""
    functions = list(dict.fromkeys(check.function for report in reports for check in report.checks))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("submission", overflow="fold")
    for function in (*functions, "score"):
        table.add_column(function, justify="right")
    table.add_column("")
    for report in reports:
        points = [_score_text(*report.points_of(function)) if report.checks else Text("-") for function in functions]
        table.add_row(
            _literal(report.submission), *points, _score_text(report.score, report.max_score), _remark(report)
        )
    return table


def print_report(report: Report, console: Console) -> None:
    """Every check with its points, then what each failing one says, a message said by several once; then the rest."""
    title = Text.assemble(
        (_literal(report.submission).plain, "bold"), "   ", _score_text(report.score, report.max_score)
    )
    console.print(title)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("title")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for check in report.checks:
        label, style = STATUS_LABELS[check.status], STATUS_STYLES.get(check.status, "red")
        table.add_row(check.id, _literal(check.title), _score_text(check.points, check.max_points), Text(label, style))
    if report.checks:
        console.print(table)
    for checks in _group_by_message(report.checks):
        same = all(check.message == checks[0].message for check in checks)
        console.print(Text(", ".join(dict.fromkeys(check.id if same else check.function for check in checks)), "bold"))
        for line in _message_lines(checks, same, console.width - 2):
            console.print(Padding(Text(line), (0, 0, 0, 2)))
        console.print()
    for name, functions in _diagnoses(report.checks).items():
        console.print(Text.assemble(("Known mistake: ", "bold"), _literal(f"{name} in {', '.join(functions)}")))
    for note in report.notes:
        audience = "" if note.audience == "student" else " for the instructor"
        console.print(Text.assemble((f"Note{audience}: ", "bold"), _literal(note.text)))


def _diagnoses(checks: Sequence[CheckResult]) -> dict[str, list[str]]:
    """The functions in which each known mistake was recognised; for the instructor."""
    found: dict[str, list[str]] = {}
    for check in checks:
        if check.diagnosis and check.function not in found.setdefault(check.diagnosis, []):
            found[check.diagnosis].append(check.function)
    return found


def _group_by_message(checks: Sequence[CheckResult]) -> list[list[CheckResult]]:
    """Group the checks that did not pass by what they say, or by the statement that they share."""
    groups: dict[str, list[CheckResult]] = {}
    for check in checks:
        if check.status != "pass":
            groups.setdefault(check.statement or check.message, []).append(check)
    return list(groups.values())


def _message_lines(checks: Sequence[CheckResult], same: bool, width: int) -> Iterator[str]:
    """Yield the lines of a group: their `same` message, or the statement and then the detail of each check."""
    if same:
        message = _literal(checks[0].message).plain
        yield from message.split("\n") if "\n" in message else _wrap(message, width)
        return
    yield from _wrap(f"{_literal(checks[0].statement).plain}:", width)
    column = max(len(check.id) for check in checks) + 4
    for check in checks:
        yield from _wrap(_literal(check.detail).plain, width, f"  {check.id}".ljust(column), " " * column)


def _wrap(line: str, width: int, first_indent: str = "", indent: str = "") -> list[str]:
    """A long line in several; "T = 3" is not torn apart."""
    protected = line.replace(" = ", "\0=\0")
    lines = textwrap.wrap(
        protected, width, initial_indent=first_indent, subsequent_indent=indent, break_on_hyphens=False
    )
    return [part.replace("\0", " ") for part in lines]


def _score_text(points: float, max_points: float) -> Text:
    style = "green" if points == max_points else "red" if points == 0 else "yellow"
    return Text(f"{points:g}/{max_points:g}", style)


def _remark(report: Report) -> Text:
    if report.status != "graded":
        return Text(report.status, "red")
    words = [
        STATUS_LABELS[s] for s in ("not_attempted", "timeout", "error") if any(c.status == s for c in report.checks)
    ]
    return Text(", ".join(words) if words else "note" if report.notes else "")


def _literal(text: str) -> Text:
    return Text("\n".join(strip_control_characters(line, replacement="�") for line in text.split("\n")))
