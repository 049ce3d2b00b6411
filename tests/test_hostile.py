"""Tests with code that cheats, breaks out or breaks things: each sample gets its verdict, and leaves nothing behind.

Baits are placed where a sample may look: the model answer in a file, in the environment, arguments and memory of
another process, and behind local sockets. A sample that finds it hands it in, so its points show the escape. The first
lines of every sample in tests/hostile are headers; PREAMBLE below runs before every sample.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from autograder.course import LEVELS, Level, Limits, find_course
from autograder.evaluation.report import Report
from autograder.exercise.model import Exercise
from autograder.grading import Grader
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.program import Batch, Call, Program, Returned
from autograder.sandbox.host.submission_process import SubmissionSession
from autograder.submission.cells import Cell
from tests.in_process import exercise
from tests.leaks import assert_no_leaks

HOSTILE = Path(__file__).parent / "hostile"
SUBMISSIONS = Path(__file__).parent / "submissions"
GOOD = SUBMISSIONS / "class" / "perfect" / "rnn_backprop.py"
WRONG = [SUBMISSIONS / "mistakes" / name for name in ("wraps_around_in_all", "tanh_in_forward", "mean_missing")]
# An unknown mistake: the search for its name takes the most memory of all, which Python keeps for the next time.
WRONG += [Path(__file__).parent / "hostile" / "cheats_by_remembered_cases.py"]
COURSE = find_course(Path(__file__).parent)
REFERENCE = COURSE.exercise_folder("rnn_backprop") / "rnn_backprop.py"
SHORT = Limits(cpu_seconds=0.4, wall_seconds=1.0, load_cpu_seconds=1.5, load_wall_seconds=3.0)
# C, D and E start the same fresh process: C within the walls of A, D within limits alone. E, with the least, is tested.
SOAKED_LEVELS = ("C", "D")
# Caches fill up to their limits: replies, and what is said of known mistakes. Each level has a grader of its own.
MAX_GROWTH, MAX_GROWTH_OF_A_LEVEL = 24 << 20, 12 << 20
BUILDER = "def arguments(arrays, names):\n    return dict(arrays)\n"
AT_LEAST = "at least "
KEYS = {"tries", "stopped by", "starts as", "loses", "status", "says", "never says", "holds at", "slow", "time"}
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the samples use signals, sockets and folders of POSIX")

# Runs before every sample: the places of the baits, and functions that several samples need.
PREAMBLE = """
# %%
import os as _os, stat as _stat, struct as _struct

PORT, DECOY, SECRET, OTHER, SOCKET, MARK = {baits!r}
HONEST = {honest!r}


def win(found):
    exec(compile(found, "<found>", "exec"), globals())


def channel():
    for descriptor in range(256):
        try:
            kind = _os.fstat(descriptor).st_mode
            if _stat.S_ISFIFO(kind) or _stat.S_ISSOCK(kind):
                yield descriptor
        except OSError:
            pass


def say(data):
    for descriptor in channel():
        try:
            left = data
            while left:
                left = left[_os.write(descriptor, left) :]
        except OSError:
            pass


def frame(*message):
    import msgpack

    body = msgpack.packb(message, use_bin_type=True)
    return _struct.pack(">I", len(body)) + body

