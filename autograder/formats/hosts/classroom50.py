"""Classroom 50's result.json, version 1 of its schema. Its points are integers: ours are counted in hundredths."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from autograder.evaluation.report import Report
from autograder.formats import fields

TIME = "%Y-%m-%dT%H:%M:%SZ"


def render(reports: Sequence[Report]) -> str:
    """The one report, with what Classroom 50's runner says in the environment of assignment, owner and commit."""
    (report,) = reports
    return fields.as_json(result(report, os.environ))


def result(report: Report, environment: Mapping[str, str]) -> dict[str, Any]:
    """The report in plain JSON types; what the environment does not tell is called unknown."""

    def told(*names: str) -> str:
        return next((environment[name] for name in names if environment.get(name)), "unknown")

    factor = fields.whole(report)
    score, most = fields.total(report)
    tag = environment.get("SUBMISSION_TAG", "")
    return {
        "schema": "classroom50/result/v1",
        "classroom": told("CLASSROOM"),
        "assignment": told("ASSIGNMENT"),
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": told("OWNER", "USERNAME"),
        "submission": tag if tag.startswith("submit/") else f"submit/{tag or 'unknown'}",
        "commit": told("COMMIT_URL"),
        "release": told("RELEASE_URL"),
        "review": told("REVIEW_URL", "COMMIT_URL"),
        "datetime": _submitted(tag),
        "score": int(score * factor),
        "max-score": int(most * factor),
        "tests": [
            {
                "test-name": f"{check.function}: {fields.readable(check.title)}",
                "passed": check.status == "pass",
                "score": int(fields.exact(check.points) * factor),
                "max-score": int(fields.exact(check.max_points) * factor),
                "message": fields.readable(check.message),
            }
            for check in report.checks
        ],
    }


def _submitted(tag: str) -> str:
    """When it was submitted, which its tag tells: submit/<time>-<commit>; now where it does not."""
    if digits := re.match(r"submit/(\d{4})-?(\d\d)-?(\d\d)[T_-]?(\d\d)[:-]?(\d\d)[:-]?(\d\d)", tag):
        try:
            return datetime(*map(int, digits.groups()), tzinfo=UTC).strftime(TIME)  # type: ignore[arg-type, misc]  # six
        except ValueError:
            pass
    return datetime.now(UTC).strftime(TIME)
