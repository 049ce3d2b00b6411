"""What has arrived, and what became of it: a SQLite file, so that a watcher that was killed goes on where it was.

A row is written once a submission has been collected. It has a report once it was graded, and `disclosed` once a page
says something of it; each step is written after it was taken, and taking it twice does no harm.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.evaluation.report import Report
from autograder.evaluation.report_codec import full_object, read_report

_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY,
    assignment TEXT NOT NULL,
    student TEXT NOT NULL,
    record TEXT NOT NULL,
    submitted_at TEXT NOT NULL,
    arrived_at REAL NOT NULL,
    pages TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT '',
    score REAL NOT NULL DEFAULT 0,
    result BLOB,
    recorded INTEGER NOT NULL DEFAULT 0,
    disclosed TEXT NOT NULL DEFAULT '',
    final INTEGER NOT NULL DEFAULT 0,
    answered_on TEXT NOT NULL DEFAULT '',
    answered_at REAL,
    seconds REAL,
    UNIQUE (assignment, record)
);
CREATE INDEX IF NOT EXISTS attempt_of_student ON attempt (assignment, student);
"""
_COLUMNS = """id, assignment, student, record, submitted_at, arrived_at, pages, status, score, recorded, disclosed,
final, answered_on"""
_INSERT = """INSERT INTO attempt (assignment, student, record, submitted_at, arrived_at, pages)
VALUES (?, ?, ?, ?, ?, ?)"""
_SET_REPORT = "UPDATE attempt SET status = ?, score = ?, result = ?, recorded = 0 WHERE id = ?"
_SET_ANSWERED = """UPDATE attempt SET answered_on = ?, answered_at = ?, seconds = ?
WHERE id = ? AND answered_at IS NULL"""
_FORGET_FAILED = """UPDATE attempt SET status = '', result = NULL, disclosed = '', final = 0
WHERE status = 'grader_error'"""


class LedgerError(Exception):
    """A ledger that cannot be read or written: one sentence that says why and what to do."""


@dataclass(frozen=True)
class Attempt:
    """One submission of a student.

    `submitted_at` is the time in the record's name, in UTC; `arrived_at` when the watcher saw it, in seconds since the
    epoch. `pages` are the names of its feedback pages. `status` and `score` are those of the report, "" before there is
    one. `disclosed` says what its page shows, perhaps more later unless that is `final`, and `answered_on` on which
    day it counted as an answer.
    """

    id: int
    assignment: str
    student: str
    record: str
    submitted_at: datetime
    arrived_at: float
    pages: tuple[str, ...]
    status: str = ""
    score: float = 0.0
    recorded: bool = False
    disclosed: str = ""
    final: bool = False
    answered_on: str = ""


@dataclass(frozen=True)
class GradedWork:
    """The report on an attempt, the key of its result and the seconds that grading took."""

    report: Report
    key: str
    seconds: float


