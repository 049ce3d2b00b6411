"""A report -> the outputs of nbgrader's grade cells: text, a picture of each check, and the points.

nbgrader reads the points from the first `execute_result`, which must be the repr of a plain float within 0 and the
points of the cell: for anything else it gives full marks or stops.
"""

from __future__ import annotations

from functools import lru_cache
from textwrap import fill
from typing import Any

from autograder.evaluation.report import CheckResult, Report
from autograder.formats.fields import format_points, headline, sanitize_multiline, student_notes
from autograder.formats.pages import feedback_page

Output = dict[str, Any]
CHECK_CELL_PREFIX = "check_"
"""What the names of check cells begin with; the function's name follows."""

UNGRADED_MESSAGE = "It has 0 points until a person has looked at it."
MAX_LINE_LENGTH = 100  # what fits on the pages of formgrader and feedback
METADATA_KEY = "autograder"
"""The key of an output's metadata that says which check it shows."""


def is_gradable(report: Report) -> bool:
    """Whether there is a verdict; where there is none, somebody has to grade by hand."""
    return report.status == "graded"


def check_cell_outputs(report: Report, function: str, max_points: float, with_notes: bool) -> list[Output]:
    """The outputs of the check cell of one function, which is worth `max_points`; the `with_notes` cell also says the notes."""
    if not is_gradable(report):
        return [_text_output(f"{headline(report)}\n{UNGRADED_MESSAGE}\n"), _score_output(0.0)]
    function_checks = [check for check in report.checks if check.function == function]
    earned = points_for(report, function, max_points)
    notes = "".join(f"Note: {note}\n" for note in student_notes(report)) if with_notes else ""
    heading = f"{function}: {format_points(earned)} of {format_points(max_points)} points\n"
    return [_text_output(heading + notes), *(_check_output(check) for check in function_checks), _score_output(earned)]


def points_for(report: Report, function: str, max_points: float) -> float:
    """The points of one function as nbgrader may be told them."""
    return float(min(max(report.points_of(function)[0], 0.0), max_points)) if is_gradable(report) else 0.0


def _text_output(text: str) -> Output:
    lines = (fill(line, MAX_LINE_LENGTH, break_long_words=False, break_on_hyphens=False) for line in text.splitlines())
    return {"output_type": "stream", "name": "stdout", "text": "".join(f"{line}\n" for line in lines)}


@lru_cache(maxsize=1000)  # most of a class passes the same checks
def _render_check(check: CheckResult) -> tuple[str, str]:
    """One check as HTML, and as text for whoever cannot show that."""
    plain = f"{check.status} {format_points(check.points)}/{format_points(check.max_points)} {check.title}\n{check.message}".strip()
    return feedback_page.render_check(check), sanitize_multiline(plain)


def _check_output(check: CheckResult) -> Output:
    metadata = {"id": check.id, "status": check.status, "points": check.points, "max_points": check.max_points}
    page, text = _render_check(check)
    data = {"text/html": page, "text/plain": text}
    return {"output_type": "display_data", "data": data, "metadata": {METADATA_KEY: metadata}}


def _score_output(earned: float) -> Output:
    data = {"text/plain": repr(earned)}
    return {"output_type": "execute_result", "execution_count": None, "data": data, "metadata": {}}
