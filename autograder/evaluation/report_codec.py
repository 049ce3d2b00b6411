"""Report <-> plain JSON types: the only place that knows how a report is written to a reader, a file or a pipe.

`public_object` is version 1 of the documented `grade --format json`. `full_object` adds what `read_report` needs to
restore the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import inf, isfinite
from typing import Any

from autograder.evaluation.report import CheckResult, Note, Report
from autograder.student.feedback import ErrorMap, Feedback

VERSION = 1

_REPORT_FIELDS = ("exercise", "submission", "status", "score", "max_score", "seed", "isolation")
_CHECK_FIELDS = ("id", "function", "title", "status", "code", "points", "max_points", "message", "diagnosis", "hidden")


def public_object(report: Report) -> dict[str, Any]:
    """Return a report in its documented form."""
    return {
        "version": VERSION,
        **{name: getattr(report, name) for name in _REPORT_FIELDS},
        "notes": [{"for": note.audience, "text": note.text} for note in report.notes],
        "checks": [{name: getattr(check, name) for name in _CHECK_FIELDS} for check in report.checks],
    }


def full_object(report: Report) -> dict[str, Any]:
    """Return a report with everything that `read_report` needs."""
    full = public_object(report)
    for fields, check in zip(full["checks"], report.checks, strict=True):
        feedback = check.feedback and _feedback_object(check.feedback)
        fields |= {"statement": check.statement, "detail": check.detail, "feedback": feedback}
    return full


def read_report(full: Mapping[str, Any]) -> Report:
    """Return the report that `full_object` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return Report(
        **{name: full[name] for name in _REPORT_FIELDS},
        notes=tuple(Note(note["for"], note["text"]) for note in full["notes"]),
        checks=tuple(
            CheckResult(**{**check, "feedback": check["feedback"] and _read_feedback(check["feedback"])})
            for check in full["checks"]
        ),
    )


def _feedback_object(feedback: Feedback) -> dict[str, Any]:
    fields = asdict(feedback)
    if feedback.map is not None:
        # JSON has no infinity: null stands for it.
        fields["map"]["errors"] = [[x if isfinite(x) else None for x in row] for row in feedback.map.errors]
    return fields


def _read_feedback(fields: Mapping[str, Any]) -> Feedback:
    facts = tuple((label, text) for label, text in fields["facts"])
    error_map = fields["map"]
    if error_map is not None:
        rows = tuple(tuple(inf if error is None else error for error in row) for row in error_map["errors"])
        error_map = ErrorMap(**{**error_map, "errors": rows})
    return Feedback(**{**fields, "facts": facts, "map": error_map})