class Ledger:
    """The rows of all attempts. A context manager; each method is one transaction. Raises LedgerError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database = sqlite3.connect(path, timeout=5)
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise LedgerError(
                f"{path} cannot be used: {error}. Move it away to start anew: whatever lies in the exchange is then "
                "graded and answered again."
            ) from None

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(
        self, assignment: str, student: str, record: str, submitted_at: datetime, arrived_at: float, pages: list[str]
    ) -> Attempt:
        """Note that a submission was collected, and return it."""
        values = (assignment, student, record, submitted_at.isoformat(), arrived_at, json.dumps(pages))
        key = self._write(_INSERT, values).lastrowid
        return self._select("id = ?", key)[0]

    def grade(self, attempt: Attempt, work: GradedWork) -> Attempt:
        """Keep the report on an attempt."""
        document = {"report": full_object(work.report), "key": work.key, "seconds": work.seconds}
        values = (work.report.status, work.report.score, zlib.compress(json.dumps(document).encode()), attempt.id)
        self._write(_SET_REPORT, values)
        return self._select("id = ?", attempt.id)[0]

    def note_recorded(self, attempts: Sequence[Attempt]) -> None:
        """Note that results and gradebook are up to date with these attempts."""
        with self._errors(), self._database:
            self._database.executemany(
                "UPDATE attempt SET recorded = 1 WHERE id = ?", [(attempt.id,) for attempt in attempts]
            )

    def note_answer(
        self, attempt: Attempt, disclosed: str, final: bool, answer: tuple[str, float, float] | None
    ) -> None:
        """Note what a page tells, and whether it will never tell more.

        An `answer` is the day that it counts for ("" for none), the time, and the seconds since the arrival; the first
        answer of an attempt stays.
        """
        with self._errors(), self._database:
            self._database.execute(
                "UPDATE attempt SET disclosed = ?, final = ? WHERE id = ?", (disclosed, final, attempt.id)
            )
            if answer:
                self._database.execute(_SET_ANSWERED, (*answer, attempt.id))

    def regrade_failed(self) -> None:
        """Let the attempts on which the grader failed wait again."""
        self._write(_FORGET_FAILED, ())

    def work(self, attempt: Attempt) -> GradedWork:
        """Return the report on an attempt that has one."""
        with self._errors():
            row = self._database.execute("SELECT result FROM attempt WHERE id = ?", (attempt.id,)).fetchone()
        document = json.loads(zlib.decompress(row[0]))
        return GradedWork(read_report(document["report"]), document["key"], document["seconds"])

    def waiting(self) -> list[Attempt]:
        """Return the attempts without a report, in the order in which they came in."""
        return self._select("status = ''")

    def unrecorded(self) -> list[Attempt]:
        """Return the graded attempts that results and gradebook do not know."""
        return self._select("status != '' AND recorded = 0")

    def not_final(self) -> list[Attempt]:
        """Return the graded attempts whose page tells nothing yet, or may tell more."""
        return self._select("status != '' AND final = 0")

    def of_student(self, assignment: str, student: str) -> list[Attempt]:
        """Return all attempts of a student at an assignment, in the order in which they came in."""
        return self._select("assignment = ? AND student = ?", assignment, student)

    def owner_of_page(self, page: str) -> tuple[str, str] | None:
        """Return the assignment and student whose page has this name, if it is anybody's."""
        found = self._select("instr(pages, ?)", json.dumps(page))
        return (found[0].assignment, found[0].student) if found else None

    def records(self) -> set[str]:
        """Return the names of all records."""
        with self._errors():
            return {record for (record,) in self._database.execute("SELECT record FROM attempt")}

    def arrivals_since(self, since: float) -> dict[tuple[str, str], int]:
        """Return how many submissions arrived since then, by assignment and student."""
        query = "SELECT assignment, student, count(*) FROM attempt WHERE arrived_at >= ? GROUP BY assignment, student"
        with self._errors():
            return {(assignment, student): n for assignment, student, n in self._database.execute(query, (since,))}

    def seconds_to_answer(self, since: float) -> list[float]:
        """Return how long the answers given `since` then took."""
        with self._errors():
            query = "SELECT seconds FROM attempt WHERE answered_at >= ? ORDER BY seconds"
            return [seconds for (seconds,) in self._database.execute(query, (since,))]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(f"{self._path} cannot be used: {error}.") from None

    def _select(self, condition: str, *values: Any) -> list[Attempt]:
        query = f"SELECT {_COLUMNS} FROM attempt WHERE {condition} ORDER BY id"  # noqa: S608 - conditions of this class alone
        with self._errors():
            return [_attempt(row) for row in self._database.execute(query, values)]

    def _write(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        with self._errors(), self._database:
            return self._database.execute(statement, values)


def _attempt(row: tuple[Any, ...]) -> Attempt:
    (
        key,
        assignment,
        student,
        record,
        submitted_at,
        arrived_at,
        pages,
        status,
        score,
        recorded,
        disclosed,
        final,
        day,
    ) = row
    return Attempt(
        id=key,
        assignment=assignment,
        student=student,
        record=record,
        submitted_at=datetime.fromisoformat(submitted_at),
        arrived_at=arrived_at,
        pages=tuple(json.loads(pages)),
        status=status,
        score=score,
        recorded=bool(recorded),
        disclosed=disclosed,
        final=bool(final),
        answered_on=day,
    )