"""


@dataclass(frozen=True)
class Sample:
    """A hostile submission and its headers."""

    path: Path
    headers: dict[str, str]
    says: tuple[str, ...]
    never_says: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.relative_to(HOSTILE).with_suffix("").as_posix()

    @property
    def levels(self) -> list[str]:
        return self.headers.get("holds at", "A B").split()

    @property
    def loses_more(self) -> bool:
        return self.headers["loses"].startswith(AT_LEAST)

    @property
    def slow(self) -> bool:
        return "slow" in self.headers

    @property
    def limits(self) -> Limits:
        return Limits(load_cpu_seconds=20, load_wall_seconds=60) if "time" in self.headers else SHORT


@functools.cache
def read_sample(path: Path) -> Sample:
    headers: dict[str, str] = {}
    texts: dict[str, list[str]] = {"says": [], "never says": []}
    for line in path.read_text(encoding="utf-8").splitlines():
        if (header := re.fullmatch(r"# ([a-z ]+): (.+)", line)) is None:
            break
        key, value = header.groups()
        assert key in KEYS, f"{path.name} says {key}"
        if key in texts:
            texts[key].append(json.loads(f'"{value}"'))
        else:
            assert key not in headers, f"{path.name} says {key} twice"
            headers[key] = value
    return Sample(path, headers, tuple(texts["says"]), tuple(texts["never says"]))


SAMPLES = [
    read_sample(path)
    for path in (*HOSTILE.glob("*.py"), *HOSTILE.glob("*/leaves.py"), *HOSTILE.glob("*/rnn_backprop.py"))
]
SAMPLES.sort(key=lambda sample: sample.name)


def test_every_sample_has_a_complete_header():
    assert len(SAMPLES) >= 65
    for sample in (*SAMPLES, *map(read_sample, HOSTILE.glob("*/finds.py"))):
        assert {"tries", "stopped by", "starts as", "loses"} <= sample.headers.keys(), sample.name
        assert sample.headers["starts as"] in ("honest", "nothing"), sample.name
        lost_points(sample)  # names functions and checks that there are
        assert {"A", "B"} <= set(sample.levels) <= set(LEVELS), sample.name


class Listener:
    """Listens on sockets of every local kind, sends the model answer to everybody, and records each contact."""

    def __init__(self, folder: Path, name: str) -> None:
        self.contacts: list[str] = []
        self.path = str(folder / "socket")
        tcp = socket.create_server(("127.0.0.1", 0))
        self.port = tcp.getsockname()[1]
        self._sockets = {"tcp": tcp, "udp": socket.socket(socket.AF_INET, socket.SOCK_DGRAM)}
        self._sockets["udp"].bind(("127.0.0.1", self.port))
        for kind, address in (("unix", self.path), ("abstract", f"\0{name}")):
            if kind == "unix" or sys.platform == "linux":
                self._sockets[kind] = socket.socket(socket.AF_UNIX)
                self._sockets[kind].bind(address)
                self._sockets[kind].listen()
        self._stop, stop = socket.socketpair()
        self._sockets["stop"] = stop
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        answer = REFERENCE.read_bytes()
        while True:
            ready, _, _ = select.select(list(self._sockets.values()), [], [])
            for kind, listening in self._sockets.items():
                if listening not in ready:
                    continue
                if kind == "stop":
                    return
                self.contacts.append(kind)
                if kind == "udp":
                    listening.recv(100)
                else:
                    with listening.accept()[0] as connection:
                        connection.settimeout(1)
                        connection.sendall(answer)

    def close(self) -> None:
        self._stop.close()
        self._thread.join()
        for listening in self._sockets.values():
            listening.close()


@dataclass(frozen=True)
class World:
    """The baits for the samples and the jails to run them in, and how both were before."""

    folder: Path
    mark: str
    exercise: Exercise
    listener: Listener
    decoy: psutil.Process
    jails: dict[str, Jail] = field(default_factory=dict)
    footprints: dict[str, tuple[int, int]] = field(default_factory=dict)

    before: set[tuple[object, ...]] = field(default_factory=set)

    @property
    def secret(self) -> Path:
        return self.folder / "baits" / "solutions" / "rnn_backprop" / "rnn_backprop.py"

    @property
    def other(self) -> Path:
        return self.folder / "baits" / "class" / "ada" / "rnn_backprop.py"

    def place_baits(self) -> None:
        """Write the files that a sample may look for."""
        shutil.rmtree(self.folder / "baits", ignore_errors=True)
        for path, source in ((self.secret, REFERENCE), (self.other, GOOD)):
            path.parent.mkdir(parents=True)
            shutil.copyfile(source, path)
        self.before.clear()
        self.before.update(_listing(self.folder / "baits"))

    def jail(self, level: Level | None) -> Jail:
        """Return the one jail of a level, or of the strongest level, for all samples."""
        key = level or "strongest"
        if key not in self.jails:
            try:
                new_jail = Jail(level)
            except JailError as error:
                pytest.skip(f"no level {level} on this machine: {error}")
            self.jails[key] = self.jails.setdefault(new_jail.level, new_jail)
            if self.jails[key] is not new_jail:
                new_jail.close()
            for _ in range(3):  # loads modules and fills the caches of feedback, which do not count as growth
                for path in (GOOD, *WRONG):
                    self.grade(self.jails[key], path, Limits())
            self.footprints[key] = footprint()
        return self.jails[key]

    def write_submission(self, sample: Sample, folder: Path) -> Path:
        """Write a sample as a submission: a file, or a folder if it has other files beside it."""
        baits = (self.listener.port, self.decoy.pid, str(self.secret), str(self.other), self.listener.path, self.mark)
        honest = GOOD.read_text(encoding="utf-8")
        preamble = PREAMBLE.format(baits=baits, honest=honest)
        code = sample.path.read_text(encoding="utf-8")
        start = honest if sample.headers["starts as"] == "honest" else ""
        if sample.path.name == "rnn_backprop.py":
            shutil.copytree(sample.path.parent, folder, dirs_exist_ok=True)
        path = folder / "rnn_backprop.py"
        path.write_text("\n".join((preamble, start, "# %%", code)), encoding="utf-8")
        return folder if sample.path.name == "rnn_backprop.py" else path

    def grade(self, jail: Jail, path: Path, limits: Limits) -> Report:
        return Grader(self.exercise, jail, limits, seed=1).grade(path, "sample")

    def leftovers(self) -> list[str]:
        """Return everything that a sample has changed, as far as it is visible from outside."""
        changes = [f"the listener was reached by {kind}" for kind in self.listener.contacts]
        self.listener.contacts.clear()
        if not self.decoy.is_running() or self.decoy.status() not in (psutil.STATUS_SLEEPING, psutil.STATUS_IDLE):
            changes.append("the decoy process was touched")
        if (now := _listing(self.folder / "baits")) != self.before:
            changes.append(f"files were touched: {now ^ self.before}")
            self.place_baits()
        folders = {"/", "/tmp", "/var/tmp", "/dev/shm", "/run", sys.prefix, str(Path.home()), ".", *sys.path}
        for folder in folders:
            for path in Path(folder or ".").glob(f"{self.mark}*"):
                changes.append(f"{path} was written")
                path.unlink()
        return changes + _forget_kernel_objects()


def _listing(folder: Path) -> set[tuple[object, ...]]:
    """Return the files in a folder, with every attribute that shows a change."""
    stats = ((path, path.lstat()) for path in folder.rglob("*"))
    return {
        (str(path.relative_to(folder)), stat.st_mode, stat.st_uid, stat.st_size, stat.st_nlink, stat.st_mtime_ns)
        for path, stat in stats
    }


def _forget_kernel_objects() -> list[str]:
    """Remove the System V objects under the key of the samples, and return their names."""
    if sys.platform != "linux":
        return []
    libc, key, remove = ctypes.CDLL(None), 0x5EED, 0
    left = []
    for name, numbers in (("shm", (0, 0)), ("msg", (0,)), ("sem", (0, 0))):
        if (object_id := getattr(libc, f"{name}get")(key, *numbers)) >= 0:
            getattr(libc, f"{name}ctl")(object_id, *((0,) if name == "sem" else ()), remove, None)
            left.append(f"a {name} object was left in the kernel")
    return left


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("hostile")
    mark = f"autograder-sample-{os.getpid()}"
    earlier_pids = child_pids()  # of fixtures of other tests
    answer = REFERENCE.read_text(encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        (folder / "empty").mkdir()
        (folder / "temp").mkdir()
        patch.chdir(folder / "empty")
        patch.setenv("AUTOGRADER_SECRET", answer)
        patch.setattr(tempfile, "tempdir", str(folder / "temp"))
        _adopt_orphans(True)
        listener = Listener(folder, mark)
        with REFERENCE.open("rb") as reference_file:
            program = "import time; print('up', flush=True); time.sleep(3600)"
            decoy = subprocess.Popen(
                [sys.executable, "-I", "-c", program, answer],
                stdin=reference_file,
                stdout=subprocess.PIPE,
                cwd=COURSE.root,
                env={"ANSWER": answer},
                start_new_session=True,
            )
        assert decoy.stdout is not None
        decoy.stdout.readline()
        new_world = World(folder, mark, exercise(), listener, psutil.Process(decoy.pid))
        new_world.place_baits()
        try:
            yield new_world
        finally:
            for jail in set(new_world.jails.values()):
                jail.close()
            all_ended = becomes_true(lambda: child_pids() <= {decoy.pid} | earlier_pids)
            listener.close()
            decoy.kill()
            decoy.wait()
            decoy.stdout.close()
            new_world.leftovers()
            _adopt_orphans(False)
        assert all_ended, "a process outlived its jail"
        assert not any((folder / "temp").iterdir())


def _adopt_orphans(adopt: bool) -> None:
    """Make processes whose parent ends children of this one, so that none can hide."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, int(adopt), 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def child_pids() -> set[int]:
    """Return the ids of the running descendants of this process."""
    pids = set()
    for child in psutil.Process().children(recursive=True):
        try:
            if child.status() != psutil.STATUS_ZOMBIE:
                pids.add(child.pid)
        except psutil.Error:
            pass
    return pids


