"""One submission of a class -> the result that is kept; the same on this machine and on another."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom.discovery import SubmissionEntry
from autograder.classroom.store import SerializedResult, columns_for, serialize_result
from autograder.evaluation.report import Note, Report
from autograder.exercise.model import Exercise
from autograder.grading import Grader, ReadResult, read_or_refuse

_GC_THRESHOLDS = (50_000, 20, 100)


@dataclass(frozen=True)
class Task:
    """A submission of an exercise that is to be graded, and the key of its result."""

    entry: SubmissionEntry
    key: str
    exercise: str


def read_ahead(grader: Grader, tasks: Sequence[Task]) -> dict[Task, Path | ReadResult]:
    """Read the next submissions and plan their calls together. A path stands for one that the reader fails on."""
    works: dict[Task, Path | ReadResult] = {}
    for task in tasks:
        try:
            works[task] = read_or_refuse(grader.exercise, task.entry.path, grader.limits)
        except Exception:  # noqa: BLE001 - a fault of the reader: grade_task meets it again, and reports it
            works[task] = task.entry.path
    grader.plan_ahead([work for work in works.values() if not isinstance(work, Path)])
    return works


def grade_task(grader: Grader, task: Task, submission: Path | ReadResult) -> SerializedResult:
    """Grade one submission, from its path or as it was read elsewhere. Never raises because of the submission."""
    start = time.perf_counter()
    student = task.entry.student
    if isinstance(submission, Path):
        report = grader.grade(submission, student)
    else:
        report = grader.grade_submission(submission, student)
    return serialize_result(report, task.key, time.perf_counter() - start, columns_for(grader.exercise))


def collect_garbage_rarely() -> None:
    """Set up a process that only grades: it makes many small objects, and hardly any that refer to each other.

    Python would look for such garbage after every 700 of them, and at times among all objects that an exercise has.
    """
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def make_error_result(exercise: Exercise, task: Task, reason: str) -> SerializedResult:
    """Return a grader_error, with the reason for the instructor, for a submission that no worker could grade."""
    note = Note("instructor", reason)
    report = Report(exercise.name, task.entry.student, "grader_error", 0.0, exercise.max_score, 0, "", (note,))
    return serialize_result(report, task.key, 0.0, columns_for(exercise))
