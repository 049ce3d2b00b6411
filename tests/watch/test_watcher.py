"""The watcher's loop: each submission is answered once, whatever happens."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Policy
from autograder.nbgrader.gradebook.session import GradebookError
from autograder.watch import ledger, watched
from autograder.watch.arrivals import inboxes
from autograder.watch.disclosure import DueDates
from autograder.watch.watcher import SCAN_SECONDS
from tests.courses import NAME
from tests.watch.conftest import WatchedCourse
from tests.watch.exchange import START


class Killed(BaseException):
    """Ends a watcher at a place where a signal could end it."""


def answers(course: WatchedCourse) -> list[str]:
    """Return the students that the log says were answered."""
    return [line.split("student=")[1].split()[0] for line in course.lines if " answered " in line]


def test_a_submission_is_collected_graded_recorded_and_answered(course: WatchedCourse) -> None:
    record = course.exchange.submit("ada", points=2)
    course.serve()
    assert (course.root / "submitted" / "ada" / NAME / f"{NAME}.py").is_file()
    assert (course.root / "grades" / NAME / "ada.json").is_file()
    assert "ada,,2,,,,,," not in (course.root / "grades" / NAME / "scores.csv").read_text()
    assert course.gradebook.points == {"ada": 2}
    page = course.exchange.page(record)
    assert "2 of 3 points" in page
    assert "Attempt 1, received" in page
    assert "Answers left today: 4 of 5." in page
    (note,) = course.exchange.feedback.glob("*.txt")
    assert "2 of 3 points" in note.read_text()


def test_nothing_is_done_twice(course: WatchedCourse) -> None:
    course.exchange.submit("ada")
    course.serve()
    course.serve()
    assert answers(course) == ["ada"]
    assert len(course.workers.graded) == course.gradebook.writes == 1


def test_a_record_that_is_being_written_waits(course: WatchedCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    record = course.exchange.submit("ada", finished=False)
    watcher = course.serve()
    assert answers(course) == []
    assert watcher._idle_seconds() <= 1
    monkeypatch.setattr(inboxes, "QUIET_SECONDS", -1.0)
    course.serve()
    with course.watcher() as other:  # the second look at it, without a change
        other._look()
        other._look()
        assert [attempt.student for attempt in other.setting.ledger.waiting()] == ["ada"]
    assert record.exists()


def test_odd_records_stop_nobody(course: WatchedCourse) -> None:
    record = course.exchange.submit("eve")
    record.rename(record.with_name(f"eve+{NAME}+soon"))
    link = course.exchange.submit("mia")
    (link / "more.py").symlink_to("/etc/passwd")
    (course.exchange.inbound / "eve+other+2026-03-01 12:00:00 UTC").mkdir()
    course.exchange.submit("ada")
    course.serve()
    assert answers(course) == ["ada"]
    assert sum(" not_collected " in line for line in course.lines) == 2


def test_a_time_that_cannot_be_is_named_and_counts_as_it_says(course: WatchedCourse) -> None:
    course.exchange.submit("ada", points=2)  # of March, says its name
    now = (datetime.now(UTC).replace(tzinfo=None) - START).total_seconds()
    course.exchange.submit("bob", second=round(now))
    course.serve()
    [line] = [line for line in course.lines if " odd_time " in line]
    assert " odd_time student=ada " in line
    assert "handed in at 2026-03-01 12:00:00 UTC" in line
    assert (course.root / "submitted" / "ada" / NAME / "timestamp.txt").read_text() == "2026-03-01 12:00:00 UTC"


def test_nobody_can_put_a_page_in_the_place_of_anothers(course: WatchedCourse) -> None:
    record = course.exchange.submit("ada", points=2)
    course.serve()
    page = course.exchange.page(record)
    forged = course.exchange.submit("eve", second=5)
    shutil.copy(record / "submission_secret.txt", forged)
    course.serve()
    assert course.exchange.page(record) == page
    assert any("another's secret" in line for line in course.lines)


def test_the_last_attempt_counts_however_they_are_graded(course: WatchedCourse) -> None:
    course.exchange.submit("ada", second=0, points=3)
    course.exchange.submit("ada", second=5, points=2)
    course.serve()
    assert [path.parent.name for _, path in course.workers.graded] == list(
        dict.fromkeys(path.parent.name for _, path in course.workers.graded)
    )
    assert course.gradebook.points == {"ada": 2}
    assert (course.root / "submitted" / "ada" / NAME / "points").read_text() == "2"


def test_the_best_attempt_counts_where_the_policy_says_so(course: WatchedCourse) -> None:
    course.policy = Policy(counts="best")
    for second, points in enumerate((2, 3, 1)):
        course.exchange.submit("ada", second=second, points=points)
        course.serve()
    assert course.gradebook.points == {"ada": 3}
    assert (course.root / "submitted" / "ada" / NAME / "points").read_text() == "3"


def test_after_the_due_date_pages_say_more(course: WatchedCourse) -> None:
    course.policy = Policy(before_due="none", after_due="full", hidden_before_due=False)
    course.due = DueDates(datetime.now(UTC).replace(tzinfo=None) + timedelta(hours=1))
    record = course.exchange.submit("ada")
    course.serve()
    before = course.exchange.page(record)
    assert "After the due date, this page may say more" in before
    assert "its values" not in before
    course.due = DueDates(datetime(2026, 3, 1))
    course.serve()
    after = course.exchange.page(record)
    assert "The sum is off." in after
    assert "Answers left today: 4 of 5." in after  # it was one answer
    course.serve()
    assert answers(course) == ["ada", "ada"]


def test_a_page_that_cannot_be_written_keeps_nobody_else_waiting(
    course: WatchedCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = inboxes.ExchangeInbox.publish

    def fail_for_ada(inbox: Any, attempt: ledger.Attempt, *texts: str) -> None:
        if attempt.student == "ada" or not course.exchange.root.with_name("mended").exists():
            raise OSError(errno.EIO, "Input/output error")
        original(inbox, attempt, *texts)

    monkeypatch.setattr(inboxes.ExchangeInbox, "publish", fail_for_ada)
    for number, student in enumerate(("ada", "bob")):
        course.exchange.submit(student, second=number)
    course.serve()
    assert answers(course) == []
    course.exchange.root.with_name("mended").touch()
    course.serve()
    assert answers(course) == ["bob"]


# --- A watcher that is killed -----------------------------------------------------------------------------------------

STEPS = [
    (inboxes.ExchangeInbox, "collect"),
    (inboxes.ExchangeInbox, "publish"),
    (ledger.Ledger, "add"),
    (ledger.Ledger, "grade"),
    (ledger.Ledger, "note_answer"),
    (ledger.Ledger, "note_recorded"),
    (watched.WatchedExercise, "install"),
    (watched.WatchedExercise, "record"),
    (watched.WatchedExercise, "write_scores"),
]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "step"), STEPS, ids=[step for _, step in STEPS])
def test_a_watcher_killed_at_any_step_goes_on(
    course: WatchedCourse, monkeypatch: pytest.MonkeyPatch, owner: type, step: str, before: bool
) -> None:
    records = [course.exchange.submit(name, points=2, second=i) for i, name in enumerate(("ada", "bob", "ada"))]
    original: Callable[..., Any] = getattr(owner, step)
    calls = []

    def kill(*arguments: Any) -> Any:
        calls.append(step)
        if before and len(calls) == 1:
            raise Killed
        result = original(*arguments)
        if len(calls) == 1:
            raise Killed
        return result

    monkeypatch.setattr(owner, step, kill)
    with pytest.raises(Killed):
        course.serve()
    course.serve()
    assert all("2 of 3 points" in course.exchange.page(record) for record in records)
    assert [sorted(path.name for path in (course.root / "submitted").glob("*/*"))] == [[NAME, NAME]]
    assert course.gradebook.points == {"ada": 2, "bob": 2}
    assert len((course.root / "grades" / NAME / "scores.csv").read_text().splitlines()) == 3
    with course.watcher() as watcher:
        rows = [row for student in ("ada", "bob") for row in watcher.setting.ledger.of_student(NAME, student)]
        assert [(row.student, row.disclosed, row.recorded) for row in rows] == [
            (student, "hint", True) for student in ("ada", "ada", "bob")
        ]
        assert all(row.answered_on for row in rows)


# --- Problems around it -----------------------------------------------------------------------------------------------


def fail_with(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("owner", "step", "error", "disclosed"),
    [
        (inboxes.ExchangeInbox, "collect", OSError(errno.ENOSPC, "No space left on device"), False),
        (inboxes.ExchangeInbox, "arrivals", OSError(errno.ESTALE, "Stale file handle", "/exchange"), False),
        (inboxes.ExchangeInbox, "publish", OSError(errno.EROFS, "Read-only file system"), False),
        (ledger.Ledger, "grade", ledger.LedgerError("The ledger cannot be used: disk full."), False),
        (ledger.Ledger, "add", ledger.LedgerError("The ledger cannot be used: disk full."), False),
        (watched.WatchedExercise, "record", GradebookError("The gradebook is locked."), True),
        (watched.WatchedExercise, "install", OSError(errno.EDQUOT, "Disk quota exceeded"), True),
    ],
    ids=["disk full", "mount lost", "read-only feedback", "ledger", "ledger at arrival", "gradebook locked", "quota"],
)
def test_a_problem_is_named_once_waited_for_and_gone_on_from(
    course: WatchedCourse,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    step: str,
    error: Exception,
    disclosed: bool,
) -> None:
    record = course.exchange.submit("ada", points=2)
    with course.watcher() as watcher, monkeypatch.context() as broken:
        broken.setattr(owner, step, fail_with(error))
        watcher.run(once=True)
        watcher.run(once=True)
        (problem,) = watcher.setting.problems.now.values()
        assert bool(course.exchange.page(record)) == disclosed
        assert sum(" problem " in line for line in course.lines) == 1
        assert 0 < watcher._idle_seconds() <= 1
        assert problem.text.strip(".").split(": ")[-1] in str(error)
        assert not problem.text.startswith(("cannot", " "))
    course.serve()
    assert "2 of 3 points" in course.exchange.page(record)
    assert course.gradebook.points == {"ada": 2}


def test_an_exchange_that_is_not_there_is_named_with_what_mends_it(course: WatchedCourse) -> None:
    shutil.rmtree(course.exchange.root)
    course.serve()
    [line] = [line for line in course.lines if " problem " in line]
    assert f"{course.exchange.inbound} cannot be used: it is not there (release an assignment" in line


def test_a_record_is_not_refused_because_the_exchange_was_lost(
    course: WatchedCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = course.exchange.submit("ada", points=2)
    original = inboxes.copy_record
    away = course.exchange.root.with_name("away")

    def lose(*arguments: Any) -> str:
        course.exchange.root.rename(away)
        return original(*arguments)

    with monkeypatch.context() as broken:
        broken.setattr(inboxes, "copy_record", lose)
        course.serve()
    assert not any("not_collected" in line for line in course.lines)
    away.rename(course.exchange.root)
    course.serve()
    assert "2 of 3 points" in course.exchange.page(record)


def test_a_clock_that_jumps_is_named(course: WatchedCourse) -> None:
    with course.watcher() as watcher:
        watcher._clock -= 3600
        watcher.run(once=True)
    assert any("clock_jumped seconds=3.6e+03" in line for line in course.lines)


def test_a_problem_that_nobody_tries_again_does_not_keep_the_watcher_awake(
    course: WatchedCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched.WatchedExercise, "due_dates", fail_with(GradebookError("It is not released.")))
    monkeypatch.setattr("autograder.watch.problems.FIRST_PAUSE", 0.0)
    course.exchange.submit("ada")
    watcher = course.serve()
    assert list(watcher.setting.problems.now) == [f"due date of {NAME}"]
    assert watcher._idle_seconds() == SCAN_SECONDS


def test_pauses_grow_to_a_minute(course: WatchedCourse) -> None:
    with course.watcher() as watcher:
        problems = watcher.setting.problems
        pauses = []
        for _ in range(8):
            problems.note("x", "It is broken.")
            pauses.append(problems.now["x"].pause)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_changed_exercise_is_named_once(course: WatchedCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched.WatchedExercise, "has_changed", lambda _: True)
    with course.watcher() as watcher:
        watcher._name_changes()
        watcher._name_changes()
        assert watcher.status().changed == [NAME]
    assert sum("exercise_changed" in line for line in course.lines) == 1


def test_work_on_which_the_grader_failed_is_graded_at_the_next_start(course: WatchedCourse, tmp_path: Path) -> None:
    course.exchange.submit("ada", points=2)
    course.serve()
    with course.watcher() as watcher:
        watcher.setting.ledger._write("UPDATE attempt SET status = 'grader_error'", ())
    course.serve()
    assert len(course.workers.graded) == 2
