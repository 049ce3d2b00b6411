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
    grades = grade_columns.of_submissions(reports)
    return write(grades, grade_columns.title_of(reports), grade_columns.most_of(reports))


def write(grades: Sequence[Grade], title: str, most: Decimal) -> str:
    """The grades in a column called `title`: "Name (1234)" is assignment 1234, an unknown name makes a new one."""
    possible = ("    Points Possible", "", "", "", "", most)
    rows = [
        (one.student.name, one.student.id, one.student.sis_id, one.student.login, one.student.section, one.score)
        for one in grades
    ]
    return csv_table.write((*COLUMNS, title), [possible, *rows])
