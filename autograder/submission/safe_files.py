"""Files that others made, opened with care: no links are followed, no pipe or device is opened.

And files of our own, written so that whatever ends this program leaves them as they were or as they are to be.
"""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10_000_000  # of a file whose text is read
DRAFT_PREFIX = ".draft-"


class UnreadableFileError(Exception):
    """A file that is not read: what is wrong and what to do, as the end of a sentence that starts with its name."""


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """A regular file, open for reading. Raises UnreadableFileError where it is anything else, or cannot be read."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            raise UnreadableFileError("is a symbolic link: hand in the file itself")
        if not stat.S_ISREG(mode):
            raise UnreadableFileError("is not a regular file: hand in a notebook or a script")
        safe_flags = [getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")]
        descriptor = os.open(path, os.O_RDONLY | sum(safe_flags))
        with io.BufferedReader(io.FileIO(descriptor)) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it was exchanged meanwhile
                raise UnreadableFileError("is not a regular file: hand in a notebook or a script")
            yield file
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror}") from None


def read_regular(path: Path) -> bytes:
    """What a regular file holds. Raises UnreadableFileError, also where that is too much."""
    with open_regular(path) as file:
        return check_size(file.read(MAX_BYTES + 1))


def check_size(data: bytes) -> bytes:
    """The data itself. Raises UnreadableFileError where they are over the cap."""
    if len(data) > MAX_BYTES:
        raise UnreadableFileError(
            f"is larger than {MAX_BYTES // 1_000_000} MB: clear the outputs of the notebook "
            "(in Jupyter: Edit, Clear Outputs of All Cells), save it and hand it in again"
        )
    return data


def write_atomically(path: Path, data: bytes, *, mode: int = 0o666, overwrite: bool = True) -> None:
    """Write a file beside its place, then move it there. Raises OSError.

    Without `overwrite`, raises FileExistsError where the file is there: of two programs that write it at once, one does.
    """
    draft = path.with_name(f"{DRAFT_PREFIX}{os.getpid()}-{threading.get_ident()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
        if overwrite:
            draft.replace(path)
        else:
            os.link(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink()
