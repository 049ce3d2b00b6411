"""Cache keys: results have the same key only if grading again would give the same report."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import autograder
from autograder.classroom.discovery import SubmissionEntry
from autograder.grading import GradingConfig
from autograder.submission import safe_files
from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES, list_folder

_PACKAGE_FOLDER = Path(autograder.__file__).parent
_CHUNK = 1 << 16  # bytes of a file that are read at once
_READ_SUFFIXES = (*SOURCE_SUFFIXES, ARCHIVE_SUFFIX)
# What can change a report: grading, and the rooms that it stands on.
VERDICT_ROOMS = ("course.py", "grading.py", "evaluation", "exercise", "feedback", "sandbox", "student", "submission")
# The release is made from figures/ and handout/, which grading never opens; Python writes __pycache__.
_IGNORED_FOLDERS = {"figures", "handout", "__pycache__"}


def exercise_files(folder: Path) -> dict[str, bytes]:
    """Return every file of an exercise's folder that grading may need, by its path in the folder."""
    contents = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not is_hidden and _IGNORED_FOLDERS.isdisjoint(name.parts):
            contents[name.as_posix()] = path.read_bytes()
    return contents


def compute_class_key(exercise_contents: dict[str, bytes], config: GradingConfig) -> bytes:
    """Return the part that all keys of a class share: of the engine's code, the exercise, limits, secret and seed."""
    settings = repr((autograder.__version__, sorted(asdict(config.limits).items()), config.seed, config.feedback))
    module_contents = {path.relative_to(_PACKAGE_FOLDER).as_posix(): path.read_bytes() for path in verdict_modules()}
    parts = (settings.encode(), config.secret or b"", *_flatten(module_contents), *_flatten(exercise_contents))
    return _digest(parts)


def verdict_modules() -> list[Path]:
    """Return the files of this package that can change a report."""
    rooms = [_PACKAGE_FOLDER / name for name in VERDICT_ROOMS]
    return [path for room in rooms for path in (room.rglob("*.py") if room.is_dir() else (room,))]


def compute_submission_key(entry: SubmissionEntry, class_key: bytes) -> str:
    """Return the key of a submission's result: of the bytes that are read, and of names that a report may quote."""
    setting = _digest((class_key, entry.student.encode("utf-8", "surrogateescape")))
    return f"{setting.hex()}:{_digest(_content_parts(entry.path)).hex()}"


def is_same_work(key: str, other_key: str) -> bool:
    """Return whether two keys of a student's results are of the same work, graded in whatever way."""
    return key.partition(":")[2] == other_key.partition(":")[2] != ""


def _content_parts(path: Path) -> Iterator[bytes]:
    yield os.fsencode(path.name)
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            yield _file_digest(path)
            return
        names = list_folder(path)
    except OSError as error:
        # The report says why the submission cannot be read, so the reason is part of the key.
        yield str(error.errno).encode()
        return
    for name in names:
        yield os.fsencode(name)
        if name.lower().endswith(_READ_SUFFIXES):
            yield _file_digest(path / name)


def _file_digest(path: Path) -> bytes:
    try:
        digest = hashlib.sha256()
        with safe_files.open_regular(path) as file:
            while part := file.read(_CHUNK):  # hashlib.file_digest would fill a buffer of 256 KiB with zeros first
                digest.update(part)
        return digest.digest()
    except safe_files.UnreadableFileError as reason:
        return str(reason).encode()


def _flatten(contents: dict[str, bytes]) -> Iterator[bytes]:
    for name in sorted(contents):
        yield name.encode()
        yield contents[name]


def _digest(parts: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))  # so that no two lists of parts give the same bytes
        digest.update(part)
    return digest.digest()
