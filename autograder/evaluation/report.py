"""The report of a submission as plain data: what every format, gradebook and test reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autograder.student.feedback import Feedback

CheckStatus = Literal["pass", "fail", "error", "timeout", "not_attempted"]
ReportStatus = Literal["graded", "refused", "grader_error"]
Code = Literal[
    "not_attempted",
    "stub_line_left",
    "function_missing",
    "raised",
    "invalid_result",
    "process_ended",
    "wrong_shape",
    "wrong_dtype",
    "not_finite",
    "wrong_value",
    "wrong_gradient",
    "arguments_changed",
    "wrong_first_row",
    "not_repeatable",
    "contract_needs_value",
    "gated",
]
"""Why a check did not pass. Tools may rely on these words; the sentences may change."""


@dataclass(frozen=True)
class Note:
    """A sentence worth knowing that costs no points, for one of two readers."""

    audience: Literal["student", "instructor"]
    text: str


@dataclass(frozen=True)
class CheckResult:
    """The result of one check of the rubric for a submission.

    `message` is the plain text of `feedback`, if any. A message about numbers has two parts: the `statement`, which has
    no numbers in it and which other checks may share, and the `detail`, which belongs to this check only.
    """

    id: str
    function: str
    title: str
    status: CheckStatus
    points: float
    max_points: float
    message: str = ""
    diagnosis: str | None = None
    hidden: bool = True
    feedback: Feedback | None = None
    code: Code | None = None
    statement: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """The verdict on a submission. If it was not graded, `score` is 0 and `notes` say why."""

    exercise: str
    submission: str
    status: ReportStatus
    score: float
    max_score: float
    seed: int
    isolation: str
    notes: tuple[Note, ...] = ()
    checks: tuple[CheckResult, ...] = ()

    def points_of(self, function: str) -> tuple[float, float]:
        """Return the points of a function and the most that it can earn."""
        results = [result for result in self.checks if result.function == function]
        return round(sum(r.points for r in results), 6), round(sum(r.max_points for r in results), 6)
