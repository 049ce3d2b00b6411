"""nbgrader's gradebook -> files that Canvas and Moodle import: `nbgrader export --exporter=autograder.nbgrader.NAME`.

Everybody in the gradebook has a line. Who is excused, who handed in nothing, and whose work waits for a person are told
apart, and none of them has a 0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin
from traitlets import Dict, Enum, List, Unicode

from autograder.formats import csv_table
from autograder.formats.fields import exact, points
from autograder.formats.lms import canvas, moodle
from autograder.nbgrader.autograding.cell_outputs import CHECK, MARK

State = Literal["graded", "ungraded", "missing", "excused"]
STATES: tuple[State, ...] = ("graded", "ungraded", "missing", "excused")
PENALTY = "late penalty"
NO_POINTS = Decimal(0)


@dataclass(frozen=True)
class Part:
    """The points of one column, None where a person has yet to give them, and the most that there are."""

    points: Decimal | None
    most: Decimal


@dataclass(frozen=True)
class Line:
    """What one student has for one assignment, by column, and the same in words."""

    state: State
    parts: Mapping[str, Part] = field(default_factory=dict)
    comment: str = ""


@dataclass(frozen=True)
class Column:
    """One column: its assignment, its part of that (empty for all of it), and the most points."""

    assignment: str
    part: str
    most: Decimal


@dataclass(frozen=True)
class Class:
    """All that is exported: nbgrader's students, the columns, and lines by assignment and student."""

    students: Sequence[Any]
    columns: Sequence[Column]
    lines: Mapping[tuple[str, str], Line]

    def line(self, column: Column, student: Any) -> Line:
        """Where a student's points of a column stand."""
        return self.lines[column.assignment, student.id]


