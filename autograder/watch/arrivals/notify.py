"""Tells that something changed in a folder: a process of its own, so that the watcher, which forks, has no threads.

`python -m autograder.watch.arrivals.notify DEPTH FOLDER...` writes a line for each burst of changes; DEPTH is flat or
deep. On a file system that tells of none, such as NFS, the slow scan of the watcher finds what arrived.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_DEBOUNCE_MS, _STEP_MS = 50, 10  # how long changes are gathered while more of them come


class Notifier:
    """Waits for changes in folders, and in those within if it is `deep`. A context manager that leaves no process."""

    def __init__(self, folders: Sequence[Path], deep: bool) -> None:
        self._folders, self._depth = folders, "deep" if deep else "flat"
        self._process: subprocess.Popen[bytes] | None = None
        self._watched: list[tuple[int, int] | None] = []

    def __enter__(self) -> Notifier:
        self.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def refresh(self) -> None:
        """Watch the folders that are there now: a file system that was mounted again has new ones."""
        there = [_identity(folder) for folder in self._folders]
        if there == self._watched and self._process and self._process.poll() is None:
            return
        self._stop()
        self._watched = there
        if folders := [folder for folder, found in zip(self._folders, there, strict=True) if found]:
            command = [sys.executable, "-m", "autograder.watch.arrivals.notify", self._depth, *map(str, folders)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def wait(self, seconds: float) -> bool:
        """Return as soon as something changes, or after so many seconds; whether something did."""
        pipe = self._process.stdout if self._process else None
        readable, _, _ = select.select([pipe] if pipe else [], [], [], max(seconds, 0))
        if not readable or pipe is None:
            return False
        if not os.read(pipe.fileno(), 65536):  # the process ended: a refresh starts another
            self._stop()
        return True

    def _stop(self) -> None:
        if self._process:
            self._process.kill()
            with self._process:
                self._process = None


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def main(depth: str, *folders: str) -> None:
    """Write a line whenever something changes in a folder, until this process is ended."""
    # late: only this process needs it, 60 ms
    from watchfiles import watch

    from autograder.sandbox.host import own_process

    own_process.end_with_parent()
    os.write(1, b"\n")  # whatever came before the folders were watched
    deep = depth == "deep"
    for _ in watch(*folders, watch_filter=None, debounce=_DEBOUNCE_MS, step=_STEP_MS, recursive=deep):
        os.write(1, b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
