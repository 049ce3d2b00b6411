"""The formats of `autograder grade`: each module here turns reports into one text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from autograder.formats import json_report, text
from autograder.report import Report

FORMATS: Mapping[str, Callable[[Sequence[Report]], str]] = {
    "text": text.render,
    "json": json_report.render,
}
