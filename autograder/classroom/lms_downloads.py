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
from autograder.submission.reader import ARCHIVE, SUFFIXES

MOST_MEMBERS = 100_000
_MOST = safe_files.MAX_BYTES + 1  # of one file: what is longer is refused as too large when it is graded
_CANVAS = re.compile(r"(?:(?P<name>.+?)_)??(?:LATE_)?(?P<id>anon_[^\W_]+|\d+)_\d+_(?P<file>.+)", re.DOTALL)
_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_?/|_)(?:.*/)?(?P<file>[^/]+)", re.DOTALL
)


class DownloadError(Exception):
    """A zip file that is no download of a class: one sentence that says what to do."""


@dataclass(frozen=True)
class Download:
    """Whose files are which: student -> name of a file -> its path in the download; and what belongs to nobody."""

    students: Mapping[str, Mapping[str, str]]
    left_out: tuple[str, ...] = ()


def sorted_out(paths: list[str]) -> Download | None:
    """The paths of a download, by student; None where it comes neither from Canvas nor from Moodle.

    A student is called NAME_NUMBER: in Canvas by the user's number, in Moodle by that of the participant.
    """
    shown = [path for path in paths if not any(part.startswith((".", "__MACOSX")) for part in path.split("/"))]
    for pattern in (_MOODLE, _CANVAS):
        students: dict[str, dict[str, str]] = {}
        left_out = []
        for path in shown:
            match = pattern.fullmatch(path)
            if match and match.groupdict().get("kind", "file") == "file":
                student = "_".join(filter(None, (match["name"], match["id"])))
                students.setdefault(student, {})[_free(match["file"], students[student])] = path
            else:
                left_out.append(path)
        # one file of ours that is named otherwise, and it is some other folder
        if students and not any(path.lower().endswith((*SUFFIXES, ARCHIVE)) for path in left_out):
            return Download(students, tuple(left_out))
    return None


def _free(name: str, taken: Mapping[str, str]) -> str:
    """The name, made another one where folders of one student hold files of the same name."""
    path, count = PurePosixPath(name), 1
    while name in taken:
        count += 1
        name = f"{path.stem} ({count}){path.suffix}"
    return name


@contextmanager
def laid_out(path: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """A folder with a folder for each student, and what was left out of it.

    A folder that is no download is given back as it is; a download is copied into a folder that is removed afterwards.
    Raises DownloadError for a zip file that is none, and OSError where something cannot be read or written.
    """
    if path.is_dir():
        inside = sorted(one for one in path.rglob("*") if one.is_file()) if _is_download(path) else []
        download = sorted_out([one.relative_to(path).as_posix() for one in inside])
        if download is None:
            yield path, ()
            return
        with tempfile.TemporaryDirectory(prefix="autograder-class-") as folder:
            _lay_out(download, Path(folder), lambda name: _of_file(path / name))
            yield Path(folder), download.left_out
        return
    with tempfile.TemporaryDirectory(prefix="autograder-class-") as folder:
        left_out = _unpack(path, Path(folder))
        yield Path(folder), left_out


def _is_download(folder: Path) -> bool:
    """Whether the first level looks like one, so that a large folder of something else is not walked through."""
    names = [f"{one.name}/x" if one.is_dir() else one.name for one in folder.iterdir()]
    return any(_MOODLE.fullmatch(name) or _CANVAS.fullmatch(name) for name in names)


def _unpack(path: Path, folder: Path) -> tuple[str, ...]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {one.filename.replace("\\", "/"): one for one in archive.infolist() if not one.is_dir()}
            download = sorted_out(sorted(members)) if len(members) <= MOST_MEMBERS else None
            if download is None:
                raise DownloadError(
                    f"{path} is no download of all submissions from Canvas or Moodle: unpack it and name the folder."
                )
            _lay_out(download, folder, lambda name: _of_member(archive, members[name]))
            return download.left_out
    except zipfile.BadZipFile as error:
        raise DownloadError(f"{path} is damaged, or no zip file ({error}): download it again.") from None


def _lay_out(download: Download, folder: Path, read: Callable[[str], bytes]) -> None:
    taken: set[str] = set()
    for student, own in download.students.items():
        place = folder / _plain(student, taken)
        place.mkdir()
        names: set[str] = set()
        for name, path in own.items():
            (place / _plain(name, names)).write_bytes(read(path))


def _plain(name: str, taken: set[str]) -> str:
    """A name that every file system takes; letters of every script stay."""
    clean = "".join("_" if c in '/\\<>:"|?*' or not c.isprintable() else c for c in name).strip()[-100:]
    clean = clean if clean.strip(". ") else "_"
    stem, dot, suffix = clean.rpartition(".")
    count, free = 1, clean
    while free.casefold() in taken:
        count += 1
        free = f"{stem} ({count}).{suffix}" if dot else f"{clean} ({count})"
    taken.add(free.casefold())
    return free


def _of_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """What a member holds; one that is damaged costs its own student only, who is told that the file is empty."""
    try:
        with archive.open(member) as file:
            return file.read(_MOST)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        return b""


def _of_file(path: Path) -> bytes:
    try:
        with safe_files.opened(path) as file:
            return file.read(_MOST)
    except safe_files.Unreadable:
        return b""
