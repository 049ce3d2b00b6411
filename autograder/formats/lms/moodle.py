"""A CSV file for Moodle's import of grades, each with its comment: Moodle loses grades whose comment comes alone."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.evaluation.report import Report
from autograder.formats import csv_table
from autograder.formats.lms import grade_columns
from autograder.formats.lms.grade_columns import Grade

COLUMNS = ("Full name", "Username", "ID number", "Email address")  # one is mapped by hand; the others are ignored


def render(reports: Sequence[Report]) -> str:
    """The reports, without a roster."""
    return to_csv(grade_columns.grades_without_roster(reports), grade_columns.column_title(reports))


def to_csv(grades: Sequence[Grade], title: str) -> str:
    """The grades in a column called `title`, and in the next one what they are made of."""
    rows = [
        (one.student.name, one.student.login, one.student.sis_id, one.student.email, one.score, one.comment)
        for one in grades
    ]
    return csv_table.to_csv((*COLUMNS, title, f"{title} (feedback)"), rows)
