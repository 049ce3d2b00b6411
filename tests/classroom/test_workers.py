"""Workers of this machine: who grades what, and what happens when one dies."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.classroom import local_workers
from autograder.classroom.discovery import discover_submissions
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.store import Columns, SerializedResult
from autograder.classroom.tasks import Task, grade_task
from autograder.course import LEVELS
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig, IsolationError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="made for workers that are forked, as on Linux")
SOME = {"ali": "class/perfect", "mia": "class/blank", "zoe": "class/notebook"}
HandIn = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def grade(
    exercise: Exercise, terms: GradingConfig, columns: Columns, hand_in: HandIn
) -> Callable[..., dict[str, SerializedResult]]:
    def everybody(class_: Mapping[str, str] = SOME, jobs: int = 2, **changes: object) -> dict[str, SerializedResult]:
        entries = discover_submissions(hand_in(class_), exercise.name).entries
        tasks: Iterator[Task] = iter([Task(entry, "key") for entry in entries])
        with LocalWorkers(jobs, exercise, replace(terms, **changes), columns, warnings.append) as engine:
            found = {result.student: result for result in engine.run(tasks, lambda: None)}
            started.append(len(engine._workers))
        return found

    warnings: list[str] = []
    started: list[int] = []
    everybody.started = started
    return everybody


def test_everybody_is_graded_once(grade: Callable[..., dict[str, SerializedResult]]) -> None:
    found = grade()
    assert {student: (one.status, one.percent) for student, one in found.items()} == {
        "ali": ("graded", 100.0),
        "mia": ("graded", 0.0),
        "zoe": ("graded", 75.0),
    }


def test_no_more_workers_than_work(grade: Callable[..., dict[str, SerializedResult]]) -> None:
    grade({"ali": "class/blank"}, jobs=8)
    assert grade.started == [1]


def test_one_that_takes_long_delays_nobody(
    grade: Callable[..., dict[str, SerializedResult]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """ali's worker is done when all others are graded, which none would be that had been handed to it beforehand."""
    others = ("ben", "eva", "mia", "zoe")

    def patient(grader: object, task: Task, *rest: object) -> SerializedResult:
        patience = time.monotonic() + 30
        while task.entry.student == "ali" and len(list(tmp_path.glob("done-*"))) < len(others):
            assert time.monotonic() < patience
            time.sleep(0.01)
        result = grade_task(grader, task, *rest)
        (tmp_path / f"done-{task.entry.student}").touch()
        return result

    monkeypatch.setattr(local_workers, "grade_task", patient)
    found = grade(dict.fromkeys(("ali", *others), "class/blank"))
    assert list(found)[-1] == "ali"
    assert {one.status for one in found.values()} == {"graded"}


def dying(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, times: int) -> None:
    """Let the worker that grades mia end, so many times."""

    def mortal(grader: object, task: Task, *rest: object) -> SerializedResult:
        marks = list(tmp_path.glob("died-*"))
        if task.entry.student == "mia" and len(marks) < times:
            (tmp_path / f"died-{len(marks)}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return grade_task(grader, task, *rest)

    monkeypatch.setattr(local_workers, "grade_task", mortal)


def test_a_worker_that_dies_is_replaced_and_the_submission_tried_again(
    grade: Callable[..., dict[str, SerializedResult]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dying(monkeypatch, tmp_path, times=1)
    assert {one.status for one in grade().values()} == {"graded"}


def test_one_that_dies_twice_is_told_with_the_reason(
    grade: Callable[..., dict[str, SerializedResult]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dying(monkeypatch, tmp_path, times=2)
    found = grade()
    assert {student: one.status for student, one in found.items()} == {
        "ali": "graded",
        "mia": "grader_error",
        "zoe": "graded",
    }
    assert b"was ended by signal 9, twice" in found["mia"].json_bytes


def test_a_worker_that_does_not_answer_is_given_up(
    grade: Callable[..., dict[str, SerializedResult]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(grader: object, task: Task, *rest: object) -> SerializedResult:
        if task.entry.student == "mia":
            signal.pause()
        return grade_task(grader, task, *rest)

    monkeypatch.setattr(local_workers, "grade_task", stuck)
    monkeypatch.setattr(local_workers, "_SPARE_SECONDS", -58.0)  # of the 60 that a submission may take
    found = grade()
    assert found["mia"].status == "grader_error"
    assert b"did not answer in time" in found["mia"].json_bytes
    assert found["ali"].status == found["zoe"].status == "graded"


def test_isolation_that_is_required_and_not_there_stops_it(
    grade: Callable[..., dict[str, SerializedResult]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder import grading

    class Weak(grading.Jail):
        def __init__(self) -> None:
            self.level = "E"

        def close(self) -> None:
            """Nothing was opened."""

    monkeypatch.setattr(grading, "Jail", Weak)
    with pytest.raises(IsolationError, match="Isolation B is required"):
        grade(isolation=LEVELS[1])


def test_no_worker_is_left(grade: Callable[..., dict[str, SerializedResult]]) -> None:
    import multiprocessing

    grade()
    assert multiprocessing.active_children() == []
