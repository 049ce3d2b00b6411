"""Untrusted side: the process that all others are forked from, so that Python and numpy are loaded only once.

It is sent one order, `prepare`, answers once, and then forks a process for every `fork` that comes with two
descriptors: the channel of the new process, and a pipe for the status with which that process ends. No student code
runs in it, and it holds no secret: what a fork inherits is Python, numpy and the runner. When the other end of the
control socket closes, it ends, and all its forks with it.

    order                                          answer
    prepare readable listable users                ready keeps_root, or failed text
    given (name text)*                             (none: the next forks have loaded these modules)
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

import numpy as np

from autograder.sandbox.guest import escape_tests, heap_fill, linux, lockdown, runner, seccomp
from autograder.sandbox.guest.student_module import SupportModules
from autograder.sandbox.protocol import framing

if sys.platform != "win32":
    import resource

CONTROL_FD, RULESET_FD = 3, 4  # descriptors; a fork has its channel where the zygote has its control socket
_FIRST_FREE_FD = 5
_MAX_FDS = 256
_MAX_ORDER_BYTES = 1 << 16
_STATUS_FORMAT = struct.Struct("=i")
# What students are likely to import, and C extensions that need libraries which they may not read. All else of the
# standard library can be imported too, a little later.
_PRELOADED = """
    abc array bisect bz2 collections.abc contextlib copy csv ctypes.util dataclasses datetime decimal enum fractions
    functools hashlib heapq inspect io itertools json linecache logging lzma math numbers operator os pathlib pickle
    platform pprint random re string statistics struct textwrap threading time timeit traceback types typing unittest
    uuid warnings weakref zlib numpy.fft numpy.lib.stride_tricks numpy.linalg numpy.random numpy.testing
"""


def main() -> None:
    """Take over the control socket from the standard input, get ready, and fork until it closes."""
    os.dup2(0, CONTROL_FD)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    control = socket.socket(fileno=CONTROL_FD)
    _, readable, listable, users = framing.decode_message(control.recv(_MAX_ORDER_BYTES))
    try:
        preload()
        runner.prepare_interpreter()
        warm_up()
        ruleset = lockdown.create_landlock_ruleset(map(Path, readable), map(Path, listable))
        os.dup2(ruleset, RULESET_FD)
        keeps_root = os.getuid() == 0 and not any(drop_to_user(user, Path(os.__file__)) for user in users)
        if keeps_root:
            linux.drop_capabilities()
        linux.make_undumpable()
    except OSError as error:
        control.send(framing.encode_message(("failed", str(error)), _MAX_ORDER_BYTES))
        return
    os.dup2(0, 2)  # until now, whoever started this process could read its complaints
    os.closerange(_FIRST_FREE_FD, _MAX_FDS)
    with suppress(ValueError):  # fewer are allowed already
        resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_FDS, _MAX_FDS))
    lockdown.limit_forks()
    gc.collect()
    _heap_fillers = heap_fill.fill_heap_holes()  # for as long as there are forks
    gc.freeze()  # no collection in a fork touches, and so copies, what all of them share
    control.send(framing.encode_message(("ready", keeps_root), _MAX_ORDER_BYTES))
    ZygoteLoop(control).run()


class ZygoteLoop:
    """The loop of the zygote: waits for orders, and for forks to end."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._support_modules: SupportModules | None = None
        self._forks: dict[int, tuple[int, int]] = {}  # by the descriptor that tells of its end: number, status pipe

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
        """Load what is the same for all submissions of an exercise, which takes longer than many a submission."""
        self._support_modules = None
        with suppress(BaseException):  # each fork will find the same fault, and say so
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

    def _reap(self, ending: int) -> None:
        number, status = self._forks.pop(ending)
        _, code = os.waitpid(number, 0)
        with suppress(OSError):  # nobody may want to know any more
            os.write(status, _STATUS_FORMAT.pack(os.waitstatus_to_exitcode(code)))
        os.close(status)
        os.close(ending)


def _child_main(
    kind: str, memory: int, cpu: int, channel: int, parent: int, support_modules: SupportModules | None
) -> None:
    """What a fork does, to its end. Does not return."""
    code = 1
    try:
        os.dup2(channel, CONTROL_FD)
        os.closerange(_FIRST_FREE_FD, _MAX_FDS)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return  # it died before it was said that this process is to die with it
        os.write(CONTROL_FD, b"\0")  # from which the kernel tells the grader the number of this process
        lockdown.seal(RULESET_FD, memory, cpu)
        with open(CONTROL_FD, "rb") as source, open(CONTROL_FD, "wb", closefd=False) as sink:
            if kind == "examine":
                runner.GuestChannel(source, sink).send("leaks", *escape_tests.successful_escapes())
            else:
                runner.serve(source, sink, support_modules)
    except EOFError:
        code = 0
    finally:
        os._exit(code)


def preload() -> None:
    """Import what student code is likely to use; what this Python does not have is left out."""
    for name in _PRELOADED.split():
        with suppress(ImportError):
            importlib.import_module(name)
    np.linalg.inv(np.eye(8) @ np.eye(8))  # what linear algebra sets up at its first use
    seccomp.build_filter(os.uname().machine, os.getpid())  # most of it is the same for every fork


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
    """Run a program once as a fork does, so that what Python and numpy learn from it is there in every fork."""
    case = framing.encode_arrays({"W": np.eye(3) / 2, "x": np.ones((9, 3))})
    steps: list[tuple[object, ...]] = [
        ("call", case, [], True),
        *[("call", case, [], False)] * 20,
        ("again", 0),
        ("recall", 0),
    ]
    requests = (
        (
            "program",
            "rehearsal",
            [(0, _WARM_UP_PROGRAM, "", 1)],
            [("builder", _WARM_UP_BUILDER)],
            [("rehearse", ("W", "x"), 2)],
        ),
        ("batch", "rehearse", steps),
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
    """From root, become a user who owns nothing, in no group; whether that was possible.

    It is not where this user may not read Python's own library, as below /root, or where the container does not have
    such a user. Then root stays.
    """
    try:
        os.setgroups([])
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
