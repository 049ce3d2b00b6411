"""nbgrader's plugins of zip_collect: what an LMS packed is unpacked; a student's zip file is work like any other.

An LMS puts its numbers into the names of students' files. The archive that it makes of them is called otherwise, lies
in no folder, and holds files with such names.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any

from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from autograder.nbgrader.exchange.refusals import log_refusals
from autograder.nbgrader.exercises import is_exercise
from autograder.nbgrader.intake.student_names import name_problem
from autograder.nbgrader.intake.timestamps import parse_timestamp
from autograder.submission import safe_files
from autograder.submission.downloads import MAX_MEMBERS, Quota, read_file, read_member
from autograder.submission.file_names import fold_name, safe_name, unused_name
from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES
from autograder.submission.sanitize import join_names, one_line

_NUMBERS_OF_AN_LMS = re.compile(r"_\d+_\d+_|_\d+_assignsubmission_")  # Canvas and Moodle


_stock_init_plugins = ZipCollectApp.init_plugins


def install() -> None:
    """Let these plugins work on exercises, in place of nbgrader's own; a course's own plugins stay."""
    ZipCollectApp.init_plugins = _init_plugins


def _init_plugins(app: Any) -> None:
    if is_exercise(app.coursedir):
        if app.extractor_plugin is ExtractorPlugin:
            app.extractor_plugin = Extractor
        if app.collector_plugin is FileNameCollectorPlugin:
            app.collector_plugin = FileCollector
    _stock_init_plugins(app)


class Extractor(ExtractorPlugin):  # type: ignore[misc]  # nbgrader carries no types
    """Unpacks the archive of an LMS, and copies everything else as it is."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Put all files of the download into the folder that nbgrader collects from."""
        archive_folder, target = Path(archive_path), Path(extracted_path)
        writer = _Writer(target)
        unpacked = _unpacked_folder(archive_folder)
        for file in sorted(archive_folder.rglob("*")):
            name = file.relative_to(archive_folder)
            if file.is_symlink() or not file.is_file():
                continue
            if len(name.parts) == 1 and self._is_lms_archive(file):
                self._unpack(file, writer)
            elif self._is_named_by_another(file.relative_to(unpacked).as_posix()):
                writer.left_out.append(name.as_posix())
            else:
                writer.write(self._student_of(name.as_posix()) or str(name), name.as_posix(), read_file(file))
        if writer.left_out:
            self.log.warning(
                "Skipped, because one student sent too much, or the name is unusable: %s.", join_names(writer.left_out)
            )

    def _unpack(self, file: Path, writer: _Writer) -> None:
        try:
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    student = self._student_of(member.filename)
                    if member.is_dir() or not student:  # nbgrader would not collect it
                        continue
                    if self._is_named_by_another(member.filename):
                        writer.left_out.append(member.filename)
                        continue
                    data = read_member(archive, member)
                    if data is None:
                        shown = one_line(member.filename, 200)
                        self.log.error("%s in %s cannot be unpacked: download it again.", shown, file)
                    else:
                        writer.write(student, f"{file.stem}/{member.filename}", data)
        except Exception as error:  # noqa: BLE001 - zipfile answers a damaged archive with nearly any exception
            self.parent.fail(f"{file} cannot be unpacked ({error}): download it again.")

    def _is_lms_archive(self, file: Path) -> bool:
        is_students = self._student_of(file.name) or _NUMBERS_OF_AN_LMS.search(file.name)
        if is_students or file.suffix.lower() != ARCHIVE_SUFFIX:
            return False
        try:
            with zipfile.ZipFile(file) as archive:
                names = archive.namelist()
        except Exception:  # noqa: BLE001 - likewise; the grader reads the file later and says what is wrong with it
            return False
        return len(names) <= MAX_MEMBERS and any(map(self._student_of, names))

    def _student_of(self, name: str) -> str:
        match = self._match(name)
        return str(match.groupdict().get("student_id") or "") if match else ""

    def _is_named_by_another(self, name: str) -> bool:
        """Return whether a file is collected for a student whose name stands behind the part that the LMS wrote.

        What stands there, such as the name of a folder, is the choice of whoever handed in the file.
        """
        path = f"/{name}".replace("\\", "/")  # some programs write backslashes
        match, written = self._match(path[1:]), _NUMBERS_OF_AN_LMS.search(path)
        end = path.find("/", written.end()) if written else -1
        return bool(match and self._student_of(path[1:]) and 0 <= end < match.start("student_id"))

    def _match(self, name: str) -> re.Match[str] | None:
        return re.match(self.parent.collector_plugin_inst.named_regexp, f"/{name}")


