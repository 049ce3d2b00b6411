"""nbgrader's own Autograde and GenerateAssignment, with what this kit does for its exercises.

Both classes stand where nbgrader looks for its own, and make one of nbgrader's own for any other assignment.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import nbgrader.api
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generateassignmentapp
from nbgrader.converters import Autograde, GenerateAssignment, NbGraderException
from nbgrader.utils import temp_attrs
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from autograder.course import CourseError, read_course
from autograder.evaluation.report import Report
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.grading import released_files
from autograder.nbgrader.autograding.cell_outputs import is_gradable
from autograder.nbgrader.autograding.grader_client import GraderClient, GraderUnavailable
from autograder.nbgrader.exercises import is_exercise
from autograder.nbgrader.gradebook import session
from autograder.nbgrader.gradebook.registration import register_assignment
from autograder.nbgrader.gradebook.session import GradebookError
from autograder.nbgrader.intake import normalize
from autograder.nbgrader.intake.attachments import copy_attachments, files_of_nbgrader
from autograder.nbgrader.intake.student_names import matching_folders, name_problem
from autograder.nbgrader.intake.timestamps import TIMESTAMP_FILE, InvalidTimestamp, format_timestamp, read_timestamp
from autograder.release.build import ReleaseError, ReleaseFiles
from autograder.release.install import release_exercise
from autograder.submission.sanitize import one_line

PREPROCESSORS = (
    # in place of nbgrader's Execute, which runs a kernel
    "autograder.nbgrader.autograding.preprocessors.RunExternalGrader",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "autograder.nbgrader.autograding.preprocessors.RequireManualGrading",
    "autograder.nbgrader.autograding.preprocessors.AssignPenaltiesAfterGrace",
    # and no second CheckCellMetadata: nothing here changes metadata
)


def install() -> None:
    """Replace nbgrader's converters by ours where its commands and its formgrader look for them."""
    nbgrader.apps.autogradeapp.Autograde = nbgrader.apps.api.Autograde = KitAutograde
    nbgrader.apps.generateassignmentapp.GenerateAssignment = KitGenerateAssignment
    nbgrader.apps.api.GenerateAssignment = KitGenerateAssignment


