"""What Canvas and Moodle give for "download all submissions": a zip file, or the folder that it was unpacked to.

Canvas puts all files into one folder, as lovelaceada_LATE_12345_67890_homework.ipynb (user, then attachment). Moodle
makes a folder for each student, as Ada Lovelace_12345_assignsubmission_file/, or starts each file's name with that.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.submission import safe_files
from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES

MAX_MEMBERS = 100_000
_MAX_READ_BYTES = safe_files.MAX_BYTES + 1  # of a file: a longer one is refused as too large when it is graded
_CANVAS_NAME = re.compile(r"(?:(?P<name>.+?)_)??(?:LATE_)?(?P<id>anon_[^\W_]+|\d+)_\d+_(?P<file>.+)", re.DOTALL)
_MOODLE_PATH = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_?/|_)(?:.*/)?(?P<file>[^/]+)", re.DOTALL
)


class DownloadError(Exception):
    """A zip file that is no download of a class: one sentence that says what to do."""


@dataclass(frozen=True)
class Download:
    """The files of a download by student: a file's name -> its path. `skipped` are the paths that belong to nobody."""

    files_by_student: Mapping[str, Mapping[str, str]]
    skipped: tuple[str, ...] = ()


def group_by_student(paths: list[str]) -> Download | None:
    """Group the paths of a download by student; return None if it is from neither Canvas nor Moodle.

    A student is called NAME_NUMBER, with the user's number in Canvas and the participant's in Moodle.
    """
    relevant_paths = [path for path in paths if not any(part.startswith((".", "__MACOSX")) for part in path.split("/"))]
    for pattern in (_MOODLE_PATH, _CANVAS_NAME):
        files_by_student: defaultdict[str, dict[str, str]] = defaultdict(dict)
        used_names: defaultdict[str, set[str]] = defaultdict(set)
        skipped = []
        for path in relevant_paths:
            match = pattern.fullmatch(path)
            if match and match.groupdict().get("kind", "file") == "file":
                student = "_".join(filter(None, (match["name"], match["id"])))
                files_by_student[student][_unused_name(match["file"], used_names[student])] = path
            else:
                skipped.append(path)
        # A submission whose name does not fit shows that this folder is something else.
        if files_by_student and not any(path.lower().endswith((*SOURCE_SUFFIXES, ARCHIVE_SUFFIX)) for path in skipped):
            return Download(files_by_student, tuple(skipped))
    return None


@contextmanager
def open_download(path: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield a folder with a folder for each student, and the paths that were left out of it.

    A download is copied to a temporary folder, which is removed afterwards; a folder that is no download is yielded as
    it is. Raises DownloadError for any other zip file, and OSError if something cannot be read or written.
    """
    download = _group_folder(path) if path.is_dir() else None
    if path.is_dir() and download is None:
        yield path, ()
        return
    with tempfile.TemporaryDirectory(prefix="autograder-class-") as name:
        folder = Path(name)
        if download:
            _write_student_folders(download, folder, lambda file: _read_file(path / file))
        else:
            download = _extract_zip(path, folder)
        yield folder, download.skipped


def _group_folder(folder: Path) -> Download | None:
    # The first level decides, so that a large folder of something else is not walked through.
    names = [f"{path.name}/x" if path.is_dir() else path.name for path in folder.iterdir()]
    if not any(_MOODLE_PATH.fullmatch(name) or _CANVAS_NAME.fullmatch(name) for name in names):
        return None
    return group_by_student(sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))


def _extract_zip(path: Path, folder: Path) -> Download:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.replace("\\", "/"): info for info in archive.infolist() if not info.is_dir()}
            download = group_by_student(sorted(members)) if len(members) <= MAX_MEMBERS else None
            if download is None:
                raise DownloadError(
                    f"{path} is no download of all submissions from Canvas or Moodle: unpack it and name the folder."
                )
            _write_student_folders(download, folder, lambda name: _read_member(archive, members[name]))
            return download
    except zipfile.BadZipFile as error:
        raise DownloadError(f"{path} is damaged, or no zip file ({error}): download it again.") from None


def _write_student_folders(download: Download, folder: Path, read_file: Callable[[str], bytes]) -> None:
    used_folder_names: set[str] = set()
    for student, student_files in download.files_by_student.items():
        student_folder = folder / _unused_name(_safe_name(student), used_folder_names)
        student_folder.mkdir()
        used_file_names: set[str] = set()
        for name, path in student_files.items():
            (student_folder / _unused_name(_safe_name(name), used_file_names)).write_bytes(read_file(path))


def _safe_name(name: str) -> str:
    """Return a name that every file system takes; letters of every script stay."""
    safe_name = "".join("_" if c in '/\\<>:"|?*' or not c.isprintable() else c for c in name).strip()[-100:]
    return safe_name if safe_name.strip(". ") else "_"


def _unused_name(name: str, used_names: set[str]) -> str:
    """Return the name, or "stem (2).suffix" if it is used, whatever its case; then it is in `used_names`."""
    path, count, candidate = PurePosixPath(name), 1, name
    while candidate.casefold() in used_names:
        count += 1
        candidate = f"{path.stem} ({count}){path.suffix}"
    used_names.add(candidate.casefold())
    return candidate


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Read a member. A damaged one counts as empty, which costs its own student only."""
    try:
        with archive.open(member) as file:
            return file.read(_MAX_READ_BYTES)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        return b""


def _read_file(path: Path) -> bytes:
    try:
        with safe_files.open_regular(path) as file:
            return file.read(_MAX_READ_BYTES)
    except safe_files.UnreadableFileError:
        return b""