class Exporter(ExportPlugin):  # type: ignore[misc]  # nbgrader carries no types
    """What both have in common: whose points, and in which columns."""

    columns = Enum(
        ("assignment", "function", "check"),
        "assignment",
        help="A column for each assignment, for each of its functions and questions, or for each check of the rubric.",
    ).tag(config=True)
    excused = List(Unicode(), help="Students who need not hand in.").tag(config=True)
    titles = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="What the column of an assignment is called where that is not its name, such as 'BPTT (1234)' in Canvas.",
    ).tag(config=True)

    file = ""

    def export(self, gradebook: Any) -> None:
        """Write the file; where there is nothing to export, say so and exit."""
        names = [str(one) for one in self.assignment]
        wanted = [str(one) for one in self.student]
        assignments = [one for one in gradebook.assignments if not names or one.name in names]
        if not assignments:
            called = ", ".join(names) or "yet"
            self.parent.fail("The gradebook holds no assignment %s: run `autograder release EXERCISE`.", called)
        students = [one for one in gradebook.students if not wanted or one.id in wanted]
        lines: dict[tuple[str, str], Line] = {}
        columns: list[Column] = []
        for assignment in assignments:
            own = {student.id: self._line(gradebook, assignment, student.id) for student in students}
            columns += self._columns(assignment, own)
            lines |= {(assignment.name, student): line for student, line in own.items()}
            for state in STATES:
                who = sorted(student for student, line in own.items() if line.state == state)
                said = f": {', '.join(who)}" if who and state != "graded" else ""
                self.log.info("%s: %d %s%s", assignment.name, len(who), state, said)
        to = Path(self.to or self.file)
        to.write_text(self.written(Class(students, columns, lines)), encoding="utf-8", newline="")
        self.log.info("Written to %s", to)

    def written(self, everybody: Class) -> str:
        """The text of the file."""
        raise NotImplementedError

    def title(self, column: Column) -> str:
        """What a column is called."""
        name = column.assignment
        return f"{name} {column.part}" if column.part else str(self.titles.get(name, name))

    def _columns(self, assignment: Any, lines: Mapping[str, Line]) -> list[Column]:
        most: dict[str, Decimal] = {"": exact(assignment.max_score)} if self.columns == "assignment" else {}
        for line in lines.values():
            for part, told in line.parts.items():
                most[part] = max(most.get(part, NO_POINTS), told.most)
        if PENALTY in most:
            most[PENALTY] = most.pop(PENALTY)  # the last one
        return [Column(assignment.name, part, worth) for part, worth in most.items()]

    def _line(self, gradebook: Any, assignment: Any, student: str) -> Line:
        if student in self.excused:
            return Line("excused")
        try:
            submission = gradebook.find_submission(assignment.name, student)
        except MissingEntry:
            return Line("missing")
        cells = self._cells(assignment.name, student)
        places = list(cells)
        grades = sorted(
            (grade for notebook in submission.notebooks for grade in notebook.grades),
            key=lambda grade: (places.index(grade.name) if grade.name in places else len(places), grade.name),
        )
        waits = any(_waits(grade) for grade in grades)
        told = "; ".join(f"{_called(grade)}: {_told(grade)}" for grade in grades)
        parts = dict(self._parts(submission, grades, cells, waits))
        return Line("ungraded" if waits else "graded", parts, told)

    def _parts(
        self, submission: Any, grades: Sequence[Any], cells: Mapping[str, Sequence[Any]], waits: bool
    ) -> Iterator[tuple[str, Part]]:
        penalty = submission.late_submission_penalty or 0.0
        if self.columns == "assignment":
            score = exact(max(0.0, submission.score - penalty))
            yield "", Part(None if waits else score, exact(submission.max_score))
            return
        for grade in grades:
            if self.columns == "check" and grade.name.startswith(CHECK):
                yield from _checks(grade, cells.get(grade.name, ()))
            else:
                yield _called(grade), Part(None if _waits(grade) else exact(grade.score), exact(grade.max_score))
        if penalty:
            yield PENALTY, Part(-exact(penalty), NO_POINTS)

    def _cells(self, assignment: str, student: str) -> dict[str, list[Any]]:
        """The grade cells of an autograded notebook in order, each with what it says of its checks."""
        directory = self.parent.coursedir
        folder = directory.format_path(directory.autograded_directory, student, assignment)
        try:
            notebook = json.loads(Path(folder, f"{assignment}.ipynb").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return {
            cell["metadata"]["nbgrader"]["grade_id"]: [
                output["metadata"][MARK] for output in cell.get("outputs", ()) if MARK in output.get("metadata", ())
            ]
            for cell in notebook["cells"]
            if cell["metadata"].get("nbgrader", {}).get("grade")
        }


class CanvasExporter(Exporter):
    """For the import of Canvas's gradebook: EX who is excused, nothing who is missing, a dash whose work waits."""

    file = "canvas.csv"

    def written(self, everybody: Class) -> str:
        """A line for each student, under the line of the most points possible."""
        most = (column.most for column in everybody.columns)
        rows: list[list[csv_table.Cell]] = [["    Points Possible", "", "", "", "", *most]]
        for one in everybody.students:
            row: list[csv_table.Cell] = [_name(one, ", ".join, last=True), one.lms_user_id or "", "", one.id, ""]
            rows.append(row + [self._cell(everybody.line(column, one), column) for column in everybody.columns])
        return csv_table.write([*canvas.COLUMNS, *map(self.title, everybody.columns)], rows)

    def _cell(self, line: Line, column: Column) -> csv_table.Cell:
        words = {"excused": "EX", "missing": None, "ungraded": csv_table.NO_GRADE, "graded": NO_POINTS}
        found = _points(line, column)
        return words[line.state] if found is None else found


class MoodleExporter(Exporter):
    """For Moodle's import of grades; a column of words says who is excused, missing or waiting, and is not imported."""

    file = "moodle.csv"

    def written(self, everybody: Class) -> str:
        """A line for each student; each assignment has a column of comments and one of states after its points."""
        names = list(dict.fromkeys(column.assignment for column in everybody.columns))
        heads, rows = list(moodle.COLUMNS), []
        for name in names:
            heads += [self.title(column) for column in everybody.columns if column.assignment == name]
            heads += [f"{name} (feedback)", f"{name} (state)"]
        for one in everybody.students:
            row: list[csv_table.Cell] = [_name(one, " ".join), one.id, one.lms_user_id or "", one.email or ""]
            for name in names:
                line = everybody.lines[name, one.id]
                row += [_points(line, column) for column in everybody.columns if column.assignment == name]
                row += [line.comment if line.state == "graded" else "", line.state]
            rows.append(row)
        return csv_table.write(heads, rows)


def _checks(grade: Any, checks: Sequence[Any]) -> Iterator[tuple[str, Part]]:
    """The checks of one function, and what a person gave or took away besides."""
    for check in checks:
        yield check["id"], Part(exact(check["points"]), exact(check["max_points"]))
    by_hand = exact(grade.score) - sum((exact(check["points"]) for check in checks), NO_POINTS)
    if by_hand and not _waits(grade):
        yield f"{_called(grade)} by hand", Part(by_hand, NO_POINTS)


def _points(line: Line, column: Column) -> Decimal | None:
    """The points in a column; 0 where a graded one has none there, such as no penalty."""
    part = line.parts.get(column.part)
    if part is None:
        return NO_POINTS if line.state == "graded" else None
    return part.points


def _waits(grade: Any) -> bool:
    """Whether a person has yet to give the points; those that a person gave stay as they are after a regrade."""
    return bool(grade.needs_manual_grade) and grade.manual_score is None


def _called(grade: Any) -> str:
    name: str = grade.name
    return name.removeprefix(CHECK)


def _told(grade: Any) -> str:
    return "waits" if _waits(grade) else f"{points(grade.score)}/{points(grade.max_score)}"


def _name(student: Any, join: Callable[[list[str]], str], last: bool = False) -> str:
    names = [student.last_name, student.first_name] if last else [student.first_name, student.last_name]
    return join([name for name in names if name]) or str(student.id)
