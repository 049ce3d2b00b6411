"""Reports as JSON, version 1: one object for one submission, a list for several."""

from __future__ import annotations

import json
from collections.abc import Sequence

from autograder.evaluation.report import Report
from autograder.evaluation.report_codec import public_object
from autograder.formats import fields


def render(reports: Sequence[Report]) -> str:
    """Return the reports as indented JSON with a newline at the end."""
    objects = [public_object(report) for report in reports]
    text = fields.to_json(objects[0] if len(objects) == 1 else objects)
    # A file name may hold escapes for a terminal, or bytes that are not text.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
