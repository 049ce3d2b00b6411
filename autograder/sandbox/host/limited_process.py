"""Watches one process that runs student code: sends requests, receives replies, enforces limits, explains its end."""

from __future__ import annotations

import signal
import time
from typing import Any, Protocol

from autograder.sandbox.host import runtime
from autograder.sandbox.host.channel import Channel
from autograder.sandbox.host.program import ProcessEnded
from autograder.sandbox.protocol import framing

_POLL_SECONDS = 0.03  # between two measurements of a process that has not replied
_TREE_POLL_SECONDS = 0.25  # between two measurements that include the processes it started, which take longer
_EXIT_GRACE_SECONDS = 2.0  # for a process that closed its channel to end


class Process(Protocol):
    """A process for student code, forked (fork_server.py) or spawned (spawn.py)."""

    channel: Channel

    def cpu_seconds(self) -> float:
        """Return its CPU time so far, 0 if it has ended."""

    def usage(self, *, thorough: bool) -> tuple[float, int]:
        """Return its CPU time so far and its bytes of memory; if `thorough`, with the processes that it started."""

    def wait(self, timeout: float) -> int | None:
        """Return its exit code, minus the number of the signal that ended it, or None after a timeout."""

    def close(self) -> None:
        """End the process and everything that it started; nothing of it is left."""


class ProcessStopped(Exception):
    """Raised if the process ended or reached a limit; `ended` says how."""

    def __init__(self, ended: ProcessEnded) -> None:
        super().__init__(ended.reason)
        self.ended = ended


class LimitedProcess:
    """A process under limits. The caller closes it after ProcessStopped."""

    def __init__(self, process: Process, memory_mib: int) -> None:
        self._process = process
        self._memory_limit = memory_mib << 20

    def set_time_limits(self, cpu_seconds: float, wall_seconds: float) -> None:
        """Give the process this much time from now on. Must be called before the first `receive`."""
        now = time.monotonic()
        self._next_check = now + _POLL_SECONDS
        self._next_tree_check = now + _TREE_POLL_SECONDS
        self._deadline = now + wall_seconds
        self._cpu_limit = self._process.cpu_seconds() + cpu_seconds

    def send(self, *request: object) -> None:
        """Send one request, without waiting until it is read."""
        self.send_packed(framing.encode_frame(request, framing.MAX_REQUEST_BYTES))

    def send_packed(self, frame: bytes) -> None:
        """Send a request that is packed already."""
        self._process.channel.send_frame(frame)

    def receive(self) -> tuple[Any, ...]:
        """Return the next reply. Raises ProcessStopped and ProtocolError."""
        return framing.decode_message(self.receive_packed())

    def receive_packed(self) -> bytes:
        """Return the body of the next frame, which may hold anything. Raises ProcessStopped and ProtocolError."""
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
        """End the process and everything that it started."""
        self._process.close()

    def _check_limits(self) -> None:
        now = time.monotonic()
        self._next_check = now + _POLL_SECONDS
        thorough = now >= self._next_tree_check
        if thorough:
            self._next_tree_check = now + _TREE_POLL_SECONDS
        cpu_seconds, memory = self._process.usage(thorough=thorough)
        if memory > self._memory_limit:
            raise ProcessStopped(ProcessEnded("memory"))
        if cpu_seconds > self._cpu_limit:
            raise ProcessStopped(ProcessEnded("cpu"))
        if now > self._deadline:
            raise ProcessStopped(ProcessEnded("wall"))

    def _determine_end(self) -> ProcessEnded:
        code = self._process.wait(_EXIT_GRACE_SECONDS)
        if code is None:
            return ProcessEnded("protocol")  # it closed the channel and still runs
        if not runtime.POSIX or code >= 0:
            return ProcessEnded("crash" if code >= 0xC0000000 else "exit", code)  # Windows: an NTSTATUS of an error
        if code == -signal.SIGXCPU:
            return ProcessEnded("cpu")
        if code == -signal.SIGKILL:  # this side did not send it, so the kernel did, for want of memory
            return ProcessEnded("memory")
        return ProcessEnded("crash", -code)
