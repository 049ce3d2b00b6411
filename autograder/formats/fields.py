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
from autograder.submission.sanitize import visible

LONGEST = 20_000  # characters of one message: more helps nobody, and hosts refuse results that are too long
WORDS: dict[CheckStatus, str] = {
    "pass": "right",
    "fail": "wrong",
    "error": "error",
    "timeout": "timeout",
    "not_attempted": "not written",
}
_PLACES = Decimal("0.000001")


def exact(points: float) -> Decimal:
    """Points as a decimal of at most six places, without zeros at its end."""
    value = Decimal(repr(float(points))).quantize(_PLACES).normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral() else value


def total(report: Report) -> tuple[Decimal, Decimal]:
    """Score and most points possible: the sums of the checks' exact points. Without a verdict, 0 of all."""
    if not report.checks:
        return Decimal(0), exact(report.max_score)
    return _sum(check.points for check in report.checks), _sum(check.max_points for check in report.checks)


def number(value: Decimal) -> str:
    """A decimal as people write it: 7.5 and 10, never 1E+1."""
    return f"{value:f}"


def points(value: float) -> str:
    """Points as people write them."""
    return number(exact(value))


def whole(report: Report) -> int:
    """By how much points are multiplied for hosts that take integers only: 100, so that points are counted in cents.

    Where a check's points are finer than that, a million.
    """
    shown = [exact(value) for check in report.checks for value in (check.points, check.max_points)]
    return 100 if all(value * 100 % 1 == 0 for value in (*shown, exact(report.max_score))) else 10**6


def readable(text: str, longest: int = LONGEST) -> str:
    """Text of several lines with nothing in it that a terminal, a log or a parser would obey; cut where too long."""
    lines = "\n".join(visible(line, instead="\ufffd") for line in text[: longest + 1].split("\n"))
    return lines if len(text) <= longest else f"{lines[:longest]}… ({len(text) - longest} characters more)"


def told(report: Report) -> list[str]:
    """The notes that a student may read."""
    return [readable(note.text) for note in report.notes if note.audience == "student"]


def headline(report: Report, *, staff: bool = False) -> str:
    """What came of one submission in a few words: its points, or why there is no verdict; all of the why for staff."""
    if report.status == "graded":
        score, most = total(report)
        return f"{number(score)} of {number(most)} points"
    word = "Refused" if report.status == "refused" else "Not graded, because the grader failed"
    notes = [readable(note.text) for note in report.notes] if staff else told(report)
    return f"{word}: {' '.join(notes)}" if notes else f"{word}."


def failing(report: Report) -> list[CheckResult]:
    """The checks that did not pass, in the order of the rubric."""
    return [check for check in report.checks if check.status != "pass"]


def _sum(values: Iterable[float]) -> Decimal:
    return exact(float(sum((exact(value) for value in values), Decimal(0))))


def as_json(value: Any) -> str:
    """Plain JSON types as indented text with a newline at the end; decimals as numbers."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=float) + "\n"


def fitting(make: Callable[[int], str], most: int) -> str:
    """The longest of what `make(longest message)` gives that fits `most` bytes of UTF-8; the last one may still not."""
    for longest in (LONGEST, 4000, 1000, 200, 40):
        text = make(longest)
        if len(text.encode()) <= most:
            break
    return text
