"""Reports as GitHub-flavoured Markdown, for comments and summaries. Text of others stands in code only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.evaluation.report import Report
from autograder.formats import fields


def render(reports: Sequence[Report], max_length: int = fields.MAX_MESSAGE_LENGTH) -> str:
    """Return one report in full, or several as a table and what failed; messages are cut at `max_length` characters."""
    if len(reports) == 1:
        return "\n\n".join(_report_blocks(reports[0], max_length)) + "\n"
    blocks = [f"# {len(reports)} submissions", _class_table(reports)]
    for report in reports:
        if not report.checks or fields.failing_checks(report):
            blocks += _report_blocks(report, max_length)
    return "\n\n".join(blocks) + "\n"


def _report_blocks(report: Report, max_length: int) -> list[str]:
    # The reason of a refusal quotes the submission, so it stands in a code block further down.
    headline = escape_prose(fields.verdict(report) if fields.student_notes(report) else fields.headline(report))
    blocks = [f"## {code_span(report.submission)}", f"**{headline}**"]
    if report.checks:
        rows = [
            f"| {code_span(check.id)} | {escape_prose(check.title)} "
            f"| {fields.format_score(check.points, check.max_points)} | {fields.STATUS_LABELS[check.status]} |"
            for check in report.checks
        ]
        blocks.append("\n".join(["| check | title | points | |", "|:--|:--|--:|:--|", *rows]))
    for message, checks in fields.group_checks(fields.failing_checks(report), lambda check: check.message).items():
        blocks.append(", ".join(code_span(check.id) for check in checks) + ":")
        blocks.append(code_block(fields.sanitize_multiline(message, max_length)))
    if report.status == "graded":
        blocks += [code_block(f"Note: {note}") for note in fields.student_notes(report)]
    elif report.notes:
        blocks.append(code_block("\n".join(fields.sanitize_multiline(note.text, max_length) for note in report.notes)))
    return blocks


def _class_table(reports: Sequence[Report]) -> str:
    functions = fields.function_names(reports)
    header = ["submission", *map(code_span, functions), "score", ""]
    lines = [header, [":--", *("--:" for _ in functions), "--:", ":--"]]
    for report in reports:
        points = [fields.format_score(*report.points_of(name)) if report.checks else "-" for name in functions]
        score = fields.format_score(*map(float, fields.total(report)))
        status = "" if report.status == "graded" else escape_prose(report.status)
        lines.append([code_span(report.submission), *points, score, status])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code_span(text: str) -> str:
    """Return any text as code within a line, which may be a row of a table."""
    line = " ".join(fields.sanitize_multiline(text, 500).split()) or " "
    # A fence longer than every run of backticks inside cannot be closed by the text. | ends a cell even within code.
    fence = "`" * (_longest_backtick_run(line) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}".replace("|", "\\|")


def code_block(text: str) -> str:
    """Return any text as a block of code."""
    fence = "`" * max(3, _longest_backtick_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def escape_prose(text: str) -> str:
    """Return text in one line, with every character escaped that Markdown or HTML would obey."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&@])", r"\\\1", " ".join(fields.sanitize_multiline(text, 500).split()))


def _longest_backtick_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
