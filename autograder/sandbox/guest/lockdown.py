"""Gives up everything that student code must not have, for good: the process cannot undo it.

In this order: limits (rlimits), no new privileges, only some files (Landlock), only some system calls (seccomp). The
first two work everywhere; Landlock needs Linux 5.13, better 6.12. Each layer holds where another one has a hole.

Why this is our own code, last reviewed on 2026-11-22: pyseccomp 0.1.2 was last released in 2021 and needs libseccomp,
which is not everywhere; landlock 1.0.0.dev5 (2025) restricts files only; sandlock 0.9.0 (October 2026, maintained) does
all of it, but needs Landlock ABI 6 (Linux 6.12, so neither Debian 12 nor Ubuntu 24.04), starts a fresh process each
time, where ours locks down a fork in a millisecond, and puts 13 MB of compiled code in the most sensitive place.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from autograder.sandbox.guest import linux, seccomp

if sys.platform != "win32":
    import resource

MAX_FILE_BYTES = 64 << 20  # of one file, where student code has a folder to write to
_MAX_OPEN_FILES = 32  # at once: enough to import modules
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every processor
_LANDLOCK_VERSION = 1  # the flag that asks for the version instead of a ruleset
_PATH_BENEATH = 1
_MODULE_SUFFIXES = (".py", ".so")
_UNREAD_FOLDERS = ("__pycache__", "test", "tests")
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_LAST_KNOWN_ABI = 7
_LOG_SAME_EXEC_OFF = 1  # since ABI 7: refusals are not logged, or a submission could fill the system's log


def limit_resources(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process where the platform can; the parent measures more finely."""
    _set_rlimits(_memory_and_cpu(memory_bytes, cpu_seconds) | {"CORE": (0, 0), "FSIZE": (MAX_FILE_BYTES,) * 2})


def limit_forks() -> None:
    """Take away from this process and all its forks what neither of them needs."""
    _set_rlimits(dict.fromkeys(("CORE", "FSIZE", "MEMLOCK", "MSGQUEUE", "SIGPENDING", "NICE", "RTPRIO"), (0, 0)))


def _memory_and_cpu(memory_bytes: int, cpu_seconds: int) -> dict[str, tuple[int, int]]:
    # Above its soft limit, the process gets SIGXCPU, by which the parent knows the reason; at the hard one SIGKILL.
    return {"AS": (memory_bytes, memory_bytes), "CPU": (cpu_seconds, cpu_seconds + 5)}


def _set_rlimits(limits: Mapping[str, tuple[int, int]]) -> None:
    if sys.platform == "win32":
        return
    for name, soft_and_hard in limits.items():
        with suppress(AttributeError, ValueError, OSError):  # a lower limit holds already, or macOS has none
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), soft_and_hard)


def seal(ruleset: int, memory_bytes: int, cpu_seconds: int) -> None:
    """Lock this process down, for good. Raises OSError if a layer fails; the process must then end."""
    _set_rlimits(_memory_and_cpu(memory_bytes, cpu_seconds) | {"NOFILE": (_MAX_OPEN_FILES,) * 2, "NPROC": (0, 0)})
    # Without this, a set-user-ID program could give rights back; the two layers below require it.
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.syscall(_RESTRICT_SELF, ruleset, _LOG_SAME_EXEC_OFF if landlock_abi() >= 7 else 0)
    os.close(ruleset)
    program = seccomp.build_filter(os.uname().machine, os.getpid())
    # Comes last, because the filter forbids the calls above. struct sock_fprog: the number of instructions, a pointer.
    head = struct.pack("@HP", len(program) // 8, _address(program).value)
    linux.prctl(linux.PR_SET_SECCOMP, 2, _address(head))


@functools.cache
def landlock_abi() -> int:
    """Return the version of Landlock that this kernel has, 0 for none."""
    try:
        return linux.syscall(_CREATE_RULESET, 0, 0, _LANDLOCK_VERSION)
    except OSError:
        return 0


def create_landlock_ruleset(readable: Collection[Path], listable: Collection[Path]) -> int:
    """Return the descriptor of a ruleset that allows reading the modules at, in and below `readable` paths.

    It also allows listing the names in and below `listable` and `readable` folders, and nothing else. Raises OSError if
    there is no Landlock.
    """
    # The kernel refuses rights that it does not know, so the struct is as long as its version has it: files, network
    # (since 4: bind and connect TCP), scopes (since 6: abstract sockets and signals to others).
    abi = min(landlock_abi(), _LAST_KNOWN_ABI)
    handled = struct.pack("=QQQ", _file_rights(abi), 0b11 if abi >= 4 else 0, 0b11 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = linux.syscall(_CREATE_RULESET, _address(handled), size, 0)
    for path in readable:
        if path.is_dir():
            _add_path_rule(ruleset, path, _READ_DIR)
        for file in _modules(path):
            with suppress(FileNotFoundError):  # a link to something that is not there
                _add_path_rule(ruleset, file, _READ_FILE)
    for path in listable:
        _add_path_rule(ruleset, path, _READ_DIR)
    return ruleset


def _modules(path: Path) -> Iterator[str]:
    """Iterate over the modules at a path, or in and below it: sources and extensions.

    Files that Python has compiled are left out, because they hold the paths of their sources on this machine. So are
    the tests of the library and its data, because the kernel copies all rules for each fork, a third of a microsecond
    for each file.
    """
    if not path.is_dir():
        if path.suffix in _MODULE_SUFFIXES:
            yield str(path)
    elif path.name in _UNREAD_FOLDERS:
        yield str(path / "__init__.py")  # a package that can be imported, and nothing in it
    else:
        for folder, folders, files in os.walk(path):
            folders[:] = [name for name in folders if name not in _UNREAD_FOLDERS]
            yield from (os.path.join(folder, name) for name in files if name.endswith(_MODULE_SUFFIXES))  # noqa: PTH118 - hundreds


def _file_rights(abi: int) -> int:
    """Return every right to files that an ABI knows: execute, write, read, list, remove, and make of seven kinds."""
    rights = (1 << 13) - 1
    if abi >= 2:
        rights |= 1 << 13  # link and rename between folders
    if abi >= 3:
        rights |= 1 << 14  # truncate
    if abi >= 5:
        rights |= 1 << 15  # ioctl on devices
    return rights


def _add_path_rule(ruleset: int, path: Path | str, rights: int) -> None:
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        linux.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, _address(struct.pack("=Qi", rights, descriptor)), 0)
    finally:
        os.close(descriptor)


def _address(data: bytes) -> ctypes.c_void_p:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p)
