"""Starts sealed processes (levels A and B), forked from a zygote that has loaded Python and numpy already.

One zygote serves any number of submissions, one after the other or at the same time; guest/zygote.py is its side.
"""

from __future__ import annotations

import itertools
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from autograder.course import Level
from autograder.sandbox.guest import seccomp
from autograder.sandbox.host import bubblewrap, runtime
from autograder.sandbox.host.channel import SocketChannel
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.limited_process import Process
from autograder.sandbox.host.runtime import EXIT_GRACE_SECONDS, START_SECONDS, startup_failure
from autograder.sandbox.host.submission_process import ProcessFactory
from autograder.sandbox.protocol import framing

_MAX_MESSAGE_BYTES = 1 << 16  # of an order or an answer
_STATUS_FORMAT = struct.Struct("=i")
_PROBE_LIMITS = 2048, 60  # MiB and CPU seconds, for trying to escape
# No distribution and no container assigns these user ids (systemd lists who uses which). The first range exists on a
# whole machine, the second also in a container with 65,536 ids.
_USER_ID_RANGES = (1_879_048_192, 1 << 28), (60_706, 477)
_ROOT_NOTE = (
    "Student code runs as root here, without root's rights, because no other user can read the Python that grades: "
    "use one outside /root."
)
_CPUCLOCK_SCHED = 2  # the kind of clock that counts all CPU time of a process (see clock_getcpuclockid)
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE") if sys.platform == "linux" else 0
_LINKS_FOLDER = "/tmp" if os.access("/tmp", os.W_OK) else None  # noqa: S108 - TMPDIR may name a user; a new folder is made
_user_counter = itertools.count()


class ForkServer(ProcessFactory):
    """Runs a zygote. Belongs to the thread that creates it: in a container, the zygote ends with that thread.

    `note` is a sentence for the administrator of this machine if something could be better.
    Raises JailError if the zygote does not start, or if a fork can do what it must not.
    """

    def __init__(self, level: Level) -> None:
        if os.uname().machine not in seccomp.ARCHITECTURES:
            raise JailError(f"no list of system calls is kept for this kind of processor ({os.uname().machine})")
        self._control: socket.socket
        self._support_modules: Mapping[str, str] = {}
        with ExitStack() as undo:
            if level == "A":
                self._layout = bubblewrap.guest_layout()
                self._command = bubblewrap.wrap(self._layout, "zygote")
            else:  # the library itself is read here; in a container it is mounted so that reading changes nothing
                runtime.read_first(runtime.STDLIB_FOLDER, runtime.NUMPY_FOLDER)
                self._layout = undo.enter_context(linked_layout())
                self._command = runtime.guest_command(self._layout.interpreter, self._layout.search_path, "zygote")
            self.note = _ROOT_NOTE if self._launch() else ""
            undo.callback(self._end_zygote)
            if leaks := self._successful_escapes():
                raise JailError(f"a sealed process can still {', '.join(leaks)}")
            self._resources = undo.pop_all()

    def start(self, memory_mib: int, cpu_seconds: int, support_modules: Mapping[str, str]) -> ForkedProcess:
        try:
            return self._start(memory_mib, cpu_seconds, support_modules)
        except (EOFError, OSError):  # something has ended the zygote
            self._end_zygote()
            self._launch()
        try:
            return self._start(memory_mib, cpu_seconds, support_modules)
        except (EOFError, OSError) as error:
            raise JailError(f"no process can be forked for student code ({type(error).__name__})") from None

    def close(self) -> None:
        self._resources.close()

    def _end_zygote(self) -> None:
        self._control.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_GRACE_SECONDS)
        self._process.kill()
        self._process.wait()

    def _start(self, memory_mib: int, cpu_seconds: int, support_modules: Mapping[str, str]) -> ForkedProcess:
        if support_modules != self._support_modules:
            self._support_modules = support_modules
            with suppress(framing.ProtocolError):  # too long for one order: each fork will load them itself
                self._control.send(framing.encode_message(("given", *support_modules.items()), _MAX_MESSAGE_BYTES))
        return ForkedProcess(*self._fork("fork", memory_mib, cpu_seconds))

    def _launch(self) -> bool:
        """Start the zygote and prepare it. Return whether it stayed root."""
        self._support_modules = {}
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(START_SECONDS)
        with theirs, tempfile.TemporaryFile() as stderr_file:
            self._process = subprocess.Popen(
                self._command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=stderr_file,
                cwd="/",
                env=runtime.guest_environment("/", self._layout.environment),
                start_new_session=True,
            )
            theirs.close()
            try:
                return self._prepare()
            except (EOFError, OSError, framing.ProtocolError) as error:
                self._end_zygote()
                raise JailError(f"the process for student code {startup_failure(error, stderr_file)}") from None

    def _prepare(self) -> bool:
        order = ("prepare", *self._layout.landlock_paths(), private_users())
        self._control.send(framing.encode_message(order, _MAX_MESSAGE_BYTES))
        answer = self._control.recv(_MAX_MESSAGE_BYTES)
        if not answer:
            raise EOFError
        match framing.decode_message(answer):
            case ("ready", bool(keeps_root)):
                return keeps_root
            case (_, str(reason)):
                self._end_zygote()
                raise JailError(f"the process for student code cannot be prepared: {reason}")
        raise EOFError

    def _successful_escapes(self) -> tuple[str, ...]:
        """Have a fork try what it must not be able to do. Raises JailError if the fork cannot even be sealed."""
        channel, _, status = self._fork("examine", *_PROBE_LIMITS)
        try:
            answer = channel.receive_frame(START_SECONDS)
            return tuple(map(str, framing.decode_message(answer or b"")[1:]))
        except (EOFError, OSError, framing.ProtocolError):
            raise JailError("a process cannot be sealed: it ended when it tried") from None
        finally:
            channel.close()
            os.close(status)

    def _fork(self, kind: str, memory_mib: int, cpu_seconds: int) -> tuple[SocketChannel, int, int]:
        """Have a process forked. Return its channel, its id, and the pipe from which its exit code can be read."""
        with ExitStack() as undo:
            channel, theirs = SocketChannel.pair()
            undo.callback(channel.close)
            status, status_writer = os.pipe()
            undo.callback(os.close, status)
            # The zygote gets copies of both descriptors; ours must go, or the end of the fork would not close them.
            try:
                order = framing.encode_message((kind, memory_mib << 20, cpu_seconds), _MAX_MESSAGE_BYTES)
                socket.send_fds(self._control, [order], [theirs.fileno(), status_writer])
            finally:
                theirs.close()
                os.close(status_writer)
            pid = channel.handshake(START_SECONDS)
            undo.pop_all()
        return channel, pid, status


