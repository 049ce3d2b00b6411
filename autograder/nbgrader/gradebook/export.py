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
from autograder.formats.fields import format_points, to_decimal
from autograder.formats.lms import canvas, moodle
from autograder.nbgrader.autograding.cell_outputs import CHECK_CELL_PREFIX, METADATA_KEY

GradeState = Literal["graded", "ungraded", "missing", "excused"]
GRADE_STATES: tuple[GradeState, ...] = ("graded", "ungraded", "missing", "excused")
PENALTY_COLUMN = "late penalty"
NO_POINTS = Decimal(0)


@dataclass(frozen=True)
class ScorePart:
    """The points of one column, None where a person has yet to give them, and the most that there are."""

    points: Decimal | None
    max_points: Decimal


@dataclass(frozen=True)
class AssignmentScore:
    """What one student has for one assignment, by column, and the same in words."""

    state: GradeState
    parts: Mapping[str, ScorePart] = field(default_factory=dict)
    comment: str = ""


@dataclass(frozen=True)
class ExportColumn:
    """One column: its assignment, its part of that (empty for all of it), and the most points."""

    assignment: str
    part: str
    max_points: Decimal


@dataclass(frozen=True)
class ExportTable:
    """All that is exported: nbgrader's students, the columns, and lines by assignment and student."""

    students: Sequence[Any]
    columns: Sequence[ExportColumn]
    scores: Mapping[tuple[str, str], AssignmentScore]

    def score_for(self, column: ExportColumn, student: Any) -> AssignmentScore:
        """Where a student's points of a column stand."""
        return self.scores[column.assignment, student.id]


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

    default_file = ""

    def export(self, gradebook: Any) -> None:
        """Write the file; where there is nothing to export, say so and exit."""
        names = [str(one) for one in self.assignment]
        wanted = [str(one) for one in self.student]
        assignments = [one for one in gradebook.assignments if not names or one.name in names]
        if not assignments:
            requested = ", ".join(names) or "yet"
            self.parent.fail("The gradebook holds no assignment %s: run `autograder release EXERCISE`.", requested)
        students = [one for one in gradebook.students if not wanted or one.id in wanted]
        scores: dict[tuple[str, str], AssignmentScore] = {}
        columns: list[ExportColumn] = []
        for assignment in assignments:
            by_student = {student.id: self._score(gradebook, assignment, student.id) for student in students}
            columns += self._columns(assignment, by_student)
            scores |= {(assignment.name, student): line for student, line in by_student.items()}
            for state in GRADE_STATES:
                students_in_state = sorted(student for student, line in by_student.items() if line.state == state)
                names_suffix = f": {', '.join(students_in_state)}" if students_in_state and state != "graded" else ""
                self.log.info("%s: %d %s%s", assignment.name, len(students_in_state), state, names_suffix)
        path = Path(self.to or self.default_file)
        path.write_text(self.to_csv(ExportTable(students, columns, scores)), encoding="utf-8", newline="")
        self.log.info("Written to %s", path)

    def to_csv(self, everybody: ExportTable) -> str:
        """The text of the file."""
        raise NotImplementedError

    def column_title(self, column: ExportColumn) -> str:
        """What a column is called."""
        name = column.assignment
        return f"{name} {column.part}" if column.part else str(self.titles.get(name, name))

    def _columns(self, assignment: Any, scores: Mapping[str, AssignmentScore]) -> list[ExportColumn]:
        max_points: dict[str, Decimal] = {"": to_decimal(assignment.max_score)} if self.columns == "assignment" else {}
        for line in scores.values():
            for part, score in line.parts.items():
                max_points[part] = max(max_points.get(part, NO_POINTS), score.max_points)
        if PENALTY_COLUMN in max_points:
            max_points[PENALTY_COLUMN] = max_points.pop(PENALTY_COLUMN)  # the last one
        return [ExportColumn(assignment.name, part, worth) for part, worth in max_points.items()]

    def _score(self, gradebook: Any, assignment: Any, student: str) -> AssignmentScore:
        if student in self.excused:
            return AssignmentScore("excused")
        try:
            submission = gradebook.find_submission(assignment.name, student)
        except MissingEntry:
            return AssignmentScore("missing")
        cells = self._cells(assignment.name, student)
        places = list(cells)
        grades = sorted(
            (grade for notebook in submission.notebooks for grade in notebook.grades),
            key=lambda grade: (places.index(grade.name) if grade.name in places else len(places), grade.name),
        )
        waits = any(_needs_manual_grade(grade) for grade in grades)
        told = "; ".join(f"{_display_name(grade)}: {_describe_grade(grade)}" for grade in grades)
        parts = dict(self._parts(submission, grades, cells, waits))
        return AssignmentScore("ungraded" if waits else "graded", parts, told)

    def _parts(
        self, submission: Any, grades: Sequence[Any], cells: Mapping[str, Sequence[Any]], ungraded: bool
    ) -> Iterator[tuple[str, ScorePart]]:
        penalty = submission.late_submission_penalty or 0.0
        if self.columns == "assignment":
            score = to_decimal(max(0.0, submission.score - penalty))
            yield "", ScorePart(None if ungraded else score, to_decimal(submission.max_score))
            return
        for grade in grades:
            if self.columns == "check" and grade.name.startswith(CHECK_CELL_PREFIX):
                yield from _check_parts(grade, cells.get(grade.name, ()))
            else:
                yield (
                    _display_name(grade),
                    ScorePart(
                        None if _needs_manual_grade(grade) else to_decimal(grade.score), to_decimal(grade.max_score)
                    ),
                )
        if penalty:
            yield PENALTY_COLUMN, ScorePart(-to_decimal(penalty), NO_POINTS)

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
                output["metadata"][METADATA_KEY]
                for output in cell.get("outputs", ())
                if METADATA_KEY in output.get("metadata", ())
            ]
            for cell in notebook["cells"]
            if cell["metadata"].get("nbgrader", {}).get("grade")
        }


