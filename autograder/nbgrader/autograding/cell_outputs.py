"""A report -> the outputs of nbgrader's grade cells: text, a picture of each check, and the points.

nbgrader reads the points from the first `execute_result`, which must be the repr of a plain float within 0 and the
points of the cell: for anything else it gives full marks or stops.
"""

from __future__ import annotations

from functools import lru_cache
from textwrap import fill
from typing import Any

from autograder.evaluation.report import CheckResult, Report
from autograder.formats.fields import headline, points, readable, told
from autograder.formats.pages import feedback_page

Output = dict[str, Any]
CHECK = "check_"
"""What the names of check cells begin with; the function's name follows."""

WAITS = "It has 0 points until a person has looked at it."
LONGEST_LINE = 100  # what fits on the pages of formgrader and feedback
MARK = "autograder"
"""The key of an output's metadata that says which check it shows."""


def is_gradable(report: Report) -> bool:
    """Whether there is a verdict; where there is none, somebody has to grade by hand."""
    return report.status == "graded"


def outputs_of(report: Report, function: str, most: float, first: bool) -> list[Output]:
    """The outputs of the check cell of one function, which is worth `most`; the `first` cell also says the notes."""
    if not is_gradable(report):
        return [_text(f"{headline(report)}\n{WAITS}\n"), _result(0.0)]
    mine = [check for check in report.checks if check.function == function]
    got = points_for(report, function, most)
    notes = "".join(f"Note: {note}\n" for note in told(report)) if first else ""
    said = f"{function}: {points(got)} of {points(most)} points\n"
    return [_text(said + notes), *(_shown(check) for check in mine), _result(got)]


def points_for(report: Report, function: str, most: float) -> float:
    """The points of one function as nbgrader may be told them."""
    return float(min(max(report.points_of(function)[0], 0.0), most)) if is_gradable(report) else 0.0


def _text(text: str) -> Output:
    lines = (fill(line, LONGEST_LINE, break_long_words=False, break_on_hyphens=False) for line in text.splitlines())
    return {"output_type": "stream", "name": "stdout", "text": "".join(f"{line}\n" for line in lines)}


@lru_cache(maxsize=1000)  # most of a class passes the same checks
def _data(check: CheckResult) -> tuple[str, str]:
    """One check as HTML, and as text for whoever cannot show that."""
    plain = f"{check.status} {points(check.points)}/{points(check.max_points)} {check.title}\n{check.message}".strip()
    return feedback_page.fragment(check), readable(plain)


def _shown(check: CheckResult) -> Output:
    about = {"id": check.id, "status": check.status, "points": check.points, "max_points": check.max_points}
    page, text = _data(check)
    data = {"text/html": page, "text/plain": text}
    return {"output_type": "display_data", "data": data, "metadata": {MARK: about}}


def _result(got: float) -> Output:
    data = {"text/plain": repr(got)}
    return {"output_type": "execute_result", "execution_count": None, "data": data, "metadata": {}}
