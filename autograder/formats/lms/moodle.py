"""A CSV file for Moodle's import of grades, each with its comment: Moodle loses grades whose comment comes alone."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from autograder.evaluation.report import Report
from autograder.formats import csv_table
from autograder.formats.lms import grade_columns
from autograder.formats.lms.grade_columns import Grade

# The instructor maps one of these to Moodle's users in a form; the others are ignored.
COLUMNS = ("Full name", "Username", "ID number", "Email address")
_IDENTITIES = attrgetter("name", "login", "sis_id", "email")  # of a student, for these columns


def render(reports: Sequence[Report], title: str = "") -> str:
    """Return the reports, without a roster, in a column called `title`, by default after the exercise."""
    grades = grade_columns.grades_without_roster(reports, grade_columns.report_totals(reports))
    return to_csv(grades, title or grade_columns.column_title(reports))


def to_csv(grades: Sequence[Grade], title: str) -> str:
    """Return the grades in a column called `title`, and in the next one the points of each function."""
    rows = [(*_IDENTITIES(grade.student), grade.total.points, grade.comment) for grade in grades]
    return csv_table.to_csv((*COLUMNS, title, f"{title} (feedback)"), rows)
