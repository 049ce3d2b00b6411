"""Submitted zip files: list the names in one, and read a single member. Nothing is ever extracted."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from autograder.submission.notebook_json import MAX_RAW_BYTES, OUTPUTS_AND_PICTURES, Content, read_content
from autograder.submission.safe_files import UnreadableFileError, open_regular

MAX_ARCHIVE_BYTES = MAX_RAW_BYTES  # of the archive itself
MAX_MEMBERS = 10_000
MAX_DEPTH = 3  # folders above a member

# Bytes per read: zipfile reads the table of contents in one piece, and its extra fields in quadratic time.
_MAX_READ_BYTES = 1_000_000
_MAX_NAME_LENGTH = 1000
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
_READABLE_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may ask for any amount of memory
_DAMAGED = "is damaged, or not a zip file: make it again, or hand in the file itself"
_TOO_MANY_MEMBERS = f"holds more than {MAX_MEMBERS} files: hand in only your own"


def list_members(path: Path) -> list[str]:
    """Return the names of the files in an archive, sorted; a name may occur twice.

    Omits hidden files, the files that macOS adds, names that lead out of the archive, and files nested too deep.
    Raises UnreadableFileError.
    """
    with _open_archive(path) as archive:
        paths = (_member_path(member) for member in archive.infolist() if not member.is_dir())
        return sorted(name for name in paths if name is not None)


def read_member(path: Path, name: str, max_bytes: int, left_out: Sequence[str] = OUTPUTS_AND_PICTURES) -> Content:
    """Return the content of the only file of that name, as `read_content` does. Raises UnreadableFileError."""
    with _open_archive(path) as archive:
        members = [member for member in archive.infolist() if _member_path(member) == name]
        if len(members) != 1:
            raise UnreadableFileError(_DAMAGED)
        _check_readable(members[0])
        # The size in the table of contents may be a lie, so the data that comes out is measured as well. The ratio
        # says nothing: a notebook that holds one line of output many thousand times is honest.
        with archive.open(members[0]) as file:
            return read_content(cast(BinaryIO, file), PurePosixPath(name).suffix, max_bytes, left_out)


def _check_readable(member: zipfile.ZipInfo) -> None:
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise UnreadableFileError("is a link, or no regular file, in its archive: hand in the file itself")
    if member.flag_bits & _ENCRYPTED_FLAGS:
        raise UnreadableFileError("is locked with a password in its archive: hand in the file itself")
    if member.compress_type not in _READABLE_METHODS:
        raise UnreadableFileError("is compressed in a way that is not read here: hand in the file itself")


@contextmanager
def _open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive. Raises UnreadableFileError, whatever exception a crafted archive provokes in zipfile."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > MAX_ARCHIVE_BYTES:
            raise UnreadableFileError(f"is larger than {MAX_ARCHIVE_BYTES // 1_000_000} MB: hand in only the notebook")
        try:
            reader = _BoundedReader(file.fileno(), closefd=False)
            with zipfile.ZipFile(reader) as archive:
                reader.is_bounded = False  # of a member, what comes out is measured
                if len(archive.infolist()) > MAX_MEMBERS:
                    raise UnreadableFileError(_TOO_MANY_MEMBERS)
                yield archive
        except UnreadableFileError:
            raise
        except Exception:  # noqa: BLE001 - zipfile answers a crafted archive with nearly any exception
            raise UnreadableFileError(_DAMAGED) from None


class _BoundedReader(io.FileIO):
    """A file that refuses large reads, and with them a table of contents too large to be honest."""

    is_bounded = True

    def read(self, size: int | None = -1, /) -> bytes:
        if not self.is_bounded:
            return super().read(size)
        limit = _MAX_READ_BYTES + 1
        data = super().read(limit if size is None or size < 0 else min(size, limit))
        if len(data) == limit:
            raise UnreadableFileError(_TOO_MANY_MEMBERS)
        return data


def _member_path(member: zipfile.ZipInfo) -> str | None:
    """Return the path of a member within its archive, or None if the member is to be ignored."""
    parts = re.split(r"[/\\]", member.filename)  # some programs write backslashes
    ignored = len(parts) > MAX_DEPTH + 1 or len(member.filename) > _MAX_NAME_LENGTH
    if ignored or any(part in ("", "..", "__MACOSX") or part.startswith(".") or ":" in part for part in parts):
        return None
    return "/".join(parts)
