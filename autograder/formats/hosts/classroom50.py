"""Classroom 50's result.json, version 1 of its schema. It takes integers, so our points are counted in hundredths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from autograder.evaluation.report import Report
from autograder.formats import fields

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def render(reports: Sequence[Report]) -> str:
    """Return the one report, with the assignment, owner and commit that the runner's environment names."""
    (report,) = reports
    return fields.to_json(build_result(report, os.environ))


def build_result(report: Report, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the report in plain JSON types; "unknown" stands for what `environment` does not hold."""

    def first_set(*names: str) -> str:
        return next((environment[name] for name in names if environment.get(name)), "unknown")

    factor = fields.point_scale(report)
    score, max_score = fields.total(report)
    tests = [
        {
            "test-name": fields.check_name(check),
            "passed": check.status == "pass",
            "score": int(fields.to_decimal(check.points) * factor),
            "max-score": int(fields.to_decimal(check.max_points) * factor),
            "message": fields.sanitize_multiline(check.message),
        }
        for check in report.checks
    ]
    # A score is required there: 0 of 0 points is nobody's failure.
    if report.status == "grader_error":
        max_score = Decimal(0)
        reason = fields.headline(report)
        tests = [{"test-name": "Grading", "passed": False, "score": 0, "max-score": 0, "message": reason}]
    tag = environment.get("SUBMISSION_TAG", "")
    return {
        "schema": "classroom50/result/v1",
        "classroom": first_set("CLASSROOM"),
        "assignment": first_set("ASSIGNMENT"),
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": first_set("OWNER", "USERNAME"),
        "submission": tag if tag.startswith("submit/") else f"submit/{tag or 'unknown'}",
        "commit": first_set("COMMIT_URL"),
        "release": first_set("RELEASE_URL"),
        "review": first_set("REVIEW_URL", "COMMIT_URL"),
        "datetime": _submission_time(tag).strftime(TIME_FORMAT),
        "score": int(score * factor),
        "max-score": int(max_score * factor),
        "tests": tests,
    }


def _submission_time(tag: str) -> datetime:
    """Return the time in a tag submit/<time>-<commit>, or now if the tag holds none."""
    if digits := re.match(r"submit/(\d{4})-?(\d\d)-?(\d\d)[T_-]?(\d\d)[:-]?(\d\d)[:-]?(\d\d)", tag):
        with suppress(ValueError):  # a 31st of February
            return datetime(*map(int, digits.groups()), tzinfo=UTC)  # type: ignore[arg-type, misc]  # six of them
    return datetime.now(UTC)
