"""One watcher a course: a lock that the system takes back when the process ends, however it ends."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform != "win32":  # nor does nbgrader's exchange run there
    import fcntl

_LOCK_FILE = "lock"
_PATIENCE_SECONDS = 2.0  # the workers of a watcher that was killed end a moment after it


class AlreadyWatched(Exception):
    """There is a watcher already, or none could be kept out: one sentence that says so."""


@contextmanager
def only_watcher(folder: Path) -> Iterator[None]:
    """Hold the lock of a course. Raises AlreadyWatched while another process, here or on another machine, holds it."""
    with (folder / _LOCK_FILE).open("a+", encoding="utf-8") as file:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(file.fileno(), fcntl.LOCK_EX, folder):
            if time.monotonic() > deadline:
                file.seek(0)
                holder = file.read(200).strip() or "another process"
                raise AlreadyWatched(f"This course is watched already, by {holder}.")
            time.sleep(0.1)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def is_watched(folder: Path) -> bool:
    """Return whether a watcher is running."""
    try:
        with (folder / _LOCK_FILE).open(encoding="utf-8") as file:
            return not _try_lock(file.fileno(), fcntl.LOCK_SH, folder)
    except OSError:
        return False


def _try_lock(file: int, kind: int, folder: Path) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise AlreadyWatched(
            f"{folder} cannot be locked ({error.strerror}): keep the course on a file system that can."
        ) from None
    return True
