"""Tries what a sealed process must not be able to do. Needs no student code.

A level is used only if every attempt fails on this machine: what a kernel should refuse may differ from what it does.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from autograder.sandbox.guest import linux

if sys.platform != "win32":
    import resource

_PTRACE_SEIZE = 0x4206  # attaches without stopping the other process
_CPUCLOCK_SCHED = 2  # the kind of clock that counts all CPU time of a process


def _write_file() -> None:
    path = Path("autograder-was-here")
    path.write_bytes(b"")
    path.unlink()


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
    os.wait()


def _set_limit() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
    except ValueError:
        raise PermissionError from None  # `resource` raises ValueError for EPERM


def _trace_parent() -> None:
    linux.syscall({"x86_64": 101, "aarch64": 117}[os.uname().machine], _PTRACE_SEIZE, os.getppid(), 0, 0)


def _read_parent() -> None:
    with Path(f"/proc/{os.getppid()}/mem").open("rb") as memory:
        memory.read(1)


MUST_FAIL: Mapping[str, Callable[[], object]] = {
    "list the files of the system": lambda: next(Path("/").iterdir()),
    "read a file of the system": lambda: os.open(sys.executable, os.O_RDONLY),
    "write a file": _write_file,
    "remove a file": Path("/nothing").unlink,
    "open a connection": lambda: socket.socket().close(),
    "start a process": _fork,
    "run a program": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606 - that is what is tried
    "send a signal to its parent": lambda: os.kill(os.getppid(), 0),
    "trace its parent": _trace_parent,
    "read the memory of its parent": _read_parent,
    "read the CPU clock of its parent": lambda: time.clock_gettime(~os.getppid() << 3 | _CPUCLOCK_SCHED),
    "tell the processors of its parent": lambda: os.sched_getaffinity(os.getppid()),
    "set its limits": _set_limit,
    "make machine code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC).close(),
    "change its filter": lambda: linux.prctl(linux.PR_SET_SECCOMP, 2, ctypes.c_void_p(None)),
}


def successful_escapes() -> list[str]:
    """Return the attempts that ended in neither PermissionError nor FileNotFoundError; none if all is well."""
    succeeded = []
    for name, attempt in MUST_FAIL.items():
        try:
            attempt()
        except (PermissionError, FileNotFoundError):
            continue
        except OSError as error:
            succeeded.append(f"{name} ({error.strerror})")
        else:
            succeeded.append(name)
    return succeeded
