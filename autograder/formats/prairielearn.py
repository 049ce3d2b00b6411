"""PrairieLearn's results.json, as its guide to external grading describes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.evaluation.report import Report
from autograder.formats import parts

MOST_BYTES = 900_000  # PrairieLearn takes 1 MB


def render(reports: Sequence[Report]) -> str:
    """The one report. Work that cannot be read is not gradable, which costs the student no attempt."""
    (report,) = reports
    return parts.fitting(lambda longest: parts.as_json(_results(report, longest)), MOST_BYTES)


def _results(report: Report, longest: int) -> dict[str, Any]:
    if report.status != "graded":
        return {"gradable": False, "score": 0.0, "format_errors": [parts.readable(parts.headline(report), longest)]}
    score, most = parts.total(report)
    return {
        "gradable": True,
        "score": float(score / most) if most else 0.0,
        "message": parts.readable("\n\n".join([parts.headline(report), *parts.told(report)]), longest),
        "tests": [
            {
                "name": f"{check.function}: {parts.readable(check.title)}",
                "description": parts.WORDS[check.status],
                "points": parts.exact(check.points),
                "max_points": parts.exact(check.max_points),
                "message": parts.readable(check.message, longest),
            }
            for check in report.checks
        ],
    }
