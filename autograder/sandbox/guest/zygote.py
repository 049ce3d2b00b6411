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
from autograder.sandbox.guest.student_module import GivenModules
from autograder.sandbox.protocol import framing

if sys.platform != "win32":
    import resource

CONTROL, RULES = 3, 4  # descriptors; a fork has its channel where the zygote has its control socket
_FIRST_OTHER = 5
_MOST_DESCRIPTORS = 256
_LONGEST_ORDER = 1 << 16
_STATUS = struct.Struct("=i")
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
    os.dup2(0, CONTROL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    control = socket.socket(fileno=CONTROL)
    _, readable, listable, users = framing.unpack(control.recv(_LONGEST_ORDER))
    try:
        preload()
        runner.settle()
        rehearse()
        rules = lockdown.landlock_ruleset(map(Path, readable), map(Path, listable))
        os.dup2(rules, RULES)
        keeps_root = os.getuid() == 0 and not any(become(user, Path(os.__file__)) for user in users)
        if keeps_root:
            linux.drop_capabilities()
        linux.make_undumpable()
    except OSError as error:
        control.send(framing.body(("failed", str(error)), _LONGEST_ORDER))
        return
    os.dup2(0, 2)  # until now, whoever started this process could read its complaints
    os.closerange(_FIRST_OTHER, _MOST_DESCRIPTORS)
    with suppress(ValueError):  # fewer are allowed already
        resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_DESCRIPTORS, _MOST_DESCRIPTORS))
    lockdown.limit_forks()
    gc.collect()
    _taken = heap_fill.take()  # for as long as there are forks
    gc.freeze()  # no collection in a fork touches, and so copies, what all of them share
    control.send(framing.body(("ready", keeps_root), _LONGEST_ORDER))
    Nursery(control).run()


class Nursery:
    """The loop of the zygote: waits for orders, and for forks to end."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._given: GivenModules | None = None
        self._forks: dict[int, tuple[int, int]] = {}  # by the descriptor that tells of its end: number, status pipe

    def run(self) -> None:
        """Serve until the control socket closes."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor != self._control.fileno():
                    poll.unregister(descriptor)
                    self._bury(descriptor)
                    continue
                order, descriptors, _, _ = socket.recv_fds(self._control, _LONGEST_ORDER, 2)
                if not order:
                    for number, _ in self._forks.values():
                        os.kill(number, signal.SIGKILL)
                        os.waitpid(number, 0)
                    return
                kind, *details = framing.unpack(order)
                if kind == "given":
                    self._load(dict(details))
                else:
                    poll.register(self._fork(kind, *details, *descriptors), select.POLLIN)

    def _load(self, sources: dict[str, str]) -> None:
        """Load what is the same for all submissions of an exercise, which takes longer than many a submission."""
        self._given = None
        with suppress(BaseException):  # each fork will find the same fault, and say so
            self._given = GivenModules(sources)
        gc.collect()
        gc.freeze()

    def _fork(self, kind: str, memory: int, cpu: int, channel: int, status: int) -> int:
        parent = os.getpid()
        number = os.fork()
        if number == 0:
            self._forks.clear()
            _live(kind, memory, cpu, channel, parent, self._given)
        os.close(channel)
        ending = os.pidfd_open(number)
        self._forks[ending] = number, status
        return ending

    def _bury(self, ending: int) -> None:
        number, status = self._forks.pop(ending)
        _, code = os.waitpid(number, 0)
        with suppress(OSError):  # nobody may want to know any more
            os.write(status, _STATUS.pack(os.waitstatus_to_exitcode(code)))
        os.close(status)
        os.close(ending)


def _live(kind: str, memory: int, cpu: int, channel: int, parent: int, given: GivenModules | None) -> None:
    """What a fork does, to its end. Does not return."""
    code = 1
    try:
        os.dup2(channel, CONTROL)
        os.closerange(_FIRST_OTHER, _MOST_DESCRIPTORS)
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return  # it died before it was said that this process is to die with it
        os.write(CONTROL, b"\0")  # from which the kernel tells the grader the number of this process
        lockdown.seal(RULES, memory, cpu)
        with open(CONTROL, "rb") as source, open(CONTROL, "wb", closefd=False) as sink:
            if kind == "examine":
                runner.Channel(source, sink).send("leaks", *escape_tests.what_succeeds())
            else:
                runner.serve(source, sink, given)
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
    seccomp.assemble(os.uname().machine, os.getpid())  # most of it is the same for every fork


_BUILDER = "def arguments(arrays, names):\n    return dict(arrays)\n"
_REHEARSAL = """
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


def rehearse() -> None:
    """Run a program once as a fork does, so that what Python and numpy learn from it is there in every fork."""
    case = framing.arrays_out({"W": np.eye(3) / 2, "x": np.ones((9, 3))})
    steps: list[tuple[object, ...]] = [
        ("call", case, [], True),
        *[("call", case, [], False)] * 20,
        ("again", 0),
        ("recall", 0),
    ]
    requests = (
        ("program", "rehearsal", [(0, _REHEARSAL, "", 1)], [("builder", _BUILDER)], [("rehearse", ("W", "x"), 2)]),
        ("batch", "rehearse", steps),
    )
    source = io.BytesIO(b"".join(framing.pack(request, framing.REQUEST_CAP) for request in requests))
    kept = dict(sys.modules), list(sys.meta_path), list(sys.argv)
    with suppress(EOFError):
        runner.serve(source, io.BytesIO())
    for name in sys.modules.keys() - kept[0].keys():
        del sys.modules[name]
    sys.modules.update(kept[0])
    sys.meta_path[:], sys.argv[:] = kept[1:]
    linecache.cache.clear()


def become(user: int, library: Path) -> bool:
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
