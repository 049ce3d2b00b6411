"""What a gradebook takes: a student and a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from autograder.evaluation.report import Report
from autograder.formats import fields


@dataclass(frozen=True)
class Student:
    """Somebody of the roster, with whatever identities the gradebook knows them by; empty where it tells none."""

    name: str = ""
    id: str = ""
    sis_id: str = ""
    login: str = ""
    email: str = ""
    section: str = ""

    @property
    def identities(self) -> tuple[str, ...]:
        """All that is known of them."""
        return (self.name, self.id, self.sis_id, self.login, self.email, self.section)


@dataclass(frozen=True)
class Grade:
    """A student's grade: nothing for who handed in nothing, and where the grader failed."""

    student: Student
    report: Report | None = None

    @property
    def score(self) -> Decimal | None:
        """The points, if there is a verdict."""
        if self.report is None or self.report.status == "grader_error":
            return None
        return fields.total(self.report)[0]

    @property
    def comment(self) -> str:
        """The points of each function, or why there are none, in a line."""
        if self.report is None or self.score is None:
            return ""
        functions = list(dict.fromkeys(check.function for check in self.report.checks))
        points = [(name, *self.report.points_of(name)) for name in functions]
        function_scores = [
            f"{name}: {fields.format_points(points)}/{fields.format_points(most)}" for name, points, most in points
        ]
        return "; ".join(function_scores) or " ".join(fields.headline(self.report).split())


def grades_without_roster(reports: Sequence[Report]) -> list[Grade]:
    """Grades without a roster: the name of a submission is taken for its student's login."""
    return [Grade(Student(name=report.submission, login=report.submission), report) for report in reports]


def column_title(reports: Sequence[Report]) -> str:
    """What the column of the gradebook is called: the exercise."""
    return reports[0].exercise if reports else "score"


def max_points(reports: Sequence[Report]) -> Decimal:
    """The most points that anybody can have."""
    return max((fields.total(report)[1] for report in reports), default=Decimal(0))
