"""Reports of a class -> nbgrader's gradebook and its autograded notebooks, as `nbgrader autograde` would leave them.

formgrader, feedback and export go on from there. One connection for everybody, and nbgrader itself is not imported, but
for its late penalties, where somebody is late and they are set.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from autograder.course import Course
from autograder.evaluation.report import Report
from autograder.exercise.model import Exercise
from autograder.grading import released_files
from autograder.nbgrader.autograding.cell_outputs import CHECK_CELL_PREFIX, check_cell_outputs, is_gradable, points_for
from autograder.nbgrader.config import SOURCE_FOLDER
from autograder.nbgrader.gradebook import session
from autograder.nbgrader.gradebook.late_penalty import LatePenalties
from autograder.nbgrader.gradebook.session import GradebookError, GradeRow
from autograder.nbgrader.gradebook.settings import Settings, read_settings
from autograder.nbgrader.intake import normalize, timestamps
from autograder.nbgrader.intake.attachments import copy_attachments

DIRECTORY_STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"
READ_ONLY_MODE = 0o444  # as nbgrader leaves what it autograded


RECORDER_ERRORS = (GradebookError, normalize.ReleaseNotFound)
"""What a recorder raises: one sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class Recorder:
    """Where the reports of one exercise go. `warn` is told in a sentence of what was not as it should be."""

    course: Course
    exercise: Exercise
    settings: Settings
    url: str
    release: normalize.NotebookDict
    warn: Callable[[str], None]

    def record(self, results: Iterable[tuple[str, Path, Report]]) -> list[str]:
        """Write everybody's autograded notebook, then all scores at once. Returns who has other points than before.

        Raises GradebookError; then no score is written.
        """
        name = self.exercise.name
        rows = [self._write_notebook(*one) for one in results]
        with session.open_gradebook(self.url, self.course.root) as book:
            before = book.scores(name)
            book.write(name, rows, LatePenalties(self.settings.config, self.course.root).penalty)
            after = book.scores(name)
        return list(session.describe_changes(before, after, [row.student for row in rows]))

    def _write_notebook(self, student: str, path: Path, report: Report) -> GradeRow:
        name = self.exercise.name
        taken = normalize.normalize_submission(path, name, released_files(self.exercise), self.release)
        if said := normalize.instructor_message(student, taken):
            self.warn(said)
        auto = _fill_check_cells(taken.notebook, self.release, report)
        folder = self.autograded_folder(student)
        try:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            self._copy_student_files(path, folder)
            handed_in = self._submission_time(student, path)
            if handed_in:
                shutil.copyfile(path / timestamps.TIMESTAMP_FILE, folder / timestamps.TIMESTAMP_FILE)
            text = json.dumps(taken.notebook, sort_keys=True, ensure_ascii=False)  # without indent, which is slow
            (folder / f"{name}.ipynb").write_text(f"{text}\n", encoding="utf-8")
            for file in folder.rglob("*"):
                if file.is_file():
                    file.chmod(READ_ONLY_MODE)
        except OSError as error:
            raise GradebookError(f"{folder} cannot be written: {error.strerror}.") from None
        blank = frozenset(_unanswered_cells(taken.notebook, self.release))
        return GradeRow(student, handed_in, auto, blank, taken.is_placeholder or not is_gradable(report))

    @property
    def display_url(self) -> str:
        """The gradebook as it may be told, without a password."""
        return make_url(self.url).render_as_string(hide_password=True)

    def autograded_folder(self, student: str) -> Path:
        """Where nbgrader keeps a student's autograded notebook."""
        told = self.settings.config.CourseDirectory
        structure = told.get("directory_structure") or DIRECTORY_STRUCTURE
        step = told.get("autograded_directory") or "autograded"
        inside = structure.format(nbgrader_step=step, student_id=student, assignment_id=self.exercise.name)
        return Path(self.course.root, inside)

    def _copy_student_files(self, path: Path, folder: Path) -> None:
        """The student's files, and over them those that were handed out, but for the one that is theirs to write in."""
        copy_attachments(path, folder)
        for file in (self.course.root / SOURCE_FOLDER / self.exercise.name).glob("*"):
            if file.is_file() and file.name not in (f"{self.exercise.name}.ipynb", f"{self.exercise.name}.py"):
                shutil.copyfile(file, folder / file.name)

    def _submission_time(self, student: str, path: Path) -> datetime | None:
        try:
            return timestamps.read_timestamp(path) if path.is_dir() else None
        except timestamps.InvalidTimestamp as error:
            self.warn(f"{student}: {error}")
            return None


def open_recorder(course: Course, exercise: Exercise, url: str, warn: Callable[[str], None]) -> Recorder:
    """A recorder to the gradebook at `url`, or where that is empty to the one that the course's settings name.

    Raises GradebookError where the exercise was not released there, or not as it is now.
    """
    settings = read_settings(course.root)
    url = url or settings.url
    with session.open_gradebook(url, course.root) as book:
        book.check_rubric(exercise)
    return Recorder(course, exercise, settings, url, normalize.load_release(course.assignments / exercise.name), warn)


def _fill_check_cells(
    notebook: normalize.NotebookDict, release: normalize.NotebookDict, report: Report
) -> dict[str, float | None]:
    """Write the verdict into the check cells. Returns what each grade cell has, None where a person decides."""
    release_cells = dict(_nbgrader_cells(release))
    scores: dict[str, float | None] = {}
    for name, cell in _nbgrader_cells(notebook):
        cell_metadata = cell["metadata"]["nbgrader"]
        if not cell_metadata["grade"]:
            continue
        if cell_metadata["solution"]:
            scores[name] = 0.0 if cell["source"] == release_cells[name]["source"] else None
            continue
        function, max_points = name.removeprefix(CHECK_CELL_PREFIX), float(cell_metadata["points"])
        first = not any(one is not None for key, one in scores.items() if key.startswith(CHECK_CELL_PREFIX))
        cell["outputs"] = check_cell_outputs(report, function, max_points, first)
        scores[name] = points_for(report, function, max_points)
    return scores


def _unanswered_cells(notebook: normalize.NotebookDict, release: normalize.NotebookDict) -> Iterator[str]:
    release_cells = dict(_nbgrader_cells(release))
    for name, cell in _nbgrader_cells(notebook):
        if cell["metadata"]["nbgrader"]["solution"] and cell["source"] == release_cells[name]["source"]:
            yield name


def _nbgrader_cells(notebook: normalize.NotebookDict) -> Iterator[tuple[str, normalize.CellDict]]:
    for cell in notebook["cells"]:
        cell_metadata: Mapping[str, object] = cell["metadata"].get("nbgrader", {})
        if cell_metadata:
            yield str(cell_metadata["grade_id"]), cell
