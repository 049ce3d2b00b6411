"""Connects the grader to a process that runs student code, and that may stop reading or writing at any time.

A Channel sends without waiting, and waits for a frame only as long as its caller allows. On POSIX it is a socket; on
Windows, where nothing waits for a pipe with a time limit, it is two pipes with a thread for each.
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
_EXIT_GRACE_SECONDS = 2.0  # for a thread whose process has ended


class Channel(Protocol):
    """Sends and receives frames."""

    def handshake(self, seconds: float) -> int:
        """Wait for the first byte, and return the id of the process that sent it, 0 if that is unknown.

        Raises EOFError, or OSError, of which TimeoutError is a subclass.
        """

    def send_frame(self, frame: bytes) -> None:
        """Send one frame, without waiting until it is read."""

    def receive_frame(self, seconds: float) -> bytes | None:
        """Return the body of the next frame, None after a timeout. Raises EOFError, OSError or ProtocolError."""

    def close(self) -> None:
        """Close the channel, after the process has ended."""


class SocketChannel(Channel):
    """A channel over one end of a socket pair; the process has the other end."""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours
        self._socket.setblocking(False)
        self._poll = select.poll()
        self._incoming = bytearray()
        self._outgoing = bytearray()

    @classmethod
    def pair(cls) -> tuple[SocketChannel, socket.socket]:
        """Return a channel, and the end for the process."""
        ours, theirs = socket.socketpair()
        # In a container the process does not know its id out here, so the kernel attaches it to the first byte.
        if sys.platform == "linux":
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        return cls(ours), theirs

    def handshake(self, seconds: float) -> int:
        self._poll_events(select.POLLIN, seconds)
        try:
            byte, messages, *_ = self._socket.recvmsg(1, socket.CMSG_SPACE(_CREDENTIALS.size))
        except BlockingIOError:
            raise TimeoutError from None
        if not byte:
            raise EOFError
        if sys.platform != "linux":
            return 0
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        for level, kind, data in messages:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                return int(_CREDENTIALS.unpack(data)[0])
        return 0

    def send_frame(self, frame: bytes) -> None:
        self._outgoing += frame
        self._flush()

    def receive_frame(self, seconds: float) -> bytes | None:
        body = framing.pop_frame(self._incoming, framing.MAX_REPLY_BYTES)
        if body is not None:  # of several that arrived at once: no time has passed
            return body
        deadline = time.monotonic() + seconds
        while (body := framing.pop_frame(self._incoming, framing.MAX_REPLY_BYTES)) is None:
            seconds_left = deadline - time.monotonic()
            if seconds_left < 0:
                return None
            # A request that did not fit into the socket goes on here, so that neither side waits for the other.
            events = self._poll_events(select.POLLIN | (select.POLLOUT if self._outgoing else 0), seconds_left)
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
        self._socket.close()

    def _flush(self) -> None:
        try:
            while self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing[:_CHUNK])]
        except BlockingIOError:
            pass
        except OSError:  # the process has ended; its last replies can still be read
            self._outgoing.clear()

    def _poll_events(self, events: int, seconds: float) -> int:
        self._poll.register(self._socket, events)
        return next((ready for _, ready in self._poll.poll(seconds * 1000)), 0)


class PipeChannel(Channel):
    """A channel over the standard input and output of a process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._inbox: queue.Queue[bytes | Exception] = queue.Queue(maxsize=4)
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._reader_loop, daemon=True)
        self._reader.start()
        threading.Thread(target=self._writer_loop, daemon=True).start()

    def handshake(self, seconds: float) -> int:
        byte = self.receive_frame(seconds)
        if not byte:
            raise TimeoutError if byte is None else EOFError
        return 0

    def send_frame(self, frame: bytes) -> None:
        self._outbox.put(frame)

    def receive_frame(self, seconds: float) -> bytes | None:
        try:
            received = self._inbox.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(received, Exception):
            raise received
        return received

    def close(self) -> None:
        # A process that escaped may still hold the pipe open: then the thread is left behind.
        self._outbox.put(None)
        deadline = time.monotonic() + _EXIT_GRACE_SECONDS
        while self._reader.is_alive() and time.monotonic() < deadline:
            with suppress(queue.Empty):
                self._inbox.get(timeout=0.01)

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
