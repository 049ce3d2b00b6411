"""Reports as lines of JSON, complete, for a process of ours at the other end of a pipe."""

from __future__ import annotations

import json

from autograder.evaluation.report import Report
from autograder.evaluation.report_codec import full_object, read_report


def dumps(report: Report) -> str:
    """One line."""
    return json.dumps(full_object(report))


def loads(line: str) -> Report:
    """The report of one line that `dumps` made."""
    return read_report(json.loads(line))
