"""What Canvas and Moodle give for "download all submissions": a zip file, or the folder that it was unpacked to.

Canvas puts all files into one folder, as lovelaceada_LATE_12345_67890_homework.ipynb (user, then attachment). Moodle
makes a folder for each student, as Ada Lovelace_12345_assignsubmission_file/, or starts each file's name with that.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from autograder.submission.downloads import MAX_MEMBERS, Quota, read_file, read_member
from autograder.submission.file_names import safe_name, unused_name
from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES, is_exercise_file
from autograder.submission.sanitize import join_names

_CANVAS_NAME = re.compile(r"(?:(?P<name>.+?)_)??(?:LATE_)?(?P<id>anon_[^\W_]+|\d+)_\d+_(?P<file>.+)", re.DOTALL)
# Moodle's own number is the last one in a folder's name; in a file's, the student's name or the file's may hold more.
_MOODLE_FOLDER = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)_?", re.DOTALL)
_MOODLE_NAME = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)_(?P<file>.+)", re.DOTALL)
_MOODLE_NUMBER = re.compile(r"_\d+_assignsubmission_")


class DownloadError(Exception):
    """A zip file that is no download of a class: one sentence that says what to do."""


@dataclass(frozen=True)
class Download:
    """The files of a download by student: a file's name -> its path. `skipped` are the paths that belong to nobody."""

    files_by_student: Mapping[str, Mapping[str, str]]
    skipped: tuple[str, ...] = ()
    is_from_moodle: bool = False

    def is_certain(self, exercise: str) -> bool:
        """Return whether this can be nothing else.

        Moodle's words are its own. Canvas's numbers may be part of what an instructor calls students: then no file has
        the exercise's name behind them, or several files of one student have the same.
        """
        files = [item for files in self.files_by_student.values() for item in files.items()]
        has_exercise_file = any(is_exercise_file(name, exercise) for name, _ in files)
        are_distinct = all(path.endswith(f"_{name}") for name, path in files)
        return self.is_from_moodle or (has_exercise_file and are_distinct)


@dataclass(frozen=True)
class _NamedFile:
    """Whose a file is by its path, and what the student called it; perhaps it only looks so."""

    student: str
    name: str
    is_doubtful: bool


def group_by_student(paths: list[str]) -> Download | None:
    """Group the paths of a download by student; return None if it is from neither Canvas nor Moodle.

    A student is called NAME_NUMBER, with the user's number in Canvas and the participant's in Moodle. Students choose
    their names and the files' names: a path that may be of two students is skipped.
    """
    relevant_paths = [path for path in paths if not any(part.startswith((".", "__MACOSX")) for part in path.split("/"))]
    for parse in (_parse_moodle_path, _parse_canvas_name):
        files = {path: parse(path) for path in relevant_paths}
        skipped = [path for path, file in files.items() if file is None]
        # A submission whose name does not fit shows that this folder is something else; not a file in a text in Moodle.
        unfit = [path for path in skipped if not _MOODLE_NUMBER.search(path)]
        is_other = any(path.lower().endswith((*SOURCE_SUFFIXES, ARCHIVE_SUFFIX)) for path in unfit)
        if is_other or len(skipped) == len(files):
            continue
        sure = {file.student for file in files.values() if file and not file.is_doubtful}
        files_by_student: defaultdict[str, dict[str, str]] = defaultdict(dict)
        used_names: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for path, file in files.items():
            if file and file.is_doubtful and (parse is _parse_moodle_path or _may_be_another(file.student, sure)):
                skipped.append(path)
            elif file:
                files_by_student[file.student][unused_name(file.name, used_names[file.student])] = path
        return Download(files_by_student, tuple(skipped), parse is _parse_moodle_path)
    return None


def _may_be_another(student: str, sure: Collection[str]) -> bool:
    """Return whether a file of Canvas with three numbers may belong to somebody else than this student.

    A number alone may be the name of somebody, whose own number is the next one.
    """
    return student in sure or student.isdigit()


