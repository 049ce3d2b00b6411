"""Tests of lockdown and seccomp: what a sealed process is refused and allowed, and the filter itself.

Each attempt runs in a process that is sealed as for student code, at each sealed level that works here. The last test
repeats all of this as a plain user.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograder.course import Limits
from autograder.sandbox.guest import lockdown, seccomp
from autograder.sandbox.host import runtime
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.program import Batch, Call, Program, Returned
from autograder.submission.cells import Cell

ROOT = Path(__file__).resolve().parents[3]
PLAIN_USER = 65534
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux's")

REFUSED = {  # attempts that must fail: not permitted, or nothing is there
    # files
    "list the repository": f"os.listdir({str(ROOT)!r})",
    "read the repository": f"open({str(ROOT / 'README.md')!r})",
    "read the solution": f"open({str(ROOT / 'solutions' / 'rnn_backprop' / 'rnn_backprop.py')!r})",
    "read the kit": f"open({__file__!r})",
    "read the users": "open('/etc/passwd')",
    "list everything": "os.listdir('/')",
    "list a temporary folder": "os.listdir('/tmp')",
    "open a path without a right": "os.open('/', os.O_PATH)",
    "open the terminal": "os.open('/dev/tty', os.O_RDWR)",
    "open a device": "open('/dev/zero')",
    "read a compiled module": "open(numpy.__spec__.cached, 'rb')",
    "read the settings of the build": "[open(path) for path in LIBRARY.glob('_sysconfigdata*')]",
    "open nothing for writing": "open(os.devnull, 'w')",
    "write where it stands": "open('a', 'w')",
    "write to a temporary folder": "open('/tmp/a', 'w')",
    "write to the shared memory": "open('/dev/shm/a', 'w')",
    "write to the library": "open(os.__file__, 'a')",
    "write by the numbers": "os.open('a', os.O_CREAT | os.O_RDWR)",
    "make a nameless file": "os.open('/tmp', os.O_TMPFILE | os.O_RDWR)",
    "cut a file": "os.truncate(os.__file__, 0)",
    "make a folder": "os.mkdir('a')",
    "remove a file": "os.unlink(os.__file__)",
    "remove a folder": "os.rmdir('/tmp')",
    "rename": "os.rename(os.__file__, 'a')",
    "link": "os.link(os.__file__, 'a')",
    "link by name": "os.symlink('/', 'a')",
    "make a fifo": "os.mkfifo('a')",
    "make a device": "os.mknod('a', 0o600)",
    "change a mode": "os.chmod(os.__file__, 0o777)",
    "change an owner": "os.chown(os.__file__, 0, 0)",
    "change a time": "os.utime(os.__file__)",
    "change an attribute": "os.setxattr(os.__file__, 'user.a', b'a')",
    "change the root": "os.chroot('/')",
    "change the folder": "os.chdir('/tmp')",
    "a file in memory": "os.memfd_create('a')",
    # other processes
    "fork": "os.fork()",
    "fork with a terminal": "os.forkpty()",
    "run a program": "os.execv(sys.executable, [sys.executable, '-c', '0'])",
    "start a program": "subprocess.run([sys.executable, '-c', '0'])",
    "start one by posix_spawn": "os.posix_spawn(sys.executable, [sys.executable], {})",
    "start a thread": "thread(lambda: None)",
    "signal its parent": "os.kill(os.getppid(), 0)",
    "signal everybody": "os.kill(-1, 0)",
    "signal by a handle": "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)",
    "read the memory of its parent": "open(f'/proc/{os.getppid()}/mem')",
    "read about its parent": "open(f'/proc/{os.getppid()}/environ')",
    "read about itself": "open('/proc/self/maps')",
    "list processes": "os.listdir('/proc')",
    "change its priority": "os.nice(-1)",
    "change its processors": "os.sched_setaffinity(0, {0})",
    "ask for the processors of its parent": "os.sched_getaffinity(os.getppid())",
    "ask for the policy of its parent": "os.sched_getscheduler(os.getppid())",
    "ask for the priority of its parent": "os.getpriority(os.PRIO_PROCESS, os.getppid())",
    "ask for the group of its parent": "os.getpgid(os.getppid())",
    "ask for the session of its parent": "os.getsid(os.getppid())",
    "ask for limits of its parent": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU)",
    "read the CPU clock of its parent": "time.clock_gettime(~os.getppid() << 3 | 2)",
    "read the CPU clock of a thread of its parent": "time.clock_gettime(~os.getppid() << 3 | 6)",
    "read the clock of a device": "time.clock_gettime(~0 << 3 | 3)",
    "set a clock": "time.clock_settime(time.CLOCK_REALTIME, 0)",
    "tell how busy the machine is": "open('/proc/loadavg')",
    "follow a link": "os.readlink('/bin')",
    "find its program": "os.readlink('/proc/self/exe')",
    "make a session": "os.setsid()",
    "become root": "os.setresuid(0, 0, 0)",
    # the network, and ways round it
    "a socket": "socket.socket()",
    "a socket of this machine": "socket.socket(socket.AF_UNIX)",
    "a pair of sockets": "socket.socketpair()",
    "a raw socket": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "a socket to the kernel": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "a pipe": "os.pipe()",
    "events": "os.eventfd(0)",
    "watch many files": "select.epoll()",
    # its own limits
    "raise its memory": "limit(resource.RLIMIT_AS)",
    "raise its time": "limit(resource.RLIMIT_CPU)",
    "raise its files": "limit(resource.RLIMIT_NOFILE)",
    "raise limits of others": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "make machine code": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
    "make a writable program": "mmap.mmap(-1, 4096, prot=7)",
    "call back from C": "ctypes.CFUNCTYPE(None)(lambda: None)()",
}
RAW = {  # system calls without a function in Python: their numbers on x86-64 and on aarch64, and arguments
    "ptrace": (101, 117, (0x4206, "os.getppid()", 0, 0)),
    "process_vm_readv": (310, 270, ("os.getppid()", 0, 0, 0, 0, 0)),
    "process_vm_writev": (311, 271, ("os.getppid()", 0, 0, 0, 0, 0)),
    "clone": (56, 220, (17, 0, 0, 0, 0)),
    "clone3": (435, 435, (0, 0)),
    "execveat": (322, 281, (0, 0, 0, 0, 0)),
    "clock_getres of its parent": (229, 114, ("~os.getppid() << 3 | 2", 0)),
    "clock_nanosleep by its parent": (230, 115, ("~os.getppid() << 3 | 2", 0, 0, 0)),
    "sysinfo": (99, 179, ("ctypes.addressof(buffer)",)),
    "futex that wakes other processes": (202, 98, ("ctypes.addressof(buffer)", 1, 1, 0, 0, 0)),
    "madvise that shares equal pages": (28, 233, (0, 0, 12)),
    "get_robust_list": (274, 100, ("os.getppid()", "ctypes.addressof(buffer)", "ctypes.addressof(buffer)")),
    "ioprio_get": (252, 31, (1, "os.getppid()")),
    "migrate_pages": (256, 238, ("os.getppid()", 0, 0, 0)),
    "move_pages": (279, 239, ("os.getppid()", 0, 0, 0, 0, 0)),
    "mincore": (27, 232, (0, 0, 0)),
    "flock": (73, 32, (0, 2)),
    "rt_sigqueueinfo": (129, 138, ("os.getppid()", 0, 0)),
    "prctl": (157, 167, (4, 1, 0, 0, 0)),
    "arch_prctl, personality": (158, 92, (0, 0)),
    "seccomp": (317, 277, (0, 0, 0)),
    "io_uring_setup": (425, 425, (1, 0)),
    "userfaultfd": (323, 282, (0,)),
    "bpf": (321, 280, (0, 0, 0)),
    "keyctl": (250, 219, (0, 0, 0, 0, 0)),
    "add_key": (248, 217, (0, 0, 0, 0, 0)),
    "mount": (165, 40, (0, 0, 0, 0, 0)),
    "umount2": (166, 39, (0, 0)),
    "unshare": (272, 97, (0x10000000,)),
    "setns": (308, 268, (0, 0)),
    "perf_event_open": (298, 241, (0, 0, 0, 0, 0)),
    "openat2": (437, 437, (0, 0, 0, 0)),
    "memfd_secret": (447, 447, (0,)),
    "pidfd_getfd": (438, 438, (0, 0, 0)),
    "kcmp": (312, 272, ("os.getppid()", "os.getpid()", 0, 0, 0)),
    "shmget": (29, 194, (0, 4096, 0o1600)),
    "msgget": (68, 186, (0, 0o1600)),
    "mq_open": (240, 180, (0, 0, 0, 0)),
    "inotify_init1": (294, 26, (0,)),
    "fanotify_init": (300, 262, (0, 0)),
    "setitimer": (38, 103, (0, 0, 0)),
    "timer_create": (222, 107, (0, 0, 0)),
    "open_by_handle_at": (304, 265, (0, 0, 0)),
    "name_to_handle_at": (303, 264, (0, 0, 0, 0, 0)),
    "syslog": (103, 116, (3, 0, 0)),
    "reboot": (169, 142, (0, 0, 0, 0)),
    "init_module": (175, 105, (0, 0, 0)),
    "settimeofday": (164, 170, (0, 0)),
    "sethostname": (170, 161, (0, 0)),
    "mlockall": (151, 230, (3,)),
    "pkey_alloc": (330, 289, (0, 0)),
    "landlock_create_ruleset": (444, 444, (0, 0, 1)),
    "prlimit64 with a new limit behind an odd address": (302, 261, (0, 0, 0x100000000, 0)),
    "fcntl that sends signals": (72, 25, (0, 8, "os.getpid()")),
    "ioctl on a terminal": (16, 29, (0, 0x5412, 0)),
    "tgkill of its parent": (234, 131, ("os.getppid()", "os.getppid()", 0)),
    "mprotect to machine code": (10, 226, (0, 4096, 5)),
    "mprotect in upper bits as well": (10, 226, (0, 4096, 0x100000005)),
}
ALLOWED = {  # attempts of honest code, and of the library that it uses
    "read the library": "open(os.__file__).read()",
    "list the library": "os.listdir(os.path.dirname(os.__file__))",
    "read numpy": "open(numpy.__file__).read()",
    "import what was not loaded before": "__import__('wsgiref.util')",
    "import machine code of the library": "__import__('_zoneinfo')",
    "import more of numpy": "__import__('numpy.polynomial.chebyshev')",
    "random numbers": "os.urandom(8) and random.random() and numpy.random.default_rng().random()",
    "the clocks": "[time.clock_gettime(n) + time.clock_getres(n) for n in range(8)]",
    "how many processors it has": "os.cpu_count() and os.sched_getaffinity(0) == os.sched_getaffinity(os.getpid())",
    "a resolved path": "__import__('pathlib').Path(numpy.__file__).resolve().read_text()",
    "its own source": "__import__('inspect').getsource(raw) and __import__('inspect').getsource(numpy.linalg.norm)",
    "the time": "time.time() and time.perf_counter() and time.process_time() and time.localtime()",
    "sleep": "time.sleep(0.001)",
    "numbers of its own": "os.getpid() and os.getppid() and os.getuid() + 1 and os.getcwd()",
    "signals of its own": "signal.signal(signal.SIGTERM, signal.SIG_DFL) or signal.raise_signal(0)",
    "its limits": "resource.getrlimit(resource.RLIMIT_AS) and resource.getrusage(resource.RUSAGE_SELF)",
    "memory": "len(bytearray(50 << 20)) and mmap.mmap(-1, 1 << 20)",
    "print": "print('a' * 100_000)",
    "is it a terminal?": "os.isatty(0) or sys.stdin.read() or True",
    "what machine": "__import__('platform').platform()",
    "linear algebra": "numpy.linalg.svd(numpy.ones((600, 600)) @ numpy.ones((600, 600)))",
    "a lock": "__import__('threading').Lock().acquire()",
    "compress": "__import__('zlib').compress(b'a') and __import__('lzma').compress(b'a')",
    "digest": "__import__('hashlib').sha256(b'a').hexdigest()",
}
SOURCE = """
import ctypes, mmap, os, random, resource, select, signal, socket, subprocess, sys, time
import _thread
import numpy
libc = ctypes.CDLL(None, use_errno=True)
LIBRARY = __import__("pathlib").Path(os.__file__).parent
buffer = (ctypes.c_long * 64)()