def footprint() -> tuple[int, int]:
    """Return the memory of this process in bytes and its number of open files."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    process = psutil.Process()
    return process.memory_info().rss, process.num_fds()


def becomes_true(condition: Callable[[], bool], seconds: float = 5) -> bool:
    """Return whether a condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def messages_of(report: Report) -> str:
    texts = [*(note.text for note in report.notes), *(check.message for check in report.checks)]
    return "\n".join(dict.fromkeys(filter(None, texts)))


def lost_points(sample: Sample) -> float:
    """Return the points of what a header says that a sample loses: functions and checks, nothing, or everything."""
    names = sample.headers["loses"].removeprefix(AT_LEAST).split()
    if names in (["nothing"], ["everything"]):
        return exercise().max_score if names == ["everything"] else 0.0
    worth = {name: [check for check in exercise().checks if name in (check.id, check.function)] for name in names}
    assert all(worth.values()), sample.name
    return round(sum(check.max_points for checks in worth.values() for check in checks), 6)


def check_verdict(report: Report, sample: Sample) -> None:
    assert report.status == sample.headers.get("status", "graded"), messages_of(report)
    lost = round(report.max_score - report.score, 6)
    expected = lost >= lost_points(sample) if sample.loses_more else lost == lost_points(sample)
    assert expected, (
        f"{sample.name} loses {lost:g} points, and {sample.headers['loses']} is right:\n{messages_of(report)}"
    )
    assert messages_of(report).replace("\n", "").isprintable()
    for text in sample.says:
        assert text in messages_of(report)
    for text in sample.never_says:
        assert text not in messages_of(report)


