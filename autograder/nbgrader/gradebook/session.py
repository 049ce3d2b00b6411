"""nbgrader's gradebook, over one connection and without nbgrader, which takes two seconds to import.

The tables are nbgrader's own (its api.py) as far as they are needed here; `autograder release` lets it make them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from autograder.exercise.model import Exercise
from autograder.formats.fields import points
from autograder.nbgrader.autograding.cell_outputs import CHECK

NO_RESPONSE = "No response."
"""What nbgrader says of an answer that is as it was handed out."""

_TABLES = sql.MetaData()


def _table(name: str, *columns: sql.Column[object]) -> sql.Table:
    return sql.Table(name, _TABLES, sql.Column("id", sql.String(128), primary_key=True), *columns)


def _text(name: str) -> sql.Column[object]:
    return sql.Column(name, sql.Text())


STUDENT = _table("student", _text("first_name"), _text("last_name"), _text("email"), _text("lms_user_id"))
ASSIGNMENT = _table("assignment", _text("name"), sql.Column("duedate", sql.DateTime()))
NOTEBOOK = _table("notebook", _text("name"), _text("assignment_id"))
CELL = _table("base_cell", _text("name"), _text("notebook_id"), _text("type"))
GRADE_CELL = _table("grade_cells", sql.Column("max_score", sql.Float()), _text("cell_type"))
SUBMISSION = _table(
    "submitted_assignment",
    _text("assignment_id"),
    _text("student_id"),
    sql.Column("timestamp", sql.DateTime()),
    sql.Column("extension", sql.Interval()),
)
SUBMITTED = _table(
    "submitted_notebook",
    _text("assignment_id"),
    _text("notebook_id"),
    sql.Column("flagged", sql.Boolean()),
    sql.Column("late_submission_penalty", sql.Float()),
)
GRADE = _table(
    "grade",
    _text("cell_id"),
    _text("notebook_id"),
    sql.Column("auto_score", sql.Float()),
    sql.Column("manual_score", sql.Float()),
    sql.Column("extra_credit", sql.Float()),
    sql.Column("needs_manual_grade", sql.Boolean()),
)
COMMENT = _table("comment", _text("cell_id"), _text("notebook_id"), _text("auto_comment"), _text("manual_comment"))

_GIVEN = sql.func.coalesce(GRADE.c.manual_score, GRADE.c.auto_score)
SCORE = sql.case((_GIVEN.is_not(None), _GIVEN + sql.func.coalesce(GRADE.c.extra_credit, 0.0)), else_=0.0)
"""What a cell counts: points by hand before the grader's, and extra credit for those that have either."""


class GradebookError(Exception):
    """A gradebook that cannot be worked with: one sentence that says why and what to do."""


@dataclass(frozen=True)
class Graded:
    """One student's row: when it was handed in, what each grade cell has (None where a person decides), which answers
    are as they were handed out, and whether all of it waits for a person.
    """

    student: str
    handed_in: datetime | None
    auto: Mapping[str, float | None]
    unanswered: frozenset[str]
    waits: bool


Penalty = Callable[[str, float, float], float | None]
"""Student, score and seconds of being late -> what is taken off."""


