"""Untrusted side: how a process gives up all that student code must not have. There is no way back.

In this order: limits (rlimits), no new privileges, no files but some (Landlock), no system calls but some (seccomp).
The first two need nothing; Landlock needs Linux 5.13, better 6.12; each layer holds where another one has a hole.

Why this is our own code, looked at again on 2026-11-22: pyseccomp 0.1.2 binds libseccomp, was last released in 2021,
and needs a library that is not everywhere; landlock 1.0.0.dev5 (2025) restricts files only, not the network or signals;
sandlock 0.9.0 (October 2026, alive) does all of it, but refuses to start below Landlock ABI 6 (Linux 6.12, so neither
Debian 12 nor Ubuntu 24.04), starts a fresh process each time, where ours locks down a fork in a millisecond, and is 13
MB of compiled code in the most sensitive place. What is needed of the three is the ctypes below and a table.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from autograder.sandbox.guest import linux, seccomp

if sys.platform != "win32":
    import resource

MAX_FILE_BYTES = 64 << 20  # of one file that student code writes, where it has a folder that is removed afterwards
_MAX_OPEN_FILES = 32  # open at once: enough to import
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every processor
_LANDLOCK_VERSION = 1  # asked for instead of a ruleset
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_LAST_KNOWN_ABI = 7
_LOG_SAME_EXEC_OFF = 1  # since ABI 7: refusals are not logged, or a submission could fill the system's log


def limit_resources(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process to so many bytes and CPU seconds, where the platform can. The parent measures more finely."""
    # At the soft limit comes a signal of its own, by which the parent knows the reason.
    _set_rlimits(
        {
            "AS": (memory_bytes, memory_bytes),
            "CPU": (cpu_seconds, cpu_seconds + 5),
            "CORE": (0, 0),
            "FSIZE": (MAX_FILE_BYTES, MAX_FILE_BYTES),
        }
    )


def limit_forks() -> None:
    """Take away, for all forks of this process at once, what sealed code does not need, and this process neither."""
    _set_rlimits(dict.fromkeys(("CORE", "FSIZE", "MEMLOCK", "MSGQUEUE", "SIGPENDING", "NICE", "RTPRIO"), (0, 0)))


def _set_rlimits(limits: Mapping[str, tuple[int, int]]) -> None:
    if sys.platform == "win32":
        return
    for name, soft_and_hard in limits.items():
        with suppress(AttributeError, ValueError, OSError):  # a lower limit holds already, or macOS has none
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), soft_and_hard)


def seal(ruleset: int, memory_bytes: int, cpu_seconds: int) -> None:
    """Lock this process down, for good. Raises OSError where a layer is refused; the process must then end."""
    files = (_MAX_OPEN_FILES, _MAX_OPEN_FILES)
    _set_rlimits(
        {"AS": (memory_bytes, memory_bytes), "CPU": (cpu_seconds, cpu_seconds + 5), "NOFILE": files, "NPROC": (0, 0)}
    )
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)  # no program can give rights back, which the next two insist on
    linux.syscall(_RESTRICT_SELF, ruleset, _LOG_SAME_EXEC_OFF if landlock_abi() >= 7 else 0)
    os.close(ruleset)
    program = seccomp.build_filter(os.uname().machine, os.getpid())
    head = struct.pack("@HP", len(program) // 8, _address(program).value)  # struct sock_fprog
    linux.prctl(linux.PR_SET_SECCOMP, 2, _address(head))


@functools.cache
def landlock_abi() -> int:
    """The version of Landlock that this kernel has, 0 for none."""
    try:
        return linux.syscall(_CREATE_RULESET, 0, 0, _LANDLOCK_VERSION)
    except OSError:
        return 0


def create_landlock_ruleset(readable: Iterable[Path], listable: Iterable[Path]) -> int:
    """A descriptor of rules by which nothing is allowed but to read what is `readable`, and below it.

    Of `listable` folders, the names in them may be listed as well. Raises OSError where there is no Landlock.
    """
    abi = min(landlock_abi(), _LAST_KNOWN_ABI)
    handled = struct.pack("=QQQ", _file_rights(abi), 0b11 if abi >= 4 else 0, 0b11 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = linux.syscall(_CREATE_RULESET, _address(handled), size, 0)
    for path in readable:
        with suppress(FileNotFoundError):  # a link to something that is not there
            _add_path_rule(ruleset, path, _READ_FILE | (_READ_DIR if path.is_dir() else 0))
    for path in listable:
        _add_path_rule(ruleset, path, _READ_DIR)
    return ruleset


def _file_rights(abi: int) -> int:
    """Every right to files that an ABI knows: execute, write, read, list, remove and make of seven kinds."""
    rights = (1 << 13) - 1
    if abi >= 2:
        rights |= 1 << 13  # link and rename between folders
    if abi >= 3:
        rights |= 1 << 14  # truncate
    if abi >= 5:
        rights |= 1 << 15  # ioctl on devices
    return rights  # besides: since 4 to bind and connect TCP; since 6 abstract sockets and signals to others


def _add_path_rule(ruleset: int, path: Path, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        linux.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, _address(struct.pack("=Qi", rights, descriptor)), 0)
    finally:
        os.close(descriptor)


def _address(data: bytes) -> ctypes.c_void_p:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)
