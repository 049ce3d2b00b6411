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

from autograder.submission.safe_files import MAX_BYTES, Unreadable, not_too_large, opened

MAX_ARCHIVE = 50_000_000  # bytes of the archive itself
MOST_MEMBERS = 10_000
MOST_FOLDERS = 3  # above a member that is looked at
MOST_RATIO = 200  # between a member and its compressed form, where the member is large

_LARGEST_READ = 2_000_000  # bytes at once: the table of contents, which zipfile takes into memory whole
_LONGEST_NAME = 1000
_LARGE = 1_000_000
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others may ask for any amount of memory


def names(path: Path) -> list[str]:
    """The names of the files in an archive, in order; a name may occur twice.

    Left out are hidden files and what macOS adds, names that lead elsewhere, and what lies too deep. Raises Unreadable.
    """
    with _archive(path) as archive:
        shown = (_name(member) for member in archive.infolist() if not member.is_dir())
        return sorted(name for name in shown if name is not None)


def content(path: Path, name: str) -> bytes:
    """What the one file of that name holds. Raises Unreadable, where the archive or this file cannot be read."""
    with _archive(path) as archive:
        members = [member for member in archive.infolist() if _name(member) == name]
        if len(members) != 1:
            raise _damaged()
        [member] = members
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise Unreadable("is a link, or no regular file, in its archive: hand in the file itself")
        if member.flag_bits & _ENCRYPTED:
            raise Unreadable("is locked with a password in its archive: hand in the file itself")
        if member.compress_type not in _METHODS:
            raise Unreadable("is compressed in a way that is not read here: hand in the file itself")
        if _LARGE < member.file_size <= MAX_BYTES and member.file_size > MOST_RATIO * member.compress_size:
            raise Unreadable(f"is packed more than {MOST_RATIO}-fold, as no work is: hand in the file itself")
        if member.file_size > MAX_BYTES:
            return not_too_large(bytes(MAX_BYTES + 1))
        with archive.open(member) as file:
            return not_too_large(file.read(MAX_BYTES + 1))


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, open. Whatever a crafted one makes zipfile do is Unreadable."""
    with opened(path) as file:
        if os.fstat(file.fileno()).st_size > MAX_ARCHIVE:
            raise Unreadable(f"is larger than {MAX_ARCHIVE // 1_000_000} MB: hand in the notebook alone")
        try:
            with zipfile.ZipFile(_Sips(file)) as archive:
                if len(archive.infolist()) > MOST_MEMBERS:
                    raise _too_many()
                yield archive
        except Unreadable:
            raise
        except Exception:  # noqa: BLE001 - zipfile answers a crafted archive with nearly any exception
            raise _damaged() from None


class _Sips(io.RawIOBase):
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
        data = self._file.read(_LARGEST_READ + 1 if size is None or size < 0 else min(size, _LARGEST_READ + 1))
        if len(data) > _LARGEST_READ:
            raise _too_many()
        return data


def _name(member: zipfile.ZipInfo) -> str | None:
    """The path of a member within its archive, None where it is of no interest. Some programs write backslashes."""
    *folders, last = parts = re.split(r"[/\\]", member.filename)
    odd = len(folders) > MOST_FOLDERS or len(member.filename) > _LONGEST_NAME
    if odd or any(part in ("", "..", "__MACOSX") or part.startswith(".") or ":" in part for part in parts):
        return None
    return "/".join((*folders, last))


def _too_many() -> Unreadable:
    return Unreadable(f"holds more than {MOST_MEMBERS} files: hand in your own alone")


def _damaged() -> Unreadable:
    return Unreadable("is damaged, or no zip file: make it anew, or hand in the file itself")
