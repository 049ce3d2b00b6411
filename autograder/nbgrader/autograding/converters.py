"""nbgrader's own Autograde and GenerateAssignment, with what the kit does before and after them."""

from __future__ import annotations

import functools
import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from fnmatch import fnmatch
from glob import glob
from pathlib import Path

import nbgrader.api
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generateassignmentapp
from nbgrader.converters import Autograde, GenerateAssignment, NbGraderException
from nbgrader.utils import temp_attrs
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from autograder.course import CourseError, find_course
from autograder.evaluation.report import Report
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.grading import released_files
from autograder.nbgrader.autograding.cell_outputs import is_gradable
from autograder.nbgrader.autograding.grader_client import Marker, NoMarker
from autograder.nbgrader.gradebook import session
from autograder.nbgrader.gradebook.session import GradebookError
from autograder.nbgrader.intake import normalize, timestamps
from autograder.nbgrader.intake.attachments import copy_files
from autograder.release.build import ReleaseError, build_source, note_built
from autograder.submission import safe_files


def _one_engine() -> AbstractContextManager[None]:
    """While this lasts, SQL is compiled once: nbgrader opens the gradebook nine times for each submission."""
    once: AbstractContextManager[None] = temp_attrs(
        nbgrader.api, create_engine=functools.cache(nbgrader.api.create_engine)
    )
    return once


def install() -> None:
    """Put these in the places where nbgrader's commands and its formgrader look for its own."""
    for module, name, converter in (
        (nbgrader.apps.autogradeapp, "Autograde", KitAutograde),
        (nbgrader.apps.api, "Autograde", KitAutograde),
        (nbgrader.apps.generateassignmentapp, "GenerateAssignment", KitGenerateAssignment),
        (nbgrader.apps.api, "GenerateAssignment", KitGenerateAssignment),
    ):
        setattr(module, name, converter)


class KitAutograde(Autograde):  # type: ignore[misc]  # nbgrader carries no types
    """Autograde on notebooks that were taken in: whatever a student handed in, there is one that nbgrader can read.

    They lie in a folder of their own for as long as the command runs; nothing in submitted/ is touched.
    """

    def start(self) -> None:
        """Grade those that are matched and not graded yet. Raises NbGraderException, after a sentence in the log."""
        with self._told():
            self._open()
            marker = Marker(self._course.root, self._exercise.name, self._exercise.max_score, self.log.warning)
            with (
                marker as self._marker,
                tempfile.TemporaryDirectory(prefix="intake-") as folder,
                temp_attrs(self.coursedir, submitted_directory=folder),
                _one_engine(),
                warnings.catch_warnings(action="ignore", category=SAWarning),  # of how nbgrader itself uses it
            ):
                super().start()

    def _open(self) -> None:
        name = self.coursedir.assignment_id
        self._submitted = self.coursedir.submitted_directory
        self._course = find_course(Path(self.coursedir.root))
        self._exercise = load_exercise(self._course.exercise_folder(name))
        self._released = released_files(self._exercise)
        folder = self.coursedir.format_path(self.coursedir.release_directory, ".", name)
        self._release = normalize.released_in(Path(folder))
        self._not_shown: set[str] = set()
        self._reports: dict[str, Report] = {}
        with session.opened(self.coursedir.db_url, Path(self.coursedir.root)) as book:
            book.check(self._exercise)
            self._before = book.scores(name)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (CourseError, ExerciseError, NoMarker, GradebookError, normalize.NoRelease) as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from None
        finally:
            self._tell_changes()

    def _tell_changes(self) -> None:
        if not getattr(self, "_reports", None):
            return
        with session.opened(self.coursedir.db_url, Path(self.coursedir.root)) as book:
            after = book.scores(self._exercise.name)
        for line in session.changes(self._before, after, self._reports):
            self.log.warning("%s", line)

    def init_notebooks(self) -> None:
        """List who handed in something, be it a notebook or not; the timestamps tell nbgrader what is new."""
        name = self._exercise.name
        if not fnmatch(name, self.coursedir.notebook_id):
            super().init_notebooks()
            return
        pattern = self.coursedir.format_path(self._submitted, self.coursedir.student_id, name)
        self.assignments = {}
        for found in sorted(glob(pattern)):  # noqa: PTH207 - nbgrader's patterns are texts
            folder = Path(found)
            student = folder.parent.name
            if not folder.is_dir():
                continue
            here = Path(self._format_source(name, student))
            here.mkdir(parents=True)
            self._copy_timestamp(folder, here)
            self.assignments[str(here)] = [str(here / f"{name}.ipynb")]
        if not self.assignments:
            self.log.error("There is nothing in %s: collect the submissions first.", pattern)
            raise NbGraderException(f"No submissions were matched by {pattern}")

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Take the submission in, then let nbgrader copy it and note it in the gradebook."""
        folder = self.folder_of(student_id)
        taken = normalize.take_in(folder, assignment_id, self._released, self._release)
        here = Path(self._format_source(assignment_id, student_id))
        self._write(taken, here, student_id)
        copy_files(folder, here)
        super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Grade one; where nbgrader cannot take its notebook, grade the release's with the reason, by hand."""
        try:
            super().convert_single_notebook(notebook_filename)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission its picture only
            here = Path(notebook_filename).parent
            self._write(normalize.not_shown(self._release, error), here, here.parent.name)
            super().convert_single_notebook(notebook_filename)

    def report_of(self, student: str) -> Report:
        """The verdict on one student's submission."""
        if student not in self._reports:
            self._reports[student] = self._marker.grade(self.folder_of(student), student)
        return self._reports[student]

    def folder_of(self, student: str) -> Path:
        """Where a student's submission lies."""
        return Path(self.coursedir.format_path(self._submitted, student, self._exercise.name))

    def waits(self, student: str) -> bool:
        """Whether a person has to look at all of it: it cannot be graded, or not be shown."""
        return not is_gradable(self.report_of(student)) or student in self._not_shown

    def _write(self, taken: normalize.Taken, here: Path, student: str) -> None:
        if taken.not_shown:
            self._not_shown.add(student)
        if said := normalize.sentence(student, taken):
            self.log.warning("%s", said)
        (here / f"{self._exercise.name}.ipynb").write_text(json.dumps(taken.notebook), encoding="utf-8")

    def _copy_timestamp(self, folder: Path, here: Path) -> None:
        """Copy the time that nbgrader reads, if it is one: at anything else it would stop."""
        try:
            if timestamps.handed_in(folder):
                (here / timestamps.FILE).write_bytes(safe_files.content(folder / timestamps.FILE))
        except (timestamps.NoTime, safe_files.Unreadable) as error:
            self.log.warning("%s: %s", folder.parent.name, error)


class KitGenerateAssignment(GenerateAssignment):  # type: ignore[misc]  # untyped base
    """GenerateAssignment from the exercise's own source: nbgrader's is built of it anew, unless it was edited."""

    def start(self) -> None:
        """Build nbgrader's source, then let it generate. Raises NbGraderException, after a sentence in the log."""
        name = self.coursedir.assignment_id
        source, folder = (
            Path(self.coursedir.format_path(directory, ".", name))
            for directory in (self.coursedir.source_directory, self.coursedir.release_directory)
        )
        try:
            course = find_course(Path(self.coursedir.root))
            built = build_source(load_exercise(course.exercise_folder(name)), folder, source)
        except (CourseError, ExerciseError, ReleaseError) as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from None
        super().start()
        note_built(folder, built.released)