def thread(call):
    try: _thread.start_new_thread(call, ())
    except RuntimeError: raise PermissionError

def limit(which):
    try: resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except ValueError: raise PermissionError

def raw(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), "raw")
"""


def attempts() -> dict[str, str]:
    """Return every attempt by name, as an expression."""
    column = 0 if os.uname().machine == "x86_64" else 1
    raw = {
        f"raw {name}": f"raw({numbers[column]}, {', '.join(map(str, arguments))})"
        for name, (*numbers, arguments) in RAW.items()
    }
    return {**REFUSED, **raw, **{f"allowed: {name}": code for name, code in ALLOWED.items()}}


@pytest.fixture(scope="module", params=["A", "B"])
def errors(request: pytest.FixtureRequest) -> dict[str, str]:
    """Make each attempt in one sealed process, and return the names of the exceptions; empty if there was none."""
    try:
        jail = Jail(request.param)
    except JailError as error:
        pytest.skip(f"level {request.param} does not work on this machine: {error}")
    functions = "".join(
        f"def f{number}(x):\n    {code}\n    return x\n" for number, code in enumerate(attempts().values())
    )
    cells = (Cell(SOURCE, "code cell 1"), Cell(functions, "code cell 2"))
    names = dict.fromkeys((f"f{number}" for number in range(len(attempts()))), ("x",))
    program = Program("__main__", cells, {"kit": "def arguments(arrays, names): return dict(arrays)"}, names)
    with jail:
        batches = [Batch(name, (Call({"x": np.ones(1)}, {}),)) for name in names]
        execution = jail.run(program, batches, Limits(submission_wall_seconds=300))
    assert execution.problems == ()
    outcomes = [outcome for (outcome,) in execution.outcomes.values()]
    return {
        name: "" if isinstance(outcome, Returned) else getattr(outcome, "error", str(outcome))
        for name, outcome in zip(attempts(), outcomes, strict=True)
    }


@pytest.mark.parametrize("name", [*REFUSED, *(f"raw {name}" for name in RAW)])
def test_refused(name, errors):
    assert errors[name] in ("PermissionError", "FileNotFoundError", "MemoryError"), errors[name]


@pytest.mark.parametrize("name", ALLOWED)
def test_allowed(name, errors):
    assert errors[f"allowed: {name}"] == ""


def test_other_files_do_not_exist_in_the_container():
    try:
        jail = Jail("A")
    except JailError as error:
        pytest.skip(f"level A does not work on this machine: {error}")
    source = f"""
    import os
    for path in ({str(ROOT / "README.md")!r}, {str(ROOT / "solutions")!r}, "/etc/passwd", "/proc", "/sys"):
        assert not os.path.lexists(path), path
    site_packages = {str(Path(np.__file__).parents[1])!r}
    assert not os.path.exists(os.path.join(site_packages, "psutil"))
    assert os.stat("/dev/null") and not os.path.exists("/dev/zero")
    """
    program = Program("__main__", (Cell(textwrap.dedent(source), "code cell 1"),), {"kit": "arguments = dict"}, {})
    with jail:
        assert jail.run(program, [], Limits()).problems == ()


# --- Landlock by itself -------------------------------------------------------------------------------------------

BY_LANDLOCK = {  # attempts, each with the first version of Landlock that refuses it
    "read": (1, "open(sys.argv[1])"),
    "write": (1, "open(sys.argv[1], 'a')"),
    "make": (1, "open(sys.argv[1] + '2', 'w')"),
    "list": (1, "os.listdir('/')"),
    "remove": (1, "os.unlink(sys.argv[1])"),
    "run": (1, "os.execv(sys.executable, [sys.executable, '-c', '0'])"),
    "write to the library": (1, "open(os.__file__, 'a')"),
    "trace": (1, "linux.syscall({'x86_64': 101, 'aarch64': 117}[os.uname().machine], 0x4206, os.getppid(), 0, 0)"),
    "read memory": (1, "open(f'/proc/{os.getppid()}/mem')"),
    "cut": (3, "os.truncate(sys.argv[1], 0)"),
    "connect": (4, "socket.create_connection(('127.0.0.1', 9))"),
    "listen": (4, "socket.create_server(('127.0.0.1', 0))"),
    "signal": (6, "os.kill(os.getppid(), 0)"),
}


def test_what_a_submission_may_read_has_been_read_that_day(tmp_path):
    folders = [tmp_path / "tests" / "a", tmp_path / "tests", tmp_path / "__pycache__"]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    file, probe = tmp_path / "a.py", tmp_path / "tests" / "probe"
    for path in (file, probe):
        path.write_text("a")
    for path in (file, probe, *folders, tmp_path):
        os.utime(path, (0, 1))
    probe.read_bytes()
    if probe.stat().st_atime == 0:
        pytest.skip("this file system does not note when a file is read")
    runtime.read_first(tmp_path)
    assert [path for path in (file, *folders, tmp_path) if path.stat().st_atime == 0] == []


@pytest.mark.skipif(sys.platform == "linux" and not lockdown.landlock_abi(), reason="this kernel has no Landlock")
def test_landlock_holds_without_the_filter(tmp_path):
    file = tmp_path / "file"
    file.write_text("a")
    code = "\n".join(
        [
            "import os, socket, sys",
            "from pathlib import Path",
            "from autograder.sandbox.guest import linux, lockdown",
            "rules = lockdown.create_landlock_ruleset([Path(os.__file__).parent], [])",
            "linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)",
            "linux.syscall(446, rules, 0)",
            "open(os.__file__).close()",
            *(f"try: {code}; print({name!r})\nexcept PermissionError: pass" for name, (_, code) in BY_LANDLOCK.items()),
            "print('end')",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    *succeeded, end = done.stdout.splitlines()
    assert end == "end"
    assert [name for name in succeeded if BY_LANDLOCK[name][0] <= lockdown.landlock_abi()] == []


@pytest.mark.parametrize(("abi", "bits"), [(1, 13), (2, 14), (3, 15), (4, 15), (5, 16), (6, 16), (7, 16)])
def test_every_right_known_to_a_version_is_given_up(abi, bits):
    assert lockdown._file_rights(abi) == (1 << bits) - 1


# --- The filter, for both kinds of processors ---------------------------------------------------------------------


def decision(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """Return the decision of the filter about a call, by interpreting its few kinds of BPF instructions."""
    words = [number, seccomp.ARCHITECTURES[machine].audit_arch if audit is None else audit, 0, 0]
    for argument in (*arguments, *(6 - len(arguments)) * (0,)):
        words += [argument & 0xFFFFFFFF, argument >> 32]
    program = list(struct.iter_unpack("<HBBI", seccomp.build_filter(machine, pid=1234)))
    jumps: dict[int, Callable[[int, int], bool]] = {
        0x15: lambda a, k: a == k,
        0x35: lambda a, k: a >= k,
        0x45: lambda a, k: bool(a & k),
    }
    accumulator = position = 0
    while True:
        code, jump_if_true, jump_if_false, value = program[position]
        position += 1
        if code == 0x20:
            accumulator = words[value // 4]
        elif code in jumps:
            position += jump_if_true if jumps[code](accumulator, value) else jump_if_false
        else:
            assert code == 0x06
            return value


# As the kernel gets them: of the processes 1234 and 1 (three kinds of time, and of a thread), of an open device.
OTHER_CLOCKS = [(~pid << 3 | kind) & 0xFFFFFFFF for pid in (1234, 1) for kind in (0, 1, 2, 6)] + [
    (~5 << 3 | 3) & 0xFFFFFFFF
]


@pytest.mark.parametrize("machine", seccomp.ARCHITECTURES)
class TestFilter:
    def test_only_calls_in_the_table_are_allowed(self, machine):
        column = seccomp.ARCHITECTURES[machine].column
        allowed = {numbers[column] for numbers in seccomp.ALLOWED_CALLS.values()} - {None}
        restricted = {numbers[column] for numbers, _ in seccomp.RESTRICTED_CALLS.values()} - {None}
        assert not allowed & restricted
        for number in set(range(600)) - restricted:
            assert (decision(machine, number) == seccomp.ALLOW) == (number in allowed), number
            assert decision(machine, number) in (seccomp.ALLOW, seccomp.REFUSE)

    @pytest.mark.parametrize(
        ("call", "good", "bad"),
        [
            ("openat", [(0, 0, 0o200000), (0, 0, 0o2000000)], [(0, 0, n) for n in (1, 2, 0o100, 0o1000, 0o10000000)]),
            ("mmap", [(0, 9, 3, 0x22), (0, 9, 5, 2)], [(0, 9, 7, 2), (0, 9, 4, 0x22), (0, 9, 5, 0x20)]),
            ("mprotect", [(0, 9, 3), (0, 9, 0)], [(0, 9, 4), (0, 9, 5), (0, 9, 7 | 1 << 32)]),
            ("fcntl", [(0, n) for n in (0, 1, 2, 3, 1030)], [(0, n) for n in (4, 5, 6, 8, 10, 15, 1024, 1033)]),
            ("ioctl", [(0, 0x5401), (0, 0x5451)], [(0, 0x5412), (0, 0), (0, 0x5402)]),
            ("mmap", [(0, 9, 3, 0x22)], [(0, 9, 3, 0x40022), (0, 9, 1, 0x40002)]),
            ("madvise", [(0, 9, n) for n in (0, 4, 8, 14)], [(0, 9, n) for n in (12, 20, 21, 22, 23, 100, 101)]),
            ("futex", [(0, n) for n in (128, 129, 137, 393)], [(0, n) for n in (0, 1, 9, 137 + 512, 1 << 32 | 1)]),
            ("clock_gettime", [(n,) for n in range(8)], [(n,) for n in (8, 9, 11, *OTHER_CLOCKS)]),
            ("clock_getres", [(n,) for n in range(8)], [(n,) for n in (8, 9, 11, *OTHER_CLOCKS)]),
            ("clock_nanosleep", [(n,) for n in range(8)], [(n,) for n in (8, 9, 11, *OTHER_CLOCKS)]),
            ("sched_getaffinity", [(0,), (1234,)], [(1,), (1235,), (0xFFFFFFFF,), (1 << 32 | 1,)]),
            ("prlimit64", [(0, 7, 0, 4096)], [(0, 7, 4096, 0), (0, 7, 1 << 32, 0), (1, 7, 0, 0)]),
        ],
    )
    def test_arguments_are_checked(self, machine, call, good, bad):
        number = seccomp.RESTRICTED_CALLS[call][0][seccomp.ARCHITECTURES[machine].column]
        assert {decision(machine, number, *arguments) for arguments in good} == {seccomp.ALLOW}
        assert {decision(machine, number, *arguments) for arguments in bad} == {seccomp.REFUSE}

    def test_a_process_may_signal_only_itself(self, machine):
        number = seccomp.RESTRICTED_CALLS["tgkill"][0][seccomp.ARCHITECTURES[machine].column]
        assert decision(machine, number, 1234, 1234, 6) == seccomp.ALLOW
        for process, thread in ((1, 1234), (1234, 1), (0, 0), (0xFFFFFFFF, 0xFFFFFFFF)):
            assert decision(machine, number, process, thread, 6) == seccomp.REFUSE

    def test_calls_of_another_abi_end_the_process(self, machine):
        others = [0x40000003, *(architecture.audit_arch for architecture in seccomp.ARCHITECTURES.values())]
        for audit in others:
            expected = seccomp.ALLOW if audit == seccomp.ARCHITECTURES[machine].audit_arch else seccomp.KILL
            assert decision(machine, 63, audit=audit) == expected
        x32 = decision(machine, 0x40000000 | 63)
        assert x32 == (seccomp.KILL if machine == "x86_64" else seccomp.REFUSE)

    def test_the_filter_is_short_enough_for_the_kernel(self, machine):
        assert len(seccomp.build_filter(machine, pid=1 << 22)) // 8 < 4096


# --- As a plain user ----------------------------------------------------------------------------------------------

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
RUN = f"""
mount --bind "$1" "$2" && shift && folder="$1" && shift
export LD_LIBRARY_PATH="$folder/lib"
exec setpriv --reuid=65534 --regid=65534 --clear-groups "$folder/bin/python{VERSION}" "$@"
"""


def test_these_tests_pass_for_a_plain_user_too():
    if os.getuid() != 0:
        pytest.skip("these tests are being run as a plain user")
    if not all(map(shutil.which, ("unshare", "setpriv", "mount"))):
        pytest.skip("needs unshare, setpriv and mount (util-linux) to run Python as another user")
    # This Python may lie below /root, which others cannot enter: they see it in another folder.
    tests = [__file__, str(Path(__file__).with_name("test_jail.py"))]
    options = ["-q", "-p", "no:cacheprovider", "-k", "not plain_user and (lockdown or TestSealed)"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        done = subprocess.run(
            [
                "unshare",
                "--mount",
                "sh",
                "-c",
                RUN,
                "sh",
                sys.base_prefix,
                folder,
                "-P",
                "-m",
                "pytest",
                *options,
                *tests,
            ],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
    if "Operation not permitted" in done.stdout.splitlines()[0]:
        pytest.skip("this container does not let root mount anything")
    assert done.returncode == 0, done.stdout[-3000:]
    print(done.stdout)