@contextmanager
def linked_layout() -> Iterator[runtime.Layout]:
    """Make a layout of links for a process that has no container; they are removed at the end. Raises JailError."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="autograder-", dir=_LINKS_FOLDER)
    except OSError as error:
        raise JailError(f"no temporary folder can be made ({error.strerror})") from None
    with folder as name:
        layout = runtime.layout_below(Path(name))
        layout.make_links()
        Path(name).chmod(0o755)  # the process may run as another user
        yield layout


def private_users() -> list[int]:
    """Return two user ids for a zygote that starts as root, the better one first; different ones at each call."""
    number = os.getpid() << 6 | next(_user_counter) & 63
    return [first + number % size for first, size in _USER_ID_RANGES]


class ForkedProcess(Process):
    """A fork of the zygote."""

    def __init__(self, channel: SocketChannel, pid: int, status: int) -> None:
        self.channel = channel
        self._cpu_clock = ~pid << 3 | _CPUCLOCK_SCHED
        self._statm = Path(f"/proc/{pid}/statm")
        self._pidfd = os.pidfd_open(pid)
        self._status = status
        self._status_poll = select.poll()
        self._status_poll.register(status, select.POLLIN)
        self._exit_code: int | None = None

    def cpu_seconds(self) -> float:
        try:
            return time.clock_gettime(self._cpu_clock)
        except OSError:
            return 0.0

    def usage(self, *, thorough: bool) -> tuple[float, int]:  # noqa: ARG002 - it cannot start processes
        try:
            return self.cpu_seconds(), int(self._statm.read_text().split()[1]) * _PAGE_SIZE
        except OSError:
            return 0.0, 0

    def wait(self, timeout: float) -> int | None:
        if self._exit_code is None and self._status_poll.poll(timeout * 1000):
            packed = os.read(self._status, _STATUS_FORMAT.size)
            if len(packed) < _STATUS_FORMAT.size:
                raise JailError("the process that others are forked from ended")  # so nobody knows the exit code
            (self._exit_code,) = _STATUS_FORMAT.unpack(packed)
        return self._exit_code

    def close(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        with suppress(JailError):
            self.wait(EXIT_GRACE_SECONDS)
        self.channel.close()
        os.close(self._pidfd)
        os.close(self._status)