class CanvasExporter(Exporter):
    """For the import of Canvas's gradebook: EX who is excused, nothing who is missing, a dash whose work waits."""

    default_file = "canvas.csv"

    def to_csv(self, everybody: ExportTable) -> str:
        """A line for each student, under the line of the most points possible."""
        most = (column.max_points for column in everybody.columns)
        rows: list[list[csv_table.CellValue]] = [["    Points Possible", "", "", "", "", *most]]
        for one in everybody.students:
            row: list[csv_table.CellValue] = [
                _student_name(one, ", ".join, last=True),
                one.lms_user_id or "",
                "",
                one.id,
                "",
            ]
            rows.append(row + [self._cell(everybody.score_for(column, one), column) for column in everybody.columns])
        return csv_table.to_csv([*canvas.COLUMNS, *map(self.column_title, everybody.columns)], rows)

    def _cell(self, score: AssignmentScore, column: ExportColumn) -> csv_table.CellValue:
        placeholders = {"excused": "EX", "missing": None, "ungraded": csv_table.NO_GRADE, "graded": NO_POINTS}
        points_given = _points_in_column(score, column)
        return placeholders[score.state] if points_given is None else points_given


class MoodleExporter(Exporter):
    """For Moodle's import of grades; a column of words says who is excused, missing or waiting, and is not imported."""

    default_file = "moodle.csv"

    def to_csv(self, everybody: ExportTable) -> str:
        """A line for each student; each assignment has a column of comments and one of states after its points."""
        names = list(dict.fromkeys(column.assignment for column in everybody.columns))
        heads, rows = list(moodle.COLUMNS), []
        for name in names:
            heads += [self.column_title(column) for column in everybody.columns if column.assignment == name]
            heads += [f"{name} (feedback)", f"{name} (state)"]
        for one in everybody.students:
            row: list[csv_table.CellValue] = [
                _student_name(one, " ".join),
                one.id,
                one.lms_user_id or "",
                one.email or "",
            ]
            for name in names:
                line = everybody.scores[name, one.id]
                row += [_points_in_column(line, column) for column in everybody.columns if column.assignment == name]
                row += [line.comment if line.state == "graded" else "", line.state]
            rows.append(row)
        return csv_table.to_csv(heads, rows)


def _check_parts(grade: Any, checks: Sequence[Any]) -> Iterator[tuple[str, ScorePart]]:
    """The checks of one function, and what a person gave or took away besides."""
    for check in checks:
        yield check["id"], ScorePart(to_decimal(check["points"]), to_decimal(check["max_points"]))
    by_hand = to_decimal(grade.score) - sum((to_decimal(check["points"]) for check in checks), NO_POINTS)
    if by_hand and not _needs_manual_grade(grade):
        yield f"{_display_name(grade)} by hand", ScorePart(by_hand, NO_POINTS)


def _points_in_column(score: AssignmentScore, column: ExportColumn) -> Decimal | None:
    """The points in a column; 0 where a graded one has none there, such as no penalty."""
    part = score.parts.get(column.part)
    if part is None:
        return NO_POINTS if score.state == "graded" else None
    return part.points


def _needs_manual_grade(grade: Any) -> bool:
    """Whether a person has yet to give the points; those that a person gave stay as they are after a regrade."""
    return bool(grade.needs_manual_grade) and grade.manual_score is None


def _display_name(grade: Any) -> str:
    name: str = grade.name
    return name.removeprefix(CHECK_CELL_PREFIX)


def _describe_grade(grade: Any) -> str:
    return "waits" if _needs_manual_grade(grade) else f"{format_points(grade.score)}/{format_points(grade.max_score)}"


def _student_name(student: Any, join: Callable[[list[str]], str], last: bool = False) -> str:
    names = [student.last_name, student.first_name] if last else [student.first_name, student.last_name]
    return join([name for name in names if name]) or str(student.id)
