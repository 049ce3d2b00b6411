"""Reports as JSON, version 1: one object for one submission, a list for several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from autograder.report import CheckResult, Report

VERSION = 1


def render(reports: Sequence[Report]) -> str:
    """The reports as indented JSON with a newline at the end."""
    objects = [as_object(report) for report in reports]
    text = json.dumps(objects[0] if len(objects) == 1 else objects, indent=2, ensure_ascii=False, allow_nan=False)
    # a file may be named with escapes for a terminal, or with bytes that are no text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text) + "\n"


def as_object(report: Report) -> dict[str, Any]:
    """One report in plain JSON types."""
    return {
        "version": VERSION,
        "exercise": report.exercise,
        "submission": report.submission,
        "status": report.status,
        "score": report.score,
        "max_score": report.max_score,
        "seed": report.seed,
        "isolation": report.isolation,
        "notes": [{"for": note.audience, "text": note.text} for note in report.notes],
        "checks": [_check(result) for result in report.checks],
    }


def _check(result: CheckResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "function": result.function,
        "title": result.title,
        "status": result.status,
        "points": result.points,
        "max_points": result.max_points,
        "message": result.message,
        "diagnosis": result.diagnosis,
        "hidden": result.hidden,
    }
