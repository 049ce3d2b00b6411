"""Plain data of a verdict: what every format, every gradebook and every test reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autograder.student.feedback import Feedback

CheckStatus = Literal["pass", "fail", "error", "timeout", "not_attempted"]
ReportStatus = Literal["graded", "refused", "grader_error"]
Code = Literal[
    "not_attempted",
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
    "invariant_broken",
    "not_repeatable",
    "contract_needs_value",
    "gated",
]
"""What was found by a check that did not pass. Tools may rely on these words; sentences may change."""


@dataclass(frozen=True)
class Note:
    """Something worth knowing that costs no points, and who it is for."""

    audience: Literal["student", "instructor"]
    text: str


@dataclass(frozen=True)
class CheckResult:
    """What one check of the rubric says about one submission.

    `message` is the plain text of `feedback`, if any. A message about numbers has two parts: the `statement`, which
    other checks may share and which holds no numbers, and the `detail`, which is true of this check only.
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
    """The verdict on one submission. `score` is 0 unless it was graded; `notes` then say why."""

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
        """Points and most points possible of one function."""
        results = [result for result in self.checks if result.function == function]
        return round(sum(r.points for r in results), 6), round(sum(r.max_points for r in results), 6)
