"""What a gradebook takes: a student and a score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from autograder.evaluation.report import Report
from autograder.formats import fields
from autograder.formats.totals import MISSING, NO_POINTS, Total, report_total


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
    """A student's grade; `report` is None if the student handed in nothing, or if it is a gradebook's total alone."""

    student: Student
    report: Report | None = None
    total: Total = MISSING

    @property
    def comment(self) -> str:
        """The points of each part, or why there are none, in one line; empty without a total."""
        if self.total.points is None:
            return ""
        if self.report is not None and self.report.status == "refused" and len(self.total.parts) == 1:
            return " ".join(fields.headline(self.report).split())
        return self.total.comment


def grades_without_roster(reports: Sequence[Report], totals: Mapping[str, Total]) -> list[Grade]:
    """Return a grade per report, with the name of the submission as its student's name and login."""
    return [
        Grade(Student(name=report.submission, login=report.submission), report, totals[report.submission])
        for report in reports
    ]


def report_totals(reports: Sequence[Report]) -> dict[str, Total]:
    """Return the totals of reports by submission, where there are automatic points alone."""
    return {report.submission: report_total(report, {}) for report in reports}


def column_title(reports: Sequence[Report]) -> str:
    """Return the title of the gradebook's column: the exercise."""
    return reports[0].exercise if reports else "score"


def max_points(totals: Iterable[Total]) -> Decimal:
    """Return the highest maximum of all totals."""
    return max((total.max_points for total in totals), default=NO_POINTS)
