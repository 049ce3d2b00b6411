"""Reports as GitHub-flavoured Markdown, for comments and summaries. What others wrote stands in code only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields


def render(reports: Sequence[Report], longest: int = fields.LONGEST) -> str:
    """One report in full; several as a table, and below it what is wrong with each. Messages are cut at `longest`."""
    if len(reports) == 1:
        return "\n\n".join(_blocks(reports[0], longest)) + "\n"
    blocks = [f"# {len(reports)} submissions", _class_table(reports)]
    for report in reports:
        if not report.checks or fields.failing(report):
            blocks += _blocks(report, longest)
    return "\n\n".join(blocks) + "\n"


def _blocks(report: Report, longest: int) -> list[str]:
    blocks = [f"## {code(report.submission)}", f"**{_headline(report)}**"]
    if report.checks:
        rows = [
            f"| {code(check.id)} | {prose(check.title)} | {_of(check.points, check.max_points)} "
            f"| {fields.WORDS[check.status]} |"
            for check in report.checks
        ]
        blocks.append("\n".join(["| check | title | points | |", "|:--|:--|--:|:--|", *rows]))
    for message, checks in _messages(report).items():
        blocks += [", ".join(code(check.id) for check in checks) + ":", block(fields.readable(message, longest))]
    if report.status == "graded":
        blocks += [block(f"Note: {note}") for note in fields.told(report)]
    elif report.notes:
        blocks.append(block("\n".join(fields.readable(note.text, longest) for note in report.notes)))
    return blocks


def _headline(report: Report) -> str:
    """The points; the reason of a refusal stands in a block of its own, because others had a hand in it."""
    return prose(fields.headline(report) if report.status == "graded" else fields.headline(report).split(":")[0])


def _class_table(reports: Sequence[Report]) -> str:
    functions = list(dict.fromkeys(check.function for report in reports for check in report.checks))
    head = ["submission", *map(code, functions), "score", ""]
    lines = [head, [":--", *("--:" for _ in functions), "--:", ":--"]]
    for report in reports:
        points = [_of(*report.points_of(name)) if report.checks else "-" for name in functions]
        word = "" if report.status == "graded" else prose(report.status)
        lines.append([code(report.submission), *points, _of(*map(float, fields.total(report))), word])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _messages(report: Report) -> dict[str, list[CheckResult]]:
    """Each message once, with the checks that say it."""
    messages: dict[str, list[CheckResult]] = {}
    for check in fields.failing(report):
        messages.setdefault(check.message, []).append(check)
    return messages


def code(text: str) -> str:
    """Text as code in a line, whatever is in it; it may stand in a table."""
    line = " ".join(fields.readable(text, 500).split()) or " "
    fence = "`" * (_longest_run(line) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}".replace("|", "\\|")


def block(text: str) -> str:
    """Text as a block of code, whatever is in it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def prose(text: str) -> str:
    """Text as it is, with no character that Markdown or HTML would obey."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&@])", r"\\\1", " ".join(fields.readable(text, 500).split()))


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _of(points: float, most: float) -> str:
    return f"{fields.points(points)}/{fields.points(most)}"
