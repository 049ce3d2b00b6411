"""Starts a fresh process for each submission, in an empty folder (levels C, D and E)."""

from __future__ import annotations

import itertools
import os
import secrets
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from autograder.course import Level
from autograder.sandbox.host import bubblewrap, runtime
from autograder.sandbox.host.channel import Channel, PipeChannel, SocketChannel
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.limited_process import Process
from autograder.sandbox.host.runtime import EXIT_GRACE_SECONDS, START_SECONDS, startup_failure
from autograder.sandbox.host.submission_process import ProcessFactory


class Spawner(ProcessFactory):
    """Starts processes at one level."""

    note = ""

    def __init__(self, level: Level) -> None:
        self._level: Level = level

    def start(self, memory_mib: int, cpu_seconds: int, support_modules: Mapping[str, str]) -> SpawnedProcess:  # noqa: ARG002 - of the interface
        return SpawnedProcess(self._level, memory_mib, cpu_seconds)

    def close(self) -> None:
        """Do nothing: no process runs between two submissions."""


class SpawnedProcess(Process):
    """A fresh process. Raises JailError if it does not start."""

    def __init__(self, level: Level, memory_mib: int, cpu_seconds: int) -> None:
        limits = (0, 0) if level == "E" else (memory_mib << 20, cpu_seconds)
        self._in_container = level == "C"
        self._folder = tempfile.mkdtemp(prefix="autograder-")
        self._process: subprocess.Popen[bytes] | None = None
        try:
            if self._in_container:
                layout = bubblewrap.guest_layout()
                command = bubblewrap.wrap(layout, "runner", *limits, folder=Path(self._folder))
            else:
                interpreter = runtime.interpreter_path()
                command = runtime.guest_command(interpreter, runtime.OWN_SEARCH_PATH, "runner", *limits)
            with tempfile.TemporaryFile() as stderr_file:
                self.channel = self._start(command, stderr_file, sockets=level != "E")
                self._psutil_process = self._wait_until_ready(stderr_file)
        except BaseException:
            self.close()
            raise

    def cpu_seconds(self) -> float:
        return _cpu_seconds(self._psutil_process)

    def usage(self, *, thorough: bool) -> tuple[float, int]:
        family = [self._psutil_process]
        if thorough:
            with suppress(psutil.Error):
                family += self._psutil_process.children(recursive=True)
        return sum(map(_cpu_seconds, family)), sum(map(_memory_bytes, family))

    def wait(self, timeout: float) -> int | None:
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout)
            return 128 - code if self._in_container and code > 128 else code  # bubblewrap exits like a shell
        return None

    def close(self) -> None:
        if self._process is not None:
            self._kill(self._process)
            self._process.wait()
            self.channel.close()
        remove_tree(Path(self._folder))

    def _start(self, command: list[str], stderr_file: IO[bytes], *, sockets: bool) -> Channel:
        def start(descriptor: int) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                command,
                stdin=descriptor,
                stdout=descriptor,
                stderr=stderr_file,
                cwd=self._folder,
                env=runtime.guest_environment(self._folder),
                start_new_session=runtime.POSIX,
            )

        if not sockets:
            self._process = start(subprocess.PIPE)
            return PipeChannel(self._process)
        channel, theirs = SocketChannel.pair()
        with theirs:
            self._process = start(theirs.fileno())
        return channel

    def _wait_until_ready(self, stderr_file: IO[bytes]) -> psutil.Process:
        """Return the process that runs student code; in a container, this is not the process that was started."""
        assert self._process is not None
        self._psutil_process = psutil.Process(self._process.pid)
        try:
            pid = self.channel.handshake(START_SECONDS)
            return psutil.Process(pid) if pid else self._psutil_process
        except (EOFError, OSError, psutil.Error) as error:
            raise JailError(f"the process for student code {startup_failure(error, stderr_file)}") from None

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        if self._in_container:
            with suppress(psutil.Error, subprocess.TimeoutExpired):
                self._psutil_process.kill()  # the container and everything in it end, too
                process.wait(EXIT_GRACE_SECONDS)
        elif runtime.POSIX:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        else:
            with suppress(psutil.Error):
                for child in self._psutil_process.children(recursive=True):
                    child.kill()
        process.kill()


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _memory_bytes(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def remove_tree(folder: Path) -> None:
    """Remove a folder as far as possible, however deep the folders in it are. Follows no links."""
    # Student code can nest folders deeper than a path may be long. So each round moves the folders of the second level
    # up to the first, under unused names, and removes the emptied ones.
    unused_paths = (folder / f"{secrets.token_hex(8)}-{number}" for number in itertools.count())
    paths = _list_entries(folder)
    while paths:
        removed = False
        for path in paths:
            with suppress(OSError):
                if path.is_dir() and not path.is_symlink():
                    _empty_folder(path, unused_paths)
                    path.rmdir()
                else:
                    path.unlink()
                removed = True
        paths = _list_entries(folder) if removed else []
    with suppress(OSError):
        folder.rmdir()


def _list_entries(folder: Path) -> list[Path]:
    """Return the entries of a folder, after making it accessible; none if that fails."""
    with suppress(OSError):
        folder.chmod(stat.S_IRWXU)
        return list(folder.iterdir())
    return []


def _empty_folder(folder: Path, unused_paths: Iterator[Path]) -> None:
    for path in _list_entries(folder):
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IRWXU)
            path.rename(next(unused_paths))
        else:
            path.unlink()
