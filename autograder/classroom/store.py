"""The results folder of a class: a JSON file for each submission, and scores.csv.

Files are replaced atomically, so whatever ends this program leaves each result as it was before or complete. A result
that cannot be read, for example after a power cut, counts as missing.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from autograder.evaluation.report import Report
from autograder.evaluation.report_codec import full_object, read_report
from autograder.exercise.model import Exercise
from autograder.formats import csv_table
from autograder.formats.totals import Total, report_total
from autograder.submission.file_names import fold_name, is_safe_name, unused_name
from autograder.submission.safe_files import DRAFT_PREFIX, UnreadableFileError, open_regular, write_atomically

if sys.platform != "win32":
    import fcntl

SCORES_FILE = "scores.csv"
_LOCK_FILE = ".lock"
_MAX_NAME_LENGTH = 120  # bytes of a file's name that a student's name may fill
_DIGEST_LENGTH = 12
_DIGEST_NAME = re.compile(r"-(?:[0-9a-f]{12}|[0-9a-f]{64})$", re.IGNORECASE)


class StoreError(Exception):
    """Results that cannot be written: one sentence that says why and what to do."""


@dataclass(frozen=True)
class Columns:
    """The checks and functions that have a column in scores.csv, and the written questions, which a person grades."""

    checks: tuple[str, ...]
    functions: tuple[str, ...]
    written: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class SerializedResult:
    """The result of one submission as it is written: `json_bytes` is its file, `csv_line` its line in scores.csv.

    `total` ends the line where there is nothing but automatic points; it is empty without a verdict.
    """

    student: str
    key: str
    json_bytes: bytes
    csv_line: bytes
    total: str
    status: str
    percent: float
    problem: bool


@dataclass(frozen=True)
class StoredResult:
    """The content of a result file: the report, its cache key, and how long grading took."""

    report: Report
    key: str
    seconds: float


def columns_for(exercise: Exercise) -> Columns:
    """Return the columns of an exercise's scores.csv."""
    checks = tuple(check.id for check in exercise.checks)
    return Columns(checks, tuple(function.name for function in exercise.functions), exercise.written)


def serialize_result(report: Report, key: str, seconds: float, columns: Columns) -> SerializedResult:
    """Return a report as it is written; `seconds` is how long grading took."""
    document = full_object(report) | {"key": key, "seconds": round(seconds, 4)}
    return SerializedResult(
        student=report.submission,
        key=key,
        json_bytes=json.dumps(document, allow_nan=False).encode() + b"\n",
        csv_line=_csv_line(StoredResult(report, key, seconds), columns),
        total=_total_text(report_total(report, {})),
        status=report.status,
        percent=percent_of(report),
        problem=is_problem(report),
    )


def percent_of(report: Report) -> float:
    """Return the score in percent; 0 for an exercise without points."""
    return 100 * report.score / report.max_score if report.max_score else 0.0


def is_problem(report: Report) -> bool:
    """Return whether an instructor should look at a report: it has no verdict, or a check ran out of time."""
    return report.status != "graded" or any(check.status == "timeout" for check in report.checks)


