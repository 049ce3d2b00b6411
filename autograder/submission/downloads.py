"""Files of a download of all submissions, as an LMS packs them: read with care, and so much of each student."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from autograder.submission import notebook_json, safe_files
from autograder.submission.reader import ARCHIVE_SUFFIX, MAX_ENTRIES

MAX_MEMBERS = 100_000
MAX_STUDENT_BYTES = 2 * notebook_json.MAX_RAW_BYTES  # of one student's files together
# What zipfile raises for a member that is damaged, locked or packed in a way that it does not know.
_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)


@dataclass
class Quota:
    """How many files and bytes each student has had: what one of them packed cannot fill the disk for all."""

    _files: Counter[str] = field(default_factory=Counter)
    _bytes: Counter[str] = field(default_factory=Counter)

    def admits(self, student: str, data: bytes) -> bool:
        """Count one more file of a student, and return whether it may be written."""
        self._files[student] += 1
        self._bytes[student] += len(data)
        return self._files[student] <= MAX_ENTRIES and self._bytes[student] <= MAX_STUDENT_BYTES


def read_member(download: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | None:
    """Return the content of a member, cut behind the size that is read of a file; None if the member is damaged."""
    try:
        with download.open(member) as file:
            return file.read(_max_bytes(member.filename) + 1)
    except _DAMAGE:
        return None


def read_file(path: Path) -> bytes:
    """Return the content of a file, cut likewise. One that is no regular file, or cannot be read, counts as empty."""
    try:
        with safe_files.open_regular(path) as file:
            return file.read(_max_bytes(path.name) + 1)
    except safe_files.UnreadableFileError:
        return b""


def _max_bytes(name: str) -> int:
    """Return the size that is read of a file: a longer one is refused as too large when it is graded."""
    is_large = name.lower().endswith((ARCHIVE_SUFFIX, ".ipynb"))  # with outputs, which are left out when it is graded
    return notebook_json.MAX_RAW_BYTES if is_large else safe_files.MAX_BYTES
