"""Lists the system calls that sealed student code may make, and builds the seccomp filter that allows no others.

Any other call fails with EPERM, which Python turns into an ordinary PermissionError. Several submissions may run at
once, so no call may name another process, or change or tell what they share. Left out, and why:
clone, fork, vfork, execve (one process with one thread: nothing can outlive it), socket and its relatives (no network,
no way to another process), kill, ptrace, process_vm_* (other processes), mkdir, unlink, rename, chmod (nothing is
writable), memfd, io_uring, userfaultfd, bpf, keyctl, mount, unshare, setns, perf (large parts of the kernel that honest
code does not need), setrlimit, prctl, seccomp (its own limits), readlink (where a file really lies), sysinfo (the load
and the free memory of the machine).
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

EPERM = 1


@dataclass(frozen=True)
class Architecture:
    """A kind of processor: its constant in the kernel, and its column in the tables below."""

    audit_arch: int
    column: int
    first_foreign_number: int | None = None  # from this number on, calls belong to another ABI (x32)


ARCHITECTURES = {
    "x86_64": Architecture(audit_arch=0xC000003E, column=0, first_foreign_number=0x40000000),
    "aarch64": Architecture(audit_arch=0xC00000B7, column=1),
}

# Per name, the number on x86-64 and on aarch64; None where the processor has no such call.
# fmt: off
ALLOWED_CALLS: dict[str, tuple[int | None, int | None]] = {
    # Files; Landlock decides which ones.
    "read": (0, 63), "readv": (19, 65), "pread64": (17, 67), "write": (1, 64), "writev": (20, 66),
    "close": (3, 57), "close_range": (436, 436), "lseek": (8, 62), "fstat": (5, 80), "stat": (4, None),
    "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291), "access": (21, None),
    "faccessat": (269, 48), "faccessat2": (439, 439), "getdents64": (217, 61), "getcwd": (79, 17),
    "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "poll": (7, None), "ppoll": (271, 73),
    "select": (23, None), "pselect6": (270, 72),
    # Memory; RLIMIT_AS says how much.
    "brk": (12, 214), "munmap": (11, 215), "mremap": (25, 216),
    # Its own signals.
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128),
    # The time, and waiting.
    "nanosleep": (35, 101), "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153),
    "getrusage": (98, 165),
    # Who and where it is.
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "uname": (63, 160),
    "getcpu": (309, 168), "sched_yield": (24, 124), "getrandom": (318, 278),
    # The end.
    "exit": (60, 93), "exit_group": (231, 94),
}
# fmt: on

_PROT_WRITE, _PROT_EXEC, _MAP_ANONYMOUS, _MAP_HUGETLB = 0x2, 0x4, 0x20, 0x40000
_WRITE_FLAGS = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
_SPECIAL_FLAGS = 0o10000000 | 0o20000000  # O_PATH needs no right to the file; the bit of O_TMPFILE that makes a file
_NOT_WRITABLE = _WRITE_FLAGS | _SPECIAL_FLAGS
_PID_PLACEHOLDER = 0x7FFFFFFE  # no process has this number


@dataclass(frozen=True)
class ArgumentRule:
    """What one half of an argument must be: one of `allowed_values`, or free of the bits in `bit_mask`.

    The half is the lower 32 bits, or the upper ones. With `is_sufficient`, a call whose argument is free of the bits is
    allowed at once, and any other has to pass the rules that follow.
    """

    argument: int
    allowed_values: tuple[int, ...] = ()
    bit_mask: int = 0
    upper_half: bool = False
    is_sufficient: bool = False


# CLOCK_REALTIME to CLOCK_BOOTTIME. Any other number is the CPU clock of some process, or a device.
_FIXED_CLOCK = (ArgumentRule(0, allowed_values=tuple(range(8))),)

RESTRICTED_CALLS: dict[str, tuple[tuple[int | None, int | None], tuple[ArgumentRule, ...]]] = {
    # Nothing is writable, which Landlock says as well.
    "open": ((2, None), (ArgumentRule(1, bit_mask=_NOT_WRITABLE),)),
    "openat": ((257, 56), (ArgumentRule(2, bit_mask=_NOT_WRITABLE),)),
    # Machine code comes only from files, none of which is writable: C extensions of the library can still be imported.
    # The machine has one pool of huge pages, and how many are left would tell about others.
    "mmap": (
        (9, 222),
        (
            ArgumentRule(3, bit_mask=_MAP_HUGETLB),
            ArgumentRule(2, bit_mask=_PROT_EXEC, is_sufficient=True),
            ArgumentRule(2, bit_mask=_PROT_WRITE),
            ArgumentRule(3, bit_mask=_MAP_ANONYMOUS),
        ),
    ),
    "mprotect": ((10, 226), (ArgumentRule(2, bit_mask=_PROT_EXEC),)),
    # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC. Not F_SETOWN, which could send signals.
    "fcntl": ((72, 25), (ArgumentRule(1, allowed_values=(0, 1, 2, 3, 1030)),)),
    # TCGETS (is it a terminal?), FIONCLEX, FIOCLEX. Devices have thousands more.
    "ioctl": ((16, 29), (ArgumentRule(1, allowed_values=(0x5401, 0x5450, 0x5451)),)),
    # NORMAL to DONTNEED, FREE, (NO)HUGEPAGE, DONTDUMP, DODUMP. Others load or drop pages that all processes share.
    "madvise": ((28, 233), (ArgumentRule(2, allowed_values=(0, 1, 2, 3, 4, 8, 14, 15, 16, 17)),)),
    # WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET (by either clock) and WAKE_BITSET, all PRIVATE: without
    # that flag, processes meet at any page of a file that both have mapped.
    "futex": ((202, 98), (ArgumentRule(1, allowed_values=(128, 129, 131, 132, 133, 137, 137 | 256, 138)),)),
    "clock_gettime": ((228, 113), _FIXED_CLOCK),
    "clock_getres": ((229, 114), _FIXED_CLOCK),
    "clock_nanosleep": ((230, 115), _FIXED_CLOCK),
    "sched_getaffinity": ((204, 123), (ArgumentRule(0, allowed_values=(0, _PID_PLACEHOLDER)),)),
    # To itself, for abort().
    "tgkill": ((234, 131), tuple(ArgumentRule(index, allowed_values=(_PID_PLACEHOLDER,)) for index in (0, 1))),
    # Its own limits may be read, not set: the pointer to new ones is null, in both halves.
    "prlimit64": (
        (302, 261),
        (
            ArgumentRule(0, allowed_values=(0,)),
            ArgumentRule(2, allowed_values=(0,)),
            ArgumentRule(2, allowed_values=(0,), upper_half=True),
        ),
    ),
}

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_Instruction = tuple[int, int, int, int]  # operation, instructions to skip if it is true and if it is false, operand
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | EPERM, 0x80000000


def build_filter(machine: str, pid: int) -> bytes:
    """Return the filter of a process as an array of struct sock_filter. Raises KeyError for an unknown machine."""
    return _filter_template(machine).replace(struct.pack("<I", _PID_PLACEHOLDER), struct.pack("<I", pid))


@functools.cache
def _filter_template(machine: str) -> bytes:
    """Return the filter with a placeholder for the process: each fork has its own, and building one takes long."""
    architecture = ARCHITECTURES[machine]
    # No honest library makes calls by the numbers of another ABI: such a call ends the process.
    program = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, architecture.audit_arch), (_RETURN, 0, 0, KILL)]
    program.append((_LOAD, 0, 0, _NUMBER))
    if architecture.first_foreign_number is not None:
        program += [(_AT_LEAST, 0, 1, architecture.first_foreign_number), (_RETURN, 0, 0, KILL)]
    allowed = ((numbers, ()) for numbers in ALLOWED_CALLS.values())
    for numbers, rules in (*allowed, *RESTRICTED_CALLS.values()):
        program += _call_instructions(numbers[architecture.column], rules)
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in [*program, (_RETURN, 0, 0, REFUSE)])


def _call_instructions(number: int | None, rules: Iterable[ArgumentRule]) -> list[_Instruction]:
    """Return the instructions that decide about one call, and are skipped for any other."""
    if number is None:
        return []
    body = [instruction for rule in rules for instruction in _rule_instructions(rule)]
    return [(_EQUAL, 0, len(body) + 1, number), *body, (_RETURN, 0, 0, ALLOW)]


def _rule_instructions(rule: ArgumentRule) -> Iterator[_Instruction]:
    yield _LOAD, 0, 0, _ARGUMENTS + 8 * rule.argument + 4 * rule.upper_half
    if rule.bit_mask:
        yield _ANY_BIT, int(rule.is_sufficient), int(not rule.is_sufficient), rule.bit_mask
    for index, value in enumerate(rule.allowed_values):  # a match jumps over the others and the refusal
        yield _EQUAL, len(rule.allowed_values) - index, 0, value
    yield _RETURN, 0, 0, ALLOW if rule.is_sufficient else REFUSE
