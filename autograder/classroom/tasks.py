"""One submission of a class -> what is kept of it. The same here and on another machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom.discovery import Entry
from autograder.classroom.store import Columns, Result, result_of
from autograder.evaluation.report import Note, Report
from autograder.exercise.model import Exercise
from autograder.grading import Grader, Work


@dataclass(frozen=True)
class Task:
    """A submission that is to be graded, and the key of its result."""

    entry: Entry
    key: str


def graded(grader: Grader, task: Task, work: Path | Work, columns: Columns) -> Result:
    """Grade one submission, from its path or as it was read elsewhere; never raises because of it."""
    start = time.perf_counter()
    name = task.entry.student
    report = grader.grade(work, name) if isinstance(work, Path) else grader.grade_work(work, name)
    return result_of(report, task.key, time.perf_counter() - start, columns)


def not_graded(exercise: Exercise, task: Task, reason: str, columns: Columns) -> Result:
    """What is kept of a submission that no worker could grade: a grader_error, with the reason for the instructor."""
    note = Note("instructor", reason)
    report = Report(exercise.name, task.entry.student, "grader_error", 0.0, exercise.max_score, 0, "", (note,))
    return result_of(report, task.key, 0.0, columns)
