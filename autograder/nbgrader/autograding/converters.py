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
from autograder.nbgrader.autograding.grader_client import GraderClient, GraderUnavailable
from autograder.nbgrader.gradebook import session
from autograder.nbgrader.gradebook.session import GradebookError
from autograder.nbgrader.intake import normalize, timestamps
from autograder.nbgrader.intake.attachments import copy_attachments
from autograder.release.build import ReleaseError
from autograder.release.install import build_source, record_manifest
from autograder.submission import safe_files


def _shared_sql_engine() -> AbstractContextManager[None]:
    """While this lasts, SQL is compiled once: nbgrader opens the gradebook nine times for each submission."""
    patch: AbstractContextManager[None] = temp_attrs(
        nbgrader.api, create_engine=functools.cache(nbgrader.api.create_engine)
    )
    return patch


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
        with self._log_errors():
            self._prepare()
            grader_client = GraderClient(
                self._course.root, self._exercise.name, self._exercise.max_score, self.log.warning
            )
            with (
                grader_client as self._grader_client,
                tempfile.TemporaryDirectory(prefix="intake-") as folder,
                temp_attrs(self.coursedir, submitted_directory=folder),
                _shared_sql_engine(),
                warnings.catch_warnings(action="ignore", category=SAWarning),  # of how nbgrader itself uses it
            ):
                super().start()

    def _prepare(self) -> None:
        name = self.coursedir.assignment_id
        self._submitted_directory = self.coursedir.submitted_directory
        self._course = find_course(Path(self.coursedir.root))
        self._exercise = load_exercise(self._course.exercise_folder(name))
        self._released_files = released_files(self._exercise)
        folder = self.coursedir.format_path(self.coursedir.release_directory, ".", name)
        self._release = normalize.load_release(Path(folder))
        self._placeholder_students: set[str] = set()
        self._reports: dict[str, Report] = {}
        with session.open_gradebook(self.coursedir.db_url, Path(self.coursedir.root)) as book:
            book.check_rubric(self._exercise)
            self._scores_before = book.scores(name)

    @contextmanager
    def _log_errors(self) -> Iterator[None]:
        try:
            yield
        except (CourseError, ExerciseError, GraderUnavailable, GradebookError, normalize.ReleaseNotFound) as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from None
        finally:
            self._log_score_changes()

    def _log_score_changes(self) -> None:
        if not getattr(self, "_reports", None):
            return
        with session.open_gradebook(self.coursedir.db_url, Path(self.coursedir.root)) as book:
            after = book.scores(self._exercise.name)
        for line in session.describe_changes(self._scores_before, after, self._reports):
            self.log.warning("%s", line)

    def init_notebooks(self) -> None:
        """List who handed in something, be it a notebook or not; the timestamps tell nbgrader what is new."""
        name = self._exercise.name
        if not fnmatch(name, self.coursedir.notebook_id):
            super().init_notebooks()
            return
        pattern = self.coursedir.format_path(self._submitted_directory, self.coursedir.student_id, name)
        self.assignments = {}
        for match in sorted(glob(pattern)):  # noqa: PTH207 - nbgrader's patterns are texts
            folder = Path(match)
            student = folder.parent.name
            if not folder.is_dir():
                continue
            target = Path(self._format_source(name, student))
            target.mkdir(parents=True)
            self._copy_timestamp(folder, target)
            self.assignments[str(target)] = [str(target / f"{name}.ipynb")]
        if not self.assignments:
            self.log.error("There is nothing in %s: collect the submissions first.", pattern)
            raise NbGraderException(f"No submissions were matched by {pattern}")

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Take the submission in, then let nbgrader copy it and note it in the gradebook."""
        folder = self.submission_folder(student_id)
        normalized = normalize.normalize_submission(folder, assignment_id, self._released_files, self._release)
        target = Path(self._format_source(assignment_id, student_id))
        self._write_notebook(normalized, target, student_id)
        copy_attachments(folder, target)
        super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Grade one; where nbgrader cannot take its notebook, grade the release's with the reason, by hand."""
        try:
            super().convert_single_notebook(notebook_filename)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission its picture only
            target = Path(notebook_filename).parent
            self._write_notebook(normalize.placeholder_notebook(self._release, error), target, target.parent.name)
            super().convert_single_notebook(notebook_filename)

    def report_for(self, student: str) -> Report:
        """The verdict on one student's submission."""
        if student not in self._reports:
            self._reports[student] = self._grader_client.grade(self.submission_folder(student), student)
        return self._reports[student]

    def submission_folder(self, student: str) -> Path:
        """Where a student's submission lies."""
        return Path(self.coursedir.format_path(self._submitted_directory, student, self._exercise.name))

    def needs_manual_grade(self, student: str) -> bool:
        """Whether a person has to look at all of it: it cannot be graded, or not be shown."""
        return not is_gradable(self.report_for(student)) or student in self._placeholder_students

    def _write_notebook(self, taken: normalize.NormalizedNotebook, here: Path, student: str) -> None:
        if taken.is_placeholder:
            self._placeholder_students.add(student)
        if said := normalize.instructor_message(student, taken):
            self.log.warning("%s", said)
        (here / f"{self._exercise.name}.ipynb").write_text(json.dumps(taken.notebook), encoding="utf-8")

    def _copy_timestamp(self, folder: Path, target: Path) -> None:
        """Copy the time that nbgrader reads, if it is one: at anything else it would stop."""
        try:
            if timestamps.read_timestamp(folder):
                (target / timestamps.TIMESTAMP_FILE).write_bytes(
                    safe_files.read_regular(folder / timestamps.TIMESTAMP_FILE)
                )
        except (timestamps.InvalidTimestamp, safe_files.UnreadableFileError) as error:
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
        record_manifest(folder, built.student_files)
