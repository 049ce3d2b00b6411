"""A class on one page: how the scores lie, which checks pass, which mistakes were made and what was told of them.

One file that needs no other, no script and no network. Figures are inline SVG, and beside each stands what it shows, in
words or in a table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, median
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields

BIN_COUNT = 10
WIDTH, HEIGHT, BASE = 640, 200, 30  # of the figure of scores: its size, and the room below it for labels


@dataclass(frozen=True)
class HistogramBin:
    """How many scores lie from `low` to `high` percent of all points."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class PassRate:
    """One check of the rubric: how many of those who were graded it passed for."""

    check: CheckResult
    passed: int
    attempted: int
    graded: int

    @property
    def percent(self) -> int:
        """Of all that were graded, rounded down, so that 100 means everybody."""
        return 100 * self.passed // self.graded


@dataclass(frozen=True)
class MistakeCount:
    """One known mistake: in which functions it was made, the hint that was told, and who made it."""

    name: str
    functions: tuple[str, ...]
    hint: str
    students: tuple[str, ...]


def render_page(reports: Sequence[Report], links: Mapping[str, str], hints: Mapping[tuple[str, str], str]) -> str:
    """Return the page.

    `links` lead from the name of a submission to its feedback, relative to where the page will lie; `hints` are those
    of the known mistakes, by function and name.
    """
    graded = [report for report in reports if report.status == "graded"]
    scores = [report.score for report in graded]
    max_score = max((report.max_score for report in reports), default=0.0)
    rates = _pass_rates(graded)
    return (
        _environment()
        .get_template("class.html")
        .render(
            exercise=reports[0].exercise if reports else "",
            reports=sorted(reports, key=lambda report: (report.status == "graded", report.score, report.submission)),
            links=links,
            graded=len(graded),
            mean=_rounded_points(mean(scores)) if scores else "",
            median=_rounded_points(median(scores)) if scores else "",
            most=_rounded_points(max_score),
            bars=_histogram_bins(graded),
            rates=rates,
            hardest=sorted(rates, key=lambda rate: rate.percent)[:3],
            slips=_mistake_counts(graded, hints),
            unnamed=_undiagnosed_count(graded),
        )
        + "\n"
    )


def _rounded_points(value: float) -> str:
    return fields.format_points(round(value, 2))


def _histogram_bins(reports: Sequence[Report]) -> list[HistogramBin]:
    """Scores in tenths of all points; full marks belong to the last tenth."""
    counts = [0] * BIN_COUNT
    for report in reports:
        share = report.score / report.max_score if report.max_score else 0.0
        counts[min(int(share * BIN_COUNT + 1e-9), BIN_COUNT - 1)] += 1
    return [HistogramBin(100 * i // BIN_COUNT, 100 * (i + 1) // BIN_COUNT, count) for i, count in enumerate(counts)]


def _pass_rates(reports: Sequence[Report]) -> list[PassRate]:
    by_id: dict[str, list[CheckResult]] = {}
    for report in reports:
        for check in report.checks:
            by_id.setdefault(check.id, []).append(check)
    return [
        PassRate(
            checks[0],
            passed=sum(check.status == "pass" for check in checks),
            attempted=sum(check.status != "not_attempted" for check in checks),
            graded=len(checks),
        )
        for checks in by_id.values()
    ]


def _mistake_counts(reports: Sequence[Report], hints: Mapping[tuple[str, str], str]) -> list[MistakeCount]:
    """The known mistakes, the most frequent first; with the hint where students were told it."""
    found: dict[str, MistakeCount] = {}
    for report in reports:
        for check in report.checks:
            if check.diagnosis:
                previous = found.setdefault(check.diagnosis, MistakeCount(check.diagnosis, (), "", ()))
                told = check.feedback is not None and check.feedback.hint != ""
                hint = hints.get((check.function, check.diagnosis), "") if told else ""
                found[check.diagnosis] = MistakeCount(
                    check.diagnosis,
                    tuple(dict.fromkeys((*previous.functions, check.function))),
                    previous.hint or hint,
                    tuple(dict.fromkeys((*previous.students, report.submission))),
                )
    return sorted(found.values(), key=lambda slip: (-len(slip.students), slip.name))


def _undiagnosed_count(reports: Sequence[Report]) -> int:
    """How many have wrong numbers in a function for which no mistake was named."""
    return sum(
        any(
            check.status == "fail" and check.feedback is not None and check.diagnosis is None for check in report.checks
        )
        for report in reports
    )


def _histogram(bins: Sequence[HistogramBin]) -> Markup:
    """Bars with their numbers above and percents below."""
    step, max_count = WIDTH / len(bins), max((bar.count for bar in bins), default=0) or 1
    elements = []
    for i, bar in enumerate(bins):
        height = (HEIGHT - 2 * BASE) * bar.count / max_count
        middle, above = step * (i + 0.5), HEIGHT - BASE - height
        elements.append(
            f'<rect x="{step * i + 4:g}" y="{above:g}" width="{step - 8:g}" height="{height:g}" class="bar"/>'
            f'<text x="{middle:g}" y="{above - 6:g}">{bar.count}</text>'
            f'<text x="{middle:g}" y="{HEIGHT - 10:g}">{bar.low}-{bar.high}</text>'
        )
    summary = ", ".join(f"{bar.count} from {bar.low} to {bar.high} percent" for bar in bins if bar.count)
    axis = f'<line x1="0" x2="{WIDTH}" y1="{HEIGHT - BASE}" y2="{HEIGHT - BASE}" class="axis"/>'
    return Markup(  # noqa: S704 - numbers alone
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Scores: {summary or "none"}.">'
        f"<title>Scores: {summary or 'none'}.</title>{''.join(elements)}{axis}</svg>"
    )


def _meter(rate: PassRate) -> Markup:
    """A bar as long as the share that passed; the number stands beside it."""
    return Markup(  # noqa: S704 - numbers alone
        f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" class="meter" aria-hidden="true">'
        f'<rect width="100" height="10" class="rest"/><rect width="{rate.percent}" height="10" class="bar"/></svg>'
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_sanitize_value,
    )
    environment.globals.update(histogram=_histogram, meter=_meter, points=_rounded_points, headline=fields.headline)
    return environment


def _sanitize_value(value: Any) -> Any:
    """Whatever a template writes: no control character reaches the page, and no text without end."""
    return fields.sanitize_multiline(value) if isinstance(value, str) and not isinstance(value, Markup) else value
