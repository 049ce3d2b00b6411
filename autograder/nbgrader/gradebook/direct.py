"""Reports of a class -> nbgrader's gradebook and its autograded notebooks, as `nbgrader autograde` would leave them.

formgrader, feedback and export go on from there. Everything is written over one connection. nbgrader itself is
imported only for late penalties, if they are set and somebody is late.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from autograder.course import Course
from autograder.evaluation.report import Report
from autograder.exercise.model import Exercise
from autograder.formats.totals import Total, with_excused
from autograder.grading import released_files
from autograder.nbgrader.autograding.cell_outputs import fill_check_cells, is_gradable
from autograder.nbgrader.gradebook import session
from autograder.nbgrader.gradebook.session import GradebookError, GradeRow
from autograder.nbgrader.gradebook.settings import EVERYBODY, Settings, read_settings
from autograder.nbgrader.intake import normalize
from autograder.nbgrader.intake.attachments import copy_attachments, files_of_nbgrader
from autograder.nbgrader.intake.notebooks import CellDict, NotebookDict, named_cells
from autograder.nbgrader.intake.student_names import name_problem
from autograder.nbgrader.intake.timestamps import TIMESTAMP_FILE, InvalidTimestamp, format_timestamp, read_timestamp
from autograder.submission.sanitize import one_line

READ_ONLY_MODE = 0o444  # as nbgrader leaves what it autograded

RECORDER_ERRORS = (GradebookError, normalize.ReleaseNotFound)
"""What a recorder raises: one sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class Recorder:
    """Records the reports of one exercise. Calls `warn` with one sentence per non-fatal problem."""

    course: Course
    exercise: Exercise
    settings: Settings
    url: str
    release: NotebookDict
    warn: Callable[[str], None]

    def record(
        self, results: Iterable[tuple[str, Path, Report]], dry_run: bool = False
    ) -> tuple[list[str], dict[str, Total]]:
        """Write everybody's autograded notebook, then all scores at once.

        Returns a line for each student with other points than before, and everybody's totals. A `dry_run` returns the
        same and writes nothing. Where the grader failed, what stands in the gradebook stays. Raises GradebookError;
        then no score is written.
        """
        with session.open_gradebook(self.url, self.course.root) as gradebook:
            before = gradebook.totals(self.assignment)
        # Notebooks first: if one of them cannot be written, the gradebook stays as it was.
        kept = (result for result in results if self._can_be_kept(result[0], result[2], before))
        rows = [self._write_notebook(*result, dry_run) for result in kept]
        with session.open_gradebook(self.url, self.course.root, dry_run) as gradebook:
            gradebook.write(self.assignment, self.exercise.name, rows, self._penalty)
            after = gradebook.totals(self.assignment)
        changes = session.describe_changes(before, after, [row.student for row in rows])
        return changes, with_excused(after, self.settings.excused)

    @property
    def assignment(self) -> str:
        """The name of the exercise in the gradebook and in nbgrader's folders."""
        return self.course.assignment_of(self.exercise.name)

    @property
    def display_url(self) -> str:
        """The gradebook's URL without its password."""
        return make_url(self.url).render_as_string(hide_password=True)

    def _penalty(self, student: str, score: float, seconds_late: float) -> float | None:
        """Return the points that the course takes off for being late; None within the grace, which is on time."""
        is_late = seconds_late > self.course.policy_of(self.exercise.name).grace_seconds
        return self.settings.late_penalty(student, score, seconds_late) if is_late else None

    def _can_be_kept(self, student: str, report: Report, totals: Mapping[str, Total]) -> bool:
        if problem := name_problem(student):
            self.warn(f"{one_line(student, 80)} is not in the gradebook: {problem}.")
        elif problem := session.kept_score(report, totals):
            self.warn(f"{one_line(student, 80)}: {problem}")
        return not problem

    def _write_notebook(self, student: str, path: Path, report: Report, dry_run: bool) -> GradeRow:
        """Write a student's autograded notebook, unless it is a dry run, and return the grades."""
        name = self.exercise.name
        released = released_files(self.exercise, self.course.limits)
        normalized = normalize.normalize_submission(path, name, released, self.release)
        if message := normalize.instructor_message(one_line(student, 80), normalized):
            self.warn(message)
        notebook = normalized.notebook
        scores: dict[str, float | None] = dict(fill_check_cells(notebook["cells"], report))
        if report.status == "grader_error":  # no verdict, so no points, not even 0
            scores = dict.fromkeys(scores)
        question_scores, unanswered = _grade_answers(named_cells(notebook), named_cells(self.release))
        submitted_at = self._submission_time(student, path)
        if not dry_run:
            self._replace_folder(student, path, notebook, submitted_at)
        needs_manual_grade = normalized.is_placeholder or not is_gradable(report)
        return GradeRow(student, submitted_at, {**scores, **question_scores}, unanswered, needs_manual_grade)

    def _replace_folder(self, student: str, path: Path, notebook: NotebookDict, submitted_at: datetime | None) -> None:
        """Write a student's autograded folder anew. Raises GradebookError."""
        folder = self.settings.folder("autograded", student, self.assignment)
        try:
            # Nothing of an earlier submission may stay: its files would be taken for this one's.
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            self._copy_files(student, path, folder)
            if submitted_at:
                (folder / TIMESTAMP_FILE).write_bytes(format_timestamp(submitted_at))
            text = json.dumps(notebook, sort_keys=True, ensure_ascii=False)  # without indent, which is slow
            (folder / f"{self.exercise.name}.ipynb").write_text(f"{text}\n", encoding="utf-8")
            for file in filter(Path.is_file, folder.rglob("*")):
                file.chmod(READ_ONLY_MODE)
        except OSError as error:
            raise GradebookError(f"{folder} cannot be written: {error.strerror}.") from None

    def _copy_files(self, student: str, path: Path, folder: Path) -> None:
        """Copy the student's files, then the released ones, except for the notebook and the script."""
        name = self.exercise.name
        source = self.settings.folder("source", EVERYBODY, self.assignment)
        released = [file for file in source.glob("*") if file.is_file()]
        released = [file for file in released if file.name not in (f"{name}.ipynb", f"{name}.py")]
        if message := copy_attachments(path, folder, files_of_nbgrader(name, [file.name for file in released])):
            self.warn(f"{one_line(student, 80)}: {message}")
        for file in released:
            shutil.copyfile(file, folder / file.name)

    def _submission_time(self, student: str, path: Path) -> datetime | None:
        try:
            return read_timestamp(path) if path.is_dir() else None
        except InvalidTimestamp as error:
            self.warn(f"{one_line(student, 80)}: {error}")
            return None


