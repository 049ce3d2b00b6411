"""Tests of the channel to a process that may not read, and may send anything."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from autograder.sandbox.host.channel import SocketChannel
from autograder.sandbox.protocol import framing
from autograder.sandbox.protocol.framing import ProtocolError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs sockets that can be waited for")


class TestChannel:
    def test_sending_does_not_wait_for_a_reader(self):
        channel, theirs = SocketChannel.pair()
        with theirs:
            frames = [framing.encode_frame(("a", bytes([number]) * (1 << 20)), 1 << 21) for number in range(8)]
            for frame in frames:
                channel.send_frame(frame)
            assert channel.receive_frame(0.01) is None
            received = bytearray()
            while len(received) < sum(map(len, frames)):
                received += theirs.recv(1 << 20)
                assert channel.receive_frame(0.001) is None
            assert received == b"".join(frames)
            theirs.sendall(framing.encode_frame(("done",), 100))
            assert channel.receive_frame(1) == framing.encode_message(("done",), 100)
        channel.close()

    def test_an_end_within_a_frame_is_a_protocol_error(self):
        channel, theirs = SocketChannel.pair()
        with theirs:
            theirs.sendall(framing.encode_frame(("whole",), 100) + b"\0\0\0\7half")
        assert channel.receive_frame(1) == framing.encode_message(("whole",), 100)
        with pytest.raises(ProtocolError, match="within one"):
            channel.receive_frame(1)
        channel.close()

    def test_the_handshake_returns_the_id_of_the_sender(self):
        channel, theirs = SocketChannel.pair()
        with theirs:
            with pytest.raises(TimeoutError):
                channel.handshake(0.01)
            subprocess.run([sys.executable, "-c", "import os; os.write(1, b'0')"], stdout=theirs.fileno(), check=True)
            assert (channel.handshake(1) not in (0, os.getpid())) == (sys.platform == "linux")
        with pytest.raises(EOFError):
            channel.handshake(1)
        channel.close()


class TestBell:
    """A process that has a bell wakes the grader by it; whatever it does with it, every frame arrives."""

    FRAME = framing.encode_frame(("a",), 100)

    @pytest.fixture
    def ends(self) -> Iterator[tuple[SocketChannel, socket.socket, int]]:
        reader, writer = os.pipe()
        channel, theirs = SocketChannel.pair(reader)
        yield channel, theirs, writer
        channel.close()
        theirs.close()
        with suppress(OSError):
            os.close(writer)

    def test_frames_are_read_when_it_rings(self, ends):
        channel, theirs, writer = ends
        theirs.sendall(self.FRAME * 2)
        os.write(writer, b"\0")
        assert [channel.receive_frame(20) for _ in range(2)] == [framing.encode_message(("a",), 100)] * 2

    def test_frames_are_read_after_the_time_to_wait_if_it_never_rings(self, ends):
        channel, theirs, _ = ends
        theirs.sendall(self.FRAME)
        assert channel.receive_frame(0.01) == framing.encode_message(("a",), 100)

    def test_it_may_ring_before_anything_was_sent(self, ends):
        channel, theirs, writer = ends
        os.write(writer, bytes(1000))
        assert channel.receive_frame(0.01) is None
        theirs.sendall(self.FRAME)
        os.write(writer, b"\0")
        assert channel.receive_frame(20) == framing.encode_message(("a",), 100)

    def test_once_it_is_closed_each_frame_is_read_at_once(self, ends):
        channel, theirs, writer = ends
        os.close(writer)
        assert channel.receive_frame(0.01) is None
        theirs.sendall(self.FRAME)
        assert channel.receive_frame(20) == framing.encode_message(("a",), 100)

    def test_the_end_of_the_process_is_noticed_without_it(self, ends):
        channel, theirs, _ = ends
        theirs.sendall(self.FRAME)
        theirs.close()
        assert channel.receive_frame(20) == framing.encode_message(("a",), 100)
        with pytest.raises(EOFError):
            channel.receive_frame(20)
