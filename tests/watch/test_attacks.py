"""What one student can do to the watcher, and to everybody else by it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autograder.course import Policy
from autograder.watch import ledger
from autograder.watch.arrivals import inboxes
from autograder.watch.turns import MAX_WAITING
from tests.courses import NAME
from tests.watch.conftest import WatchedCourse
from tests.watch.test_watcher import answers


def test_a_name_that_is_no_text_stops_nobody(course: WatchedCourse) -> None:
    record = course.exchange.submit("eve")
    os.rename(record, os.fsencode(record) + b"\xff")  # noqa: PTH104 - a name that is no text
    course.exchange.submit("ada", second=5)
    course.serve()
    assert answers(course) == ["ada"]
    assert sum(" not_collected " in line for line in course.lines) == 1


def test_a_notebook_whose_name_is_no_text_has_no_page_and_stops_nobody(course: WatchedCourse) -> None:
    record = course.exchange.submit("eve", points=2)
    Path(os.fsdecode(os.fsencode(record) + b"/\xff.ipynb")).write_text("{}")
    course.exchange.submit("ada", second=5)
    course.serve()
    assert sorted(answers(course)) == ["ada", "eve"]
    assert "2 of 3 points" in course.exchange.page(record)


def test_one_student_fills_neither_the_disk_nor_the_queue(course: WatchedCourse) -> None:
    for second in range(2 * MAX_WAITING):
        course.exchange.submit("eve", second=second)
    course.exchange.submit("ada", second=99)
    with course.watcher() as watcher:
        watcher._take_up()
        watcher._look()
        assert [one.student for one in watcher._waiting] == ["eve", "ada"]
        for _ in range(2 * MAX_WAITING):
            watcher._look()
        assert len(watcher._waiting) == MAX_WAITING + 1
        assert len(list((course.root / ".watch" / "collected").iterdir())) == MAX_WAITING + 1
        watcher.run(once=True)
    assert len(answers(course)) == Policy().answers_a_day + 1
    assert len(course.workers.graded) == 2 * MAX_WAITING + 1


def test_over_a_hundred_a_day_submissions_wait_for_the_next(
    course: WatchedCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.watch.watcher.MAX_A_DAY", 2)
    for second in range(4):
        course.exchange.submit("eve", second=second)
    course.exchange.submit("ada", second=9)
    course.serve()
    course.serve()
    assert len(course.workers.graded) == 3
    assert next(line.split(" ", 1)[1] for line in course.lines if " too_many " in line).startswith(
        f"too_many assignment={NAME} student=eve"
    )
    monkeypatch.setattr("autograder.watch.watcher.DAY_SECONDS", 0.0)
    course.serve()
    assert len(course.workers.graded) == 5


def test_a_time_is_read_once_however_long_its_record_waits(
    course: WatchedCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []
    original = inboxes.parse_record
    monkeypatch.setattr(inboxes, "parse_record", lambda *them: parsed.append(them) or original(*them))
    course.exchange.submit("eve", finished=False)
    with course.watcher() as watcher:
        watcher._look()
        watcher._look()
    assert len(parsed) == 1


def test_pages_that_may_tell_more_cost_one_look_a_student(
    course: WatchedCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second in range(4):
        course.exchange.submit("eve", second=second)
    course.serve()
    looks = []
    original = ledger.Ledger.of_student
    monkeypatch.setattr(ledger.Ledger, "of_student", lambda *them: looks.append(them) or original(*them))
    with course.watcher() as watcher:
        watcher._publisher.tell_what_is_due()
    assert len(looks) == 1
