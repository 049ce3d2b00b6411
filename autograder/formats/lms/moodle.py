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
    return write(grade_columns.of_submissions(reports), grade_columns.title_of(reports))


def write(grades: Sequence[Grade], title: str) -> str:
    """The grades in a column called `title`, and in the next one what they are made of."""
    rows = [
        (one.student.name, one.student.login, one.student.sis_id, one.student.email, one.score, one.comment)
        for one in grades
    ]
    return csv_table.write((*COLUMNS, title, f"{title} (feedback)"), rows)