def check_sample(world: World, sample: Sample, jail: Jail, folder: Path) -> None:
    count_before = len(child_pids())
    report = world.grade(jail, world.write_submission(sample, folder), sample.limits)
    if sample.path.name == "leaves.py":
        check_verdict(report, sample)
        sample = read_sample(sample.path.with_name("finds.py"))
        report = world.grade(jail, world.write_submission(sample, folder), sample.limits)
    check_next(world, jail)
    check_verdict(report, sample)
    assert_no_leaks(report)
    assert becomes_true(lambda: len(child_pids()) <= count_before), "a process is still there"


def check_next(world: World, jail: Jail) -> None:
    """Check that nothing is left, and that the next submission gets its points."""
    report = world.grade(jail, GOOD, Limits())
    assert world.leftovers() == []
    assert not any((world.folder / "empty").iterdir())
    assert (report.score, report.notes, report.isolation) == (report.max_score, (), jail.level), messages_of(report)


QUICK = [pytest.param(sample, id=sample.name) for sample in SAMPLES if not sample.slow]
ALL = [
    pytest.param(level, sample, id=f"{level}-{sample.name}", marks=pytest.mark.soak if is_soaked else ())
    for level in LEVELS
    for sample in SAMPLES
    if level in sample.levels
    for is_soaked in [level in SOAKED_LEVELS or (level == LEVELS[-1] and sample.slow)]
]


@pytest.fixture(scope="module")
def strongest(world) -> Jail:
    return world.jail(None)


@pytest.mark.parametrize("sample", QUICK)
def test_a_sample_gets_its_verdict_at_the_strongest_level_and_leaves_nothing(world, strongest, sample, tmp_path):
    if strongest.level not in sample.levels:
        pytest.skip(f"this machine offers level {strongest.level} at most, which does not hold this one")
    check_sample(world, sample, strongest, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "sample"), ALL)
def test_a_sample_gets_its_verdict_at_every_level_and_leaves_nothing(world, level, sample, tmp_path):
    jail = world.jail(level)
    if jail is world.jail(None) and not sample.slow:
        pytest.skip("the strongest level: among the quick tests")
    check_sample(world, sample, jail, tmp_path)


