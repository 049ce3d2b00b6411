"""What every format needs of a report: its points as exact decimals, its words, and text of a bounded length.

A report's points are floats. A format shows them as decimals of at most six places and shows as total the sum of what
it showed, so that a reader who adds up always comes to the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from autograder.evaluation.report import CheckResult, CheckStatus, Report
from autograder.submission.sanitize import strip_control_characters

MAX_MESSAGE_LENGTH = 20_000  # characters of one message: more helps nobody, and hosts refuse results that are too long
STATUS_LABELS: dict[CheckStatus, str] = {
    "pass": "right",
    "fail": "wrong",
    "error": "error",
    "timeout": "timeout",
    "not_attempted": "not written",
}
_PLACES = Decimal("0.000001")


def to_decimal(points: float) -> Decimal:
    """Points as a decimal of at most six places, without zeros at its end."""
    value = Decimal(repr(float(points))).quantize(_PLACES).normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral() else value


def total(report: Report) -> tuple[Decimal, Decimal]:
    """Score and most points possible: the sums of the checks' exact points. Without a verdict, 0 of all."""
    if not report.checks:
        return Decimal(0), to_decimal(report.max_score)
    return _sum_exactly(check.points for check in report.checks), _sum_exactly(
        check.max_points for check in report.checks
    )


def format_decimal(value: Decimal) -> str:
    """A decimal as people write it: 7.5 and 10, never 1E+1."""
    return f"{value:f}"


def format_points(value: float) -> str:
    """Points as people write them."""
    return format_decimal(to_decimal(value))


def point_scale(report: Report) -> int:
    """By how much points are multiplied for hosts that take integers only: 100, so that points are counted in cents.

    Where a check's points are finer than that, a million.
    """
    values = [to_decimal(value) for check in report.checks for value in (check.points, check.max_points)]
    return 100 if all(value * 100 % 1 == 0 for value in (*values, to_decimal(report.max_score))) else 10**6


def sanitize_multiline(text: str, max_length: int = MAX_MESSAGE_LENGTH) -> str:
    """Text of several lines with nothing in it that a terminal, a log or a parser would obey; cut where too long."""
    lines = "\n".join(
        strip_control_characters(line, replacement="\ufffd") for line in text[: max_length + 1].split("\n")
    )
    return lines if len(text) <= max_length else f"{lines[:max_length]}… ({len(text) - max_length} characters more)"


def student_notes(report: Report) -> list[str]:
    """The notes that a student may read."""
    return [sanitize_multiline(note.text) for note in report.notes if note.audience == "student"]


def headline(report: Report, *, staff: bool = False) -> str:
    """What came of one submission in a few words: its points, or why there is no verdict; all of the why for staff."""
    if report.status == "graded":
        score, max_score = total(report)
        return f"{format_decimal(score)} of {format_decimal(max_score)} points"
    verdict = "Refused" if report.status == "refused" else "Not graded, because the grader failed"
    notes = [sanitize_multiline(note.text) for note in report.notes] if staff else student_notes(report)
    return f"{verdict}: {' '.join(notes)}" if notes else f"{verdict}."


def failing_checks(report: Report) -> list[CheckResult]:
    """The checks that did not pass, in the order of the rubric."""
    return [check for check in report.checks if check.status != "pass"]


def _sum_exactly(values: Iterable[float]) -> Decimal:
    return to_decimal(float(sum((to_decimal(value) for value in values), Decimal(0))))


def to_json(value: Any) -> str:
    """Plain JSON types as indented text with a newline at the end; decimals as numbers."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=float) + "\n"


def fit_to_bytes(render: Callable[[int], str], max_bytes: int) -> str:
    """The longest of what `make(longest message)` gives that fits `max_bytes` bytes of UTF-8; the last one may still not."""
    for max_length in (MAX_MESSAGE_LENGTH, 4000, 1000, 200, 40):
        text = render(max_length)
        if len(text.encode()) <= max_bytes:
            break
    return text
