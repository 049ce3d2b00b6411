"""The zygote: the process that all others are forked from, so that Python and numpy are loaded only once.

It receives the order `prepare` and answers it. Then it forks a process for every order `fork`, which comes with two
descriptors: the channel of the new process, and a pipe for its exit code. No student code runs in the zygote, and it
holds no secret: a fork inherits Python, numpy and the runner. When the control socket closes, it ends with all its
forks.

    order                                          answer
    prepare readable listable users                ready keeps_root, or failed text
    given (name text)*                             (none: later forks have these support modules loaded)
    fork memory cpu        + channel, status       (a byte in the channel; at the end, four bytes in the status pipe)
    examine memory cpu     + channel, status       the same, and in the channel: leaks names
"""

from __future__ import annotations

import gc
import importlib
import io
import linecache
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import AnyStr

import numpy as np

from autograder.sandbox.guest import escape_tests, heap_fill, linux, lockdown, runner, seccomp
from autograder.sandbox.guest.student_module import SupportModules
from autograder.sandbox.protocol import framing

if sys.platform != "win32":
    import resource

CONTROL_FD, RULESET_FD = 3, 4  # in a fork, the channel takes the place of the control socket
_FIRST_FREE_FD = 5
_MAX_FDS = 256
_MAX_ORDER_BYTES = 1 << 16
_STATUS_FORMAT = struct.Struct("=i")
# What students are likely to import, and C extensions that need shared libraries which a fork may not read. A fork can
# import the rest of the standard library by itself.
_PRELOADED = """
    abc array bisect bz2 collections.abc contextlib copy csv ctypes.util dataclasses datetime decimal enum fractions
    functools hashlib heapq inspect io itertools json linecache logging lzma math numbers operator os pathlib pickle
    platform pprint random re string statistics struct textwrap threading time timeit traceback types typing unittest
    uuid warnings weakref zlib numpy.fft numpy.lib.stride_tricks numpy.linalg numpy.random numpy.testing
"""


def main() -> None:
    """Take the control socket from the standard input, prepare what all forks share, and fork until it closes."""
    os.dup2(0, CONTROL_FD)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    os.close(null)
    control = socket.socket(fileno=CONTROL_FD)
    _, readable, listable, users = framing.decode_message(control.recv(_MAX_ORDER_BYTES))
    try:
        # While files can still be read, everything that a fork may need is loaded; then rights are given up for all.
        preload()
        runner.prepare_interpreter()
        os.path.realpath = real_path  # type: ignore[assignment]  # overloads; Python's own asks what forks may not ask
        warm_up()
        ruleset = lockdown.create_landlock_ruleset([*map(Path, readable)], [*map(Path, listable)])
        os.dup2(ruleset, RULESET_FD)
        keeps_root = os.getuid() == 0 and not any(drop_to_user(user, Path(os.__file__)) for user in users)
        if keeps_root:
            linux.drop_capabilities()
        linux.make_undumpable()
    except OSError as error:
        control.send(framing.encode_message(("failed", str(error)), _MAX_ORDER_BYTES))
        return
    os.dup2(0, 2)  # until here, the grader reads the standard error of this process
    os.closerange(_FIRST_FREE_FD, _MAX_FDS)
    with suppress(ValueError):  # a lower limit holds already
        resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_FDS, _MAX_FDS))
    lockdown.limit_forks()
    # A fork copies every page that it writes to: it should find free memory together, and no collection of garbage
    # should touch the objects that all forks share.
    gc.collect()
    _heap_fillers = heap_fill.fill_heap_holes()  # referenced as long as there are forks
    gc.freeze()
    control.send(framing.encode_message(("ready", keeps_root), _MAX_ORDER_BYTES))
    ZygoteLoop(control).run()


class ZygoteLoop:
    """Waits for orders and for the ends of forks."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._support_modules: SupportModules | None = None
        self._forks: dict[int, tuple[int, int]] = {}  # process id and status pipe, by the pidfd of the fork

    def run(self) -> None:
        """Serve until the control socket closes."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor != self._control.fileno():
                    poll.unregister(descriptor)
                    self._reap(descriptor)
                    continue
                order, descriptors, _, _ = socket.recv_fds(self._control, _MAX_ORDER_BYTES, 2)
                if not order:
                    for pid, _ in self._forks.values():
                        os.kill(pid, signal.SIGKILL)
                        os.waitpid(pid, 0)
                    return
                kind, *details = framing.decode_message(order)
                if kind == "given":
                    self._load(dict(details))
                else:
                    poll.register(self._fork(kind, *details, *descriptors), select.POLLIN)

    def _load(self, sources: dict[str, str]) -> None:
        """Load the support modules of an exercise once for all its submissions: it takes longer than many of them."""
        self._support_modules = None
        with suppress(BaseException):  # each fork will load them again, and report the same error
            self._support_modules = SupportModules(sources)
        gc.collect()
        gc.freeze()

    def _fork(self, kind: str, memory: int, cpu: int, channel: int, status: int) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._forks.clear()
            _child_main(kind, memory, cpu, channel, parent, self._support_modules)
        os.close(channel)
        pidfd = os.pidfd_open(pid)
        self._forks[pidfd] = pid, status
        return pidfd

    def _reap(self, pidfd: int) -> None:
        pid, status = self._forks.pop(pidfd)
        _, wait_status = os.waitpid(pid, 0)
        with suppress(OSError):  # the grader may have closed the pipe
            os.write(status, _STATUS_FORMAT.pack(os.waitstatus_to_exitcode(wait_status)))
        os.close(status)
        os.close(pidfd)


