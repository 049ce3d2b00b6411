"""Who is graded next, where many wait: everybody's newest submission before anybody's second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from autograder.watch.ledger import Attempt


def in_turn(waiting: Iterable[Attempt]) -> list[Attempt]:
    """Return the attempts in the order in which they are graded; those of one rank as they came in."""
    ranked: list[tuple[int, int, Attempt]] = []
    ranks: Counter[tuple[str, str]] = Counter()
    for attempt in sorted(waiting, key=lambda one: -one.id):
        owner = attempt.assignment, attempt.student
        ranked.append((ranks[owner], attempt.id, attempt))
        ranks[owner] += 1
    return [attempt for _, _, attempt in sorted(ranked, key=lambda item: item[:2])]
