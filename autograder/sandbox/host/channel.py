"""Trusted side: the channel to a process that runs student code, which may stand still at either end of it.

A Channel sends without waiting, and waits for a frame no longer than told. Sockets are used where processes are POSIX
ones; elsewhere pipes, each with a thread, because pipes there cannot be waited for with a time limit.
"""

from __future__ import annotations

import queue
import select
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Protocol

from autograder.sandbox.protocol import framing

_CHUNK = 1 << 18
_CREDENTIALS = struct.Struct("=iII")  # struct ucred: process, user, group
_EXIT_GRACE_SECONDS = 2.0  # seconds for a thread whose process has ended


class Channel(Protocol):
    """Frames out and in."""

    def handshake(self, seconds: float) -> int:
        """Wait for the first byte; the number of the process that sent it, 0 where that is not told.

        Raises EOFError or OSError, of which TimeoutError is one.
        """

    def send_frame(self, frame: bytes) -> None:
        """Send one frame; does not wait until it is read."""

    def receive_frame(self, seconds: float) -> bytes | None:
        """The body of the next frame, None if there is none in time. Raises EOFError, OSError or FrameError."""

    def close(self) -> None:
        """Close it, once the process has ended."""


class SocketChannel:
    """A channel over this end of a socket pair; the other one belongs to the process."""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._incoming = bytearray()
        self._outgoing = bytearray()

    @classmethod
    def pair(cls) -> tuple[SocketChannel, socket.socket]:
        """A channel, and the end for the process."""
        ours, theirs = socket.socketpair()
        if sys.platform == "linux":  # the kernel is to say who sends the first byte, as this side numbers processes
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        return cls(ours), theirs

    def handshake(self, seconds: float) -> int:
        """As in Channel; told on Linux."""
        self._poll_events(select.POLLIN, seconds)
        try:
            byte, notes, *_ = self._socket.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size))
        except BlockingIOError:
            raise TimeoutError from None
        if not byte:
            raise EOFError
        if sys.platform != "linux":
            return 0
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        told = [data for level, kind, data in notes if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS)]
        return int(_CREDENTIALS.unpack(told[0])[0]) if told else 0

    def send_frame(self, frame: bytes) -> None:
        """As in Channel."""
        self._outgoing += frame
        self._flush()

    def receive_frame(self, seconds: float) -> bytes | None:
        """As in Channel."""
        patience = time.monotonic() + seconds
        while (body := framing.pop_frame(self._incoming, framing.MAX_REPLY_BYTES)) is None:
            left = patience - time.monotonic()
            if left < 0:
                return None
            events = self._poll_events(select.POLLIN | (select.POLLOUT if self._outgoing else 0), left)
            if events & select.POLLOUT:
                self._flush()
            if events & ~select.POLLOUT:
                part = self._socket.recv(_CHUNK)
                if not part:
                    if self._incoming:
                        raise framing.ProtocolError("the frames end within one")
                    raise EOFError
                self._incoming += part
        return body

    def close(self) -> None:
        """As in Channel."""
        self._socket.close()

    def _flush(self) -> None:
        try:
            while self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing[:_CHUNK])]
        except BlockingIOError:
            pass
        except OSError:  # the process is gone; what it said last is still to be read
            self._outgoing.clear()

    def _poll_events(self, events: int, seconds: float) -> int:
        self._poll.register(self._socket, events)
        return next((found for _, found in self._poll.poll(seconds * 1000)), 0)


class PipeChannel:
    """A channel over the standard input and output of a process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._inbox: queue.Queue[bytes | Exception] = queue.Queue(maxsize=4)
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._reader_loop, daemon=True)
        self._reader.start()
        threading.Thread(target=self._writer_loop, daemon=True).start()

    def handshake(self, seconds: float) -> int:
        """As in Channel; not told."""
        byte = self._next_item(seconds)
        if not byte:
            raise TimeoutError if byte is None else EOFError
        return 0

    def send_frame(self, frame: bytes) -> None:
        """As in Channel."""
        self._outbox.put(frame)

    def receive_frame(self, seconds: float) -> bytes | None:
        """As in Channel."""
        return self._next_item(seconds)

    def close(self) -> None:
        """As in Channel. Where a process that got away still holds the pipe, the thread is left to it."""
        self._outbox.put(None)
        deadline = time.monotonic() + _EXIT_GRACE_SECONDS
        while self._reader.is_alive() and time.monotonic() < deadline:
            with suppress(queue.Empty):
                self._inbox.get(timeout=0.01)

    def _next_item(self, seconds: float) -> bytes | None:
        try:
            received = self._inbox.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(received, Exception):
            raise received
        return received

    def _reader_loop(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as source:
            try:
                self._inbox.put(source.read(1) or b"")
                while True:
                    self._inbox.put(framing.read_frame(source, framing.MAX_REPLY_BYTES))
            except (EOFError, OSError, framing.ProtocolError) as error:
                self._inbox.put(error)

    def _writer_loop(self) -> None:
        assert self._process.stdin is not None
        with suppress(OSError), self._process.stdin as sink:
            while (frame := self._outbox.get()) is not None:
                sink.write(frame)
                sink.flush()
