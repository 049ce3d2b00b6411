"""A class on one page: how the scores lie, who has what, which mistakes were made, and which checks fail together.

Figures are inline SVG in the templates, and beside each stands in words or in a table what it shows.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from types import MappingProxyType

from markupsafe import Markup

from autograder.evaluation.report import Report
from autograder.formats import fields
from autograder.formats.pages import class_results
from autograder.formats.pages.environment import TEMPLATES, page_environment
from autograder.formats.totals import NO_POINTS, Part, Total, mean_and_median, report_total

ROWS_OF_A_TABLE = 500  # of students: of a larger class, further tables are folded, and cost a browser next to nothing


@dataclass(frozen=True)
class Column:
    """One part of the total, a function or a written question; `mean` is over all who have points for it."""

    name: str
    max_points: Decimal
    mean: Decimal | None


@dataclass(frozen=True)
class StudentRow:
    """A student in the table: points by the name of the column, and the total."""

    report: Report
    total: Total
    points: Mapping[str, Decimal | None]

    @property
    def shown_total(self) -> str:
        """The total, or the word for having none."""
        if self.total.points is not None:
            return f"{self.total.points:f}"
        return "waits" if self.total.state == "ungraded" else self.total.state


def render_page(
    reports: Sequence[Report],
    links: Mapping[str, str],
    sentences: Mapping[tuple[str, str], str],
    totals: Mapping[str, Total] = MappingProxyType({}),
) -> str:
    """Return the page.

    `totals` are those of everybody, by submission; where one is missing, the automatic points are the total. `links`
    lead from the name of a submission to its feedback, relative to where the page will lie; `sentences` say what to ask
    a class about each known mistake, by function and name.
    """
    graded = [report for report in reports if report.status == "graded"]
    totals = {report.submission: totals.get(report.submission) or report_total(report, {}) for report in reports}
    columns = _columns(reports, totals)
    rows = [_student_row(report, totals[report.submission], columns) for report in reports]
    rows.sort(key=lambda row: (row.report.status == "graded", row.total.so_far, row.report.submission))
    script = (TEMPLATES / "sort.js").read_text(encoding="utf-8")
    html = (
        page_environment()
        .get_template("class.html")
        .render(
            exercise=reports[0].exercise if reports else "",
            figures=_figures(reports, totals),
            bins=class_results.histogram_bins(totals.values()),
            columns=columns,
            tables=[rows[i : i + ROWS_OF_A_TABLE] for i in range(0, len(rows), ROWS_OF_A_TABLE)],
            links=links,
            graded=len(graded),
            mistakes=class_results.mistake_counts(graded, sentences),
            checks=class_results.check_rows(graded),
            drawn=len(class_results.drawn_students(graded)),
            script=Markup(script),  # noqa: S704 - our own file
            script_hash=b64encode(sha256(script.encode()).digest()).decode(),
        )
    )
    return html + "\n"


def _figures(reports: Sequence[Report], totals: Mapping[str, Total]) -> list[tuple[str, str]]:
    """Return what a lecturer wants to know first, a label and a number each."""
    count = len(reports)
    statuses = [report.status for report in reports]
    states = [total.state for total in totals.values()]
    figures = [("submissions", f"{count}"), ("graded", f"{statuses.count('graded')}")]
    figures.append(("refused", f"{statuses.count('refused')}"))
    figures.append(("wait for a person", f"{states.count('ungraded')}"))
    if excused := states.count("excused"):
        figures.append(("excused", f"{excused}"))
    if average := mean_and_median(totals.values()):
        max_points = max(total.max_points for total in totals.values())
        full = sum(total.points is not None and total.points >= total.max_points for total in totals.values())
        figures.append((f"mean of {max_points:f}", f"{average[0]:.2f}"))
        figures.append((f"median of {max_points:f}", f"{average[1]:.2f}"))
        figures.append(("full marks", f"{full}"))
    return figures


def _columns(reports: Sequence[Report], totals: Mapping[str, Total]) -> list[Column]:
    """Return a column for each function, then for each other part of a total, such as a written question."""
    parts: dict[str, list[Part]] = {name: [] for name in fields.function_names(reports)}
    for report in reports:
        for part in totals[report.submission].parts:
            if part.name != report.exercise:  # the whole of work that was refused
                parts.setdefault(part.name, []).append(part)
    return [_column(name, made) for name, made in parts.items() if made]


def _column(name: str, parts: Sequence[Part]) -> Column:
    points = [part.points for part in parts if part.points is not None]
    mean = round(sum(points, NO_POINTS) / len(points), 2) if points else None
    return Column(name, max(part.max_points for part in parts), mean)


def _student_row(report: Report, total: Total, columns: Sequence[Column]) -> StudentRow:
    points = {part.name: part.points for part in total.parts}
    return StudentRow(report, total, {column.name: points.get(column.name) for column in columns})
