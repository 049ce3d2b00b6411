"""Reports for a person at a terminal: in colour there, plain when piped.

`render` gives plain text; `print_reports` writes to a rich console, which knows what it is connected to. Whatever a
submission can influence (its path, its messages) is printed as literal text, never as markup.
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
from autograder.formats import fields
from autograder.student.layout import MAX_LINES, shortened

WIDTH = 100
RESERVED = 5  # of a function's lines: for a heading, blank lines, and the names of other checks with the same cause
STATUS_STYLES: dict[CheckStatus, str] = {"pass": "green", "not_attempted": "dim"}  # else red


def render(reports: Sequence[Report]) -> str:
    """Return the reports as plain text."""
    return to_plain_text(lambda console: print_reports(reports, console))


def to_plain_text(print_to: Callable[[Console], None], width: int = WIDTH) -> str:
    """Return what `print_to` writes to a console of `width` columns, without trailing white space."""
    out = io.StringIO()
    print_to(Console(file=out, width=width, color_system=None))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).rstrip("\n") + "\n"


def print_reports(reports: Sequence[Report], console: Console) -> None:
    """Print one submission with all its checks and messages, or several as a table of points per function."""
    if len(reports) == 1:
        print_report(reports[0], console)
        return
    console.print(class_table(reports))
    for report in reports:
        if report.status != "graded":
            console.print(_literal(f"{report.submission}: {' '.join(note.text for note in report.notes)}"))


def class_table(reports: Sequence[Report]) -> Table:
    """Return a table with a row per submission: points per function, the score, and what an instructor should note."""
    functions = fields.function_names(reports)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("submission", overflow="fold")
    for function in (*functions, "score"):
        table.add_column(function, justify="right")
    table.add_column("")
    for report in reports:
        points = [_score_text(*report.points_of(function)) if report.checks else Text("-") for function in functions]
        score = _score_text(report.score, report.max_score)
        table.add_row(_literal(report.submission), *points, score, _remark(report))
    return table


def print_report(report: Report, console: Console) -> None:
    """Print all checks with their points, then each message once, then known mistakes and notes."""
    name = (_literal(report.submission).plain, "bold")
    console.print(Text.assemble(name, "   ", _score_text(report.score, report.max_score)))
    if report.checks:
        console.print(_check_table(report))
    # Checks of a function often fail for one reason. Their shared statement is printed once, above what differs.
    failing = fields.failing_checks(report)
    room = dict.fromkeys((check.function for check in failing), MAX_LINES)
    for checks in fields.group_checks(failing, lambda check: check.statement or check.message).values():
        same = all(check.message == checks[0].message for check in checks)
        if same:
            console.print(Text(", ".join(dict.fromkeys(check.id for check in checks)), "bold"))
        lines = list(_message_lines(checks, same, console.width - 2))
        lines = shortened(lines, max(room[checks[0].function] - RESERVED, 3), "see --format markdown")
        room[checks[0].function] -= len(lines) + 2
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 2)))
        console.print()
    diagnosed = [check for check in report.checks if check.diagnosis]
    for diagnosis, checks in fields.group_checks(diagnosed, lambda check: check.diagnosis or "").items():
        functions = ", ".join(dict.fromkeys(check.function for check in checks))
        console.print(Text.assemble(("Known mistake: ", "bold"), _literal(f"{diagnosis} in {functions}")))
    for note in report.notes:
        audience = "" if note.audience == "student" else " for the instructor"
        console.print(Text.assemble((f"Note{audience}: ", "bold"), _literal(note.text)))


def _check_table(report: Report) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("title")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for check in report.checks:
        label = Text(fields.STATUS_LABELS[check.status], STATUS_STYLES.get(check.status, "red"))
        table.add_row(check.id, _literal(check.title), _score_text(check.points, check.max_points), label)
    return table


def _message_lines(checks: Sequence[CheckResult], same: bool, width: int) -> Iterator[str]:
    """Yield the lines of a group: the message if all have the `same`, else the statement and the checks it is about."""
    if same:
        message = _literal(checks[0].message).plain
        yield from message.split("\n") if "\n" in message else _wrap(message, width)
        return
    yield from _wrap(f"{_literal(checks[0].statement).plain}: {', '.join(check.id for check in checks)}.", width)


def _wrap(line: str, width: int, first_indent: str = "", indent: str = "") -> list[str]:
    """Return a long line as several, none of which breaks within an assignment such as "T = 3"."""
    # textwrap breaks at white space only, so "\0" stands for the spaces to keep.
    protected = line.replace(" = ", "\0=\0")
    wrapper = textwrap.TextWrapper(width, first_indent, indent, break_on_hyphens=False)
    return [part.replace("\0", " ") for part in wrapper.wrap(protected)]


def _score_text(points: float, max_points: float) -> Text:
    style = "green" if points == max_points else "red" if points == 0 else "yellow"
    return Text(f"{points:g}/{max_points:g}", style)


def _remark(report: Report) -> Text:
    if report.status != "graded":
        return Text(report.status, "red")
    statuses = {check.status for check in report.checks}
    noteworthy: tuple[CheckStatus, ...] = ("not_attempted", "timeout", "error")
    labels = [fields.STATUS_LABELS[status] for status in noteworthy if status in statuses]
    return Text(", ".join(labels) or ("note" if report.notes else ""))


def _literal(text: str) -> Text:
    return Text(fields.sanitize_multiline(text, max_length=len(text)))
