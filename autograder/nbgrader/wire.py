"""Reports as lines of JSON, complete, for a process of ours at the other end of a pipe."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from autograder.report import CheckResult, ErrorMap, Feedback, Note, Report


def written(report: Report) -> str:
    """One line."""
    return json.dumps(asdict(report))


def read(line: str) -> Report:
    """The report of one line that `written` made."""
    told = json.loads(line)
    notes = tuple(Note(**note) for note in told.pop("notes"))
    checks = tuple(_check(check) for check in told.pop("checks"))
    return Report(**told, notes=notes, checks=checks)


def _check(told: dict[str, Any]) -> CheckResult:
    feedback = told.pop("feedback")
    return CheckResult(**told, feedback=None if feedback is None else _feedback(feedback))


def _feedback(told: dict[str, Any]) -> Feedback:
    shown = told.pop("map")
    facts = tuple((label, fact) for label, fact in told.pop("facts"))
    return Feedback(**told, facts=facts, map=None if shown is None else _map(shown))


def _map(told: dict[str, Any]) -> ErrorMap:
    return ErrorMap(**told | {"errors": tuple(tuple(row) for row in told["errors"])})
