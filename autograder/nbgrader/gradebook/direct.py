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
from autograder.nbgrader.autograding.cell_outputs import CHECK, is_gradable, outputs_of, points_for
from autograder.nbgrader.config import SOURCE
from autograder.nbgrader.gradebook import session
from autograder.nbgrader.gradebook.late_penalty import LatePenalties
from autograder.nbgrader.gradebook.session import GradebookError, Graded
from autograder.nbgrader.gradebook.settings import Settings, read_settings
from autograder.nbgrader.intake import normalize, timestamps
from autograder.nbgrader.intake.attachments import copy_files

STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"
READ_ONLY = 0o444  # as nbgrader leaves what it autograded


NotReady = (GradebookError, normalize.NoRelease)
"""What a recorder raises: one sentence that says what is wrong and what to do."""


@dataclass(frozen=True)
class Recorder:
    """Where the reports of one exercise go. `warn` is told in a sentence of what was not as it should be."""

    course: Course
    exercise: Exercise
    settings: Settings
    url: str
    release: normalize.Notebook
    warn: Callable[[str], None]

    def record(self, graded: Iterable[tuple[str, Path, Report]]) -> list[str]:
        """Write everybody's autograded notebook, then all scores at once. Returns who has other points than before.

        Raises GradebookError; then no score is written.
        """
        name = self.exercise.name
        rows = [self._write(*one) for one in graded]
        with session.opened(self.url, self.course.root) as book:
            before = book.scores(name)
            book.write(name, rows, LatePenalties(self.settings.config, self.course.root).penalty)
            after = book.scores(name)
        return list(session.changes(before, after, [row.student for row in rows]))

    def _write(self, student: str, path: Path, report: Report) -> Graded:
        name = self.exercise.name
        taken = normalize.take_in(path, name, released_files(self.exercise), self.release)
        if said := normalize.sentence(student, taken):
            self.warn(said)
        auto = _filled(taken.notebook, self.release, report)
        folder = self.folder_of(student)
        try:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            self._copy(path, folder)
            handed_in = self._time(student, path)
            if handed_in:
                shutil.copyfile(path / timestamps.FILE, folder / timestamps.FILE)
            text = json.dumps(taken.notebook, sort_keys=True, ensure_ascii=False)  # without indent, which is slow
            (folder / f"{name}.ipynb").write_text(f"{text}\n", encoding="utf-8")
            for file in folder.rglob("*"):
                if file.is_file():
                    file.chmod(READ_ONLY)
        except OSError as error:
            raise GradebookError(f"{folder} cannot be written: {error.strerror}.") from None
        blank = frozenset(_unanswered(taken.notebook, self.release))
        return Graded(student, handed_in, auto, blank, taken.not_shown or not is_gradable(report))

    @property
    def called(self) -> str:
        """The gradebook as it may be told, without a password."""
        return make_url(self.url).render_as_string(hide_password=True)

    def folder_of(self, student: str) -> Path:
        """Where nbgrader keeps a student's autograded notebook."""
        told = self.settings.config.CourseDirectory
        structure = told.get("directory_structure") or STRUCTURE
        step = told.get("autograded_directory") or "autograded"
        inside = structure.format(nbgrader_step=step, student_id=student, assignment_id=self.exercise.name)
        return Path(self.course.root, inside)

    def _copy(self, path: Path, folder: Path) -> None:
        """The student's files, and over them those that were handed out, but for the one that is theirs to write in."""
        copy_files(path, folder)
        for file in (self.course.root / SOURCE / self.exercise.name).glob("*"):
            if file.is_file() and file.name not in (f"{self.exercise.name}.ipynb", f"{self.exercise.name}.py"):
                shutil.copyfile(file, folder / file.name)

    def _time(self, student: str, path: Path) -> datetime | None:
        try:
            return timestamps.handed_in(path) if path.is_dir() else None
        except timestamps.NoTime as error:
            self.warn(f"{student}: {error}")
            return None


def recorder(course: Course, exercise: Exercise, url: str, warn: Callable[[str], None]) -> Recorder:
    """A recorder to the gradebook at `url`, or where that is empty to the one that the course's settings name.

    Raises GradebookError where the exercise was not released there, or not as it is now.
    """
    settings = read_settings(course.root)
    url = url or settings.url
    with session.opened(url, course.root) as book:
        book.check(exercise)
    return Recorder(course, exercise, settings, url, normalize.released_in(course.assignments / exercise.name), warn)


def _filled(notebook: normalize.Notebook, release: normalize.Notebook, report: Report) -> dict[str, float | None]:
    """Write the verdict into the check cells. Returns what each grade cell has, None where a person decides."""
    handed_out = dict(_named(release))
    scores: dict[str, float | None] = {}
    for name, cell in _named(notebook):
        ours = cell["metadata"]["nbgrader"]
        if not ours["grade"]:
            continue
        if ours["solution"]:
            scores[name] = 0.0 if cell["source"] == handed_out[name]["source"] else None
            continue
        function, most = name.removeprefix(CHECK), float(ours["points"])
        first = not any(one is not None for key, one in scores.items() if key.startswith(CHECK))
        cell["outputs"] = outputs_of(report, function, most, first)
        scores[name] = points_for(report, function, most)
    return scores


def _unanswered(notebook: normalize.Notebook, release: normalize.Notebook) -> Iterator[str]:
    handed_out = dict(_named(release))
    for name, cell in _named(notebook):
        if cell["metadata"]["nbgrader"]["solution"] and cell["source"] == handed_out[name]["source"]:
            yield name


def _named(notebook: normalize.Notebook) -> Iterator[tuple[str, normalize.Cell]]:
    for cell in notebook["cells"]:
        ours: Mapping[str, object] = cell["metadata"].get("nbgrader", {})
        if ours:
            yield str(ours["grade_id"]), cell
