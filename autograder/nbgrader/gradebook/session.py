"""nbgrader's gradebook, over one connection and without nbgrader, which takes two seconds to import.

The tables are nbgrader's own (its api.py), as far as they are needed here; `autograder release` has nbgrader make them.
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
from sqlalchemy import Boolean, DateTime, Float, Interval
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from autograder.evaluation.report import Report
from autograder.exercise.model import Exercise
from autograder.formats.fields import format_points
from autograder.formats.totals import Part, Total, add_up, cell_part, describe_change
from autograder.nbgrader.autograding.cell_outputs import CHECK_CELL_PREFIX
from autograder.submission.sanitize import one_line

NO_RESPONSE = "No response."
"""nbgrader's comment on an answer that is as it was handed out."""

_TABLES = sql.MetaData()


def _table(name: str, texts: str, **others: type[sql.types.TypeEngine[Any]]) -> sql.Table:
    """Describe a table with an id, text columns and columns of other types."""
    columns = [*((text, sql.Text) for text in texts.split()), *others.items()]
    identifier = sql.Column("id", sql.String(128), primary_key=True)
    return sql.Table(name, _TABLES, identifier, *(sql.Column(column, kind()) for column, kind in columns))


STUDENT = _table("student", "first_name last_name email lms_user_id")
ASSIGNMENT = _table("assignment", "name", duedate=DateTime)
NOTEBOOK = _table("notebook", "name assignment_id")
BASE_CELL = _table("base_cell", "name notebook_id type")
GRADE_CELL = _table("grade_cells", "cell_type", max_score=Float)
SUBMISSION = _table("submitted_assignment", "assignment_id student_id", timestamp=DateTime, extension=Interval)
SUBMITTED_NOTEBOOK = _table(
    "submitted_notebook", "assignment_id notebook_id", flagged=Boolean, late_submission_penalty=Float
)
GRADE = _table(
    "grade", "cell_id notebook_id", auto_score=Float, manual_score=Float, extra_credit=Float, needs_manual_grade=Boolean
)
COMMENT = _table("comment", "cell_id notebook_id auto_comment manual_comment")


class GradebookError(Exception):
    """A gradebook that cannot be worked with: one sentence that says why and what to do."""


@dataclass(frozen=True)
class GradeRow:
    """What the gradebook should hold about one student's submission.

    `auto_scores` has the points of each grade cell, None if a person decides; `unanswered` names the cells that are as
    they were handed out; `needs_manual_grade` says that the whole submission waits for a person.
    """

    student: str
    submitted_at: datetime | None
    auto_scores: Mapping[str, float | None]
    unanswered: frozenset[str]
    needs_manual_grade: bool


Place = tuple[str, str]
"""The ids of a submitted notebook and of a cell."""

Row = dict[str, Any]
"""Values by column."""

PenaltyFunction = Callable[[str, float, float], float | None]
"""(student, score, seconds late) -> the points to take off."""


