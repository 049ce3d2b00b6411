"""nbgrader's gradebook -> files that Canvas and Moodle import: `nbgrader export --exporter=autograder.nbgrader.NAME`.

Everybody in the gradebook has a line. Students who are excused, who handed in nothing, or whose work waits for a person
can be told apart, and none of them has a 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin
from traitlets import Dict, Enum, List, Unicode

from autograder.formats import csv_table
from autograder.formats.csv_table import CellValue
from autograder.formats.fields import to_decimal
from autograder.formats.lms import canvas, moodle
from autograder.formats.totals import EXCUSED, MISSING, NO_POINTS, Part, State, Total, add_up
from autograder.nbgrader.autograding.cell_outputs import CHECK_CELL_PREFIX, METADATA_KEY
from autograder.nbgrader.gradebook.session import part_of_grade
from autograder.submission.sanitize import join_names

GRADE_STATES: tuple[State, ...] = ("graded", "ungraded", "missing", "excused")
PENALTY_COLUMN = "late penalty"


@dataclass(frozen=True)
class ScorePart:
    """The points in one column, None if a person has yet to give them, and the maximum."""

    points: Decimal | None
    max_points: Decimal


@dataclass(frozen=True)
class AssignmentScore:
    """The points of one student for one assignment: their total, and the parts by column."""

    total: Total
    parts: Mapping[str, ScorePart] = field(default_factory=dict)


@dataclass(frozen=True)
class ExportColumn:
    """A column: its assignment, the part of the assignment (empty for the whole), and the maximum."""

    assignment: str
    part: str
    max_points: Decimal


@dataclass(frozen=True)
class ExportTable:
    """Everything that is exported: nbgrader's students, the columns, and scores by assignment and student."""

    students: Sequence[Any]
    columns: Sequence[ExportColumn]
    scores: Mapping[tuple[str, str], AssignmentScore]


class Exporter(ExportPlugin):  # type: ignore[misc]  # nbgrader carries no types
    """The common part of both exporters: whose points, and in which columns."""

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
        """Write the file. If there is nothing to export, exit with a message."""
        names, students = [str(name) for name in self.assignment], [str(student) for student in self.student]
        assignments = [assignment for assignment in gradebook.assignments if not names or assignment.name in names]
        if not assignments:
            requested = ", ".join(names) or "yet"
            self.parent.fail("The gradebook holds no assignment %s: run `autograder release EXERCISE`.", requested)
        selected = [student for student in gradebook.students if not students or student.id in students]
        table = self._build_table(gradebook, assignments, selected)
        for assignment in assignments:
            self._log_states(assignment.name, table)
        path = Path(self.to or self.default_file)
        path.write_text(self.to_csv(table), encoding="utf-8", newline="")
        self.log.info("Written to %s", path)

    def to_csv(self, table: ExportTable) -> str:
        """Return the text of the file."""
        raise NotImplementedError

    def column_title(self, column: ExportColumn) -> str:
        """Return the heading of a column."""
        name = column.assignment
        return f"{name} {column.part}" if column.part else str(self.titles.get(name, name))

    def _build_table(self, gradebook: Any, assignments: Sequence[Any], students: Sequence[Any]) -> ExportTable:
        columns: list[ExportColumn] = []
        scores: dict[tuple[str, str], AssignmentScore] = {}
        for assignment in assignments:
            by_student = {student.id: self._score(gradebook, assignment.name, student.id) for student in students}
            columns += self._columns(assignment, by_student.values())
            scores |= {(assignment.name, student): score for student, score in by_student.items()}
        return ExportTable(students, columns, scores)

    def _log_states(self, assignment: str, table: ExportTable) -> None:
        for state in GRADE_STATES:
            scores = {student: score for (name, student), score in table.scores.items() if name == assignment}
            students = sorted(student for student, score in scores.items() if score.total.state == state)
            listed = f": {join_names(students, len(students))}" if students and state != "graded" else ""
            self.log.info("%s: %d %s%s", assignment, len(students), state, listed)

    def _columns(self, assignment: Any, scores: Iterable[AssignmentScore]) -> list[ExportColumn]:
        """Return the columns of an assignment: the parts that anybody has, with the largest maximum."""
        # Work that was graded before the rubric changed may have other checks and maxima.
        max_points: dict[str, Decimal] = {"": to_decimal(assignment.max_score)} if self.columns == "assignment" else {}
        for name, part in (item for score in scores for item in score.parts.items()):
            max_points[name] = max(max_points.get(name, NO_POINTS), part.max_points)
        if PENALTY_COLUMN in max_points:
            max_points[PENALTY_COLUMN] = max_points.pop(PENALTY_COLUMN)  # moves it to the end
        return [ExportColumn(assignment.name, name, points) for name, points in max_points.items()]

    def _score(self, gradebook: Any, assignment: str, student: str) -> AssignmentScore:
        if student in self.excused:
            return AssignmentScore(EXCUSED)
        try:
            submission = gradebook.find_submission(assignment, student)
        except MissingEntry:
            return AssignmentScore(MISSING)
        # The gradebook has no order of cells: it comes from the notebooks, and cells that are not there go last.
        cells: dict[str, list[Any]] = {}
        for notebook in submission.notebooks:
            cells |= self._notebook_cells(assignment, student, notebook.name)
        position = {name: i for i, name in enumerate(cells)}
        grades = sorted(
            (grade for notebook in submission.notebooks for grade in notebook.grades),
            key=lambda grade: (position.get(grade.name, len(cells)), grade.name),
        )
        total = add_up(map(part_of_grade, grades), submission.late_submission_penalty)
        return AssignmentScore(total, dict(self._parts(total, grades, cells)))

    def _parts(
        self, total: Total, grades: Sequence[Any], cells: Mapping[str, Sequence[Any]]
    ) -> Iterator[tuple[str, ScorePart]]:
        if self.columns == "assignment":
            yield "", ScorePart(total.points, total.max_points)
            return
        for grade, part in zip(grades, total.parts, strict=True):
            if self.columns == "check" and grade.name.startswith(CHECK_CELL_PREFIX):
                yield from _check_parts(part, cells.get(grade.name, ()))
            else:
                yield part.name, ScorePart(part.points, part.max_points)
        # The parts add up to the total, so what is taken off for late work is a part of its own.
        if taken_off := total.before_penalty - total.so_far:
            yield PENALTY_COLUMN, ScorePart(-taken_off, NO_POINTS)

    def _notebook_cells(self, assignment: str, student: str, name: str) -> dict[str, list[Any]]:
        """Return the grade cells of an autograded notebook in order, each with the checks that its outputs describe."""
        directory = self.parent.coursedir
        folder = directory.format_path(directory.autograded_directory, student, assignment)
        checks: dict[str, list[Any]] = {}
        try:
            notebook = json.loads(Path(folder, f"{name}.ipynb").read_text(encoding="utf-8"))
            for cell in notebook["cells"]:
                if cell["metadata"].get("nbgrader", {}).get("grade"):
                    outputs = [output.get("metadata", {}) for output in cell.get("outputs", ())]
                    described = [metadata[METADATA_KEY] for metadata in outputs if METADATA_KEY in metadata]
                    # Earlier versions made an output for each check.
                    lists = (description.get("checks", [description]) for description in described)
                    checks[cell["metadata"]["nbgrader"]["grade_id"]] = [*chain.from_iterable(lists)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}
        return checks


