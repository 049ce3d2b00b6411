"""A watcher that runs for a term does not grow."""

from __future__ import annotations

import psutil
import pytest

from tests.watch.conftest import WatchedCourse

ROUNDS, STUDENTS = 20, 100  # 2,000 submissions
GROWTH_MIB = 8


@pytest.mark.soak
def test_the_watcher_does_not_grow_over_two_thousand_submissions(course: WatchedCourse) -> None:
    """Its own process: workers keep caches of a size that is bounded."""
    sizes = []
    with course.watcher() as watcher:
        for number in range(ROUNDS):
            for student in range(STUDENTS):
                course.exchange.submit(f"s{student}", second=number * STUDENTS + student)
            watcher.run(once=True)
            course.lines.clear()
            course.workers.graded.clear()
            sizes.append(psutil.Process().memory_info().rss / 2**20)
    assert len(list(course.exchange.feedback.glob("*.html"))) == ROUNDS * STUDENTS
    assert sizes[-1] - sizes[ROUNDS // 4] < GROWTH_MIB, [round(size, 1) for size in sizes]
