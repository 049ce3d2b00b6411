"""Calls the Linux kernel where Python has no function for it; the trusted side uses it too. Imports on any system."""

from __future__ import annotations

import ctypes
import functools
import os

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522


def prctl(option: int, *values: int | ctypes.c_void_p) -> None:
    """Change an attribute of this process. Raises OSError."""
    arguments = [value if isinstance(value, ctypes.c_void_p) else ctypes.c_ulong(value) for value in values]
    arguments += [ctypes.c_ulong(0)] * (4 - len(arguments))
    _check_errno(_libc().prctl(ctypes.c_int(option), *arguments))


def syscall(number: int, *values: int | ctypes.c_void_p) -> int:
    """Make a system call by its number and return its result. Raises OSError."""
    arguments = [value if isinstance(value, ctypes.c_void_p) else ctypes.c_long(value) for value in values]
    return _check_errno(_libc().syscall(ctypes.c_long(number), *arguments))


def make_undumpable() -> None:
    """Let no process of the same user read or change the memory of this one, nor a crash write it to the disk."""
    prctl(PR_SET_DUMPABLE, 0)


def wipe_variable(name: str) -> None:
    """Overwrite the value of an environment variable where the kernel and the C library keep it."""
    if address := _libc().getenv(ctypes.c_char_p(os.fsencode(name))):
        ctypes.memset(address, 0, len(ctypes.string_at(address)))


def allocate(size: int) -> int:
    """Allocate bytes with the C library and return their address."""
    return int(_libc().malloc(ctypes.c_size_t(size)))


def heap_end() -> int:
    """Return the address at which the heap of the C library ends at the moment."""
    return int(_libc().sbrk(ctypes.c_long(0)))


def release(address: int) -> None:
    """Free allocated bytes."""
    _libc().free(ctypes.c_void_p(address))


def drop_capabilities() -> None:
    """Give up every special right of root."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check_errno(_libc().capset(header, (ctypes.c_uint32 * 6)()))


@functools.cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.malloc.restype = libc.sbrk.restype = libc.getenv.restype = ctypes.c_size_t
    return libc


def _check_errno(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
