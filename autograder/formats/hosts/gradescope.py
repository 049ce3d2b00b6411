"""Gradescope's results.json, as its autograder specification describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields


def render(reports: Sequence[Report], visibility: str = "visible") -> str:
    """The one report; `visibility` is when students see the hidden checks.

    With anything but "visible" Gradescope keeps their total from students too, until those checks are shown.
    """
    (report,) = reports
    score, _ = fields.total(report)
    results: dict[str, Any] = {
        "output": "\n\n".join([fields.headline(report), *(fields.student_notes(report) if report.checks else ())]),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"seed": report.seed, "isolation": report.isolation, "status": report.status},
        "tests": _tests(report, visibility),
    }
    # without a score Gradescope calls it a failure of the autograder, which this is
    return fields.to_json(results if report.status == "grader_error" else {"score": score, **results})


def _tests(report: Report, visibility: str) -> list[dict[str, Any]]:
    functions = list(dict.fromkeys(check.function for check in report.checks))
    counts = dict.fromkeys(functions, 0)
    tests = []
    for check in report.checks:
        counts[check.function] += 1
        number = f"{functions.index(check.function) + 1}.{counts[check.function]}"
        tests.append(_test(check, number, visibility if check.hidden else "visible"))
    return tests


def _test(check: CheckResult, number: str, visibility: str) -> dict[str, Any]:
    return {
        "number": number,
        "name": f"{check.function}: {fields.sanitize_multiline(check.title)}",
        "status": "passed" if check.status == "pass" else "failed",
        "score": fields.to_decimal(check.points),
        "max_score": fields.to_decimal(check.max_points),
        "output": fields.sanitize_multiline(check.message),
        "tags": [check.id],
        "visibility": visibility,
    }
