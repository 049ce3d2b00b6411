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
from autograder.formats.fields import format_points
from autograder.nbgrader.autograding.cell_outputs import CHECK_CELL_PREFIX

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
BASE_CELL = _table("base_cell", _text("name"), _text("notebook_id"), _text("type"))
GRADE_CELL = _table("grade_cells", sql.Column("max_score", sql.Float()), _text("cell_type"))
SUBMITTED_ASSIGNMENT = _table(
    "submitted_assignment",
    _text("assignment_id"),
    _text("student_id"),
    sql.Column("timestamp", sql.DateTime()),
    sql.Column("extension", sql.Interval()),
)
SUBMITTED_NOTEBOOK = _table(
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

_GIVEN_SCORE = sql.func.coalesce(GRADE.c.manual_score, GRADE.c.auto_score)
CELL_SCORE = sql.case(
    (_GIVEN_SCORE.is_not(None), _GIVEN_SCORE + sql.func.coalesce(GRADE.c.extra_credit, 0.0)), else_=0.0
)
"""What a cell counts: points by hand before the grader's, and extra credit for those that have either."""


class GradebookError(Exception):
    """A gradebook that cannot be worked with: one sentence that says why and what to do."""


@dataclass(frozen=True)
class GradeRow:
    """One student's row: when it was handed in, what each grade cell has (None where a person decides), which answers
    are as they were handed out, and whether all of it waits for a person.
    """

    student: str
    submitted_at: datetime | None
    auto_scores: Mapping[str, float | None]
    unanswered: frozenset[str]
    needs_manual_grade: bool


PenaltyFunction = Callable[[str, float, float], float | None]
"""Student, score and seconds of being late -> what is taken off."""


@dataclass(frozen=True)
class GradebookSession:
    """An open gradebook: one connection, one transaction."""

    connection: sql.Connection

    def check_rubric(self, exercise: Exercise) -> None:
        """See that the gradebook knows the exercise as the rubric has it now. Raises GradebookError."""
        name = exercise.name
        known = self.connection.execute(
            sql.select(BASE_CELL.c.name, GRADE_CELL.c.max_score)
            .join(GRADE_CELL, GRADE_CELL.c.id == BASE_CELL.c.id)
            .join(NOTEBOOK, NOTEBOOK.c.id == BASE_CELL.c.notebook_id)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == NOTEBOOK.c.assignment_id)
            .where(ASSIGNMENT.c.name == name, NOTEBOOK.c.name == name)
        ).all()
        if not known:
            raise GradebookError(f"The gradebook holds no assignment {name}: run `autograder release {name}`.")
        there = {row.name: row.max_score for row in known if row.name.startswith(CHECK_CELL_PREFIX)}
        worth = {
            f"{CHECK_CELL_PREFIX}{one.name}": round(sum(check.max_points for check in exercise.checks_of(one.name)), 6)
            for one in exercise.functions
        }
        if there != worth:
            told = [f"{format_points(most)} for {cell}" for cell, most in worth.items() if there.get(cell) != most]
            other = ", ".join(told) or "no check cells but its own"
            raise GradebookError(f"The rubric gives {other}, the gradebook does not: run `autograder release {name}`.")

    def scores(self, assignment: str) -> dict[str, float]:
        """What every student has for an assignment, late penalties taken off."""
        total = sql.func.sum(CELL_SCORE)
        penalty = sql.func.max(sql.func.coalesce(SUBMITTED_NOTEBOOK.c.late_submission_penalty, 0.0))
        found = self.connection.execute(
            sql.select(SUBMITTED_ASSIGNMENT.c.student_id, total, penalty)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMITTED_ASSIGNMENT.c.assignment_id)
            .join(SUBMITTED_NOTEBOOK, SUBMITTED_NOTEBOOK.c.assignment_id == SUBMITTED_ASSIGNMENT.c.id)
            .join(GRADE, GRADE.c.notebook_id == SUBMITTED_NOTEBOOK.c.id)
            .where(ASSIGNMENT.c.name == assignment)
            .group_by(SUBMITTED_ASSIGNMENT.c.student_id)
        )
        return {student: round(max(0.0, score - late), 6) for student, score, late in found}

    def write(self, assignment: str, rows: Sequence[GradeRow], penalty: PenaltyFunction) -> None:
        """Write what everybody has; what was given by hand stays, and is marked to be looked at again."""
        assignment_row = self.connection.execute(
            sql.select(ASSIGNMENT.c.id, ASSIGNMENT.c.duedate, NOTEBOOK.c.id.label("notebook"))
            .join(NOTEBOOK, NOTEBOOK.c.assignment_id == ASSIGNMENT.c.id)
            .where(ASSIGNMENT.c.name == assignment, NOTEBOOK.c.name == assignment)
        ).one()
        cells = self.connection.execute(
            sql.select(BASE_CELL.c.id, BASE_CELL.c.name, BASE_CELL.c.type).where(
                BASE_CELL.c.notebook_id == assignment_row.notebook
            )
        ).all()
        known_students = set(self.connection.scalars(sql.select(STUDENT.c.id)))
        self._insert(STUDENT, [{"id": row.student} for row in rows if row.student not in known_students])
        submissions = self._ensure_submissions(rows, assignment_row)
        notebooks = {student: notebook for student, (_, notebook) in submissions.items()}
        self._write_grades(rows, notebooks, {cell.name: cell.id for cell in cells if cell.type == "GradeCell"})
        self._write_comments(rows, notebooks, {cell.name: cell.id for cell in cells if cell.type == "SolutionCell"})
        self._write_penalties(rows, submissions, assignment_row, penalty)

    def _ensure_submissions(self, rows: Sequence[GradeRow], place: Any) -> dict[str, tuple[str, str]]:
        """The ids of everybody's submission and of its notebook, made where they were not there."""
        found = self.connection.execute(
            sql.select(
                SUBMITTED_ASSIGNMENT.c.student_id, SUBMITTED_ASSIGNMENT.c.id, SUBMITTED_NOTEBOOK.c.id.label("notebook")
            )
            .join(SUBMITTED_NOTEBOOK, SUBMITTED_NOTEBOOK.c.assignment_id == SUBMITTED_ASSIGNMENT.c.id, isouter=True)
            .where(SUBMITTED_ASSIGNMENT.c.assignment_id == place.id)
            .where(sql.or_(SUBMITTED_NOTEBOOK.c.notebook_id == place.notebook, SUBMITTED_NOTEBOOK.c.id.is_(None)))
        )
        old = {row.student_id: (row.id, row.notebook) for row in found}
        there = {row.student: old.get(row.student, (None, None)) for row in rows}
        ids = {student: (one or _new_id(), notebook or _new_id()) for student, (one, notebook) in there.items()}
        made = [row for row in rows if row.student not in old]
        self._insert(
            SUBMITTED_ASSIGNMENT,
            [
                {
                    "id": ids[row.student][0],
                    "assignment_id": place.id,
                    "student_id": row.student,
                    "timestamp": row.submitted_at,
                }
                for row in made
            ],
        )
        self._insert(
            SUBMITTED_NOTEBOOK,
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
            {"key": ids[row.student][0], "timestamp": row.submitted_at}
            for row in rows
            if row.student in old and row.submitted_at
        ]
        self._update(SUBMITTED_ASSIGNMENT, again)
        return ids

    def _write_grades(self, rows: Sequence[GradeRow], notebooks: Mapping[str, str], cells: Mapping[str, str]) -> None:
        old = self._rows_by_cell(GRADE, GRADE.c.manual_score, notebooks)
        new, again = [], []
        for row in rows:
            for name, cell in cells.items():
                score = row.auto_scores.get(name)
                if row.needs_manual_grade:
                    score = score or 0.0
                found = old.get((notebooks[row.student], cell))
                needs = (
                    row.needs_manual_grade or score is None or (found is not None and found.manual_score is not None)
                )
                values = {"auto_score": score, "needs_manual_grade": needs}
                if found is None:
                    new.append({"id": _new_id(), "notebook_id": notebooks[row.student], "cell_id": cell, **values})
                else:
                    again.append({"key": found.id, **values})
        self._insert(GRADE, new)
        self._update(GRADE, again)

    def _write_comments(self, rows: Sequence[GradeRow], notebooks: Mapping[str, str], cells: Mapping[str, str]) -> None:
        old = self._rows_by_cell(COMMENT, COMMENT.c.auto_comment, notebooks)
        new, again = [], []
        for row in rows:
            for name, cell in cells.items():
                values = {"auto_comment": NO_RESPONSE if name in row.unanswered else None}
                found = old.get((notebooks[row.student], cell))
                if found is None:
                    new.append({"id": _new_id(), "notebook_id": notebooks[row.student], "cell_id": cell, **values})
                else:
                    again.append({"key": found.id, **values})
        self._insert(COMMENT, new)
        self._update(COMMENT, again)

    def _write_penalties(
        self, rows: Sequence[GradeRow], ids: Mapping[str, tuple[str, str]], place: Any, penalty: PenaltyFunction
    ) -> None:
        times = {
            row.id: (row.timestamp, row.extension)
            for row in self.connection.execute(
                sql.select(
                    SUBMITTED_ASSIGNMENT.c.id, SUBMITTED_ASSIGNMENT.c.timestamp, SUBMITTED_ASSIGNMENT.c.extension
                ).where(SUBMITTED_ASSIGNMENT.c.assignment_id == place.id)
            )
        }
        have = self._totals(place.id)
        told = []
        for row in rows:
            submission, notebook = ids[row.student]
            seconds = _seconds_late(*times[submission], place.duedate)
            taken_off = penalty(row.student, have[row.student], seconds) if seconds else None
            told.append({"key": notebook, "late_submission_penalty": taken_off})
        self._update(SUBMITTED_NOTEBOOK, told)

    def _totals(self, assignment_id: str) -> dict[str, float]:
        found = self.connection.execute(
            sql.select(SUBMITTED_ASSIGNMENT.c.student_id, sql.func.sum(CELL_SCORE))
            .join(SUBMITTED_NOTEBOOK, SUBMITTED_NOTEBOOK.c.assignment_id == SUBMITTED_ASSIGNMENT.c.id)
            .join(GRADE, GRADE.c.notebook_id == SUBMITTED_NOTEBOOK.c.id)
            .where(SUBMITTED_ASSIGNMENT.c.assignment_id == assignment_id)
            .group_by(SUBMITTED_ASSIGNMENT.c.student_id)
        )
        return {student: float(score) for student, score in found}

    def _rows_by_cell(
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
            parameters = [{"key": row["key"], **{f"new_{name}": row[name] for name in names}} for row in rows]
            self.connection.execute(
                sql.update(table).where(table.c.id == sql.bindparam("key")).values(values), parameters
            )


def _new_id() -> str:
    return uuid4().hex


def _seconds_late(submitted_at: datetime | None, extension: timedelta | None, due: datetime | None) -> float:
    if submitted_at is None or due is None:
        return 0.0
    return max(0.0, (submitted_at - due - (extension or timedelta())).total_seconds())


def default_url(root: Path) -> str:
    """nbgrader's own gradebook of a course."""
    return f"sqlite:///{(root / 'gradebook.db').absolute()}"


@contextmanager
def open_gradebook(url: str, root: Path) -> Iterator[GradebookSession]:
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
            yield GradebookSession(connection)
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        raise GradebookError(f"The gradebook {address} cannot be used: {reason}.") from None
    finally:
        engine.dispose()


def describe_changes(
    before: Mapping[str, float], after: Mapping[str, float], students: Collection[str]
) -> Iterator[str]:
    """Who of those that were graded again has more or less than before, in sentences."""
    regraded = sorted(student for student in students if student in before and student in after)
    changed = [student for student in regraded if before[student] != after[student]]
    for student in changed:
        difference = round(after[student] - before[student], 6)
        yield f"{student}: {format_points(before[student])} before, {format_points(after[student])} now ({difference:+g})"
    if regraded:
        yield f"Graded again: {len(regraded)}; changed: {len(changed)}."
