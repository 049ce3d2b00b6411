"""What Canvas and Moodle give for "download all submissions": one zip file, or the folder that it was unpacked to.

Canvas puts all files side by side, as lovelaceada_LATE_12345_67890_rnn_backprop.ipynb (user, then attachment). Moodle
makes a folder for each student, as Ada Lovelace_12345_assignsubmission_file/, or puts that in front of each file.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.submission import safe_files
from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES

MAX_MEMBERS = 100_000
_MAX_READ_BYTES = safe_files.MAX_BYTES + 1  # of one file: what is longer is refused as too large when it is graded
_CANVAS_NAME = re.compile(r"(?:(?P<name>.+?)_)??(?:LATE_)?(?P<id>anon_[^\W_]+|\d+)_\d+_(?P<file>.+)", re.DOTALL)
_MOODLE_PATH = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_?/|_)(?:.*/)?(?P<file>[^/]+)", re.DOTALL
)


class DownloadError(Exception):
    """A zip file that is no download of a class: one sentence that says what to do."""


@dataclass(frozen=True)
class Download:
    """Whose files are which: student -> name of a file -> its path in the download; and what belongs to nobody."""

    files_by_student: Mapping[str, Mapping[str, str]]
    skipped: tuple[str, ...] = ()


def group_by_student(paths: list[str]) -> Download | None:
    """The paths of a download, by student; None where it comes neither from Canvas nor from Moodle.

    A student is called NAME_NUMBER: in Canvas by the user's number, in Moodle by that of the participant.
    """
    relevant_paths = [path for path in paths if not any(part.startswith((".", "__MACOSX")) for part in path.split("/"))]
    for pattern in (_MOODLE_PATH, _CANVAS_NAME):
        files_by_student: dict[str, dict[str, str]] = {}
        skipped = []
        for path in relevant_paths:
            match = pattern.fullmatch(path)
            if match and match.groupdict().get("kind", "file") == "file":
                student = "_".join(filter(None, (match["name"], match["id"])))
                files_by_student.setdefault(student, {})[_unused_name(match["file"], files_by_student[student])] = path
            else:
                skipped.append(path)
        # one file of ours that is named otherwise, and it is some other folder
        if files_by_student and not any(path.lower().endswith((*SOURCE_SUFFIXES, ARCHIVE_SUFFIX)) for path in skipped):
            return Download(files_by_student, tuple(skipped))
    return None


def _unused_name(name: str, used_names: Mapping[str, str]) -> str:
    """The name, made another one where folders of one student hold files of the same name."""
    path, count = PurePosixPath(name), 1
    while name in used_names:
        count += 1
        name = f"{path.stem} ({count}){path.suffix}"
    return name


@contextmanager
def open_download(path: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """A folder with a folder for each student, and what was left out of it.

    A folder that is no download is given back as it is; a download is copied into a folder that is removed afterwards.
    Raises DownloadError for a zip file that is none, and OSError where something cannot be read or written.
    """
    if path.is_dir():
        found_files = sorted(one for one in path.rglob("*") if one.is_file()) if _looks_like_download(path) else []
        download = group_by_student([one.relative_to(path).as_posix() for one in found_files])
        if download is None:
            yield path, ()
            return
        with tempfile.TemporaryDirectory(prefix="autograder-class-") as folder:
            _write_student_folders(download, Path(folder), lambda name: _read_file(path / name))
            yield Path(folder), download.skipped
        return
    with tempfile.TemporaryDirectory(prefix="autograder-class-") as folder:
        left_out = _extract_zip(path, Path(folder))
        yield Path(folder), left_out


def _looks_like_download(folder: Path) -> bool:
    """Whether the first level looks like one, so that a large folder of something else is not walked through."""
    names = [f"{one.name}/x" if one.is_dir() else one.name for one in folder.iterdir()]
    return any(_MOODLE_PATH.fullmatch(name) or _CANVAS_NAME.fullmatch(name) for name in names)


def _extract_zip(path: Path, folder: Path) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {one.filename.replace("\\", "/"): one for one in archive.infolist() if not one.is_dir()}
            download = group_by_student(sorted(members)) if len(members) <= MAX_MEMBERS else None
            if download is None:
                raise DownloadError(
                    f"{path} is no download of all submissions from Canvas or Moodle: unpack it and name the folder."
                )
            _write_student_folders(download, folder, lambda name: _read_member(archive, members[name]))
            return download.skipped
    except zipfile.BadZipFile as error:
        raise DownloadError(f"{path} is damaged, or no zip file ({error}): download it again.") from None


def _write_student_folders(download: Download, folder: Path, read_file: Callable[[str], bytes]) -> None:
    used_folder_names: set[str] = set()
    for student, student_files in download.files_by_student.items():
        student_folder = folder / _safe_name(student, used_folder_names)
        student_folder.mkdir()
        used_file_names: set[str] = set()
        for name, path in student_files.items():
            (student_folder / _safe_name(name, used_file_names)).write_bytes(read_file(path))


def _safe_name(name: str, used_names: set[str]) -> str:
    """A name that every file system takes; letters of every script stay."""
    base_name = "".join("_" if c in '/\\<>:"|?*' or not c.isprintable() else c for c in name).strip()[-100:]
    base_name = base_name if base_name.strip(". ") else "_"
    stem, dot, suffix = base_name.rpartition(".")
    count, candidate = 1, base_name
    while candidate.casefold() in used_names:
        count += 1
        candidate = f"{stem} ({count}).{suffix}" if dot else f"{base_name} ({count})"
    used_names.add(candidate.casefold())
    return candidate


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """What a member holds; one that is damaged costs its own student only, who is told that the file is empty."""
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