ODD_TEXTS = {
    "deep.py": "(" * 200_000,
    "deep_and_closed.py": "x = " + "[" * 50_000 + "]" * 50_000,
    "null.py": "x = 1\0",
    "digits.py": "x = " + "9" * 1_000_000,
    "long_line.py": "x = [" + "0, " * 300_000 + "]",
    "operators.py": "x = " + "-" * 2_000_000 + "1",
    "white.py": "async" + " \t" * 2_000_000 + "x",
    "tabs.py": "\t\n" * 2_000_000,
    "markers.py": "# %%\n" * 100_000,
    "surrogates.py": "x = '\\ud800'\nraise ValueError(x)",
    "encoding.py": "# -*- coding: rot13 -*-\nvzcbeg bf",
    "unclosed.py": 'x = """' + "y\n" * 500_000,
    "deep.ipynb": "[" * 1_000_000,
    "number.ipynb": '{"nbformat": ' + "9" * 1_000_000 + "}",
    "twice.ipynb": '{"cells": [], "cells": [{}], "nbformat": 4}',
    "endless.ipynb": json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": ["%"] * 900_000}]}),
    "magics.ipynb": json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "a ?" * 1_000_000}]}),
    "shells.ipynb": json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "a = b " * 900_000}]}),
    "control.ipynb": json.dumps(
        {"nbformat": 4, "cells": [{"cell_type": "code", "source": "raise ValueError('\x1b[2J')"}]}
    ),
}


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_a_malformed_text_fails_alone(world, strongest, name, tmp_path):
    path = tmp_path / name
    path.write_text(ODD_TEXTS[name], encoding="utf-8", errors="surrogatepass")
    report = world.grade(strongest, path, SHORT)
    assert report.status in ("graded", "refused"), messages_of(report)
    assert report.score == 0.0
    assert messages_of(report).replace("\n", "").isprintable()
    check_next(world, strongest)


@pytest.mark.parametrize("name", ["ptrace_neighbours", "channel_clocks"])
@pytest.mark.parametrize("level", ["A", "B"])
def test_two_live_submissions_under_one_zygote_cannot_reach_each_other(world, level, name, tmp_path):
    jail = world.jail(level)
    waiting = Program("other", (Cell("import numpy as np\ndef f(x): return x"),), {"kit": BUILDER}, {"f": ("x",)})
    with closing(SubmissionSession(jail._process_factory, waiting, Limits(), BoundedCache(1))) as other:
        other.ensure_loaded()
        sample = read_sample(HOSTILE / f"{name}.py")
        check_sample(world, sample, jail, tmp_path)
        [outcome] = other.run_batch(Batch("f", (Call({"x": np.ones(3)}, {}),)), Limits())
    assert isinstance(outcome, Returned)


NOBODY: dict[str, Any] = {"user": 65534, "group": 65534, "extra_groups": []}


# What goes wrong within the process is the same for every user.
WITHIN_THE_PROCESS = "hang or result or forged or patched or output or exit_ or crash or cheats or benign or slow_but"


@pytest.mark.slow
@pytest.mark.parametrize(
    "samples",
    [
        f"(strongest and not ({WITHIN_THE_PROCESS})) or two_live or larger",
        pytest.param("strongest or (every_level and B-)", marks=pytest.mark.soak),
    ],
    ids=["some", "all"],
)
def test_as_a_plain_user(request, samples):
    if os.geteuid() != 0:
        pytest.skip("not root: all of this file ran as a plain user")
    # Not in a folder of pytest, where the fixture above has put tempfile.tempdir: other users cannot enter it.
    home = Path(tempfile.mkdtemp(prefix="plain-", dir=os.environ.get("TMPDIR", "/tmp")))
    request.addfinalizer(functools.partial(shutil.rmtree, home, ignore_errors=True))
    os.chown(home, NOBODY["user"], NOBODY["group"])
    paths = os.pathsep.join((str(COURSE.root), sysconfig.get_path("purelib")))
    settings = {
        **NOBODY,
        "env": {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": paths},
        "cwd": COURSE.root,
    }
    tests = ["-k", f"not plain_user and ({samples})", __file__]
    command = [
        plain_python(settings),
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        f"--basetemp={home / 'temp'}",
    ]
    done = subprocess.run([*command, *tests], capture_output=True, text=True, check=False, **settings)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
    assert " passed" in done.stdout


def plain_python(settings: dict[str, Any]) -> str:
    """Return this Python, or the same version in /usr/bin, if a plain user can run it and read what it needs."""
    trial = f"import numpy, pytest, autograder; open({str(REFERENCE)!r}).close()"
    for program in (sys.executable, f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"):
        with suppress(OSError):
            if subprocess.run([program, "-c", trial], capture_output=True, check=False, **settings).returncode == 0:
                return program
    pytest.skip("a plain user may not read this checkout, or no Python of this version")


def test_the_grader_is_no_larger_after_all_samples(world):
    if not world.footprints:
        pytest.skip("none of the tests above was run")
    memory, open_files = footprint()
    starts = [memory_before for memory_before, _ in world.footprints.values()]
    grown = {
        level: end - start for level, start, end in zip(world.footprints, starts, [*starts[1:], memory], strict=True)
    }
    assert max(grown.values()) <= MAX_GROWTH_OF_A_LEVEL, grown
    assert sum(growth for level, growth in grown.items() if level not in SOAKED_LEVELS) <= MAX_GROWTH, grown
    assert open_files <= max(files for _, files in world.footprints.values())
