"""Zip files that were handed in: their names, and the content of one of them. Nothing is ever extracted."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from autograder.submission.safe_files import MAX_BYTES, UnreadableFileError, check_size, open_regular

MAX_ARCHIVE_BYTES = 50_000_000  # bytes of the archive itself
MAX_MEMBERS = 10_000
MAX_DEPTH = 3  # above a member that is looked at
MAX_COMPRESSION_RATIO = 200  # between a member and its compressed form, where the member is large

_MAX_READ_BYTES = 2_000_000  # bytes at once: the table of contents, which zipfile takes into memory whole
_MAX_NAME_LENGTH = 1000
_RATIO_CHECK_FROM_BYTES = 1_000_000
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
_READABLE_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may ask for any amount of memory


def list_members(path: Path) -> list[str]:
    """The names of the files in an archive, in order; a name may occur twice.

    Left out are hidden files and what macOS adds, names that lead elsewhere, and what lies too deep. Raises Unreadable.
    """
    with _open_archive(path) as archive:
        paths = (_member_path(member) for member in archive.infolist() if not member.is_dir())
        return sorted(name for name in paths if name is not None)


def read_member(path: Path, name: str) -> bytes:
    """What the one file of that name holds. Raises Unreadable, where the archive or this file cannot be read."""
    with _open_archive(path) as archive:
        members = [member for member in archive.infolist() if _member_path(member) == name]
        if len(members) != 1:
            raise _damaged_archive_error()
        [member] = members
        file_type = stat.S_IFMT(member.external_attr >> 16)
        if file_type not in (0, stat.S_IFREG):
            raise UnreadableFileError("is a link, or no regular file, in its archive: hand in the file itself")
        if member.flag_bits & _ENCRYPTED_FLAGS:
            raise UnreadableFileError("is locked with a password in its archive: hand in the file itself")
        if member.compress_type not in _READABLE_METHODS:
            raise UnreadableFileError("is compressed in a way that is not read here: hand in the file itself")
        if (
            _RATIO_CHECK_FROM_BYTES < member.file_size <= MAX_BYTES
            and member.file_size > MAX_COMPRESSION_RATIO * member.compress_size
        ):
            raise UnreadableFileError(
                f"is packed more than {MAX_COMPRESSION_RATIO}-fold, as no work is: hand in the file itself"
            )
        if member.file_size > MAX_BYTES:
            return check_size(bytes(MAX_BYTES + 1))
        with archive.open(member) as file:
            return check_size(file.read(MAX_BYTES + 1))


@contextmanager
def _open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, open. Whatever a crafted one makes zipfile do is Unreadable."""
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > MAX_ARCHIVE_BYTES:
            raise UnreadableFileError(f"is larger than {MAX_ARCHIVE_BYTES // 1_000_000} MB: hand in the notebook alone")
        try:
            with zipfile.ZipFile(_BoundedReader(file)) as archive:
                if len(archive.infolist()) > MAX_MEMBERS:
                    raise _too_many_members_error()
                yield archive
        except UnreadableFileError:
            raise
        except Exception:  # noqa: BLE001 - zipfile answers a crafted archive with nearly any exception
            raise _damaged_archive_error() from None


class _BoundedReader(io.RawIOBase):
    """A file that refuses to be read in large pieces, and so a table of contents that is too large to be true."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        data = self._file.read(_MAX_READ_BYTES + 1 if size is None or size < 0 else min(size, _MAX_READ_BYTES + 1))
        if len(data) > _MAX_READ_BYTES:
            raise _too_many_members_error()
        return data


def _member_path(member: zipfile.ZipInfo) -> str | None:
    """The path of a member within its archive, None where it is of no interest. Some programs write backslashes."""
    *folders, file_name = parts = re.split(r"[/\\]", member.filename)
    ignored = len(folders) > MAX_DEPTH or len(member.filename) > _MAX_NAME_LENGTH
    if ignored or any(part in ("", "..", "__MACOSX") or part.startswith(".") or ":" in part for part in parts):
        return None
    return "/".join((*folders, file_name))


def _too_many_members_error() -> UnreadableFileError:
    return UnreadableFileError(f"holds more than {MAX_MEMBERS} files: hand in your own alone")


def _damaged_archive_error() -> UnreadableFileError:
    return UnreadableFileError("is damaged, or no zip file: make it anew, or hand in the file itself")
