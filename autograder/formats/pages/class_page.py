"""A class on one page: how the scores lie, which checks pass, which mistakes were made and which hints were given.

Figures are inline SVG in the template, and beside each stands in words or in a table what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields
from autograder.formats.pages.environment import page_environment
from autograder.formats.totals import NO_POINTS, Total, mean_and_median, report_total

BIN_COUNT = 10


@dataclass(frozen=True)
class HistogramBin:
    """How many scores lie from `low` to `high` percent of all points."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class PassRate:
    """For one check of the rubric, how many graded submissions passed it and how many attempted it."""

    check: CheckResult
    passed: int
    attempted: int
    graded: int

    @property
    def percent(self) -> int:
        """The share that passed, rounded; 100 means everybody, and 0 nobody."""
        percent = round(100 * self.passed / self.graded)
        return percent if self.passed in (0, self.graded) else min(max(percent, 1), 99)


@dataclass(frozen=True)
class MistakeCount:
    """A known mistake: the functions in which it was made, the hint that students got, and who made it."""

    name: str
    functions: tuple[str, ...]
    hint: str
    students: tuple[str, ...]


def render_page(
    reports: Sequence[Report],
    links: Mapping[str, str],
    hints: Mapping[tuple[str, str], str],
    totals: Mapping[str, Total] = MappingProxyType({}),
) -> str:
    """Return the page.

    `totals` are those of everybody, by submission; where one is missing, the automatic points are the total.

    `links` lead from the name of a submission to its feedback, relative to where the page will lie; `hints` are those
    of the known mistakes, by function and name.
    """
    graded = [report for report in reports if report.status == "graded"]
    totals = {report.submission: totals.get(report.submission) or report_total(report, {}) for report in reports}
    average = mean_and_median(totals.values())
    rates = _pass_rates(graded)
    template = page_environment().get_template("class.html")
    html = template.render(
        exercise=reports[0].exercise if reports else "",
        reports=sorted(
            reports, key=lambda report: (report.status == "graded", totals[report.submission].so_far, report.submission)
        ),
        totals=totals,
        links=links,
        graded=len(graded),
        average=average,
        max_points=max((total.max_points for total in totals.values()), default=NO_POINTS),
        bins=_histogram_bins(totals.values()),
        rates=rates,
        hardest=sorted(rates, key=lambda rate: rate.percent)[:3],
        mistakes=_mistake_counts(graded, hints),
        undiagnosed=sum(map(_has_undiagnosed_numbers, graded)),
    )
    return html + "\n"


def _histogram_bins(totals: Iterable[Total]) -> list[HistogramBin]:
    """Return the totals in tenths of all points; full marks, and extra credit, belong to the last tenth."""
    counts = [0] * BIN_COUNT
    for total in totals:
        if total.points is not None:
            share = total.points / total.max_points if total.max_points else NO_POINTS
            counts[min(int(share * BIN_COUNT), BIN_COUNT - 1)] += 1
    return [HistogramBin(100 * i // BIN_COUNT, 100 * (i + 1) // BIN_COUNT, count) for i, count in enumerate(counts)]


def _pass_rates(reports: Sequence[Report]) -> list[PassRate]:
    groups = fields.group_checks((check for report in reports for check in report.checks), lambda check: check.id)
    return [
        PassRate(
            checks[0],
            passed=sum(check.status == "pass" for check in checks),
            attempted=sum(check.status != "not_attempted" for check in checks),
            graded=len(checks),
        )
        for checks in groups.values()
    ]


def _mistake_counts(reports: Sequence[Report], hints: Mapping[tuple[str, str], str]) -> list[MistakeCount]:
    """Return the known mistakes, the most frequent first."""
    results: dict[str, list[tuple[Report, CheckResult]]] = {}
    for report in reports:
        for check in report.checks:
            if check.diagnosis:
                results.setdefault(check.diagnosis, []).append((report, check))
    mistakes = []
    for name, made in results.items():
        # The course may withhold hints, so a hint counts only where a student's feedback held one.
        given = (hints.get((check.function, name)) for _, check in made if check.feedback and check.feedback.hint)
        functions = dict.fromkeys(check.function for _, check in made)
        students = dict.fromkeys(report.submission for report, _ in made)
        mistakes.append(MistakeCount(name, tuple(functions), next(filter(None, given), ""), tuple(students)))
    return sorted(mistakes, key=lambda mistake: (-len(mistake.students), mistake.name))


def _has_undiagnosed_numbers(report: Report) -> bool:
    """Return whether a function has wrong numbers for which no known mistake was found."""
    return any(check.status == "fail" and check.feedback and check.diagnosis is None for check in report.checks)