def _unpacked_folder(archive_folder: Path) -> Path:
    """Return the folder that an archive was unpacked to: the only one there, if it is no student's in Moodle."""
    inner = list(archive_folder.iterdir()) if archive_folder.is_dir() else []
    if len(inner) == 1 and inner[0].is_dir() and "_assignsubmission_" not in inner[0].name:
        return inner[0]
    return archive_folder


class _Writer:
    """Writes files of students below a folder: none outside of it, none over another, and so much of each student."""

    def __init__(self, folder: Path) -> None:
        self.left_out: list[str] = []
        self._folder = folder
        self._quota = Quota()
        self._used_names: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def write(self, student: str, path: str, data: bytes) -> None:
        parts = re.split(r"[/\\]", path)  # some programs write backslashes
        if any(part == "__MACOSX" or part.startswith("._") for part in parts):  # what macOS adds
            return
        if not {"", ".."}.isdisjoint(parts) or not self._quota.admits(student, data):
            self.left_out.append(path)
            return
        *folders, name = parts
        parent = PurePosixPath(*map(safe_name, folders))
        target = self._folder / parent / unused_name(safe_name(name), self._used_names[fold_name(str(parent))])
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        except OSError as error:  # such as a path that is too long
            if safe_files.is_disk_full(error):
                raise
            self.left_out.append(path)


class FileCollector(FileNameCollectorPlugin):  # type: ignore[misc]  # untyped base
    """Collects files of an LMS by their names, and logs which of them cannot be collected or graded, and why."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.valid_ext = [*self.valid_ext, *SOURCE_SUFFIXES, ARCHIVE_SUFFIX]  # type: ignore[has-type]  # untyped base
        self._has_time: dict[tuple[str, str], bool] = {}  # of each file that was collected
        self._numbers: dict[str, str] = {}  # Canvas's, by student

    def collect(self, submitted_file: str) -> Any:
        """Return what nbgrader reads from the name of a file; None if it would stop there."""
        parsed = super().collect(submitted_file)
        if not parsed:
            return None
        parsed["student_id"] = self._distinct_student(parsed.get("student_id") or "", Path(submitted_file).name)
        student, name = parsed["student_id"], parsed.get("file_id") or ""
        if problem := self._problem(student, name, parsed.get("timestamp"), Path(submitted_file).suffix):
            self.log.warning("Not collected: %s %s.", one_line(submitted_file, 200), problem)
            return None
        log_refusals(self, self.parent.coursedir, [(student, Path(submitted_file))])
        return parsed

    def _distinct_student(self, student: str, file_name: str) -> str:
        """Return what a student is called: without Canvas's LATE, and with its number where two have one name."""
        student = student.replace("_LATE_", "_")
        match = re.match(rf"{re.escape(student)}_(?:LATE_)?(\d+)_\d+_", file_name)
        if match is None or self._numbers.setdefault(fold_name(student), match[1]) == match[1]:
            return student
        self.log.warning(
            "Two students are called %s: the one whose number is %s is collected as %s_%s.",
            *(one_line(student, 80), match[1], one_line(student, 80), match[1]),
        )
        return f"{student}_{match[1]}"

    def _problem(self, student: str, name: str, timestamp: str | None, suffix: str) -> str:
        """Return why nbgrader cannot collect a file, as the end of a sentence; empty if it can."""
        if not name or student.startswith(".") or not student or re.search(r"[/\\]", student):
            return "names no student and file"
        if problem := name_problem(student):
            return f"names a student whose folder could not be read: {problem}"
        key = student, os.path.splitext(name)[0] + suffix  # noqa: PTH122 - as nbgrader makes it
        try:
            has_time = bool(timestamp and parse_timestamp(timestamp))
        except ValueError:
            return "holds no time where named_regexp has one"
        # Of two files of one name, nbgrader takes the newer one, and stops if it does not know.
        if not (has_time and self._has_time.get(key, True)) and key in self._has_time:
            return f"is one more file of {one_line(student, 80)} with this name"
        self._has_time[key] = has_time
        return ""