@dataclass(frozen=True)
class Book:
    """An open gradebook: one connection, one transaction."""

    connection: sql.Connection

    def check(self, exercise: Exercise) -> None:
        """See that the gradebook knows the exercise as the rubric has it now. Raises GradebookError."""
        name = exercise.name
        known = self.connection.execute(
            sql.select(CELL.c.name, GRADE_CELL.c.max_score)
            .join(GRADE_CELL, GRADE_CELL.c.id == CELL.c.id)
            .join(NOTEBOOK, NOTEBOOK.c.id == CELL.c.notebook_id)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == NOTEBOOK.c.assignment_id)
            .where(ASSIGNMENT.c.name == name, NOTEBOOK.c.name == name)
        ).all()
        if not known:
            raise GradebookError(f"The gradebook holds no assignment {name}: run `autograder release {name}`.")
        there = {row.name: row.max_score for row in known if row.name.startswith(CHECK)}
        worth = {
            f"{CHECK}{one.name}": round(sum(check.worth for check in exercise.checks_of(one.name)), 6)
            for one in exercise.functions
        }
        if there != worth:
            told = [f"{points(most)} for {cell}" for cell, most in worth.items() if there.get(cell) != most]
            other = ", ".join(told) or "no check cells but its own"
            raise GradebookError(f"The rubric gives {other}, the gradebook does not: run `autograder release {name}`.")

    def scores(self, assignment: str) -> dict[str, float]:
        """What every student has for an assignment, late penalties taken off."""
        total = sql.func.sum(SCORE)
        penalty = sql.func.max(sql.func.coalesce(SUBMITTED.c.late_submission_penalty, 0.0))
        found = self.connection.execute(
            sql.select(SUBMISSION.c.student_id, total, penalty)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMISSION.c.assignment_id)
            .join(SUBMITTED, SUBMITTED.c.assignment_id == SUBMISSION.c.id)
            .join(GRADE, GRADE.c.notebook_id == SUBMITTED.c.id)
            .where(ASSIGNMENT.c.name == assignment)
            .group_by(SUBMISSION.c.student_id)
        )
        return {student: round(max(0.0, score - late), 6) for student, score, late in found}

    def write(self, assignment: str, rows: Sequence[Graded], penalty: Penalty) -> None:
        """Write what everybody has; what was given by hand stays, and is marked to be looked at again."""
        place = self.connection.execute(
            sql.select(ASSIGNMENT.c.id, ASSIGNMENT.c.duedate, NOTEBOOK.c.id.label("notebook"))
            .join(NOTEBOOK, NOTEBOOK.c.assignment_id == ASSIGNMENT.c.id)
            .where(ASSIGNMENT.c.name == assignment, NOTEBOOK.c.name == assignment)
        ).one()
        cells = self.connection.execute(
            sql.select(CELL.c.id, CELL.c.name, CELL.c.type).where(CELL.c.notebook_id == place.notebook)
        ).all()
        known = set(self.connection.scalars(sql.select(STUDENT.c.id)))
        self._insert(STUDENT, [{"id": row.student} for row in rows if row.student not in known])
        submissions = self._submissions(rows, place)
        notebooks = {student: notebook for student, (_, notebook) in submissions.items()}
        self._grades(rows, notebooks, {cell.name: cell.id for cell in cells if cell.type == "GradeCell"})
        self._comments(rows, notebooks, {cell.name: cell.id for cell in cells if cell.type == "SolutionCell"})
        self._penalties(rows, submissions, place, penalty)

    def _submissions(self, rows: Sequence[Graded], place: Any) -> dict[str, tuple[str, str]]:
        """The ids of everybody's submission and of its notebook, made where they were not there."""
        found = self.connection.execute(
            sql.select(SUBMISSION.c.student_id, SUBMISSION.c.id, SUBMITTED.c.id.label("notebook"))
            .join(SUBMITTED, SUBMITTED.c.assignment_id == SUBMISSION.c.id, isouter=True)
            .where(SUBMISSION.c.assignment_id == place.id)
            .where(sql.or_(SUBMITTED.c.notebook_id == place.notebook, SUBMITTED.c.id.is_(None)))
        )
        old = {row.student_id: (row.id, row.notebook) for row in found}
        there = {row.student: old.get(row.student, (None, None)) for row in rows}
        ids = {student: (one or _new(), notebook or _new()) for student, (one, notebook) in there.items()}
        made = [row for row in rows if row.student not in old]
        self._insert(
            SUBMISSION,
            [
                {
                    "id": ids[row.student][0],
                    "assignment_id": place.id,
                    "student_id": row.student,
                    "timestamp": row.handed_in,
                }
                for row in made
            ],
        )
        self._insert(
            SUBMITTED,
            [
                {
                    "id": ids[row.student][1],
                    "assignment_id": ids[row.student][0],
                    "notebook_id": place.notebook,
                    "flagged": False,
                }
                for row in rows
                if not there[row.student][1]
            ],
        )
        again = [
            {"key": ids[row.student][0], "timestamp": row.handed_in}
            for row in rows
            if row.student in old and row.handed_in
        ]
        self._update(SUBMISSION, again)
        return ids

    def _grades(self, rows: Sequence[Graded], notebooks: Mapping[str, str], cells: Mapping[str, str]) -> None:
        old = self._there(GRADE, GRADE.c.manual_score, notebooks)
        new, again = [], []
        for row in rows:
            for name, cell in cells.items():
                score = row.auto.get(name)
                if row.waits:
                    score = score or 0.0
                found = old.get((notebooks[row.student], cell))
                needs = row.waits or score is None or (found is not None and found.manual_score is not None)
                values = {"auto_score": score, "needs_manual_grade": needs}
                if found is None:
                    new.append({"id": _new(), "notebook_id": notebooks[row.student], "cell_id": cell, **values})
                else:
                    again.append({"key": found.id, **values})
        self._insert(GRADE, new)
        self._update(GRADE, again)

    def _comments(self, rows: Sequence[Graded], notebooks: Mapping[str, str], cells: Mapping[str, str]) -> None:
        old = self._there(COMMENT, COMMENT.c.auto_comment, notebooks)
        new, again = [], []
        for row in rows:
            for name, cell in cells.items():
                values = {"auto_comment": NO_RESPONSE if name in row.unanswered else None}
                found = old.get((notebooks[row.student], cell))
                if found is None:
                    new.append({"id": _new(), "notebook_id": notebooks[row.student], "cell_id": cell, **values})
                else:
                    again.append({"key": found.id, **values})
        self._insert(COMMENT, new)
        self._update(COMMENT, again)

    def _penalties(
        self, rows: Sequence[Graded], ids: Mapping[str, tuple[str, str]], place: Any, penalty: Penalty
    ) -> None:
        times = {
            row.id: (row.timestamp, row.extension)
            for row in self.connection.execute(
                sql.select(SUBMISSION.c.id, SUBMISSION.c.timestamp, SUBMISSION.c.extension).where(
                    SUBMISSION.c.assignment_id == place.id
                )
            )
        }
        have = self._totals(place.id)
        told = []
        for row in rows:
            submission, notebook = ids[row.student]
            seconds = _late(*times[submission], place.duedate)
            taken_off = penalty(row.student, have[row.student], seconds) if seconds else None
            told.append({"key": notebook, "late_submission_penalty": taken_off})
        self._update(SUBMITTED, told)

    def _totals(self, assignment_id: str) -> dict[str, float]:
        found = self.connection.execute(
            sql.select(SUBMISSION.c.student_id, sql.func.sum(SCORE))
            .join(SUBMITTED, SUBMITTED.c.assignment_id == SUBMISSION.c.id)
            .join(GRADE, GRADE.c.notebook_id == SUBMITTED.c.id)
            .where(SUBMISSION.c.assignment_id == assignment_id)
            .group_by(SUBMISSION.c.student_id)
        )
        return {student: float(score) for student, score in found}

    def _there(
        self, table: sql.Table, extra: sql.Column[Any], notebooks: Mapping[str, str]
    ) -> dict[tuple[str, str], Any]:
        """Rows of the submissions at hand, by notebook and cell."""
        found = self.connection.execute(sql.select(table.c.id, table.c.notebook_id, table.c.cell_id, extra))
        ours = set(notebooks.values())
        return {(row.notebook_id, row.cell_id): row for row in found if row.notebook_id in ours}

    def _insert(self, table: sql.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            self.connection.execute(sql.insert(table), rows)

    def _update(self, table: sql.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            names = rows[0].keys() - {"key"}
            values: dict[str, Any] = {name: sql.bindparam(f"new_{name}") for name in names}
            filled = [{"key": row["key"], **{f"new_{name}": row[name] for name in names}} for row in rows]
            self.connection.execute(sql.update(table).where(table.c.id == sql.bindparam("key")).values(values), filled)


def _new() -> str:
    return uuid4().hex


def _late(handed_in: datetime | None, extension: timedelta | None, due: datetime | None) -> float:
    if handed_in is None or due is None:
        return 0.0
    return max(0.0, (handed_in - due - (extension or timedelta())).total_seconds())


def url_of(root: Path) -> str:
    """nbgrader's own gradebook of a course."""
    return f"sqlite:///{(root / 'gradebook.db').absolute()}"


@contextmanager
def opened(url: str, root: Path) -> Iterator[Book]:
    """The gradebook at a SQLAlchemy URL, committed at the end. Raises GradebookError; then nothing is written."""
    try:
        address = sql.make_url(url)
        file = address.database or ""
        if address.get_backend_name() == "sqlite" and file not in ("", ":memory:"):
            if not (root / file).is_file():
                raise GradebookError(f"There is no gradebook {root / file}: run `autograder release EXERCISE`.")
            address = address.set(database=str(root / file))
        engine = sql.create_engine(address)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise GradebookError(f"{url} is no address of a database that can be used here: {error}.") from None
    try:
        with engine.begin() as connection:
            yield Book(connection)
    except DBAPIError as error:
        told = str(error.orig).splitlines()[0]
        raise GradebookError(f"The gradebook {address} cannot be used: {told}.") from None
    finally:
        engine.dispose()


def changes(before: Mapping[str, float], after: Mapping[str, float], graded: Collection[str]) -> Iterator[str]:
    """Who of those that were graded again has more or less than before, in sentences."""
    again = sorted(student for student in graded if student in before and student in after)
    changed = [student for student in again if before[student] != after[student]]
    for student in changed:
        difference = round(after[student] - before[student], 6)
        yield f"{student}: {points(before[student])} before, {points(after[student])} now ({difference:+g})"
    if again:
        yield f"Graded again: {len(again)}; changed: {len(changed)}."
