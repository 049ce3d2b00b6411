"""A CSV file for the import of Canvas's gradebook."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from operator import attrgetter

from autograder.evaluation.report import Report
from autograder.formats import csv_table
from autograder.formats.lms import grade_columns
from autograder.formats.lms.grade_columns import Grade

# The importer expects these words in this order, and finds a student by the first column that is filled, by name last.
COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_IDENTITIES = attrgetter("name", "id", "sis_id", "login", "section")  # of a student, for these columns


def render(reports: Sequence[Report], title: str = "") -> str:
    """Return the reports, without a roster, in a column called `title`, by default after the exercise."""
    grades = grade_columns.grades_without_roster(reports)
    return to_csv(grades, title or grade_columns.column_title(reports), grade_columns.max_points(reports))


def to_csv(grades: Sequence[Grade], title: str, max_points: Decimal) -> str:
    """Return the grades in a column called `title`: "Name (1234)" is assignment 1234, an unknown name a new one."""
    possible = ("    Points Possible", "", "", "", "", max_points)
    rows = [(*_IDENTITIES(grade.student), grade.score) for grade in grades]
    return csv_table.to_csv((*COLUMNS, title), [possible, *rows])
