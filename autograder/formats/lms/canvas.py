"""A CSV file for the import of Canvas's gradebook."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from autograder.evaluation.report import Report
from autograder.formats import csv_table
from autograder.formats.lms import grade_columns
from autograder.formats.lms.grade_columns import Grade

# The importer wants these words in these places, and finds a student by them from left to right, by name last.
COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def render(reports: Sequence[Report]) -> str:
    """The reports, without a roster."""
    grades = grade_columns.grades_without_roster(reports)
    return to_csv(grades, grade_columns.column_title(reports), grade_columns.max_points(reports))


def to_csv(grades: Sequence[Grade], title: str, max_points: Decimal) -> str:
    """The grades in a column called `title`: "Name (1234)" is assignment 1234, an unknown name makes a new one."""
    possible = ("    Points Possible", "", "", "", "", max_points)
    rows = [
        (one.student.name, one.student.id, one.student.sis_id, one.student.login, one.student.section, one.score)
        for one in grades
    ]
    return csv_table.to_csv((*COLUMNS, title), [possible, *rows])
