"""Trusted side: one process in which student code runs, seen from outside: frames in, frames out, limits, the end."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from autograder.sandbox import frames
from autograder.sandbox.program import Ended

POSIX = os.name == "posix"

_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.append(sys.argv.pop()); from autograder.sandbox.runner import main; main()"
_GLANCE = 0.03  # seconds between two looks at a process that is taking its time
_STUDY = 0.25  # and between two looks at its own child processes, which cost more
_FAREWELL = 2.0  # seconds for a process that closed its channel to be gone
# Needed to start this very Python on some systems, or to compute on some processors; never a secret.
_PASSED_ON = ("SYSTEMROOT", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE")
_THREADS = ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")


class Stopped(Exception):
    """The process ended, or had to be: `ended` says how."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.how)
        self.ended = ended


class Worker:
    """A fresh process with an empty folder of its own. `close` ends it, with all that it started.

    Reading and writing are done by two threads, because pipes have no time limit on every platform, and a process that
    stands still must not hold up the grader.
    """

    def __init__(self, memory_mib: int) -> None:
        self._memory = memory_mib << 20
        self._folder = tempfile.mkdtemp(prefix="autograder-")
        # Not -I, which would ignore PYTHONHASHSEED: the environment is made from nothing, so -s and -P say the rest.
        self._process = subprocess.Popen(
            [sys.executable, "-s", "-P", "-c", _START, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env=environment(self._folder),
            start_new_session=POSIX,
        )
        self._watched = psutil.Process(self._process.pid)
        self._inbox: queue.Queue[bytes | Exception] = queue.Queue(maxsize=4)
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        threading.Thread(target=self._write, daemon=True).start()

    def allow(self, cpu_seconds: float, wall_seconds: float) -> None:
        """From now on, the process has this much time on the CPU and by the clock. Comes before the first `receive`."""
        now = time.monotonic()
        self._next_look = now + _GLANCE
        self._next_study = now + _STUDY
        self._last_moment = now + wall_seconds
        self._last_cpu = self._cpu_of(self._watched) + cpu_seconds

    def send(self, *request: object) -> None:
        """Send one request; does not wait until it is read."""
        self._outbox.put(frames.pack(request, frames.REQUEST_CAP))

    def receive(self) -> tuple[Any, ...]:
        """The next reply. Raises Stopped at a limit or the end of the process, FrameError where it is no reply."""
        while True:
            if time.monotonic() >= self._next_look:
                self._look()
            try:
                received = self._inbox.get(timeout=_GLANCE)
            except queue.Empty:
                continue
            if isinstance(received, frames.FrameError):
                raise received
            if isinstance(received, Exception):
                raise Stopped(self._how_it_ended())
            return frames.unpack(received)

    def close(self) -> None:
        """End the process and whatever it started, and remove its folder."""
        self._kill()
        self._process.wait()
        self._outbox.put(None)
        patience = (
            time.monotonic() + _FAREWELL
        )  # a process that got away may still hold the pipe: leave the thread to it
        while self._reader.is_alive() and time.monotonic() < patience:
            with suppress(queue.Empty):
                self._inbox.get(timeout=0.01)
        with suppress(OSError, RecursionError):  # folders in folders in folders
            shutil.rmtree(self._folder, ignore_errors=True)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as source:
            try:
                while True:
                    self._inbox.put(frames.read(source, frames.REPLY_CAP))
            except (EOFError, OSError, frames.FrameError) as error:
                self._inbox.put(error)

    def _write(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as sink:
            while (frame := self._outbox.get()) is not None:
                sink.write(frame)
                sink.flush()

    def _look(self) -> None:
        now = time.monotonic()
        self._next_look = now + _GLANCE
        used = self._cpu_of(self._watched)
        family = []
        if now >= self._next_study:
            self._next_study = now + _STUDY
            with suppress(psutil.Error):
                family = self._watched.children(recursive=True)
            used += sum(map(self._cpu_of, family))
            if sum(map(self._memory_of, (self._watched, *family))) > self._memory:
                raise Stopped(Ended("memory"))
        if used > self._last_cpu:
            raise Stopped(Ended("cpu"))
        if now > self._last_moment:
            raise Stopped(Ended("wall"))

    @staticmethod
    def _cpu_of(process: psutil.Process) -> float:
        with suppress(psutil.Error):
            times = process.cpu_times()
            return float(times.user + times.system + times.children_user + times.children_system)
        return 0.0

    @staticmethod
    def _memory_of(process: psutil.Process) -> int:
        with suppress(psutil.Error):
            return int(process.memory_info().rss)
        return 0

    def _how_it_ended(self) -> Ended:
        try:
            code = self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            return Ended("protocol")  # it closed the channel and lives on
        if not POSIX or code >= 0:
            return Ended("crash" if code >= 0xC0000000 else "exit", code)
        if code == -signal.SIGXCPU:
            return Ended("cpu")
        return Ended("memory") if code == -signal.SIGKILL else Ended("crash", -code)  # only the kernel kills unasked

    def _kill(self) -> None:
        if POSIX:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            with suppress(psutil.Error):
                for child in self._watched.children(recursive=True):
                    child.kill()
        self._process.kill()


def environment(folder: str) -> dict[str, str]:
    """The environment of the process: made from nothing, the same everywhere, one thread for linear algebra."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    threads = {f"{library}_NUM_THREADS": "1" for library in _THREADS}
    home = dict.fromkeys(("HOME", "TMPDIR") if POSIX else ("USERPROFILE", "TEMP", "TMP"), folder)
    return {**passed_on, **threads, **home, "LANG": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
