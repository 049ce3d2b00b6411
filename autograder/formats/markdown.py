"""Reports as GitHub-flavoured Markdown, for comments and summaries. What others wrote stands in code only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields


def render(reports: Sequence[Report], max_length: int = fields.MAX_MESSAGE_LENGTH) -> str:
    """One report in full; several as a table, and below it what is wrong with each. Messages are cut at `max_length`."""
    if len(reports) == 1:
        return "\n\n".join(_report_blocks(reports[0], max_length)) + "\n"
    blocks = [f"# {len(reports)} submissions", _class_table(reports)]
    for report in reports:
        if not report.checks or fields.failing_checks(report):
            blocks += _report_blocks(report, max_length)
    return "\n\n".join(blocks) + "\n"


def _report_blocks(report: Report, max_length: int) -> list[str]:
    blocks = [f"## {code_span(report.submission)}", f"**{_headline(report)}**"]
    if report.checks:
        rows = [
            f"| {code_span(check.id)} | {escape_prose(check.title)} | {_format_score(check.points, check.max_points)} "
            f"| {fields.STATUS_LABELS[check.status]} |"
            for check in report.checks
        ]
        blocks.append("\n".join(["| check | title | points | |", "|:--|:--|--:|:--|", *rows]))
    for message, checks in _checks_by_message(report).items():
        blocks += [
            ", ".join(code_span(check.id) for check in checks) + ":",
            code_block(fields.sanitize_multiline(message, max_length)),
        ]
    if report.status == "graded":
        blocks += [code_block(f"Note: {note}") for note in fields.student_notes(report)]
    elif report.notes:
        blocks.append(code_block("\n".join(fields.sanitize_multiline(note.text, max_length) for note in report.notes)))
    return blocks


def _headline(report: Report) -> str:
    """The points; the reason of a refusal stands in a block of its own, because others had a hand in it."""
    return escape_prose(fields.headline(report) if report.status == "graded" else fields.headline(report).split(":")[0])


def _class_table(reports: Sequence[Report]) -> str:
    functions = list(dict.fromkeys(check.function for report in reports for check in report.checks))
    header = ["submission", *map(code_span, functions), "score", ""]
    lines = [header, [":--", *("--:" for _ in functions), "--:", ":--"]]
    for report in reports:
        points = [_format_score(*report.points_of(name)) if report.checks else "-" for name in functions]
        word = "" if report.status == "graded" else escape_prose(report.status)
        lines.append([code_span(report.submission), *points, _format_score(*map(float, fields.total(report))), word])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _checks_by_message(report: Report) -> dict[str, list[CheckResult]]:
    """Each message once, with the checks that say it."""
    messages: dict[str, list[CheckResult]] = {}
    for check in fields.failing_checks(report):
        messages.setdefault(check.message, []).append(check)
    return messages


def code_span(text: str) -> str:
    """Text as code in a line, whatever is in it; it may stand in a table."""
    line = " ".join(fields.sanitize_multiline(text, 500).split()) or " "
    fence = "`" * (_longest_run(line) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}".replace("|", "\\|")


def code_block(text: str) -> str:
    """Text as a block of code, whatever is in it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def escape_prose(text: str) -> str:
    """Text as it is, with no character that Markdown or HTML would obey."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&@])", r"\\\1", " ".join(fields.sanitize_multiline(text, 500).split()))


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _format_score(points: float, max_points: float) -> str:
    return f"{fields.format_points(points)}/{fields.format_points(max_points)}"