def open_recorder(course: Course, exercise: Exercise, url: str, warn: Callable[[str], None]) -> Recorder:
    """Return a recorder for the gradebook at `url`; if that is empty, for the one that the course's settings name.

    Raises GradebookError if the exercise was not released there, or has changed since; ReleaseNotFound.
    """
    settings = read_settings(course.root)
    url = url or settings.url
    with session.open_gradebook(url, course.root) as gradebook:
        gradebook.check_rubric(exercise, course.assignment_of(exercise.name))
    release = normalize.load_release(course.assignments / course.assignment_of(exercise.name), exercise.name)
    return Recorder(course, exercise, settings, url, release, warn)


def _grade_answers(
    cells: dict[str, CellDict], released: dict[str, CellDict]
) -> tuple[dict[str, float | None], frozenset[str]]:
    """Return the points of questions, None until a person gives them, and the names of unanswered cells.

    nbgrader grades alike: whatever is as it was handed out has 0 points and the comment that there is no response.
    """
    solutions = [name for name, cell in cells.items() if cell["metadata"]["nbgrader"]["solution"]]
    unanswered = frozenset(name for name in solutions if cells[name]["source"] == released[name]["source"])
    questions = [name for name in solutions if cells[name]["metadata"]["nbgrader"]["grade"]]
    return {name: 0.0 if name in unanswered else None for name in questions}, unanswered
