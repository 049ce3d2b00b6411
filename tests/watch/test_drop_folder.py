"""A folder where something else puts submissions."""

from __future__ import annotations

import os
from pathlib import Path

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
