"""Workers of this machine: who grades what, and what happens when one dies."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.classroom import local_workers
from autograder.classroom.discovery import SubmissionEntry, discover_submissions
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.store import SerializedResult
from autograder.classroom.tasks import Task, grade_task
from autograder.course import LEVELS
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig, IsolationError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="made for workers that are forked, as on Linux")
ROOT = Path(__file__).parents[2]
SAMPLE_CLASS = {"ali": "class/perfect", "mia": "class/blank", "zoe": "class/notebook"}
HandIn = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def grade(exercise: Exercise, config: GradingConfig, hand_in: HandIn) -> Callable[..., dict[str, SerializedResult]]:
    def grade_class(
        class_: Mapping[str, str] = SAMPLE_CLASS, jobs: int = 2, spare: int = 0, **changes: object
    ) -> dict[str, SerializedResult]:
        entries = discover_submissions(hand_in(class_), exercise.name).entries
        tasks: Iterator[Task] = iter([Task(entry, "key", exercise.name) for entry in entries])
        with LocalWorkers(jobs, [exercise], replace(config, **changes), warnings.append, spare) as workers:
            results = {result.student: result for result in workers.run(tasks, lambda: None)}
            started.append(len(workers._workers))
        return results

    warnings: list[str] = []
    started: list[int] = []
    grade_class.started = started
    return grade_class


def test_local_workers_grade_every_task_once(grade: Callable[..., dict[str, SerializedResult]]) -> None:
    results = grade()
    assert {student: (result.status, result.percent) for student, result in results.items()} == {
        "ali": ("graded", 100.0),
        "mia": ("graded", 0.0),
        "zoe": ("graded", 75.0),
    }


def test_local_workers_start_no_more_workers_than_tasks(grade: Callable[..., dict[str, SerializedResult]]) -> None:
    grade({"ali": "class/blank"}, jobs=8)
    assert grade.started == [1]


@pytest.mark.parametrize(("jobs", "spare"), [(2, 0), (1, 1)])
def test_slow_submission_delays_no_other(
    grade: Callable[..., dict[str, SerializedResult]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    jobs: int,
    spare: int,
) -> None:
    """ali's worker is done when all others are graded, which none would be that had been handed to it beforehand."""
    others = ("ben", "eva", "mia", "zoe")

    def grade_ali_last(grader: object, task: Task, *rest: object) -> SerializedResult:
        deadline = time.monotonic() + 30
        while task.entry.student == "ali" and len(list(tmp_path.glob("done-*"))) < len(others):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        result = grade_task(grader, task, *rest)
        (tmp_path / f"done-{task.entry.student}").touch()
        return result

    monkeypatch.setattr(local_workers, "grade_task", grade_ali_last)
    monkeypatch.setattr(local_workers, "_SLOW_SECONDS", 0.1)
    results = grade(dict.fromkeys(("ali", *others), "class/blank"), jobs, spare)
    assert list(results)[-1] == "ali"
    assert {result.status for result in results.values()} == {"graded"}


def kill_workers_of_mia(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, times: int) -> None:
    """Let the worker that grades mia end, so many times."""

    def grade_or_die(grader: object, task: Task, *rest: object) -> SerializedResult:
        marks = list(tmp_path.glob("died-*"))
        if task.entry.student == "mia" and len(marks) < times:
            (tmp_path / f"died-{len(marks)}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return grade_task(grader, task, *rest)

    monkeypatch.setattr(local_workers, "grade_task", grade_or_die)


def test_dead_worker_is_replaced_and_submission_retried(
    grade: Callable[..., dict[str, SerializedResult]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kill_workers_of_mia(monkeypatch, tmp_path, times=1)
    assert {result.status for result in grade().values()} == {"graded"}


def test_submission_that_kills_two_workers_is_grader_error(
    grade: Callable[..., dict[str, SerializedResult]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kill_workers_of_mia(monkeypatch, tmp_path, times=2)
    results = grade()
    assert {student: result.status for student, result in results.items()} == {
        "ali": "graded",
        "mia": "grader_error",
        "zoe": "graded",
    }
    assert b"was ended by signal 9, twice" in results["mia"].json_bytes


@pytest.mark.slow
def test_overdue_worker_is_given_up(
    grade: Callable[..., dict[str, SerializedResult]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def grade_or_hang(grader: object, task: Task, *rest: object) -> SerializedResult:
        if task.entry.student == "mia":
            signal.pause()
        return grade_task(grader, task, *rest)

    monkeypatch.setattr(local_workers, "grade_task", grade_or_hang)
    monkeypatch.setattr(local_workers, "_SPARE_SECONDS", -54.0)  # of the 60 that a submission may take
    results = grade()
    assert results["mia"].status == "grader_error"
    assert b"did not answer in time" in results["mia"].json_bytes
    assert results["ali"].status == results["zoe"].status == "graded"


def test_missing_isolation_raises_isolation_error(
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


def test_local_workers_leave_no_process(grade: Callable[..., dict[str, SerializedResult]]) -> None:
    import multiprocessing

    grade()
    assert multiprocessing.active_children() == []


def test_a_worker_grades_several_exercises(exercise: Exercise, config: GradingConfig, tmp_path: Path) -> None:
    other = load_exercise(ROOT / "solutions" / "softmax_regression")
    tasks = iter(
        [Task(SubmissionEntry("ali", one.folder, f"{one.name}.py"), "key", one.name) for one in (exercise, other)]
    )
    with LocalWorkers(1, [exercise, other], config, lambda text: None) as workers:
        results = [json.loads(result.json_bytes) for result in workers.run(tasks, lambda: None)]
    assert [(result["exercise"], result["score"]) for result in results] == [
        (one.name, one.max_score) for one in (exercise, other)
    ]