class KitAutograde(Autograde):  # type: ignore[misc]  # nbgrader carries no types
    """Autograde with this engine: submissions are normalized on their way in, and one process grades them all."""

    def __new__(cls, coursedir: Any = None, **settings: Any) -> Any:
        """Return a converter for an exercise, and nbgrader's own for any other assignment."""
        return super().__new__(cls) if is_exercise(coursedir) else Autograde(coursedir=coursedir, **settings)

    def start(self) -> None:
        """Grade the matching submissions that are not graded yet. Raises NbGraderException, after a line in the log."""
        self._reports: dict[str, Report] = {}
        self._placeholder_students: set[str] = set()
        self._number = 0  # of the submission that is graded now
        with self._log_errors():
            self._prepare()
            with (
                GraderClient(self._course.root, self._exercise, self.log.warning) as self._grader_client,
                tempfile.TemporaryDirectory(prefix="intake-") as folder,
                # nbgrader reads the normalized notebooks; nothing in submitted/ is touched
                temp_attrs(self.coursedir, submitted_directory=folder),
                # nbgrader opens the gradebook nine times for each submission: with one engine, SQL is compiled once
                temp_attrs(nbgrader.api, create_engine=functools.cache(nbgrader.api.create_engine)),
                warnings.catch_warnings(action="ignore", category=SAWarning),  # about nbgrader's own queries
            ):
                super().start()

    def _prepare(self) -> None:
        assignment = self.coursedir.assignment_id
        self._submitted_directory = self.coursedir.submitted_directory
        self._course = read_course(Path(self.coursedir.root))
        folder = self._course.exercise_folder(assignment)
        self._exercise = load_exercise(folder, written_questions=self._course.written_questions)
        # Whatever the settings say of other assignments: no kernel runs these, and a student's script stays.
        self.autograde_preprocessors = list(PREPROCESSORS)
        self.exclude_overwriting = {assignment: [f"{self._exercise.name}.py"]}
        self._released_files = released_files(self._exercise, self._course.limits)
        self.grace_seconds = self._course.policy_of(self._exercise.name).grace_seconds
        folder = self.coursedir.format_path(self.coursedir.release_directory, ".", assignment)
        self._release = normalize.load_release(Path(folder), self._exercise.name)
        with self._open_gradebook() as gradebook:
            gradebook.check_rubric(self._exercise, assignment)
            self._totals_before = gradebook.totals(assignment)

    def _open_gradebook(self) -> AbstractContextManager[session.GradebookSession]:
        return session.open_gradebook(self.coursedir.db_url, Path(self.coursedir.root))

    @contextmanager
    def _log_errors(self) -> Iterator[None]:
        """Log errors as sentences, and in any case who has other points than before."""
        try:
            yield
        except (CourseError, ExerciseError, GraderUnavailable, GradebookError, normalize.ReleaseNotFound) as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from None
        finally:
            if self._reports:
                with self._open_gradebook() as gradebook:
                    totals = gradebook.totals(self.coursedir.assignment_id)
                *changes, summary = session.describe_changes(self._totals_before, totals, self._reports) or [""]
                for line in changes:
                    self.log.warning("%s", line)
                if summary:
                    self.log.info("%s", summary)

    def init_notebooks(self) -> None:
        """List everybody who handed in something, be it a notebook or not, in place of nbgrader's list of notebooks.

        nbgrader decides by the timestamps what is new, so they are copied now.
        """
        name = self._exercise.name
        # Somebody asked for another notebook with --notebook: nbgrader says itself that there is none.
        if not fnmatch(name, self.coursedir.notebook_id):
            super().init_notebooks()
            return
        assignment = self.coursedir.assignment_id
        pattern = self.coursedir.format_path(self._submitted_directory, self.coursedir.student_id, assignment)
        self.assignments = {}
        for folder in matching_folders(pattern):
            is_link = folder.is_symlink() or folder.parent.is_symlink()
            if problem := "it is a link, perhaps to another's work" if is_link else name_problem(folder.parent.name):
                self.log.warning("%s is not graded: %s.", one_line(folder.parent.name, 80), problem)
                continue
            target = Path(self._format_source(assignment, folder.parent.name))
            target.mkdir(parents=True)
            self._copy_timestamp(folder, target)
            self.assignments[str(target)] = [str(target / f"{name}.ipynb")]
        if not self.assignments:
            self.log.error("There is nothing in %s: collect the submissions first.", pattern)
            raise NbGraderException(f"No submissions were matched by {pattern}")

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Return whether to grade a student; if the grader fails, what was graded before stays as it was."""
        self._number += 1
        self.log.info("Submission %d of %d: %s", self._number, len(self.assignments), one_line(student_id, 80))
        folder = Path(self._format_dest(assignment_id, student_id))
        with tempfile.TemporaryDirectory() as kept:
            copy = Path(kept, "autograded")
            if folder.exists():
                shutil.copytree(folder, copy)
            if not super().init_destination(assignment_id, student_id):
                return False
            if not (problem := session.kept_score(self.report_for(student_id), self._totals_before)):
                return True
            self.log.error("%s: %s", one_line(student_id, 80), problem)
            if copy.exists():
                shutil.copytree(copy, folder, dirs_exist_ok=True)
            return False

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Normalize the submission, then let nbgrader copy it and note it in the gradebook."""
        name, folder = self._exercise.name, self.submission_folder(student_id)
        normalized = normalize.normalize_submission(folder, name, self._released_files, self._release)
        target = Path(self._format_source(assignment_id, student_id))
        self._write_notebook(normalized, target, student_id)
        source = Path(self.coursedir.format_path(self.coursedir.source_directory, ".", assignment_id))
        released = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
        excluded = self.exclude_overwriting[assignment_id]
        written = files_of_nbgrader(name, [file for file in released if file not in excluded])
        if message := copy_attachments(folder, target, written):
            self.log.warning("%s: %s", one_line(student_id, 80), message)
        super().init_assignment(assignment_id, student_id)

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Grade one notebook; if nbgrader cannot process it, grade the release's in its place, with the reason."""
        try:
            super().convert_single_notebook(notebook_filename)
        # A gradebook that fails would fail for the release's notebook, too.
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission its picture only
            target = Path(notebook_filename).parent
            self._write_notebook(normalize.placeholder_notebook(self._release, error), target, target.parent.name)
            super().convert_single_notebook(notebook_filename)

    def report_for(self, student: str) -> Report:
        """Return the verdict on one student's submission."""
        if student not in self._reports:
            self._reports[student] = self._grader_client.grade(self.submission_folder(student), student)
        return self._reports[student]

    def submission_folder(self, student: str) -> Path:
        """Return the folder of a student's submission, as it was handed in."""
        return Path(self.coursedir.format_path(self._submitted_directory, student, self.coursedir.assignment_id))

    def needs_manual_grade(self, student: str) -> bool:
        """Return whether a person has to look at the whole submission: it cannot be graded, or cannot be shown."""
        return not is_gradable(self.report_for(student)) or student in self._placeholder_students

    def _write_notebook(self, normalized: normalize.NormalizedNotebook, folder: Path, student: str) -> None:
        if normalized.is_placeholder:
            self._placeholder_students.add(student)
        if message := normalize.instructor_message(one_line(student, 80), normalized):
            self.log.warning("%s", message)
        (folder / f"{self._exercise.name}.ipynb").write_text(json.dumps(normalized.notebook), encoding="utf-8")

    def _copy_timestamp(self, folder: Path, target: Path) -> None:
        """Copy the timestamp if it can be read: nbgrader would stop at anything else."""
        try:
            if submitted_at := read_timestamp(folder):
                (target / TIMESTAMP_FILE).write_bytes(format_timestamp(submitted_at))
        except InvalidTimestamp as error:
            self.log.warning("%s: %s", one_line(folder.parent.name, 80), error)


class KitGenerateAssignment(GenerateAssignment):  # type: ignore[misc]  # untyped base
    """GenerateAssignment as `autograder release` does it: from the exercise's own source, and by no other settings."""

    def __new__(cls, coursedir: Any = None, **settings: Any) -> Any:
        """Return a converter for an exercise, and nbgrader's own for any other assignment."""
        return super().__new__(cls) if is_exercise(coursedir) else GenerateAssignment(coursedir=coursedir, **settings)

    def start(self) -> None:
        """Release the exercise, with nbgrader's source of it. Raises NbGraderException, after a line in the log."""
        assignment, coursedir = self.coursedir.assignment_id, self.coursedir
        steps = (coursedir.release_directory, coursedir.source_directory)
        release, source = (Path(coursedir.format_path(step, ".", assignment)) for step in steps)
        try:
            course = read_course(Path(coursedir.root))
            exercise = load_exercise(course.exercise_folder(assignment), written_questions=course.written_questions)
            release_exercise(exercise, release, source, self._register)
        except (CourseError, ExerciseError, ReleaseError) as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from None
        self.set_permissions(assignment, ".")
        self.log.info("Released %s to %s", assignment, release)

    def _register(self, built: ReleaseFiles) -> None:
        coursedir = self.coursedir
        if not self.no_database:
            root, name = Path(coursedir.root), coursedir.assignment_id
            register_assignment(root, coursedir.db_url, coursedir.course_id, name, built.source_files)
