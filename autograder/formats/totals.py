"""A student's total for an exercise: the only place that adds up points, points by hand, and the late penalty.

Gradebook, pages, scores.csv and exports ask here. Without nbgrader's gradebook, a total comes from a report alone; with
it, from the gradebook's cells, where a person may have changed something.

    refused          0 automatic points, which is a verdict
    grader_error     no total: nobody knows the points
    written question waits for a person, and the total with it, until points are given
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import mean, median
from typing import Literal

from autograder.evaluation.report import Report
from autograder.formats import fields

State = Literal["graded", "ungraded", "missing", "excused"]
NO_POINTS = Decimal(0)


@dataclass(frozen=True)
class Part:
    """One part of a total, a function or a written question. `points` is None until somebody gives them."""

    name: str
    points: Decimal | None
    max_points: Decimal


@dataclass(frozen=True)
class Total:
    """What a student has for an exercise; `penalty` is taken off for late work."""

    state: State
    parts: tuple[Part, ...] = ()
    penalty: Decimal = NO_POINTS

    @property
    def before_penalty(self) -> Decimal:
        """The points so far: a part that waits counts nothing."""
        return _sum(part.points for part in self.parts if part.points is not None)

    @property
    def so_far(self) -> Decimal:
        """The points so far, the penalty taken off: what nbgrader shows even while a part waits."""
        return max(NO_POINTS, _sum((self.before_penalty, -self.penalty)))

    @property
    def points(self) -> Decimal | None:
        """The total, or None for work that nobody handed in or that waits for a person."""
        return self.so_far if self.state == "graded" else None

    @property
    def max_points(self) -> Decimal:
        """The most that all parts give."""
        return _sum(part.max_points for part in self.parts)

    @property
    def comment(self) -> str:
        """The points of each part, and the penalty, in one line."""
        texts = [
            f"{part.name}: waits"
            if part.points is None
            else f"{part.name}: {fields.format_score(float(part.points), float(part.max_points))}"
            for part in self.parts
        ]
        late = [f"late penalty: {-self.penalty:f}"] if self.penalty else []
        return "; ".join((*texts, *late))


MISSING, EXCUSED = Total("missing"), Total("excused")


def add_up(parts: Iterable[Part], penalty: float | None = None) -> Total:
    """Return the total of work that was handed in."""
    parts = tuple(parts)
    state: State = "ungraded" if any(part.points is None for part in parts) else "graded"
    return Total(state, parts, fields.to_decimal(penalty or 0.0))


def with_excused(totals: Mapping[str, Total], students: Iterable[str]) -> dict[str, Total]:
    """Return the totals with excused students, who need not hand in, and whose points count nowhere if they do."""
    return {**totals, **dict.fromkeys(students, EXCUSED)}


def cell_part(
    name: str,
    max_points: float,
    automatic: float | None,
    by_hand: float | None,
    extra_credit: float | None,
    waits: bool,
) -> Part:
    """Return the part of a cell of nbgrader: points by hand go before automatic ones, extra credit is added to either.

    A cell that `waits` has no points before somebody gives them by hand.
    """
    given = automatic if by_hand is None and not waits else by_hand
    points = None if given is None else _sum(map(fields.to_decimal, (given, extra_credit or 0.0)))
    return Part(name, points, fields.to_decimal(max_points))


def report_total(report: Report, written: Mapping[str, float]) -> Total:
    """Return the total of a report that no gradebook knows: `written` questions, with their points, wait."""
    if report.status == "graded":
        parts = [
            Part(name, *map(fields.to_decimal, report.points_of(name))) for name in fields.function_names([report])
        ]
    else:
        points = None if report.status == "grader_error" else NO_POINTS
        parts = [Part(report.exercise, points, fields.to_decimal(report.max_score))]
    return add_up((*parts, *(Part(name, None, fields.to_decimal(points)) for name, points in written.items())))


def mean_and_median(totals: Iterable[Total]) -> tuple[Decimal, Decimal] | None:
    """Return mean and median, to the cent, of everybody who has a total; None if nobody has."""
    points = [total.points for total in totals if total.points is not None]
    if not points:
        return None
    return fields.to_decimal(round(float(mean(points)), 2)), fields.to_decimal(round(float(median(points)), 2))


def describe_change(student: str, before: Total | None, after: Total) -> str:
    """Return a sentence if a total changed, and in which parts; empty if it did not, or if there was none before."""
    if before is None or (before.parts, before.penalty) == (after.parts, after.penalty):
        return ""
    old, new = ({part.name: part.points for part in total.parts} for total in (before, after))
    parts = [
        f"{name} {_points_or_none(old.get(name))} to {_points_or_none(new.get(name))}"
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]
    if before.penalty != after.penalty:
        parts.append(f"late penalty {before.penalty:f} to {after.penalty:f}")
    difference = fields.to_decimal(float(after.so_far - before.so_far))
    points = f"{before.so_far:f} before, {after.so_far:f} now ({difference:+f})"
    return f"{student}: {points}: {', '.join(parts)}"


def _points_or_none(points: Decimal | None) -> str:
    return "none" if points is None else f"{points:f}"


def _sum(points: Iterable[Decimal]) -> Decimal:
    return fields.to_decimal(float(sum(points, NO_POINTS)))  # 1, where the sum of 0.75 and 0.25 is 1.00
