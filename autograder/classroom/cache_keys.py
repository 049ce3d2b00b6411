"""Keys of results: equal where grading again would give the same report, so that it need not be done."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import autograder
from autograder.classroom.discovery import SubmissionEntry
from autograder.grading import GradingConfig
from autograder.submission import safe_files
from autograder.submission.reader import ARCHIVE_SUFFIX, MAX_ENTRIES, SOURCE_SUFFIXES

_PACKAGE_FOLDER = Path(autograder.__file__).parent
_READ_SUFFIXES = (*SOURCE_SUFFIXES, ARCHIVE_SUFFIX)
# What can change a report: grading, and the rooms that it stands on.
VERDICT_ROOMS = ("course.py", "grading.py", "evaluation", "exercise", "feedback", "sandbox", "student", "submission")
_IGNORED_FOLDERS = {
    "figures",
    "handout",
    "__pycache__",
}  # of an exercise: its release is made of them, and Python's own


def exercise_files(folder: Path) -> dict[str, bytes]:
    """All that grading may need of an exercise folder, by path in it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    paths_by_name = {path.relative_to(folder): path for path in found}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in paths_by_name.items()
        if _IGNORED_FOLDERS.isdisjoint(name.parts) and not any(part.startswith(".") for part in name.parts)
    }


def compute_class_key(exercise_contents: dict[str, bytes], config: GradingConfig) -> bytes:
    """What all keys of one class have in common: the kit itself, the exercise, limits, and the secret or the seed."""
    settings = repr((autograder.__version__, sorted(asdict(config.limits).items()), config.seed, config.feedback))
    module_contents = {path.relative_to(_PACKAGE_FOLDER).as_posix(): path.read_bytes() for path in verdict_modules()}
    parts = (settings.encode(), config.secret or b"", *_flatten(module_contents), *_flatten(exercise_contents))
    return _digest(parts)


def verdict_modules() -> list[Path]:
    """Return the files of this package that can change a report."""
    rooms = [_PACKAGE_FOLDER / name for name in VERDICT_ROOMS]
    return [path for room in rooms for path in (room.rglob("*.py") if room.is_dir() else (room,))]


def compute_submission_key(entry: SubmissionEntry, class_key: bytes) -> str:
    """The key of one submission's result: the bytes that are read of it, and all names that a report may name."""
    return _digest((class_key, entry.student.encode("utf-8", "surrogateescape"), *_content_parts(entry.path))).hex()


def _content_parts(path: Path) -> Iterator[bytes]:
    yield os.fsencode(path.name)
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            yield _file_digest(path)
            return
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in islice(entries, MAX_ENTRIES + 1))
    except OSError as error:
        yield str(error.errno).encode()
        return
    for name in names:
        yield os.fsencode(name)
        if name.lower().endswith(_READ_SUFFIXES):
            yield _file_digest(path / name)


def _file_digest(path: Path) -> bytes:
    try:
        with safe_files.open_regular(path) as file:
            digest = hashlib.sha256()
            while part := file.read(1 << 20):
                digest.update(part)
            return digest.digest()
    except safe_files.UnreadableFileError as reason:
        return str(reason).encode()


def _flatten(contents: dict[str, bytes]) -> Iterator[bytes]:
    for name in sorted(contents):
        yield name.encode()
        yield contents[name]


def _digest(parts: Iterator[bytes] | tuple[bytes, ...]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
