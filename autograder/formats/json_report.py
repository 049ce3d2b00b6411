"""Reports as JSON, version 1: one object for one submission, a list for several."""

from __future__ import annotations

import json
from collections.abc import Sequence

from autograder.evaluation.report import Report
from autograder.evaluation.report_codec import public_object


def render(reports: Sequence[Report]) -> str:
    """Return the reports as indented JSON with a newline at the end."""
    objects = [public_object(report) for report in reports]
    text = json.dumps(objects[0] if len(objects) == 1 else objects, indent=2, ensure_ascii=False, allow_nan=False)
    # A file may be named with escapes for a terminal, or with bytes that are no text.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text) + "\n"