@dataclass(frozen=True)
class GradebookSession:
    """An open gradebook: one connection, one transaction."""

    connection: sql.Connection

    def check_rubric(self, exercise: Exercise, assignment: str) -> None:
        """Check that the assignment has the cells and points of the exercise. Raises GradebookError."""
        name = exercise.name
        cells = self.connection.execute(
            sql.select(BASE_CELL.c.name, GRADE_CELL.c.max_score)
            .join(GRADE_CELL, GRADE_CELL.c.id == BASE_CELL.c.id)
            .join(NOTEBOOK, NOTEBOOK.c.id == BASE_CELL.c.notebook_id)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == NOTEBOOK.c.assignment_id)
            .where(ASSIGNMENT.c.name == assignment, NOTEBOOK.c.name == name)
        ).all()
        if not cells:
            raise GradebookError(f"The gradebook holds no assignment {assignment}: run `autograder release {name}`.")
        in_gradebook = {cell.name: cell.max_score for cell in cells if cell.name.startswith(CHECK_CELL_PREFIX)}
        in_rubric = {
            CHECK_CELL_PREFIX + function.name: round(sum(c.max_points for c in exercise.checks_of(function.name)), 6)
            for function in exercise.functions
        }
        written = {cell.name: cell.max_score for cell in cells if not cell.name.startswith(CHECK_CELL_PREFIX)}
        if written != exercise.written:
            listed = ", ".join(written or exercise.written)
            raise GradebookError(
                f"The gradebook and course.toml do not agree whether {listed} is asked, and for how many points: set "
                f"written_questions there, then run `autograder release {name}`."
            )
        if in_gradebook != in_rubric:
            differing = [(cell, points) for cell, points in in_rubric.items() if in_gradebook.get(cell) != points]
            listed = ", ".join(f"{format_points(points)} for {cell}" for cell, points in differing)
            listed = listed or "no check cells but its own"
            raise GradebookError(f"The rubric gives {listed}, the gradebook does not: run `autograder release {name}`.")

    def has_assignment(self, assignment: str) -> bool:
        """Return whether the gradebook knows an assignment."""
        return bool(self.connection.scalar(sql.select(ASSIGNMENT.c.id).where(ASSIGNMENT.c.name == assignment)))

    def due_date(self, assignment: str) -> tuple[datetime | None, dict[str, timedelta]]:
        """Return when an assignment is due, naive and in UTC, and the extensions of students who have one."""
        due = self.connection.scalar(sql.select(ASSIGNMENT.c.duedate).where(ASSIGNMENT.c.name == assignment))
        rows = self.connection.execute(
            sql.select(SUBMISSION.c.student_id, SUBMISSION.c.extension)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMISSION.c.assignment_id)
            .where(ASSIGNMENT.c.name == assignment, SUBMISSION.c.extension.is_not(None))
        )
        return due, {row.student_id: row.extension for row in rows}

    def totals(self, assignment: str) -> dict[str, Total]:
        """Return the total of everybody whose work for an assignment has grades."""
        rows = self.connection.execute(
            sql.select(SUBMISSION.c.student_id, SUBMITTED_NOTEBOOK.c.late_submission_penalty, GRADE)
            .add_columns(BASE_CELL.c.name, GRADE_CELL.c.max_score)
            .select_from(SUBMISSION)
            .join(ASSIGNMENT, ASSIGNMENT.c.id == SUBMISSION.c.assignment_id)
            .join(SUBMITTED_NOTEBOOK, SUBMITTED_NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
            .join(GRADE, GRADE.c.notebook_id == SUBMITTED_NOTEBOOK.c.id)
            .join(BASE_CELL, BASE_CELL.c.id == GRADE.c.cell_id)
            .join(GRADE_CELL, GRADE_CELL.c.id == GRADE.c.cell_id)
            .where(ASSIGNMENT.c.name == assignment)
            .order_by(BASE_CELL.c.name)
        ).all()
        parts: dict[str, list[Part]] = {}
        penalties: dict[str, dict[str, float]] = {}
        for row in rows:
            parts.setdefault(row.student_id, []).append(part_of_grade(row))
            penalties.setdefault(row.student_id, {})[row.notebook_id] = row.late_submission_penalty or 0.0
        return {student: add_up(parts[student], sum(penalties[student].values())) for student in parts}

    def write(self, assignment: str, notebook: str, rows: Sequence[GradeRow], penalty: PenaltyFunction) -> None:
        """Write everybody's scores for a notebook. Points given by hand stay, and are marked for a second look."""
        assigned = self.connection.execute(
            sql.select(ASSIGNMENT.c.id, ASSIGNMENT.c.name, ASSIGNMENT.c.duedate, NOTEBOOK.c.id.label("notebook"))
            .join(NOTEBOOK, NOTEBOOK.c.assignment_id == ASSIGNMENT.c.id)
            .where(ASSIGNMENT.c.name == assignment, NOTEBOOK.c.name == notebook)
        ).one()
        known_students = set(self.connection.scalars(sql.select(STUDENT.c.id)))
        self._insert(STUDENT, [{"id": row.student} for row in rows if row.student not in known_students])
        submissions = self._ensure_submissions(rows, assigned)
        notebooks = {student: notebook for student, (_, notebook) in submissions.items()}
        self._write_grades(rows, notebooks, self._cell_ids(assigned.notebook, "GradeCell"))
        self._write_comments(rows, notebooks, self._cell_ids(assigned.notebook, "SolutionCell"))
        self._write_penalties(rows, submissions, assigned, penalty)

    def _cell_ids(self, notebook: str, kind: str) -> dict[str, str]:
        query = sql.select(BASE_CELL.c.name, BASE_CELL.c.id)
        cells = self.connection.execute(query.where(BASE_CELL.c.notebook_id == notebook, BASE_CELL.c.type == kind))
        return {cell.name: cell.id for cell in cells}

    def _ensure_submissions(self, rows: Sequence[GradeRow], assigned: Any) -> dict[str, tuple[str, str]]:
        """Return the ids of everybody's submission and of its notebook; insert those that are missing."""
        # The outer join finds submissions without a notebook: nbgrader removes it along with an old notebook of the
        # assignment, and keeps the submission.
        submissions = self.connection.execute(
            sql.select(SUBMISSION.c.student_id, SUBMISSION.c.id, SUBMITTED_NOTEBOOK.c.id.label("notebook"))
            .join(SUBMITTED_NOTEBOOK, SUBMITTED_NOTEBOOK.c.assignment_id == SUBMISSION.c.id, isouter=True)
            .where(SUBMISSION.c.assignment_id == assigned.id)
            .where(sql.or_(SUBMITTED_NOTEBOOK.c.notebook_id == assigned.notebook, SUBMITTED_NOTEBOOK.c.id.is_(None)))
        )
        known = {row.student_id: (row.id, row.notebook) for row in submissions}
        ids: dict[str, tuple[str, str]] = {}
        new_submissions, new_notebooks, new_times = [], [], []
        for row in rows:
            submission, notebook = known.get(row.student, (None, None))
            if submission is None:
                submission = uuid4().hex
                values = {"assignment_id": assigned.id, "student_id": row.student, "timestamp": row.submitted_at}
                new_submissions.append({"id": submission, **values})
            elif row.submitted_at:  # work without a timestamp keeps the time that is noted
                new_times.append({"key": submission, "timestamp": row.submitted_at})
            if notebook is None:
                notebook = uuid4().hex
                values = {"assignment_id": submission, "notebook_id": assigned.notebook, "flagged": False}
                new_notebooks.append({"id": notebook, **values})
            ids[row.student] = submission, notebook
        self._insert(SUBMISSION, new_submissions)
        self._insert(SUBMITTED_NOTEBOOK, new_notebooks)
        self._update(SUBMISSION, new_times)
        return ids

    def _write_grades(self, rows: Sequence[GradeRow], notebooks: Mapping[str, str], cells: Mapping[str, str]) -> None:
        known = self._rows_by_cell(GRADE, notebooks)
        values = {}
        for row in rows:
            for name, cell in cells.items():
                place = notebooks[row.student], cell
                # Work that waits for a person must not keep an old score meanwhile: None replaces it, too.
                score = row.auto_scores.get(name)
                has_manual_score = place in known and known[place].manual_score is not None
                needs_manual_grade = row.needs_manual_grade or score is None or has_manual_score
                values[place] = {"auto_score": score, "needs_manual_grade": needs_manual_grade}
        self._write_cells(GRADE, known, values)

    def _write_comments(self, rows: Sequence[GradeRow], notebooks: Mapping[str, str], cells: Mapping[str, str]) -> None:
        values = {
            (notebooks[row.student], cell): {"auto_comment": NO_RESPONSE if name in row.unanswered else None}
            for row in rows
            for name, cell in cells.items()
        }
        self._write_cells(COMMENT, self._rows_by_cell(COMMENT, notebooks), values)

    def _write_penalties(
        self, rows: Sequence[GradeRow], ids: Mapping[str, tuple[str, str]], assigned: Any, penalty: PenaltyFunction
    ) -> None:
        submissions = self.connection.execute(sql.select(SUBMISSION).where(SUBMISSION.c.assignment_id == assigned.id))
        late = {row.id: _seconds_late(row.timestamp, row.extension, assigned.duedate) for row in submissions}
        sums = {student: float(total.before_penalty) for student, total in self.totals(assigned.name).items()}
        # The plugin may give a share of the score: the grades have to be written before.
        penalties = []
        for row in rows:
            submission, notebook = ids[row.student]
            points = penalty(row.student, sums[row.student], late[submission]) if late[submission] else None
            penalties.append({"key": notebook, "late_submission_penalty": points})
        self._update(SUBMITTED_NOTEBOOK, penalties)

    def _rows_by_cell(self, table: sql.Table, notebooks: Mapping[str, str]) -> dict[Place, Any]:
        """Return the rows of grades or comments that these notebooks have, by notebook and cell."""
        ours = set(notebooks.values())
        rows = self.connection.execute(sql.select(table))
        return {(row.notebook_id, row.cell_id): row for row in rows if row.notebook_id in ours}

    def _write_cells(self, table: sql.Table, known: Mapping[Place, Any], values: Mapping[Place, Row]) -> None:
        """Write values by notebook and cell: over the `known` rows, or into new ones."""
        new = [
            {"id": uuid4().hex, "notebook_id": notebook, "cell_id": cell, **columns}
            for (notebook, cell), columns in values.items()
            if (notebook, cell) not in known
        ]
        changed = [{"key": known[place].id, **columns} for place, columns in values.items() if place in known]
        self._insert(table, new)
        self._update(table, changed)

    def _insert(self, table: sql.Table, rows: list[Row]) -> None:
        if rows:
            self.connection.execute(sql.insert(table), rows)

    def _update(self, table: sql.Table, rows: list[Row]) -> None:
        """Set columns of the rows whose id is `key`."""
        if rows:
            # SQLAlchemy reserves the columns' own names for itself in an update: parameters need other ones.
            names = rows[0].keys() - {"key"}
            values: dict[str, Any] = {name: sql.bindparam(f"new_{name}") for name in names}
            parameters = [{"key": row["key"], **{f"new_{name}": row[name] for name in names}} for row in rows]
            statement = sql.update(table).where(table.c.id == sql.bindparam("key")).values(values)
            self.connection.execute(statement, parameters)


def _seconds_late(submitted_at: datetime | None, extension: timedelta | None, due: datetime | None) -> float:
    if submitted_at is None or due is None:
        return 0.0
    return max(0.0, (submitted_at - due - (extension or timedelta())).total_seconds())


def default_url(root: Path) -> str:
    """Return the URL of nbgrader's usual gradebook of a course."""
    return f"sqlite:///{(root / 'gradebook.db').absolute()}"


@contextmanager
def open_gradebook(url: str, root: Path, dry_run: bool = False) -> Iterator[GradebookSession]:
    """Open the gradebook at a SQLAlchemy URL, and commit at the end; a `dry_run` takes everything back instead.

    Raises GradebookError; then nothing is written.
    """
    try:
        address = sql.make_url(url)
        file = address.database or ""
        if address.get_backend_name() == "sqlite" and file not in ("", ":memory:"):
            # A relative path starts at the course. SQLite would create a missing file, and fail later without tables.
            if not (root / file).is_file():
                raise GradebookError(f"There is no gradebook {root / file}: run `autograder release EXERCISE`.")
            address = address.set(database=str(root / file))
        engine = sql.create_engine(address)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise GradebookError(f"{url} is not the address of a database that can be used here: {error}.") from None
    try:
        with engine.begin() as connection:
            yield GradebookSession(connection)
            if dry_run:
                connection.rollback()
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        raise GradebookError(f"The gradebook {address} cannot be used: {reason}.") from None
    finally:
        engine.dispose()


def part_of_grade(grade: Any) -> Part:
    """Return what one cell counts: a grade of nbgrader's, or a row with the same columns.

    An automatic score counts even if work that cannot be read waits for a second look; a written answer waits for
    points by hand.
    """
    is_check = grade.name.startswith(CHECK_CELL_PREFIX)
    waits = bool(grade.needs_manual_grade) and not is_check
    scores = (grade.auto_score, grade.manual_score, grade.extra_credit)
    return cell_part(grade.name.removeprefix(CHECK_CELL_PREFIX), grade.max_score, *scores, waits)


def kept_score(report: Report, totals: Mapping[str, Total]) -> str:
    """Return a sentence if a student's score stays since the grader failed; empty if the report is to be written."""
    if report.status != "grader_error" or report.submission not in totals:
        return ""
    reasons = " ".join(note.text for note in report.notes if note.audience == "instructor")
    return f"the grader failed, so the {totals[report.submission].so_far:f} points from before stay. {reasons}"


def describe_changes(before: Mapping[str, Total], after: Mapping[str, Total], graded: Collection[str]) -> list[str]:
    """Return a sentence for each of the `graded` students with another total than before, then their number.

    Empty if nobody was graded before.
    """
    regraded = sorted(student for student in graded if student in before and student in after)
    lines = [describe_change(one_line(student, 80), before[student], after[student]) for student in regraded]
    changed = [line for line in lines if line]
    return [*changed, f"Graded again: {len(regraded)}; changed: {len(changed)}."] if regraded else []
