"""PrairieLearn's results.json, as its guide to external grading describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.evaluation.report import Report
from autograder.formats import fields

MOST_BYTES = 900_000  # PrairieLearn takes 1 MB


def render(reports: Sequence[Report]) -> str:
    """The one report. Work that cannot be read is not gradable, which costs the student no attempt."""
    (report,) = reports
    return fields.fitting(lambda longest: fields.as_json(_results(report, longest)), MOST_BYTES)


def _results(report: Report, longest: int) -> dict[str, Any]:
    if report.status != "graded":
        return {"gradable": False, "score": 0.0, "format_errors": [fields.readable(fields.headline(report), longest)]}
    score, most = fields.total(report)
    return {
        "gradable": True,
        "score": float(score / most) if most else 0.0,
        "message": fields.readable("\n\n".join([fields.headline(report), *fields.told(report)]), longest),
        "tests": [
            {
                "name": f"{check.function}: {fields.readable(check.title)}",
                "description": fields.WORDS[check.status],
                "points": fields.exact(check.points),
                "max_points": fields.exact(check.max_points),
                "message": fields.readable(check.message, longest),
            }
            for check in report.checks
        ],
    }
