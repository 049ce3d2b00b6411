"""The results of a class: a folder with one JSON for each submission, and scores.csv.

A file is written beside its place and then moved there, so that whatever ends this program leaves each result as it was
or as it is to be. A result that cannot be read, as after a power cut, counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.evaluation.report import Report
from autograder.evaluation.report_codec import full_object, read_report
from autograder.exercise.model import Exercise
from autograder.formats import csv_table
from autograder.submission.safe_files import DRAFT_PREFIX, write_atomically

if sys.platform != "win32":
    import fcntl

SCORES_FILE = "scores.csv"
_LOCK_FILE = ".lock"
_MAX_NAME_LENGTH = 120  # characters of a file's name that a student's name may fill


class StoreError(Exception):
    """Results that cannot be kept: one sentence that says why and what to do."""


@dataclass(frozen=True)
class Columns:
    """The columns of scores.csv."""

    checks: tuple[str, ...]
    functions: tuple[str, ...]

    @property
    def header(self) -> tuple[str, ...]:
        """Their names."""
        return ("student", *self.checks, *self.functions, "total", "status", "diagnosis", "seconds")


@dataclass(frozen=True)
class SerializedResult:
    """One submission graded, ready to be kept: `json_bytes` is its file, `csv_line` its line of scores.csv."""

    student: str
    json_bytes: bytes
    csv_line: bytes
    isolation: str
    status: str
    percent: float
    problem: bool


@dataclass(frozen=True)
class StoredResult:
    """What a file holds: the report, its key, and how long grading took."""

    report: Report
    key: str
    seconds: float


def columns_for(exercise: Exercise) -> Columns:
    """The columns for one exercise."""
    return Columns(tuple(check.id for check in exercise.checks), tuple(one.name for one in exercise.functions))


def serialize_result(report: Report, key: str, seconds: float, columns: Columns) -> SerializedResult:
    """A report, as it is kept."""
    document = full_object(report) | {"key": key, "seconds": round(seconds, 4)}
    return SerializedResult(
        student=report.submission,
        json_bytes=json.dumps(document, allow_nan=False).encode() + b"\n",
        csv_line=_format_csv_line(_score_cells(StoredResult(report, key, seconds), columns)),
        isolation=report.isolation,
        status=report.status,
        percent=100 * report.score / report.max_score if report.max_score else 0.0,
        problem=is_problem(report),
    )


def is_problem(report: Report) -> bool:
    """Whether somebody should look at it: no verdict, or a check that ran out of time."""
    return report.status != "graded" or any(check.status == "timeout" for check in report.checks)


class ResultStore:
    """The results folder of a class, made when it is not there. One program at a time writes to it.

    A context manager. Raises StoreError where it cannot be made or written, or while another program writes to it.
    """

    def __init__(self, folder: Path, columns: Columns) -> None:
        self.folder = folder
        self._columns = columns
        self._csv_lines: dict[str, bytes] = {}
        with self._translate_write_errors():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / _LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            if sys.platform != "win32":
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise StoreError(f"Another autograder class writes to {folder}: wait until it is done.") from None
        for draft in folder.glob(f"{DRAFT_PREFIX}*"):
            draft.unlink(missing_ok=True)

    def __enter__(self) -> ResultStore:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def load(self, student: str) -> StoredResult | None:
        """What is kept of a student, None where that is nothing that can be read."""
        return _load_result(self.folder / result_file_name(student))

    def register(self, student: str, stored: StoredResult) -> None:
        """Let scores.csv have a line for what is kept already."""
        self._csv_lines[student] = _format_csv_line(_score_cells(stored, self._columns))

    def save(self, result: SerializedResult) -> None:
        """Keep a result, in place of an earlier one."""
        with self._translate_write_errors():
            write_atomically(self.folder / result_file_name(result.student), result.json_bytes)
        self._csv_lines[result.student] = result.csv_line

    def write_scores(self) -> None:
        """Bring scores.csv up to date: a line for every result that was kept or noted, in the order of names."""
        header_line = _format_csv_line(self._columns.header)
        with self._translate_write_errors():
            write_atomically(
                self.folder / SCORES_FILE,
                b"".join((header_line, *(self._csv_lines[name] for name in sorted(self._csv_lines)))),
            )

    def other_students(self, known: set[str], exercise: str) -> Iterator[tuple[str, StoredResult]]:
        """Results of this exercise that are kept of other students, as of an earlier folder."""
        files = {result_file_name(student) for student in known}
        for path in sorted(self.folder.glob("*.json")):
            if path.name not in files and (stored := _load_result(path)) and stored.report.exercise == exercise:
                yield stored.report.submission, stored

    @contextmanager
    def _translate_write_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"Results cannot be written to {self.folder}: {error.strerror}. What was graded before is kept: "
                "make room or name another --results, and run the same command again."
            ) from None


def iter_results(folder: Path) -> Iterator[tuple[Path, StoredResult | None]]:
    """Every result in a folder, in the order of the files' names; None for a file that cannot be read as one."""
    for path in sorted(folder.glob("*.json")):
        yield path, _load_result(path)


def result_file_name(student: str) -> str:
    """The name of a student's file: their own name where that can be a file's, else one made from it."""
    name_bytes = student.encode("utf-8", "surrogateescape")
    is_safe = len(name_bytes) <= _MAX_NAME_LENGTH and student.isprintable() and not set(student) & set('/\\<>:"|?*')
    if is_safe and not student.startswith("."):
        return f"{student}.json"
    readable = "".join(c if c.isalnum() else "_" for c in student)[: _MAX_NAME_LENGTH // 4]
    return f"{readable}-{hashlib.sha256(name_bytes).hexdigest()[:12]}.json"


def _load_result(path: Path) -> StoredResult | None:
    try:
        document = json.loads(path.read_bytes())
        return StoredResult(read_report(document), str(document["key"]), float(document["seconds"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _score_cells(stored: StoredResult, columns: Columns) -> list[str]:
    report = stored.report
    points = {check.id: f"{check.points:g}" for check in report.checks}
    diagnoses = dict.fromkeys(check.diagnosis for check in report.checks if check.diagnosis)
    functions = [f"{report.points_of(name)[0]:g}" if report.checks else "" for name in columns.functions]
    total = f"{report.score:g}" if report.status != "grader_error" else ""
    return [
        report.submission,
        *(points.get(id, "") for id in columns.checks),
        *functions,
        total,
        report.status,
        "; ".join(diagnoses),
        f"{stored.seconds:.3f}",
    ]


def _format_csv_line(cells: Sequence[str]) -> bytes:
    return csv_table.to_csv(cells, ()).encode()
