"""Who comes next, where many wait: everybody's newest submission is graded before anybody's second.

What is collected comes in turn, too, and one student's submissions can fill neither the disk nor the day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from autograder.watch.ledger import Attempt

if TYPE_CHECKING:
    from autograder.watch.arrivals.inboxes import Arrival

MAX_WAITING = 5  # of one student that are collected and not graded yet: more stay where they were handed in
MAX_A_DAY = 100  # of one student that are collected within 24 hours

Owner = tuple[str, str]
"""An assignment and a student."""


def next_to_collect(
    arrivals: Iterable[Arrival], waiting: Iterable[Attempt], too_eager: Collection[Owner]
) -> tuple[list[Arrival], bool]:
    """Return the first arrival of each student who may hand in more, and whether others follow them or the waiting."""
    waiting_of = Counter((attempt.assignment, attempt.student) for attempt in waiting)
    first: dict[Owner, Arrival] = {}
    is_more_left = False
    for arrival in sorted(arrivals, key=lambda one: (one.submitted_at, one.record)):
        owner = arrival.assignment, arrival.student
        if owner in too_eager:
            continue
        if owner in first or waiting_of[owner] >= MAX_WAITING:
            is_more_left = True
        else:
            first[owner] = arrival
    return list(first.values()), is_more_left


def in_turn(waiting: Iterable[Attempt]) -> list[Attempt]:
    """Return the attempts in the order in which they are graded; those of one rank as they came in."""
    ranked: list[tuple[int, int, Attempt]] = []
    ranks: Counter[Owner] = Counter()
    for attempt in sorted(waiting, key=lambda one: -one.id):
        owner = attempt.assignment, attempt.student
        ranked.append((ranks[owner], attempt.id, attempt))
        ranks[owner] += 1
    return [attempt for _, _, attempt in sorted(ranked, key=lambda item: item[:2])]
