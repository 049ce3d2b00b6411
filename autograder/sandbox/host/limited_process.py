"""Trusted side: one process in which student code runs, seen from outside: frames in, frames out, limits, the end."""

from __future__ import annotations

import signal
import time
from typing import Any, Protocol

from autograder.sandbox.host import runtime
from autograder.sandbox.host.channel import Channel
from autograder.sandbox.host.program import ProcessEnded
from autograder.sandbox.protocol import framing

_POLL_SECONDS = 0.03  # seconds between two looks at a process that is taking its time
_TREE_POLL_SECONDS = 0.25  # and between two looks at the processes it started, which cost more
_EXIT_GRACE_SECONDS = 2.0  # seconds for a process that closed its channel to be gone


class Process(Protocol):
    """A process for student code, made in one way or another."""

    channel: Channel

    def cpu_seconds(self) -> float:
        """Its time on the CPU so far."""

    def usage(self, *, thorough: bool) -> tuple[float, int]:
        """Its time on the CPU so far and bytes of memory now; `thorough`: with those of the processes it started."""

    def wait(self, timeout: float) -> int | None:
        """Its exit code, the negative number of a signal that ended it, or None when it has not ended in time."""

    def close(self) -> None:
        """End it, with all that it started; nothing of it is left."""


class ProcessStopped(Exception):
    """The process ended, or had to be: `ended` says how."""

    def __init__(self, ended: ProcessEnded) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class LimitedProcess:
    """A process under limits. `close` ends it, with all that it started."""

    def __init__(self, process: Process, memory_mib: int) -> None:
        self._process = process
        self._memory_limit = memory_mib << 20

    def set_time_limits(self, cpu_seconds: float, wall_seconds: float) -> None:
        """From now on, the process has this much time on the CPU and by the clock. Comes before the first `receive`."""
        now = time.monotonic()
        self._next_check = now + _POLL_SECONDS
        self._next_tree_check = now + _TREE_POLL_SECONDS
        self._deadline = now + wall_seconds
        self._cpu_limit = self._process.cpu_seconds() + cpu_seconds

    def send(self, *request: object) -> None:
        """Send one request; does not wait until it is read."""
        self.send_packed(framing.encode_frame(request, framing.MAX_REQUEST_BYTES))

    def send_packed(self, frame: bytes) -> None:
        """The same for a request that is packed already."""
        self._process.channel.send_frame(frame)

    def receive(self) -> tuple[Any, ...]:
        """The next reply. Raises Stopped at a limit or the end of the process, FrameError where it is no reply."""
        return framing.decode_message(self.receive_packed())

    def receive_packed(self) -> bytes:
        """The body of the next reply, which may hold anything. Raises Stopped, and FrameError where there is none."""
        while True:
            if time.monotonic() >= self._next_check:
                self._check_limits()
            try:
                body = self._process.channel.receive_frame(_POLL_SECONDS)
            except (EOFError, OSError):
                raise ProcessStopped(self._determine_end()) from None
            if body is not None:
                return body

    def close(self) -> None:
        """End the process and whatever it started."""
        self._process.close()

    def _check_limits(self) -> None:
        now = time.monotonic()
        self._next_check = now + _POLL_SECONDS
        thorough = now >= self._next_tree_check
        if thorough:
            self._next_tree_check = now + _TREE_POLL_SECONDS
        used, memory = self._process.usage(thorough=thorough)
        if memory > self._memory_limit:
            raise ProcessStopped(ProcessEnded("memory"))
        if used > self._cpu_limit:
            raise ProcessStopped(ProcessEnded("cpu"))
        if now > self._deadline:
            raise ProcessStopped(ProcessEnded("wall"))

    def _determine_end(self) -> ProcessEnded:
        code = self._process.wait(_EXIT_GRACE_SECONDS)
        if code is None:
            return ProcessEnded("protocol")  # it closed the channel and lives on
        if not runtime.POSIX or code >= 0:
            return ProcessEnded("crash" if code >= 0xC0000000 else "exit", code)
        if code == -signal.SIGXCPU:
            return ProcessEnded("cpu")
        return (
            ProcessEnded("memory") if code == -signal.SIGKILL else ProcessEnded("crash", -code)
        )  # only the kernel kills unasked
