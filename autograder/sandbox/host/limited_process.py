"""Trusted side: one process in which student code runs, seen from outside: frames in, frames out, limits, the end."""

from __future__ import annotations

import signal
import time
from typing import Any, Protocol

from autograder.sandbox.host import runtime
from autograder.sandbox.host.channel import Channel
from autograder.sandbox.host.program import Ended
from autograder.sandbox.protocol import framing

_GLANCE = 0.03  # seconds between two looks at a process that is taking its time
_STUDY = 0.25  # and between two looks at the processes it started, which cost more
_FAREWELL = 2.0  # seconds for a process that closed its channel to be gone


class Process(Protocol):
    """A process for student code, made in one way or another."""

    channel: Channel

    def cpu_seconds(self) -> float:
        """Its time on the CPU so far."""

    def used(self, *, thorough: bool) -> tuple[float, int]:
        """Its time on the CPU so far and bytes of memory now; `thorough`: with those of the processes it started."""

    def wait(self, seconds: float) -> int | None:
        """Its exit code, the negative number of a signal that ended it, or None when it has not ended in time."""

    def close(self) -> None:
        """End it, with all that it started; nothing of it is left."""


class Stopped(Exception):
    """The process ended, or had to be: `ended` says how."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.how)
        self.ended = ended


class Worker:
    """A process under limits. `close` ends it, with all that it started."""

    def __init__(self, process: Process, memory_mib: int) -> None:
        self._process = process
        self._memory = memory_mib << 20

    def allow(self, cpu_seconds: float, wall_seconds: float) -> None:
        """From now on, the process has this much time on the CPU and by the clock. Comes before the first `receive`."""
        now = time.monotonic()
        self._next_look = now + _GLANCE
        self._next_study = now + _STUDY
        self._last_moment = now + wall_seconds
        self._last_cpu = self._process.cpu_seconds() + cpu_seconds

    def send(self, *request: object) -> None:
        """Send one request; does not wait until it is read."""
        self.put(framing.pack(request, framing.REQUEST_CAP))

    def put(self, frame: bytes) -> None:
        """The same for a request that is packed already."""
        self._process.channel.put(frame)

    def receive(self) -> tuple[Any, ...]:
        """The next reply. Raises Stopped at a limit or the end of the process, FrameError where it is no reply."""
        return framing.unpack(self.receive_packed())

    def receive_packed(self) -> bytes:
        """The body of the next reply, which may hold anything. Raises Stopped, and FrameError where there is none."""
        while True:
            if time.monotonic() >= self._next_look:
                self._look()
            try:
                body = self._process.channel.get(_GLANCE)
            except (EOFError, OSError):
                raise Stopped(self._how_it_ended()) from None
            if body is not None:
                return body

    def close(self) -> None:
        """End the process and whatever it started."""
        self._process.close()

    def _look(self) -> None:
        now = time.monotonic()
        self._next_look = now + _GLANCE
        thorough = now >= self._next_study
        if thorough:
            self._next_study = now + _STUDY
        used, memory = self._process.used(thorough=thorough)
        if memory > self._memory:
            raise Stopped(Ended("memory"))
        if used > self._last_cpu:
            raise Stopped(Ended("cpu"))
        if now > self._last_moment:
            raise Stopped(Ended("wall"))

    def _how_it_ended(self) -> Ended:
        code = self._process.wait(_FAREWELL)
        if code is None:
            return Ended("protocol")  # it closed the channel and lives on
        if not runtime.POSIX or code >= 0:
            return Ended("crash" if code >= 0xC0000000 else "exit", code)
        if code == -signal.SIGXCPU:
            return Ended("cpu")
        return Ended("memory") if code == -signal.SIGKILL else Ended("crash", -code)  # only the kernel kills unasked
