"""A class as a CSV file: a row for each submission, a column for each function."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.evaluation.report import Report
from autograder.formats import csv_table, fields


def render(reports: Sequence[Report]) -> str:
    """Return points per function and in total. Where the grader failed these cells are empty, because 0 is a grade."""
    functions = fields.function_names(reports)
    header = ("submission", "status", *functions, "score", "max_score", "notes")
    return csv_table.to_csv(header, [_row(report, functions) for report in reports])


def _row(report: Report, functions: Sequence[str]) -> list[csv_table.CellValue]:
    score, max_score = fields.total(report)
    failed = report.status == "grader_error"
    points = [None if failed else fields.to_decimal(report.points_of(name)[0]) for name in functions]
    notes = " ".join(fields.sanitize_multiline(note.text, 1000) for note in report.notes)
    return [report.submission, report.status, *points, None if failed else score, max_score, notes]
