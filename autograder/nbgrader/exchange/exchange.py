"""nbgrader's ways to collect and to give feedback, with a look at what came: one bad submission stops nobody else."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from nbgrader.utils import temp_attrs

from autograder.course import CourseError, find_course
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import released_files
from autograder.submission.reader import SubmissionRefused, read_submission

SECRET_FILE = "submission_secret.txt"


class Collect(ExchangeCollect):  # type: ignore[misc]  # nbgrader carries no types
    """Collects from the exchange, then says whose work cannot be graded, and why."""

    def copy_files(self) -> None:
        """Copy what is new, and look at all of it."""
        super().copy_files()
        exercise = find_exercise(self.coursedir.root, self.coursedir.assignment_id)
        if exercise is None:
            return
        for student in (record["username"] for record in self.src_records):
            folder = self.coursedir.format_path(self.coursedir.submitted_directory, student, exercise.name)
            if reason := refusal_reason(Path(folder), exercise):
                self.log.warning("%s: %s", student, reason)


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]  # untyped base
    """Releases feedback to whoever handed in at the exchange: only they have the secret by which it is found there."""

    def copy_files(self) -> None:
        """Release, and name those who have to get their feedback in another way."""
        pages = Path("/").glob(f"{self.src_path.lstrip('/')}/*.html")
        students_without_secret = sorted(
            {page.parent.parent.name for page in pages if not (page.parent / SECRET_FILE).is_file()}
        )
        if students_without_secret:
            self.log.warning(
                "Not handed in at the exchange, so send them their page in %s yourself: %s.",
                self.coursedir.feedback_directory,
                ", ".join(students_without_secret),
            )
        excluded = ",".join([*filter(None, [self.coursedir.student_id_exclude]), *students_without_secret])
        with temp_attrs(self.coursedir, student_id_exclude=excluded):
            super().copy_files()


class Extractor(ExtractorPlugin):  # type: ignore[misc]  # untyped base
    """Unpacks what an LMS packed; a student's zip file stays as it is, and is graded so: it may be damaged, or a bomb.

    An LMS's is known by what is in it: names that say whose file it is.
    """

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Put all files of the download where nbgrader collects them from."""
        for file in sorted(path for path in Path(archive_path).rglob("*") if path.is_file()):
            destination = Path(extracted_path, file.relative_to(archive_path))
            destination.parent.mkdir(parents=True, exist_ok=True)
            if not self._is_lms_archive(file):
                shutil.copyfile(file, destination)
                continue
            try:
                with zipfile.ZipFile(file) as packed:
                    packed.extractall(destination.with_suffix(""))
            except Exception as error:  # noqa: BLE001 - zipfile answers a damaged archive with nearly any exception
                self.parent.fail(f"{file} cannot be unpacked ({error}): download it again.")

    def _is_lms_archive(self, file: Path) -> bool:
        pattern = self.parent.collector_plugin_inst.named_regexp
        try:
            with zipfile.ZipFile(file) as packed:
                return any(re.match(pattern, f"/{name}") for name in packed.namelist())
        except Exception:  # noqa: BLE001 - likewise; whoever looks into it next says what is wrong with it
            return False


class FileCollector(FileNameCollectorPlugin):  # type: ignore[misc]  # untyped base
    """Collects files of an LMS by their names, then says which one cannot be graded, and why."""

    def collect(self, submitted_file: str) -> Any:
        """What nbgrader reads from the name of a file."""
        found = super().collect(submitted_file)
        app = self.parent
        exercise = find_exercise(app.coursedir.root, app.coursedir.assignment_id) if found else None
        if exercise and (reason := refusal_reason(Path(submitted_file), exercise)):
            self.log.warning("%s: %s", found.get("student_id"), reason)
        return found


def find_exercise(root: str, name: str) -> Exercise | None:
    """The exercise that is collected; None where it is none of ours."""
    try:
        return load_exercise(find_course(Path(root)).exercise_folder(name))
    except (CourseError, ExerciseError):
        return None


def refusal_reason(path: Path, exercise: Exercise) -> str:
    """Why a submission cannot be graded, and what to do; empty where it can."""
    try:
        read_submission(path, exercise.name, released_files(exercise))
    except SubmissionRefused as reason:
        return str(reason)
    return ""