class CanvasExporter(Exporter):
    """For Canvas's import of grades: EX for an excused student, an empty cell for missing work, a dash for ungraded."""

    default_file = "canvas.csv"

    def to_csv(self, table: ExportTable) -> str:
        """Return a line for each student, below a line of the maximum points."""
        maxima = (column.max_points for column in table.columns)
        rows: list[list[CellValue]] = [["    Points Possible", "", "", "", "", *maxima]]
        for student in table.students:
            name = _student_name(student, ", ", student.last_name, student.first_name)
            points = [_canvas_cell(table.scores[column.assignment, student.id], column) for column in table.columns]
            rows.append([name, student.lms_user_id or "", "", student.id, "", *points])
        return csv_table.to_csv([*canvas.COLUMNS, *map(self.column_title, table.columns)], rows)


class MoodleExporter(Exporter):
    """For Moodle's import of grades. A column that is not imported says whose work is excused, missing or ungraded."""

    default_file = "moodle.csv"

    def to_csv(self, table: ExportTable) -> str:
        """Return a line for each student; comments and states follow the points of each assignment."""
        columns: dict[str, list[ExportColumn]] = {}
        for column in table.columns:
            columns.setdefault(column.assignment, []).append(column)
        header = list(moodle.COLUMNS)
        for name in columns:
            header += [*map(self.column_title, columns[name]), f"{name} (feedback)", f"{name} (state)"]
        rows = []
        for student in table.students:
            full_name = _student_name(student, " ", student.first_name, student.last_name)
            row: list[CellValue] = [full_name, student.id, student.lms_user_id or "", student.email or ""]
            for name in columns:
                score = table.scores[name, student.id]
                comment = score.total.comment if score.total.state == "graded" else ""
                row += [*(_points_in_column(score, column) for column in columns[name]), comment, score.total.state]
            rows.append(row)
        return csv_table.to_csv(header, rows)


def _canvas_cell(score: AssignmentScore, column: ExportColumn) -> CellValue:
    return canvas.cell(score.total.state, _points_in_column(score, column))


def _points_in_column(score: AssignmentScore, column: ExportColumn) -> Decimal | None:
    """Return the points in a column; 0 for graded work without this part, such as work without a penalty."""
    if part := score.parts.get(column.part):
        return part.points
    return NO_POINTS if score.total.state == "graded" else None


def _check_parts(part: Part, checks: Sequence[Any]) -> Iterator[tuple[str, ScorePart]]:
    """Yield the checks of one function, and the points that a person added or took away."""
    for check in checks:
        yield check["id"], ScorePart(to_decimal(check["points"]), to_decimal(check["max_points"]))
    # formgrader has one score for the whole cell: what differs from the checks' sum, a person gave.
    if part.points is not None:
        by_hand = part.points - sum((to_decimal(check["points"]) for check in checks), NO_POINTS)
        if by_hand:
            yield f"{part.name} by hand", ScorePart(by_hand, NO_POINTS)


def _student_name(student: Any, separator: str, *names: str | None) -> str:
    return separator.join(filter(None, names)) or str(student.id)
