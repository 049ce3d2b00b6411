"""Plain data of a verdict: what every format, every gradebook and every test reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CheckStatus = Literal["pass", "fail", "error", "timeout", "not_attempted"]
ReportStatus = Literal["graded", "refused", "grader_error"]


@dataclass(frozen=True)
class Note:
    """Something worth knowing that costs no points, and who it is for."""

    audience: Literal["student", "instructor"]
    text: str


@dataclass(frozen=True)
class ErrorMap:
    """The relative error of each entry of one result on one case, row by row, and the same in a sentence."""

    result: str
    case: str
    errors: tuple[tuple[float, ...], ...]
    sentence: str


@dataclass(frozen=True)
class Feedback:
    """What a student is told of a failing check, in parts, so that every face can lay it out in its own way.

    `symptom` is one plain sentence; `facts` are labelled lines, such as ("smallest failing case", "T = 3, ..."); `hint`
    is what it looks like, if anything; `read` where to read; `replay` how to see it again. None holds markup.
    """

    symptom: str
    facts: tuple[tuple[str, str], ...] = ()
    map: ErrorMap | None = None
    hint: str = ""
    read: str = ""
    replay: str = ""


@dataclass(frozen=True)
class CheckResult:
    """What one check of the rubric says about one submission. `message` is the plain text of `feedback`, if any."""

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