def _parse_moodle_path(path: str) -> _NamedFile | None:
    parts = path.split("/")
    # Moodle wrote the outermost part with a number. What lies below it, and behind it in the name of a file, students
    # wrote, perhaps with slashes.
    own_part = next((part for part in parts if _MOODLE_NUMBER.search(part)), None)
    if own_part is None:
        return None
    folder = _MOODLE_FOLDER.fullmatch(own_part) if own_part is not parts[-1] else None
    match = folder or _MOODLE_NAME.fullmatch(own_part)
    if not match or match["kind"] != "file":
        return None
    is_doubtful = folder is None and len(_MOODLE_NUMBER.findall(own_part)) > 1
    name = match["file"] if own_part is parts[-1] else parts[-1]
    return _NamedFile(f"{match['name']}_{match['id']}", name, is_doubtful)


def _parse_canvas_name(path: str) -> _NamedFile | None:
    match = _CANVAS_NAME.fullmatch(path)
    if not match or "/" in match["id"] + (match["name"] or ""):
        return None
    student = "_".join(filter(None, (match["name"], match["id"])))
    # Of three numbers in a row the first may belong to the student's name, or the last to the file's.
    return _NamedFile(student, match["file"], is_doubtful=bool(re.match(r"\d+_", match["file"])))


Source = Literal["lms", "students"]
"""Where submissions come from, if that is not plain: an LMS named the files, or a file is called like its student."""


@contextmanager
def open_download(path: Path, exercise: str, source: Source | None = None) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield a folder with a folder for each student, and the paths that were left out of it.

    A download is copied to a temporary folder, which is removed afterwards; a folder that is no download is yielded as
    it is. Raises DownloadError for any other zip file, and where it is not plain which of both it is; OSError if
    something cannot be read or written.
    """
    download = _group_folder(path) if path.is_dir() and source != "students" else None
    if path.is_dir() and download is None:
        yield path, ()
        return
    with tempfile.TemporaryDirectory(prefix="autograder-class-") as name:
        folder = Path(name)
        if download:
            _check_certain(download, path, exercise, source)
            download = _write_student_folders(download, folder, lambda file: read_file(path / file))
        else:
            download = _extract_zip(path, folder, exercise, source)
        yield folder, download.skipped


def _check_certain(download: Download, path: Path, exercise: str, source: Source | None) -> None:
    """Raise DownloadError if students may be called like what Canvas writes in front of files."""
    if source != "lms" and not download.is_certain(exercise):
        names = join_names(sorted(download.files_by_student))
        raise DownloadError(
            f"{path} may be a download from Canvas, of {names}, or hold a file for each student: say which, with "
            "--from lms or --from students."
        )


def _group_folder(folder: Path) -> Download | None:
    # The first level decides, so that a large folder of something else is not walked through.
    # Canvas puts files alone there: folders with numbers in their names are students'.
    paths = {path.name: path.is_dir() for path in folder.iterdir()}
    from_moodle = any(_parse_moodle_path(f"{name}/x" if is_folder else name) for name, is_folder in paths.items())
    from_canvas = any(_parse_canvas_name(name) for name, is_folder in paths.items() if not is_folder)
    if not from_moodle and not from_canvas:
        return None
    return group_by_student(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))


def _extract_zip(path: Path, folder: Path, exercise: str, source: Source | None) -> Download:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.replace("\\", "/"): info for info in archive.infolist() if not info.is_dir()}
            download = group_by_student(sorted(members)) if len(members) <= MAX_MEMBERS else None
            if download is None or source == "students":
                raise DownloadError(
                    f"{path} is not a download of all submissions from Canvas or Moodle: "
                    "unpack it and name the folder (autograder/classroom/README.md says what is read)."
                )
            _check_certain(download, path, exercise, source)
            return _write_student_folders(download, folder, lambda name: read_member(archive, members[name]) or b"")
    except zipfile.BadZipFile as error:
        raise DownloadError(f"{path} is damaged, or not a zip file ({error}): download it again.") from None


def _write_student_folders(download: Download, folder: Path, read: Callable[[str], bytes]) -> Download:
    """Write a folder for each student. Returns the download with what was over a student's quota among the skipped."""
    used_folder_names: dict[str, int] = {}
    quota, skipped = Quota(), list(download.skipped)
    for student, student_files in download.files_by_student.items():
        student_folder = folder / unused_name(safe_name(student), used_folder_names)
        student_folder.mkdir()
        used_file_names: dict[str, int] = {}
        for name, path in student_files.items():
            data = read(path)
            if quota.admits(student, data):
                (student_folder / unused_name(safe_name(name), used_file_names)).write_bytes(data)
            else:
                skipped.append(path)
    return replace(download, skipped=tuple(skipped))
