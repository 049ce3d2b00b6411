"""nbgrader's plugins that collect work and release feedback, changed so that a bad submission stops nobody else."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from nbgrader.utils import temp_attrs

from autograder.course import CourseError, find_course
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.grading import released_files
from autograder.nbgrader.exchange.records import CopyRules, Record, RecordRefused, copy_record, parse_record
from autograder.nbgrader.intake.timestamps import InvalidTimestamp, read_timestamp
from autograder.submission import safe_files
from autograder.submission.reader import SubmissionRefused, read_submission
from autograder.submission.sanitize import one_line

SECRET_FILE = "submission_secret.txt"


class Collect(ExchangeCollect):  # type: ignore[misc]  # nbgrader carries no types
    """Collects each student's newest record that is sound, then logs whose work cannot be graded, and why."""

    def init_src(self) -> None:
        """List the records of the assignment by student, the one to collect first. Odd ones are logged."""
        super().init_src()
        by_student: defaultdict[str, list[Record]] = defaultdict(list)
        for listed in self.src_records:
            try:
                record = parse_record(listed["filename"], self.coursedir.assignment_id)
            except RecordRefused as reason:
                self._log_refused_record(listed["filename"], reason)
            else:
                by_student[record.student].append(record)
        self._records = {student: sorted(by_student[student], key=self._rank) for student in sorted(by_student)}

    def copy_files(self) -> None:
        """Copy what is new, then read all of it."""
        if not self._records:
            self.log.warning("The exchange holds no submissions of %s.", self.coursedir.assignment_id)
        folders = {student: self._submitted_folder(student) for student in self._records}
        for student, folder in folders.items():
            self._collect_student(student, folder)
        _log_refusals(self, self.coursedir, [item for item in folders.items() if item[1].exists()])

    def _path_to_record(self, path: str) -> dict[str, Any]:
        # nbgrader keeps one record a student, and stops at an odd name. Here each is a student of its own: all stay.
        name = Path(path).name
        return {"username": name, "filename": name, "timestamp": datetime.min}

    def _rank(self, record: Record) -> tuple[bool, float]:
        is_late = bool(self.before_duedate and self.duedate and record.submitted_at > self.duedate)
        return is_late, -(record.submitted_at - datetime.min).total_seconds()

    def _submitted_folder(self, student: str) -> Path:
        course = self.coursedir
        return Path(course.format_path(course.submitted_directory, student, course.assignment_id))

    def _collect_student(self, student: str, folder: Path) -> None:
        for record in self._records[student]:
            if folder.exists() and not self._replaces(record, folder):
                hint = "" if self.update else "; use --update for newer ones"
                self.log.info("%s: collected before, and nothing else to collect%s.", student, hint)
                return
            draft = folder.with_name(f"{safe_files.DRAFT_PREFIX}{folder.name}")
            shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed
            try:
                copy_record(Path(self.inbound_path), record, draft, self._copy_rules())
            except RecordRefused as reason:
                self._log_refused_record(record.name, reason)
                with suppress(OSError):
                    folder.parent.rmdir()  # if it is empty: nobody is in the class because of an odd record
                continue
            except OSError as error:
                self.fail(f"{draft} cannot be written: {error.strerror}. Make room and run the same command again.")
            if folder.exists():
                shutil.rmtree(folder)
            draft.rename(folder)
            self._share_with_group(folder)
            self.log.info("Collected: %s, handed in at %s UTC.", student, record.submitted_at)
            return

    def _replaces(self, record: Record, folder: Path) -> bool:
        try:
            collected_at = read_timestamp(folder)
        except InvalidTimestamp:
            collected_at = None
        if self.update and (collected_at is None or record.submitted_at > collected_at):
            return True
        return bool(self.before_duedate) and collected_at != record.submitted_at

    def _copy_rules(self) -> CopyRules:
        course = self.coursedir
        return CopyRules(
            ignore=course.ignore,
            include=course.include or ["*"],
            max_file_bytes=1000 * course.max_file_size,
            max_bytes=1000 * course.max_dir_size,
            check_owner=self.check_owner,
        )

    def _share_with_group(self, folder: Path) -> None:
        if self.coursedir.groupshared:
            for path in (folder, *folder.rglob("*")):
                path.chmod(path.stat().st_mode & 0o777 | (0o2770 if path.is_dir() else 0o660))

    def _log_refused_record(self, name: str, reason: RecordRefused) -> None:
        self.log.warning("Not collected: %s in %s %s.", one_line(name, 200), self.inbound_path, reason)


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
            plugin.log.warning("%s: %s", one_line(str(student), 80), reason)
