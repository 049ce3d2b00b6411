"""PrairieLearn's results.json, as its guide to external grading describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.evaluation.report import Report
from autograder.formats import fields

MAX_BYTES = 900_000  # PrairieLearn takes 1 MB


def render(reports: Sequence[Report]) -> str:
    """Return the one report. Work that cannot be read is not gradable, which costs the student no attempt."""
    (report,) = reports
    return fields.fit_to_bytes(lambda max_length: fields.to_json(_results(report, max_length)), MAX_BYTES)


def _results(report: Report, max_length: int) -> dict[str, Any]:
    headline = fields.headline(report)
    if report.status != "graded":
        reason = fields.sanitize_multiline(headline, max_length)
        return {"gradable": False, "score": 0.0, "format_errors": [reason]}
    score, max_score = fields.total(report)
    message = "\n\n".join([headline, *fields.student_notes(report)])
    return {
        "gradable": True,
        "score": float(score / max_score) if max_score else 0.0,
        "message": fields.sanitize_multiline(message, max_length),
        "tests": [
            {
                "name": fields.check_name(check),
                "description": fields.STATUS_LABELS[check.status],
                "points": fields.to_decimal(check.points),
                "max_points": fields.to_decimal(check.max_points),
                "message": fields.sanitize_multiline(check.message, max_length),
            }
            for check in report.checks
        ],
    }
