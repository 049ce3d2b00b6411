"""A CSV file for the import of Canvas's gradebook."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter

from autograder.evaluation.report import Report
from autograder.formats import csv_table
from autograder.formats.lms import grade_columns
from autograder.formats.lms.grade_columns import Grade
from autograder.formats.totals import NO_POINTS, State

# The importer expects these words in this order, and finds a student by the first column that is filled, by name last.
COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_IDENTITIES = attrgetter("name", "id", "sis_id", "login", "section")  # of a student, for these columns


def render(reports: Sequence[Report], title: str = "") -> str:
    """Return the reports, without a roster, in a column called `title`, by default after the exercise."""
    totals = grade_columns.report_totals(reports)
    grades = grade_columns.grades_without_roster(reports, totals)
    return to_csv(grades, title or grade_columns.column_title(reports), grade_columns.max_points(totals.values()))


def to_csv(grades: Sequence[Grade], title: str, max_points: Decimal) -> str:
    """Return the grades in a column called `title`: "Name (1234)" is assignment 1234, an unknown name a new one."""
    possible = ("    Points Possible", "", "", "", "", max_points)
    rows = [(*_IDENTITIES(grade.student), cell(grade.total.state, grade.total.points)) for grade in grades]
    return csv_table.to_csv((*COLUMNS, title), [possible, *rows])


def cell(state: State, points: Decimal | None) -> csv_table.CellValue:
    """Return what Canvas takes for points: EX for an excused student, a dash for work that waits for a person."""
    if points is not None:
        return points
    placeholders: dict[State, csv_table.CellValue] = {"excused": "EX", "missing": None, "ungraded": csv_table.NO_GRADE}
    return placeholders.get(state, NO_POINTS)