def _child_main(
    kind: str, memory: int, cpu: int, channel: int, parent: int, support_modules: SupportModules | None
) -> None:
    """Run as a fork until its end. Does not return."""
    exit_code = 1
    try:
        # The fork must not keep what belongs to the zygote: the control socket, pipes and channels of other forks.
        os.dup2(channel, CONTROL_FD)
        os.closerange(_FIRST_FREE_FD, _MAX_FDS)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return  # the zygote ended before the line above, so no signal will come
        os.write(CONTROL_FD, b"\0")  # with this byte, the kernel tells the grader the id of this process
        lockdown.seal(RULESET_FD, memory, cpu)
        with open(CONTROL_FD, "rb") as source, open(CONTROL_FD, "wb", closefd=False) as sink:
            if kind == "examine":
                runner.GuestChannel(source, sink).send("leaks", *escape_tests.successful_escapes())
            else:
                runner.serve(source, sink, support_modules)
    except EOFError:
        exit_code = 0
    finally:
        os._exit(exit_code)


def real_path(path: AnyStr, *, strict: bool = False) -> AnyStr:  # noqa: ARG001 - as in os.path
    """Return a path as it is, made absolute: where a link leads to is nothing that student code may know."""
    return os.path.abspath(path)  # noqa: PTH100 - Path.resolve asks os.path.realpath


def preload() -> None:
    """Import and set up what student code is likely to use, as far as this Python has it."""
    for name in _PRELOADED.split():
        with suppress(ImportError):
            importlib.import_module(name)
    np.linalg.inv(np.eye(8) @ np.eye(8))  # linear algebra sets itself up at its first use
    seccomp.build_filter(os.uname().machine, os.getpid())  # caches what is the same for every fork


_WARM_UP_BUILDER = "def arguments(arrays, names):\n    return dict(arrays)\n"
_WARM_UP_PROGRAM = """
import numpy as np


def rehearse(W, x):
    h, total = [x[0]], np.zeros_like(W)
    for t in range(1, len(x) + 1):
        a = W @ h[t - 1] + x[t - 1]
        e = np.exp(a - np.max(a))
        h.append(np.tanh(a) / (1 + e / np.sum(e)))
    back = np.zeros(len(W))
    for t in range(len(x), 0, -1):
        back = (back + h[t]) @ (np.diag(1 - h[t] ** 2) - np.outer(h[t], h[t])) @ W * np.eye(len(W))[0]
        total += np.outer(back, h[t - 1]) / len(x)
    return np.array(h), np.where(total > 0, total, -np.log(np.abs(total) + 1))
"""


def warm_up() -> None:
    """Run a program once, so that every fork inherits the caches that Python and numpy filled while running it."""
    case = framing.encode_arrays({"W": np.eye(3) / 2, "x": np.ones((9, 3))})
    steps: list[tuple[object, ...]] = [("call", case, [], True), *[("call", case, [], False)] * 20]
    cells, functions = [(0, _WARM_UP_PROGRAM)], [("rehearse", ("W", "x"), 2)]
    requests = (
        ("program", "rehearsal", cells, [("builder", _WARM_UP_BUILDER)], functions),
        ("batch", "rehearse", [*steps, ("again", 0), ("recall", 0)]),
    )
    source = io.BytesIO(b"".join(framing.encode_frame(request, framing.MAX_REQUEST_BYTES) for request in requests))
    saved = dict(sys.modules), list(sys.meta_path), list(sys.argv)
    with suppress(EOFError):
        runner.serve(source, io.BytesIO())
    for name in sys.modules.keys() - saved[0].keys():
        del sys.modules[name]
    sys.modules.update(saved[0])
    sys.meta_path[:], sys.argv[:] = saved[1:]
    linecache.cache.clear()


def drop_to_user(user: int, library: Path) -> bool:
    """Change from root to a user who owns nothing and is in no group. Return whether that was possible.

    The process stays root if that user cannot read Python's own library (below /root, for example), or if the container
    does not have the user.
    """
    try:
        os.setgroups([])
        # The saved ids stay root's at first: there is a way back if the library cannot be read.
        os.setresgid(user, user, 0)
        os.setresuid(user, user, 0)
        library.read_bytes()
    except OSError:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
        return False
    os.setresuid(0, 0, 0)
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    return True
