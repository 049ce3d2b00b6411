"""A folder where something else puts submissions."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from autograder.watch.arrivals import drop_folder
from tests.courses import NAME
from tests.watch.conftest import WatchedCourse


@pytest.fixture
def drop(course: WatchedCourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(drop_folder, "QUIET_SECONDS", 0.0)
    course.drop_folder = tmp_path / "drop"
    (course.drop_folder / "ada").mkdir(parents=True)
    (course.drop_folder / "ada" / f"{NAME}.py").write_text("1")
    (course.drop_folder / "ada" / "points").write_text("2")
    return course.drop_folder


def page(course: WatchedCourse, student: str) -> str:
    return (course.root / "feedback" / student / NAME / f"{NAME}.html").read_text()


def test_a_folder_and_a_file_are_answered_where_the_course_has_its_feedback(course: WatchedCourse, drop: Path) -> None:
    (drop / "bob.py").write_text("1")
    course.serve()
    assert "2 of 3 points" in page(course, "ada")
    assert "1 of 3 points" in page(course, "bob")
    assert (course.root / "submitted" / "bob" / NAME / f"{NAME}.py").read_text() == "1"


def test_work_that_changes_arrives_again_and_no_other(course: WatchedCourse, drop: Path) -> None:
    course.serve()
    course.serve()
    assert len(course.workers.graded) == 1
    (drop / "ada" / "points").write_text("3")
    course.serve()
    assert "Attempt 2, received" in page(course, "ada")
    assert "3 of 3 points" in page(course, "ada")


def test_work_that_is_still_changing_waits(course: WatchedCourse, drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drop_folder, "QUIET_SECONDS", 60.0)
    watcher = course.serve()
    assert course.workers.graded == []
    assert watcher.setting.inbox.is_unfinished()


def test_a_link_is_named_and_not_followed(course: WatchedCourse, drop: Path) -> None:
    os.symlink("/etc/passwd", drop / "ada" / "more.py")  # noqa: PTH211 - the target is a text
    course.serve()
    assert course.workers.graded == []
    assert sum("not_collected" in line and "symbolic link" in line for line in course.lines) == 1


@pytest.mark.parametrize("odd", ["no text", "deep", "unreadable"])
def test_odd_work_is_named_once_and_stops_nobody(
    course: WatchedCourse, drop: Path, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = drop / ("eve\udcff" if odd == "no text" else "eve")
    eve.mkdir()
    (eve / f"{NAME}.py").write_text("1")
    if odd == "deep":
        make_deep(eve)
    if odd == "unreadable":
        original = drop_folder.list_folder
        refuse = PermissionError(errno.EACCES, "Permission denied")
        monkeypatch.setattr(drop_folder, "list_folder", lambda path: raise_(refuse) if path == eve else original(path))
    course.serve()
    course.serve()
    assert "2 of 3 points" in page(course, "ada")
    assert [student for student, _ in course.workers.graded] == ["ada"]
    assert sum("not_collected" in line for line in course.lines) == 2  # once for each watcher


def test_a_time_that_is_yet_to_come_is_now(course: WatchedCourse, drop: Path) -> None:
    os.utime(drop / "ada" / "points", (2**40, 2**40))
    course.serve()
    with course.watcher() as watcher:
        (attempt,) = watcher.setting.ledger.of_student(NAME, "ada")
    assert attempt.submitted_at <= datetime.now(UTC).replace(tzinfo=None)


def make_deep(folder: Path) -> None:
    """Make folders in folders whose path is longer than a path may be."""
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(18):
        os.mkdir("d" * 250, dir_fd=descriptor)
        inner = os.open("d" * 250, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(os.open("x", os.O_WRONLY | os.O_CREAT, dir_fd=descriptor))
    os.close(descriptor)


def raise_(error: Exception) -> Any:
    raise error
