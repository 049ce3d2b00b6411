"""nbgrader's plugins that collect work and release feedback, changed so that a bad submission stops nobody else."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from nbgrader.utils import temp_attrs

from autograder.course import CourseError, find_course
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.grading import released_files
from autograder.submission.reader import SubmissionRefused, read_submission

SECRET_FILE = "submission_secret.txt"


class Collect(ExchangeCollect):  # type: ignore[misc]  # nbgrader carries no types
    """Collects from the exchange, then logs whose work cannot be graded, and why."""

    def copy_files(self) -> None:
        """Copy what is new, then read all of it."""
        super().copy_files()
        course = self.coursedir
        students = [record["username"] for record in self.src_records]
        folders = (course.format_path(course.submitted_directory, name, course.assignment_id) for name in students)
        _log_refusals(self, course, zip(students, map(Path, folders), strict=True))


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]  # untyped base
    """Releases feedback to those who handed in at the exchange: only they have the secret that leads to it there."""

    def copy_files(self) -> None:
        """Release feedback, and log the students who have to get theirs in another way."""
        pages = Path("/").glob(f"{self.src_path.lstrip('/')}/*.html")
        students = sorted({page.parent.parent.name for page in pages if not (page.parent / SECRET_FILE).is_file()})
        if students:
            message = "Not handed in at the exchange, so send them their page in %s yourself: %s."
            self.log.warning(message, self.coursedir.feedback_directory, ", ".join(students))
        # nbgrader would stop at the first student without a secret.
        excluded = ",".join([*filter(None, [self.coursedir.student_id_exclude]), *students])
        with temp_attrs(self.coursedir, student_id_exclude=excluded):
            super().copy_files()


class Extractor(ExtractorPlugin):  # type: ignore[misc]  # untyped base
    """Unpacks the archive of an LMS, but no student's zip file: that may be damaged, or a bomb, and is graded as it is.

    The archive of an LMS is recognized by its members' names, which say whose files they are.
    """

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Put all files of the download into the folder that nbgrader collects from."""
        for file in sorted(path for path in Path(archive_path).rglob("*") if path.is_file()):
            destination = Path(extracted_path, file.relative_to(archive_path))
            destination.parent.mkdir(parents=True, exist_ok=True)
            if not self._is_lms_archive(file):
                shutil.copyfile(file, destination)
                continue
            try:
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(destination.with_suffix(""))
            except Exception as error:  # noqa: BLE001 - zipfile answers a damaged archive with nearly any exception
                self.parent.fail(f"{file} cannot be unpacked ({error}): download it again.")

    def _is_lms_archive(self, file: Path) -> bool:
        pattern = self.parent.collector_plugin_inst.named_regexp
        try:
            with zipfile.ZipFile(file) as archive:
                return any(re.match(pattern, f"/{name}") for name in archive.namelist())
        except Exception:  # noqa: BLE001 - likewise; the grader reads the file later and says what is wrong with it
            return False


class FileCollector(FileNameCollectorPlugin):  # type: ignore[misc]  # untyped base
    """Collects files of an LMS by their names, and logs which of them cannot be graded, and why."""

    def collect(self, submitted_file: str) -> Any:
        """Return what nbgrader reads from the name of a file."""
        parsed = super().collect(submitted_file)
        if parsed:
            _log_refusals(self, self.parent.coursedir, [(parsed.get("student_id"), Path(submitted_file))])
        return parsed


def _log_refusals(plugin: Any, coursedir: Any, submissions: Iterable[tuple[str, Path]]) -> None:
    """Log whose work cannot be graded, and why. Other assignments than this course's exercises are left alone."""
    try:
        exercise = load_exercise(find_course(Path(coursedir.root)).exercise_folder(coursedir.assignment_id))
    except (CourseError, ExerciseError):
        return
    for student, path in submissions:
        try:
            read_submission(path, exercise.name, released_files(exercise))
        except SubmissionRefused as reason:
            plugin.log.warning("%s: %s", student, reason)
