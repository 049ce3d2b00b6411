"""What a class made of the checks, as plain data: how scores lie, what fails together, which mistakes were made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields
from autograder.formats.totals import NO_POINTS, Total

BIN_COUNT = 10
MOST_COLUMNS = 400  # of the heat map: of a larger class, every second student is drawn, or every third, ...


@dataclass(frozen=True)
class HistogramBin:
    """How many scores lie from `low` to `high` percent of all points."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class CheckRow:
    """For one check of the rubric, how many graded submissions passed it, and a row of the heat map.

    `wrong` and `unwritten` are paths of SVG, one unit for each student that is drawn: squares, and a thin line.
    """

    check: CheckResult
    passed: int
    attempted: int
    graded: int
    wrong: str
    unwritten: str

    @property
    def percent(self) -> int:
        """The share that passed, rounded; 100 means everybody, and 0 nobody."""
        percent = round(100 * self.passed / self.graded)
        return percent if self.passed in (0, self.graded) else min(max(percent, 1), 99)


@dataclass(frozen=True)
class MistakeCount:
    """A reason for lost points: a known mistake by its name, any other by its code.

    `sentence` is what to ask the class about a known mistake; of other reasons, `example` is what a student was told.
    """

    name: str
    functions: tuple[str, ...]
    students: tuple[str, ...]
    sentence: str
    example: str


def histogram_bins(totals: Iterable[Total]) -> list[HistogramBin]:
    """Return the totals in tenths of all points; full marks, and extra credit, belong to the last tenth."""
    counts = [0] * BIN_COUNT
    for total in totals:
        if total.points is not None:
            share = total.points / total.max_points if total.max_points else NO_POINTS
            counts[min(int(share * BIN_COUNT), BIN_COUNT - 1)] += 1
    return [HistogramBin(100 * i // BIN_COUNT, 100 * (i + 1) // BIN_COUNT, count) for i, count in enumerate(counts)]


def drawn_students(reports: Sequence[Report]) -> list[Report]:
    """Return the submissions that the heat map draws: those that fail most first, those that fail alike together."""

    def failures(report: Report) -> tuple[int, list[str]]:
        return sum(check.status == "pass" for check in report.checks), [check.status for check in report.checks]

    return sorted(reports, key=failures)[:: ceil(len(reports) / MOST_COLUMNS) or 1]


def check_rows(reports: Sequence[Report]) -> list[CheckRow]:
    """Return a row for each check, in the order of the rubric."""
    groups = fields.group_checks((check for report in reports for check in report.checks), lambda check: check.id)
    drawn = [{check.id: check.status for check in report.checks} for report in drawn_students(reports)]
    return [
        CheckRow(
            checks[0],
            passed=sum(check.status == "pass" for check in checks),
            attempted=sum(check.status != "not_attempted" for check in checks),
            graded=len(checks),
            wrong=_path((statuses.get(id, "pass") not in ("pass", "not_attempted") for statuses in drawn), 0, 1),
            unwritten=_path((statuses.get(id) == "not_attempted" for statuses in drawn), 0.4, 0.2),
        )
        for id, checks in groups.items()
    ]


def _path(marked: Iterable[bool], top: float, height: float) -> str:
    """Return the path of a row of boxes of width 1 that draws those that are marked."""
    runs, start = [], 0
    for is_marked, run in groupby(marked):
        length = len(list(run))
        if is_marked:
            runs.append(f"M{start} {top}h{length}v{height}h-{length}z")
        start += length
    return "".join(runs)


def mistake_counts(reports: Sequence[Report], sentences: Mapping[tuple[str, str], str]) -> list[MistakeCount]:
    """Return the reasons for lost points, the most frequent first; `sentences` are by function and mistake."""
    made: dict[str, list[tuple[Report, CheckResult]]] = {}
    for report in reports:
        for check in report.checks:
            for name in _reasons(check):
                made.setdefault(name, []).append((report, check))
    counts = [_mistake_count(name, results, sentences) for name, results in made.items()]
    return sorted(counts, key=lambda count: (-len(count.students), count.name))


def _mistake_count(
    name: str, results: Sequence[tuple[Report, CheckResult]], sentences: Mapping[tuple[str, str], str]
) -> MistakeCount:
    known = [sentences[check.function, name] for _, check in results if (check.function, name) in sentences]
    return MistakeCount(
        name,
        functions=tuple(dict.fromkeys(check.function for _, check in results)),
        students=tuple(dict.fromkeys(report.submission for report, _ in results)),
        sentence=next(iter(known), ""),
        example=next((check.statement or check.message for _, check in results if not known), ""),
    )


def _reasons(check: CheckResult) -> Iterator[str]:
    """Yield the names of known mistakes, two of "a and b", or the code; nothing of a check that follows from others."""
    if check.status == "pass" or check.code in fields.FOLLOWING_CODES:
        return
    if check.diagnosis:
        yield from check.diagnosis.split(" and ")
    elif check.code:
        yield check.code
