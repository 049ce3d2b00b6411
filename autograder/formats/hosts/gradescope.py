"""Gradescope's results.json, as its autograder specification describes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from autograder.evaluation.report import Report
from autograder.formats import fields


def render(reports: Sequence[Report], visibility: str = "visible") -> str:
    """Return the one report; `visibility` says when students see the hidden checks.

    With anything but "visible", Gradescope keeps the total from students too until those checks are shown.
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
        "tests": list(_tests(report, visibility)),
    }
    # Gradescope takes a result without a score for a failure of the autograder, which this is.
    return fields.to_json(results if report.status == "grader_error" else {"score": score, **results})


def _tests(report: Report, visibility: str) -> Iterator[dict[str, Any]]:
    functions = fields.function_names([report])
    counts: Counter[str] = Counter()
    for check in report.checks:
        counts[check.function] += 1
        yield {
            "number": f"{functions.index(check.function) + 1}.{counts[check.function]}",
            "name": fields.check_name(check),
            "status": "passed" if check.status == "pass" else "failed",
            "score": fields.to_decimal(check.points),
            "max_score": fields.to_decimal(check.max_points),
            "output": fields.sanitize_multiline(check.message),
            "tags": [check.id],
            "visibility": visibility if check.hidden else "visible",
        }
