"""Classroom 50's result.json, version 1 of its schema. Its points are integers: ours are counted in hundredths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from autograder.evaluation.report import Report
from autograder.formats import fields

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def render(reports: Sequence[Report]) -> str:
    """The one report, with what Classroom 50's runner says in the environment of assignment, owner and commit."""
    (report,) = reports
    return fields.to_json(build_result(report, os.environ))


def build_result(report: Report, environment: Mapping[str, str]) -> dict[str, Any]:
    """The report in plain JSON types; what the environment does not tell is called unknown."""

    def first_set(*names: str) -> str:
        return next((environment[name] for name in names if environment.get(name)), "unknown")

    factor = fields.point_scale(report)
    score, max_score = fields.total(report)
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
        "datetime": _submission_time(tag),
        "score": int(score * factor),
        "max-score": int(max_score * factor),
        "tests": [
            {
                "test-name": f"{check.function}: {fields.sanitize_multiline(check.title)}",
                "passed": check.status == "pass",
                "score": int(fields.to_decimal(check.points) * factor),
                "max-score": int(fields.to_decimal(check.max_points) * factor),
                "message": fields.sanitize_multiline(check.message),
            }
            for check in report.checks
        ],
    }


def _submission_time(tag: str) -> str:
    """When it was submitted, which its tag tells: submit/<time>-<commit>; now where it does not."""
    if digits := re.match(r"submit/(\d{4})-?(\d\d)-?(\d\d)[T_-]?(\d\d)[:-]?(\d\d)[:-]?(\d\d)", tag):
        try:
            return datetime(*map(int, digits.groups()), tzinfo=UTC).strftime(TIME_FORMAT)  # type: ignore[arg-type, misc]  # six
        except ValueError:
            pass
    return datetime.now(UTC).strftime(TIME_FORMAT)
