"""What a gradebook takes: a student and a score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from autograder.evaluation.report import Report
from autograder.formats import fields


@dataclass(frozen=True)
class Student:
    """A student of the roster, by all the identities that it gives; the others are empty."""

    name: str = ""
    id: str = ""
    sis_id: str = ""
    login: str = ""
    email: str = ""
    section: str = ""

    @property
    def identities(self) -> tuple[str, ...]:
        """All fields, in their order."""
        return (self.name, self.id, self.sis_id, self.login, self.email, self.section)


@dataclass(frozen=True)
class Grade:
    """A student's grade; `report` is None if the student handed in nothing."""

    student: Student
    report: Report | None = None

    @property
    def score(self) -> Decimal | None:
        """The points, or None without a verdict, which a gradebook must not take for 0."""
        if self.report is None or self.report.status == "grader_error":
            return None
        return fields.total(self.report)[0]

    @property
    def comment(self) -> str:
        """The points of each function, or why there are none, in one line."""
        if self.report is None or self.score is None:
            return ""
        functions = fields.function_names([self.report])
        scores = [f"{name}: {fields.format_score(*self.report.points_of(name))}" for name in functions]
        return "; ".join(scores) or " ".join(fields.headline(self.report).split())


def grades_without_roster(reports: Sequence[Report]) -> list[Grade]:
    """Return a grade per report, with the name of the submission as its student's name and login."""
    return [Grade(Student(name=report.submission, login=report.submission), report) for report in reports]


def column_title(reports: Sequence[Report]) -> str:
    """Return the title of the gradebook's column: the exercise."""
    return reports[0].exercise if reports else "score"


def max_points(reports: Sequence[Report]) -> Decimal:
    """Return the highest maximum of all reports."""
    return max((fields.total(report)[1] for report in reports), default=Decimal(0))