class ResultStore:
    """The results folder of a class, created if needed and locked, so that only one program writes to it.

    With `dry_run` nothing is created, locked or written: what is saved is kept in memory, and can be loaded from there.
    A context manager. Raises StoreError if the folder cannot be written, or while another program holds the lock.
    """

    def __init__(self, folder: Path, columns: Columns, dry_run: bool = False) -> None:
        self.folder = folder
        self._unwritten: dict[str, StoredResult] | None = {} if dry_run else None
        self._columns = columns
        self._csv_lines: dict[str, bytes] = {}
        self._totals: dict[str, str] = {}  # as scores.csv shows them
        # Of files whose folded name is not their student's: the name by student, and the student by the folded name.
        self._names: dict[str, str] = {}
        self._owners: dict[str, str | None] = {}
        self._lock: int | None = None
        if not dry_run:
            self._prepare_folder()
        self._files = {fold_name(name): name for name in _result_files(folder)}

    def _prepare_folder(self) -> None:
        """Create the folder, lock it, and remove what a run that was killed left there."""
        folder = self.folder
        with self._translate_write_errors():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(folder / _LOCK_FILE, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
        try:
            if sys.platform != "win32":
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise StoreError(f"Another autograder class is writing to {folder}: wait until it is done.") from None
            raise StoreError(
                f"{folder} cannot be locked ({error.strerror}), so two programs could write there at once: name "
                "a folder on another file system with --results."
            ) from None
        # Whoever holds the lock is alone here: drafts are left from a run that was killed.
        for draft in folder.glob(f"{DRAFT_PREFIX}*"):
            draft.unlink(missing_ok=True)

    def __enter__(self) -> ResultStore:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            os.close(self._lock)

    def load(self, student: str) -> StoredResult | None:
        """Return the stored result of a student, or None if there is none that can be read."""
        if self._unwritten and student in self._unwritten:
            return self._unwritten[student]
        for name in possible_file_names(student):
            stored = _load_result(self.folder / name)
            if stored and stored.report.submission == student:
                self._note_name(student, name)
                return stored
        return None

    def register(self, student: str, stored: StoredResult) -> None:
        """Give a stored result a line in scores.csv."""
        self._csv_lines[student] = _csv_line(stored, self._columns)
        self._totals[student] = sys.intern(_total_text(report_total(stored.report, self._columns.written)))

    def save(self, result: SerializedResult) -> None:
        """Write a result, replacing an earlier one."""
        if self._unwritten is not None:
            if stored := _parse_result(result.json_bytes):
                self._unwritten[result.student] = stored
            return
        with self._translate_write_errors():
            name = self._names.get(result.student) or self._free_name(result.student)
            write_atomically(self.folder / name, result.json_bytes)
        self._note_name(result.student, name)
        self._csv_lines[result.student] = result.csv_line
        self._totals[result.student] = "" if self._columns.written else sys.intern(result.total)

    def write_scores(self, totals: Mapping[str, Total] = MappingProxyType({})) -> None:
        """Bring scores.csv up to date: a line for every result that was saved or registered, sorted by name.

        `totals` are those of a gradebook, by student; for others, the reports say the total.
        """
        if self._unwritten is not None:
            return
        self._totals |= {student: _total_text(total) for student, total in totals.items()}
        columns = ("student", *self._columns.checks, *self._columns.functions)
        header = csv_table.to_csv((*columns, "score", "status", "diagnosis", "seconds", "total"), ()).encode()
        lines = (
            b"%s,%s\n" % (self._csv_lines[student].rstrip(b"\r\n"), self._totals[student].encode())
            for student in sorted(self._csv_lines)
        )
        with self._translate_write_errors():
            write_atomically(self.folder / SCORES_FILE, itertools.chain([header], lines))

    def other_students(self, known: set[str], exercise: str) -> Iterator[tuple[str, StoredResult]]:
        """Yield this exercise's stored results of students who are not `known`, for example of an earlier folder."""
        for name in _result_files(self.folder):
            if self._noted_owner(fold_name(name)) in known:
                continue
            stored = _load_result(self.folder / name)
            if stored:
                self._note_name(stored.report.submission, name)
            if stored and stored.report.exercise == exercise and stored.report.submission not in known:
                yield stored.report.submission, stored

    def _free_name(self, student: str) -> str:
        """Return the first possible name of a student's file that is nobody else's."""
        names = possible_file_names(student)
        return next((name for name in names if self._owner(name) in (None, student)), names[-1])

    def _note_name(self, student: str, name: str) -> None:
        """Note whose file this is, unless its name says so itself: in a large class that is much to remember."""
        folded = fold_name(name)
        if folded != f"{student}.json" or (self._owners.get(folded) or student) != student:
            self._names[student], self._owners[folded] = name, student

    def _noted_owner(self, folded: str) -> str | None:
        """Return whose result a file holds, by its folded name; None if nobody has looked yet."""
        stem = folded.removesuffix(".json")
        is_own_name = stem in self._csv_lines and stem not in self._names
        return stem if is_own_name else self._owners.get(folded)

    def _owner(self, name: str) -> str | None:
        """Return whose result a file holds, whichever of the names that a file system takes for one it has."""
        folded = fold_name(name)
        if owner := self._noted_owner(folded):
            return owner
        if folded in self._files and folded not in self._owners:
            stored = _load_result(self.folder / self._files[folded])
            self._owners[folded] = stored.report.submission if stored else None
        return self._owners.get(folded)

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
    """Yield the path and result of every file, sorted by name; None for a file that is no result."""
    for name in _result_files(folder):
        yield folder / name, _load_result(folder / name)


def _result_files(folder: Path) -> list[str]:
    """Return the names of all result files, sorted; paths of a large class would take much memory."""
    with suppress(OSError):
        return sorted(name for name in os.listdir(folder) if name.endswith(".json"))  # noqa: PTH208 - no paths: see above
    return []


def possible_file_names(student: str) -> tuple[str, ...]:
    """Return the names that a student's file may have: the student's own if every file system takes it, then digests.

    A digest stands for one student alone: nobody's own name is used if it looks like one.
    """
    name_bytes = student.encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(name_bytes).hexdigest()
    readable = "".join(c if c.isalnum() else "_" for c in student)[: _MAX_NAME_LENGTH // 4]
    digests = (f"{readable}-{digest[:_DIGEST_LENGTH]}.json", f"{readable}-{digest}.json")
    is_safe = len(name_bytes) <= _MAX_NAME_LENGTH and is_safe_name(student) and not _DIGEST_NAME.search(student)
    return (f"{student}.json", *digests) if is_safe else digests


def distinct_file_names(students: Iterable[str], suffix: str) -> dict[str, str]:
    """Return a name for a file of each student, all of them distinct on every file system."""
    used_names: dict[str, int] = {}
    stems = {student: Path(possible_file_names(student)[0]).stem for student in students}
    return {student: unused_name(stem + suffix, used_names) for student, stem in stems.items()}


def _load_result(path: Path) -> StoredResult | None:
    try:
        with open_regular(path) as file:
            return _parse_result(file.read())
    except UnreadableFileError:
        return None


def _parse_result(content: bytes) -> StoredResult | None:
    try:
        document = json.loads(content)
        return StoredResult(read_report(document), str(document["key"]), float(document["seconds"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _csv_line(stored: StoredResult, columns: Columns) -> bytes:
    """Return a line of scores.csv without the total; a cell is empty if there is no such check, or no verdict."""
    report = stored.report
    points = {check.id: f"{check.points:g}" for check in report.checks}
    diagnoses = dict.fromkeys(check.diagnosis for check in report.checks if check.diagnosis)
    functions = [f"{report.points_of(name)[0]:g}" if report.checks else "" for name in columns.functions]
    score = f"{report.score:g}" if report.status != "grader_error" else ""
    checks = [points.get(check_id, "") for check_id in columns.checks]
    seconds = f"{stored.seconds:.3f}"
    cells = [report.submission, *checks, *functions, score, report.status, "; ".join(diagnoses), seconds]
    return csv_table.to_csv(cells, ()).encode()


def _total_text(total: Total) -> str:
    return "" if total.points is None else f"{total.points:f}"
