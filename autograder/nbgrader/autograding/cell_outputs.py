"""A report -> the outputs of nbgrader's grade cells: text, the checks of the function, and the points.

nbgrader reads the points from the first `execute_result`, which must be the repr of a plain float between 0 and the
points of the cell: for anything else it gives full marks or stops.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from textwrap import fill
from typing import Any

from autograder.evaluation.report import CheckResult, Report
from autograder.formats.fields import format_points, format_score, headline, sanitize_multiline, student_notes
from autograder.formats.pages import feedback_page

Output = dict[str, Any]
CHECK_CELL_PREFIX = "check_"
"""What the names of check cells begin with; the function's name follows."""

UNGRADED_MESSAGE = "It has 0 points until a person has looked at it."
MAX_LINE_LENGTH = 100  # what fits on the pages of formgrader and feedback
METADATA_KEY = "autograder"
"""The key in an output's metadata under which its checks are described."""


def is_gradable(report: Report) -> bool:
    """Return whether there is a verdict; without one, somebody has to grade by hand."""
    return report.status == "graded"


def fill_check_cells(cells: Iterable[Any], report: Report) -> dict[str, float]:
    """Write the verdict into the check cells of a notebook. Returns the points by the name of the cell."""
    points: dict[str, float] = {}
    for cell in cells:
        nbgrader_metadata = cell["metadata"].get("nbgrader", {})
        # Questions have points, too, but are solutions at the same time: a person grades them.
        if nbgrader_metadata.get("grade") and not nbgrader_metadata["solution"]:
            name, max_points = nbgrader_metadata["grade_id"], float(nbgrader_metadata["points"])
            function = name.removeprefix(CHECK_CELL_PREFIX)
            cell["outputs"] = check_cell_outputs(report, function, max_points, with_notes=not points)
            points[name] = _points_within(report, function, max_points)
    return points


def check_cell_outputs(report: Report, function: str, max_points: float, with_notes: bool) -> list[Output]:
    """Return the outputs of the check cell of one function, worth `max_points`, perhaps with the report's notes."""
    if not is_gradable(report):
        return [_text_output(f"{headline(report)}\n{UNGRADED_MESSAGE}\n"), _score_output(0.0)]
    points = _points_within(report, function, max_points)
    heading = f"{function}: {format_points(points)} of {format_points(max_points)} points\n"
    notes = "".join(f"Note: {note}\n" for note in student_notes(report)) if with_notes else ""
    checks = tuple(check for check in report.checks if check.function == function)
    return [_text_output(heading + notes), *([_checks_output(checks)] if checks else []), _score_output(points)]


def _points_within(report: Report, function: str, max_points: float) -> float:
    """Return the points of one function, within the limits that nbgrader accepts."""
    return float(min(max(report.points_of(function)[0], 0.0), max_points)) if is_gradable(report) else 0.0


def _text_output(text: str) -> Output:
    lines = (fill(line, MAX_LINE_LENGTH, break_long_words=False, break_on_hyphens=False) for line in text.splitlines())
    return {"output_type": "stream", "name": "stdout", "text": "".join(f"{line}\n" for line in lines)}


@lru_cache(maxsize=1000)  # most of a class passes the same checks
def _render_checks(checks: tuple[CheckResult, ...]) -> dict[str, str]:
    plain = (
        f"{check.status} {format_score(check.points, check.max_points)} {check.title}\n{check.message}".strip()
        for check in checks
    )
    return {"text/html": feedback_page.render_function(checks), "text/plain": sanitize_multiline("\n".join(plain))}


def _checks_output(checks: tuple[CheckResult, ...]) -> Output:
    descriptions = [
        {"id": check.id, "status": check.status, "points": check.points, "max_points": check.max_points}
        for check in checks
    ]
    data = dict(_render_checks(checks))  # a copy: the cached one stays as it is
    return {"output_type": "display_data", "data": data, "metadata": {METADATA_KEY: {"checks": descriptions}}}


def _score_output(points: float) -> Output:
    data = {"text/plain": repr(points)}
    return {"output_type": "execute_result", "execution_count": None, "data": data, "metadata": {}}
