"""What all formats share: points as exact decimals, the words for a status, and text that is safe to show.

A report's points are floats. Formats show them as decimals of at most six places, and the total is the sum of the
numbers shown, so a reader who adds them up gets the same total.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
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
FOLLOWING_CODES = ("contract_needs_value", "gated")
"""The codes of checks that are right as soon as others are."""

_PLACES = Decimal("0.000001")


def to_decimal(points: float) -> Decimal:
    """Return points as a decimal of at most six places, without trailing zeros."""
    value = Decimal(repr(float(points))).quantize(_PLACES).normalize()
    # normalize() turns 10 into 1E+1, which nobody writes
    return value.quantize(Decimal(1)) if value == value.to_integral() else value


def total(report: Report) -> tuple[Decimal, Decimal]:
    """Return score and maximum as the sums of the checks' decimals; without checks, 0 and the report's maximum."""
    if not report.checks:
        return Decimal(0), to_decimal(report.max_score)
    score = sum(to_decimal(check.points) for check in report.checks)
    max_score = sum(to_decimal(check.max_points) for check in report.checks)
    return to_decimal(float(score)), to_decimal(float(max_score))


def format_points(value: float) -> str:
    """Return points as people write them: 7.5 and 10, never 1E+1."""
    return f"{to_decimal(value):f}"


def format_score(points: float, max_points: float) -> str:
    """Return points and maximum, such as 0.5/2."""
    return f"{format_points(points)}/{format_points(max_points)}"


def point_scale(report: Report) -> int:
    """Return the factor that makes integers of all points, for hosts that take nothing else.

    It is 100, so that points are counted in hundredths, or a million where a check's points are finer than that.
    """
    values = [to_decimal(value) for check in report.checks for value in (check.points, check.max_points)]
    return 100 if all(value * 100 % 1 == 0 for value in (*values, to_decimal(report.max_score))) else 10**6


def failing_checks(report: Report) -> list[CheckResult]:
    """Return the checks that did not pass, in the order of the rubric."""
    return [check for check in report.checks if check.status != "pass"]


def function_names(reports: Sequence[Report]) -> list[str]:
    """Return the functions that the checks are about, each once, in the order of the rubric."""
    return list(dict.fromkeys(check.function for report in reports for check in report.checks))


def group_checks(checks: Iterable[CheckResult], key: Callable[[CheckResult], str]) -> dict[str, list[CheckResult]]:
    """Return the checks by `key(check)`, groups and members in the order of `checks`."""
    groups: dict[str, list[CheckResult]] = {}
    for check in checks:
        groups.setdefault(key(check), []).append(check)
    return groups


def sanitize_multiline(text: str, max_length: int = MAX_MESSAGE_LENGTH) -> str:
    """Return text of several lines that no terminal, log or parser obeys, cut where it is longer than `max_length`."""
    lines = "\n".join(strip_control_characters(line, "\ufffd") for line in text[: max_length + 1].split("\n"))
    return lines if len(text) <= max_length else f"{lines[:max_length]}… ({len(text) - max_length} characters more)"


def check_name(check: CheckResult) -> str:
    """Return the name of a check for hosts that show a list of tests."""
    return f"{check.function}: {sanitize_multiline(check.title)}"


def student_notes(report: Report) -> list[str]:
    """Return the notes that a student may read."""
    return [sanitize_multiline(note.text) for note in report.notes if note.audience == "student"]


def verdict(report: Report) -> str:
    """Return a submission's points, or that it has none."""
    if report.status == "graded":
        score, max_score = total(report)
        return f"{score:f} of {max_score:f} points"
    return "Refused" if report.status == "refused" else "Not graded, because the grader failed"


def headline(report: Report, *, staff: bool = False) -> str:
    """Return a submission's points, or why it has none; only `staff` may read the reasons for instructors."""
    if report.status == "graded":
        return verdict(report)
    notes = [sanitize_multiline(note.text) for note in report.notes] if staff else student_notes(report)
    return f"{verdict(report)}: {' '.join(notes)}" if notes else f"{verdict(report)}."


def to_json(value: Any) -> str:
    """Return plain JSON types as indented text with a newline at the end; decimals become numbers."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=float) + "\n"


def fit_to_bytes(render: Callable[[int], str], max_bytes: int) -> str:
    """Return `render(max_length)` for the longest messages with which the text fits `max_bytes` bytes of UTF-8.

    The text with the shortest messages is returned even if it does not fit.
    """
    for max_length in (MAX_MESSAGE_LENGTH, 4000, 1000, 200, 40):
        text = render(max_length)
        if len(text.encode()) <= max_bytes:
            break
    return text
