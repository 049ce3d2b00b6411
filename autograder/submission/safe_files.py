"""Files of other people, opened with care: no link is followed, no pipe or device is opened.

Also files of our own, written atomically: a crash leaves the old content or the new, never a part.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 10_000_000  # of a file that is read; of a submission, if a course sets no other limit
DRAFT_PREFIX = ".draft-"


class UnreadableFileError(Exception):
    """A file that cannot be read: its text, which ends a sentence that starts with the file's name, says what to do."""


@contextmanager
def open_regular(path: Path, folder: int | None = None) -> Iterator[BinaryIO]:
    """Open a regular file for reading. Raises UnreadableFileError if it is anything else or cannot be read.

    A relative path starts at the open folder whose descriptor is given: nobody can put another folder in its place.
    """
    try:
        mode = os.lstat(path, dir_fd=folder).st_mode
        if stat.S_ISLNK(mode):
            raise UnreadableFileError("is a symbolic link: hand in the file itself")
        if not stat.S_ISREG(mode):
            raise UnreadableFileError("is not a regular file: hand in a notebook or a script")
        safe_flags = [getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")]
        descriptor = os.open(path, os.O_RDONLY | sum(safe_flags), dir_fd=folder)
        with io.BufferedReader(io.FileIO(descriptor)) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it was replaced after lstat
                raise UnreadableFileError("is not a regular file: hand in a notebook or a script")
            yield file
    except OSError as error:
        raise UnreadableFileError(f"cannot be read: {error.strerror}") from None


def read_regular(path: Path) -> bytes:
    """Return the content of a regular file. Raises UnreadableFileError, also if it is over MAX_BYTES."""
    with open_regular(path) as file:
        data = file.read(MAX_BYTES + 1)
    check_size(len(data), MAX_BYTES)
    return data


def check_size(size: int, max_bytes: int) -> None:
    """Raise UnreadableFileError if the size in bytes of what is read of a file is over a limit."""
    if size > max_bytes:
        raise UnreadableFileError(
            f"is larger than {max_bytes / 1_000_000:g} MB, outputs of a notebook not counted: "
            "take out what does not belong to the exercise, save it and hand it in again"
        )


def is_disk_full(error: OSError) -> bool:
    """Return whether an error while writing is nobody's fault who handed something in."""
    return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def write_atomically(path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o666, overwrite: bool = True) -> None:
    """Write a draft in the same folder, at once or part by part, then move it to `path`. Raises OSError.

    Without `overwrite`, raises FileExistsError if the file exists: of two programs that write it at once, one succeeds.
    """
    draft = path.with_name(f"{DRAFT_PREFIX}{os.getpid()}-{threading.get_ident()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.writelines([data] if isinstance(data, bytes) else data)
        if overwrite:
            draft.replace(path)
        else:
            os.link(draft, path)
            draft.unlink()
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
