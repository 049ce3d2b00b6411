"""Tests of the jail: a function that fails fails alone, and student code sees nothing of the grader."""

from __future__ import annotations

import ctypes
import os
import pickle
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from autograder.course import LEVELS, Level, Limits
from autograder.sandbox.host import jail as jail_module
from autograder.sandbox.host import runtime, submission_process
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.channel import SocketChannel
from autograder.sandbox.host.decoding import decode_reply
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.program import (
    Batch,
    Call,
    Execution,
    FunctionMissing,
    FunctionRaised,
    InvalidResult,
    Outcome,
    ProcessEnded,
    Program,
    RecheckResult,
    RepeatCall,
    Returned,
)
from autograder.sandbox.protocol import framing
from autograder.sandbox.protocol.framing import ProtocolError
from autograder.submission.cells import Cell

BUILDER = "def arguments(arrays, names):\n    return dict(arrays)\n"
X = np.arange(3.0)
CALL = Call({"x": X}, {})
# Limits are small where a test should reach them, and large elsewhere: the machine may be busy or slow.
LIMITS = Limits(cpu_seconds=0.3, wall_seconds=60, load_cpu_seconds=1.2, load_wall_seconds=60)
HASTY_CALLS = Limits(cpu_seconds=60, wall_seconds=0.3, load_cpu_seconds=60, load_wall_seconds=60)
HASTY_LOAD = Limits(cpu_seconds=60, wall_seconds=60, load_cpu_seconds=60, load_wall_seconds=1.5)
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory that holds")
ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="needs signals and process groups")


def program(*cells: str, names: tuple[str, ...] = ("f", "g")) -> Program:
    parsed = [Cell(textwrap.dedent(cell), f"code cell {number}") for number, cell in enumerate(cells, start=1)]
    return Program("__main__", tuple(parsed), {"kit": BUILDER}, dict.fromkeys(names, ("x",)))


def jail_at(*levels: Level) -> Iterator[Jail]:
    """Yield a jail at the first of the levels that works here."""
    for level in levels:
        try:
            jail = Jail(level)
        except JailError as error:
            reason = f"level {level} does not work on this machine: {error}"
            continue
        with jail:
            yield jail
        return
    pytest.skip(reason)


@pytest.fixture(scope="module", params=LEVELS)
def any_jail(request: pytest.FixtureRequest) -> Iterator[Jail]:
    """Run a test at each level."""
    yield from jail_at(request.param)


@pytest.fixture(scope="module", params=["AB", "DE"], ids=["sealed", "fresh"])
def jail(request: pytest.FixtureRequest) -> Iterator[Jail]:
    """Run a test in a sealed fork, and in a fresh process that is not sealed."""
    yield from jail_at(*request.param)


@pytest.fixture(scope="module")
def sealed_jail() -> Iterator[Jail]:
    yield from jail_at("A", "B")


@pytest.fixture(scope="module")
def open_jail() -> Iterator[Jail]:
    """Run a test at a level at which files can be written and processes started."""
    yield from jail_at("D", "E")


def execute(jail: Jail, *cells: str, limits: Limits = LIMITS, steps: int = 1) -> Execution:
    return jail.run(program(*cells), [Batch(name, (CALL,) * steps) for name in ("f", "g")], limits)


def ended_cells(execution: Execution) -> list[tuple[str, str | None]]:
    return [(problem.cell, problem.ended.reason if problem.ended else None) for problem in execution.problems]


def returned_x(outcomes: tuple[Outcome, ...]) -> bool:
    """Return whether every outcome is x itself."""
    return all(isinstance(outcome, Returned) and np.array_equal(outcome.arrays[0], X) for outcome in outcomes)


GOOD = "import os, sys, time\ndef f(x): return x\ndef g(x): return x"
FIRST_ENDS = """
import os, signal, time
class E(Exception):
    def __str__(self):
        while True: pass
def fds():
    yield from (fd for fd in range(3, 10) if can_write(fd))
def can_write(fd):
    try: return os.write(fd, b"") == 0
    except OSError: return False
def f(x):
    {}
def g(x): return x
"""


class TestAtEveryLevel:
    @pytest.mark.parametrize(
        ("body", "ended"),
        [
            pytest.param("while True: pass", ProcessEnded("cpu"), id="endless"),
            pytest.param("os._exit(7)", ProcessEnded("exit", 7), id="exit"),
            pytest.param("signal.raise_signal(9)", ProcessEnded("memory"), id="killed", marks=ON_POSIX),
            pytest.param("os.abort()", ProcessEnded("crash", 6), id="abort", marks=ON_POSIX),
            pytest.param("import ctypes; ctypes.string_at(0)", ProcessEnded("crash", 11), id="crash", marks=ON_POSIX),
        ],
    )
    def test_the_end_of_a_process_is_reported_and_the_next_function_runs(self, any_jail, body, ended):
        execution = execute(any_jail, FIRST_ENDS.format(body))
        assert execution.outcomes["f"] == (ended,)
        assert returned_x(execution.outcomes["g"])
        assert execution.problems == ()

    def test_waiting_ends_at_the_wall_time_limit(self, any_jail):
        submission = program("import time\ndef f(x): time.sleep(60)")
        assert any_jail.run(submission, [Batch("f", (CALL,))], HASTY_CALLS).outcomes == {"f": (ProcessEnded("wall"),)}


class TestFunctionsThatEnd:
    @pytest.mark.parametrize(
        ("body", "ended"),
        [
            pytest.param("while True: print('a' * 10_000)", ProcessEnded("cpu"), id="endless output"),
            pytest.param("raise E", ProcessEnded("cpu"), id="endless text of an exception"),
            pytest.param("os._exit(0)", ProcessEnded("exit", 0), id="exit"),
            pytest.param("os.closerange(3, 100)", ProcessEnded("exit", 1), id="closes the channel"),
            pytest.param(
                "[os.write(fd, b'a' * 100) for fd in fds()]; time.sleep(9)", ProcessEnded("protocol"), id="writes"
            ),
            pytest.param(
                "[os.write(fd, bytes(4)) for fd in fds()]; time.sleep(9)", ProcessEnded("protocol"), id="empty frame"
            ),
            pytest.param(
                "[os.write(fd, b'\\0\\0\\0\\4') for fd in fds()]; os._exit(0)",
                ProcessEnded("protocol"),
                id="half a frame",
            ),
        ],
    )
    def test_they_fail_alone(self, jail, body, ended):
        execution = execute(jail, FIRST_ENDS.format(body))
        assert execution.outcomes["f"] == (ended,)
        assert returned_x(execution.outcomes["g"])
        assert execution.problems == ()

    def test_cpu_time_of_child_processes_counts(self, open_jail):
        body = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
        assert execute(open_jail, FIRST_ENDS.format(body)).outcomes["f"] == (ProcessEnded("cpu"),)

    @ON_POSIX
    def test_a_stopped_process_ends_at_the_wall_time_limit(self, jail):
        submission = program("import signal\ndef f(x): signal.raise_signal(signal.SIGSTOP)")
        assert jail.run(submission, [Batch("f", (CALL,))], HASTY_CALLS).outcomes == {"f": (ProcessEnded("wall"),)}

    def test_a_call_that_reached_the_wall_time_limit_is_repeated_once(self, open_jail, tmp_path):
        first_time = f"open({str(tmp_path / 'been_here')!r}, 'x'); time.sleep(60)"
        submission = program(f"import time\ndef f(x):\n    try: {first_time}\n    except FileExistsError: return x")
        assert returned_x(open_jail.run(submission, [Batch("f", (CALL,))], HASTY_CALLS).outcomes["f"])

    def test_functions_after_the_time_limit_of_the_submission_end_by_the_clock(self, jail):
        limits = replace(HASTY_CALLS, wall_seconds=60, submission_wall_seconds=1)
        execution = execute(jail, "import time\ndef f(x): time.sleep(60)\ndef g(x): return x", limits=limits)
        assert execution.outcomes == {"f": (ProcessEnded("wall"),), "g": (ProcessEnded("wall"),)}

    def test_a_cell_that_waits_until_the_time_limit_of_the_submission_is_named(self, jail):
        limits = replace(HASTY_LOAD, load_wall_seconds=60, submission_wall_seconds=1)
        execution = execute(jail, GOOD, "time.sleep(60)", limits=limits)
        assert ended_cells(execution) == [("code cell 2", "wall")]
        assert execution.outcomes == {"f": (ProcessEnded("wall"),), "g": (ProcessEnded("wall"),)}

    def test_steps_before_the_end_are_kept_and_later_steps_get_the_same_outcome(self, jail):
        cell = "calls = []\ndef f(x):\n    calls.append(1)\n    while len(calls) > 2: pass\n    return x"
        outcomes = execute(jail, cell, steps=4).outcomes["f"]
        assert returned_x(outcomes[:2])
        assert outcomes[2:] == (ProcessEnded("cpu"),) * 2

    @ON_LINUX
    def test_reaching_the_memory_limit_raises_memory_error(self, jail):
        body = "\n    ".join(("a = []", "while True: a.append(bytearray(50 << 20))"))
        execution = execute(jail, f"def f(x):\n    {body}\ndef g(x): return x", limits=Limits(memory_mib=400))
        [outcome] = execution.outcomes["f"]
        assert isinstance(outcome, FunctionRaised)
        assert outcome.error == "MemoryError"
        assert returned_x(execution.outcomes["g"])

    def test_both_functions_may_end_their_process(self, jail):
        execution = execute(jail, "import os\ndef f(x): os._exit(1)\ndef g(x): os._exit(2)")
        assert execution.outcomes == {"f": (ProcessEnded("exit", 1),), "g": (ProcessEnded("exit", 2),)}


class TestLoading:
    @pytest.mark.parametrize(
        ("cell", "ended"),
        [
            ("while True: pass", ProcessEnded("cpu")),
            ("import os; os._exit(3)", ProcessEnded("exit", 3)),
            ("print('a' * 10**6, flush=True) or os._exit(0)", ProcessEnded("exit", 0)),
        ],
        ids=["endless", "exit", "output and exit"],
    )
    def test_a_cell_that_ends_the_process_is_skipped(self, jail, cell, ended):
        execution = execute(jail, GOOD, cell, "def later(x): return x", "def g(x): return later(x)")
        [problem] = execution.problems
        assert (problem.cell, problem.line, problem.ended) == ("code cell 2", None, ended)
        assert all(returned_x(outcomes) for outcomes in execution.outcomes.values())

    def test_a_cell_that_waits_is_skipped(self, jail):
        execution = execute(jail, GOOD, "time.sleep(60)", limits=HASTY_LOAD)
        assert ended_cells(execution) == [("code cell 2", "wall")]
        assert returned_x(execution.outcomes["g"])

    def test_functions_that_a_skipped_cell_would_have_defined_are_reported(self, jail):
        execution = execute(jail, "import os\ndef f(x): return x\nos._exit(0)")
        assert [problem.defines for problem in execution.problems] == [("f",)]
        assert execution.problems[0].ended == ProcessEnded("exit", 0)
        assert execution.outcomes["f"] == (FunctionMissing(()),)

    def test_cells_after_any_number_of_skipped_cells_run(self, jail):
        execution = execute(jail, "import os\n" + GOOD, *["os._exit(0)"] * 4, "def g(x): return x + 1")
        assert ended_cells(execution) == [(f"code cell {number}", "exit") for number in (2, 3, 4, 5)]
        assert returned_x(execution.outcomes["f"])
        assert not returned_x(execution.outcomes["g"])

    def test_a_process_that_reports_a_cell_again_and_again_costs_nothing(self, jail):
        report = framing.encode_frame(("problem", 1, True, "ValueError", "", None, None), 100)
        cell = f"while True:\n    for fd in fds(): os.write(fd, {report!r} * 1000)"
        start = time.process_time()
        execution = execute(jail, FIRST_ENDS.format("return x"), cell, "def g(x): return x", limits=HASTY_LOAD)
        assert ended_cells(execution) == [("code cell 2", None)]
        assert returned_x(execution.outcomes["g"])
        assert time.process_time() - start < 0.5

    def test_nothing_is_loaded_after_many_cells_that_end_the_process(self, jail, monkeypatch):
        monkeypatch.setattr(submission_process, "MAX_FATAL_CELLS", 3)
        execution = execute(jail, GOOD, *["os._exit(0)"] * 9)
        assert execution.outcomes["f"] == (ProcessEnded("exit", 0),)
        assert len(execution.problems) == 4

    def test_each_cell_has_its_own_time_limit(self, jail):
        burn = "end = time.process_time() + 0.7\nwhile time.process_time() < end: pass"
        execution = execute(jail, "import time\n" + GOOD, burn, burn, burn)
        assert execution.problems == ()
        assert returned_x(execution.outcomes["f"])

    def test_nothing_is_defined_if_every_cell_ends_the_process(self, open_jail, tmp_path):
        (tmp_path / "countdown").write_text("6")
        cell = f"""
        import os, pathlib
        left = pathlib.Path({str(tmp_path / "countdown")!r})
        number = int(left.read_text())
        left.write_text(str(number - 1))
        if number == 3: os._exit(number)
        """
        cells = [f"if number == {number}: os._exit(number)" for number in (4, 5, 6)]
        execution = execute(open_jail, cell, *cells)
        assert [problem.ended for problem in execution.problems] == [
            ProcessEnded("exit", code) for code in (3, 4, 5, 6)
        ]
        assert execution.outcomes == {"f": (FunctionMissing(()),), "g": (FunctionMissing(()),)}

    def test_all_functions_are_missing_without_cells(self, jail):
        assert execute(jail).outcomes == {"f": (FunctionMissing(()),), "g": (FunctionMissing(()),)}

    def test_cells_run_without_batches(self, jail):
        assert [problem.error for problem in jail.run(program("1/0"), [], LIMITS).problems] == ["ZeroDivisionError"]

    @pytest.mark.parametrize("kit", ["1/0", "import not_installed", "x = ("])
    def test_an_error_in_the_support_modules_raises_jail_error(self, jail, kit):
        with pytest.raises(JailError, match="own files"):
            jail.run(Program("__main__", (), {"kit": kit}, {}), [], LIMITS)

    def test_support_modules_of_two_courses_do_not_mix(self, jail):
        for number in (1, 2):
            kit = f"def arguments(arrays, names):\n    return {{'x': arrays['x'] * {number}}}\n"
            submission = replace(program("def f(x): return x"), support_modules={"kit": kit})
            [outcome] = jail.run(submission, [Batch("f", (CALL,))], LIMITS).outcomes["f"]
            assert isinstance(outcome, Returned)
            assert np.array_equal(outcome.arrays[0], X * number)

    def test_support_modules_may_be_long(self, jail):
        submission = replace(program("def f(x): return x"), support_modules={"kit": BUILDER + "#" * 300_000})
        assert returned_x(jail.run(submission, [Batch("f", (CALL,))], LIMITS).outcomes["f"])

    def test_a_process_that_does_not_start_raises_jail_error(self, open_jail, monkeypatch):
        monkeypatch.setattr(runtime, "_START", "raise SystemExit('no start')")
        with pytest.raises(JailError, match="ended before it ran any: no start"):
            open_jail.run(program(), [], LIMITS)


class TestInsideTheProcess:
    def test_the_environment_holds_nothing_of_the_grader(self, any_jail, monkeypatch):
        monkeypatch.setenv("AUTOGRADER_SECRET", "secret")
        monkeypatch.setenv("PYTHONPATH", "/nowhere")
        # Python, the shell and macOS add three variables.
        names = {
            *runtime.guest_environment(""),
            "PYTHONHOME",
            "LD_LIBRARY_PATH",
            "LC_CTYPE",
            "PWD",
            "__CF_USER_TEXT_ENCODING",
        }
        cell = f"import os\nassert set(os.environ) <= {names!r}, list(os.environ)"
        assert execute(any_jail, GOOD, cell, "assert 'secret' not in str(os.environ)").problems == ()
        assert not {"AUTOGRADER_SECRET", "PATH", "PYTHONPATH"} & names

    def test_hashes_are_the_same_in_every_process(self, jail):
        cell = "import numpy as np\ndef f(x): return np.array([hash('a') % 1000])\ndef g(x): return f(x)"
        first, second = (execute(jail, cell).outcomes["f"] for _ in range(2))
        assert first_numbers(first) == first_numbers(second) != []

    def test_only_the_standard_library_and_numpy_can_be_imported(self, any_jail):
        cell = "import asyncio, concurrent.futures, numpy.testing, xml.etree.ElementTree, _zoneinfo, wsgiref.util"
        execution = execute(any_jail, GOOD, cell, "import psutil", "import pytest", "import autograder")
        assert [problem.error for problem in execution.problems] == ["ModuleNotFoundError"] * 3

    def test_modules_in_the_current_folder_are_never_imported(self, jail, tmp_path, monkeypatch):
        for name in ("msgpack", "numpy", "kit", "sitecustomize", "usercustomize", "autograder"):
            (tmp_path / f"{name}.py").write_text("raise SystemExit('imported')")
        monkeypatch.chdir(tmp_path)
        assert all(returned_x(outcomes) for outcomes in execute(jail, GOOD).outcomes.values())

    def test_modules_written_by_a_submission_are_never_imported(self, open_jail):
        cell = "[open(f'{name}.py', 'w').write('1/0') for name in ('msgpack', 'kit', 'tqdm', 'json')]"
        assert execute(open_jail, GOOD, cell, "import msgpack, kit, tqdm, json").problems == ()

    def test_the_folder_is_empty_private_and_removed_afterwards(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        cell = "import os\nassert os.listdir() == []\nassert os.getcwd() == os.path.realpath(os.path.expanduser('~'))\n"
        for level in "CDE":
            for jail in jail_at(level):
                assert execute(jail, GOOD, cell + "open('a', 'w').write('a')\nos.makedirs('b/c')").problems == ()
                assert list(tmp_path.iterdir()) == []

    def test_standard_streams_lead_nowhere(self, any_jail, capfd):
        cell = """
        import os, subprocess, sys, warnings
        print("a", "\\u03a3" * 10_000), print("b", file=sys.stderr), warnings.warn("c")
        os.write(1, b"d" * 100_000), os.write(2, b"e")
        try: subprocess.run([sys.executable, "-c", "print('f')"], check=True)
        except PermissionError: pass
        assert sys.stdin.read() == "" and os.read(0, 1) == b""
        """
        assert execute(any_jail, GOOD, cell).problems == ()
        assert capfd.readouterr() == ("", "")

    def test_the_trusted_side_never_compiles_or_unpickles(self):
        host = Path(jail_module.__file__).parent
        files = [*host.glob("*.py"), *(host.parents[1] / "submission").glob("*.py")]
        assert len(files) > 15
        for word in (" exec(", " eval(", " compile(", "import ast", "import pickle", "importlib", "runpy", "marshal"):
            assert not [file.name for file in files if word in file.read_text(encoding="utf-8")]


class TestNothingIsLeft:
    @ON_POSIX
    @pytest.mark.parametrize("level", ["C", "D"])
    def test_child_processes_end_with_the_submission(self, level):
        token = f"token_{os.getpid()}_{level}"
        start = f"[sys.executable, '-c', 'import time; time.sleep(60)', {token!r}]"
        for jail in jail_at(level):
            assert execute(jail, GOOD, f"import subprocess\nchild = subprocess.Popen({start})").problems == ()
            assert _wait_until_false(lambda: token in " ".join(_command_lines()))

    def test_nested_folders_and_links_are_removed_but_not_link_targets(self, open_jail, tmp_path, monkeypatch):
        (tmp_path / "temp").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
        (tmp_path / "target").mkdir()
        cell = f"""
        import os
        for number in range(1200):
            os.mkdir("d"), open("d/file", "w").close(), os.symlink({str(tmp_path / "target")!r}, "link")
            if number == 600: os.mkdir("closed"), os.chmod("closed", 0)
            os.chdir("d")
        """
        assert execute(open_jail, GOOD, cell, limits=replace(LIMITS, load_cpu_seconds=60)).problems == ()
        assert list((tmp_path / "temp").iterdir()) == []
        assert (tmp_path / "target").is_dir()

    def test_a_jail_ends_with_all_its_processes(self):
        others = set(psutil.Process().children(recursive=True))  # of jails that other tests keep
        for jail in jail_at("A", "B"):
            execute(jail, GOOD)
            assert set(psutil.Process().children(recursive=True)) - others
        assert _wait_until_false(lambda: bool(set(psutil.Process().children(recursive=True)) - others))

    @ON_LINUX
    @pytest.mark.parametrize("level", ["A", "B"])
    def test_all_processes_end_when_the_grader_is_killed(self, level, tmp_path):
        for _ in jail_at(level):
            code = f"""
            import psutil, sys
            from autograder.sandbox.host import fork_server
            from autograder.sandbox.host.jail import Jail
            fork_server._LINKS_FOLDER = {str(tmp_path)!r}  # a grader that is killed leaves its links
            jail = Jail({level!r})
            forks = [jail._process_factory.start(2048, 60, {{}}) for _ in range(2)]
            print(*(process.pid for process in psutil.Process().children(recursive=True)), flush=True)
            sys.stdin.read()
            """
            command = [sys.executable, "-c", textwrap.dedent(code)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as grader:
                assert grader.stdout
                pids = [int(pid) for pid in grader.stdout.readline().split()]
                grader.kill()
            assert len(pids) >= 3
            assert _wait_until_false(lambda: any(_is_running(pid) for pid in pids))  # noqa: B023 - called at once

    def test_forks_end_with_their_zygote(self):
        for jail in jail_at("B", "A"):
            fork = jail._process_factory.start(2048, 60, {})
            jail.close()
            assert _wait_until_false(lambda: fork.cpu_seconds() != 0)  # noqa: B023 - called at once
            fork.close()

    @pytest.mark.slow
    def test_the_grader_does_not_grow(self, sealed_jail):
        hostile = [FIRST_ENDS.format(body) for body in ("raise E('a' * 10**6)", "os._exit(1)", "return [0] * 10**6")]
        cells = [GOOD, *hostile, "def f(x): return x.reshape(10**9, -1)"]
        before = 0
        for number in range(220):
            execute(sealed_jail, cells[number % len(cells)], steps=3, limits=replace(LIMITS, cpu_seconds=0.02))
            before = before if number != 20 else psutil.Process().memory_info().rss
        assert psutil.Process().memory_info().rss - before < 8 << 20


COUNTS = """
import os
calls = 0
def f(x):
    global calls
    calls += 1
    x += 1
    return x * 0 + calls
def g(x): os._exit(1)
"""


def first_numbers(outcomes: Iterable[Outcome]) -> list[float]:
    """Return the first number of each outcome that is an array."""
    return [outcome.arrays[0][0] for outcome in outcomes if isinstance(outcome, Returned)]


class TestFirstCalls:
    def test_the_first_call_is_not_repeated_after_other_batches(self, jail):
        batch, other = (Batch("f", (CALL, RecheckResult(0), RepeatCall(0), *more)) for more in ((), (CALL,)))
        with jail.load_program(program(COUNTS), LIMITS) as loaded:
            first = loaded.run_first_calls([batch], LIMITS)
            between = loaded.run(program(COUNTS), [other], LIMITS).outcomes["f"]
            outcomes = loaded.run(program(COUNTS), [batch], LIMITS).outcomes["f"]
        assert (first_numbers(first.values()), first_numbers(between), first_numbers(outcomes)) == (
            [1],
            [2, 2, 3, 4],
            [1, 1, 5],
        )
        assert [outcome.changed["x"][0] for outcome in outcomes] == [1, 1, 2]

    def test_a_function_missing_at_the_first_call_stays_missing(self, jail):
        batch, maker = Batch("f", (CALL, RecheckResult(0))), Batch("g", (CALL,))
        code = "def g(x):\n    global f\n    f = g\n    return x"
        with jail.load_program(program(code), LIMITS) as loaded:
            loaded.run_first_calls([batch], LIMITS)
            outcomes = loaded.run(program(code), [maker, batch], LIMITS).outcomes
        assert returned_x(outcomes["g"])
        assert all(isinstance(outcome, FunctionMissing) for outcome in outcomes["f"])

    def test_the_first_call_is_repeated_in_another_process(self, jail):
        batch = Batch("f", (CALL, CALL))
        with jail.load_program(program(COUNTS), LIMITS) as loaded:
            first = loaded.run_first_calls([batch, Batch("g", (CALL,))], LIMITS)
            outcomes = loaded.run(program(COUNTS), [batch], LIMITS).outcomes["f"]
        assert (first["g"], first_numbers(outcomes)) == (ProcessEnded("exit", 1), [1, 2])


class TestReplyCache:
    """The cache of decoded replies, which belongs to the jail."""

    def test_equal_replies_to_one_step_are_decoded_once(self, jail):
        batch = Batch("f", (CALL, CALL))
        first, second = (jail.run(program(GOOD), [batch], LIMITS).outcomes["f"] for _ in range(2))
        assert first == second
        assert first[0] is not first[1]
        assert jail.run(program("def f(x): return x + 1"), [batch], LIMITS).outcomes["f"] != first

    def test_an_outcome_holds_the_digest_of_its_reply(self, jail):
        batch = Batch("f", (CALL,))
        replies = [
            jail.run(program(text), [batch], LIMITS).outcomes["f"][0].digest
            for text in (GOOD, f"{GOOD}# other text", "def f(x): return x + 1")
        ]
        assert replies[0] == replies[1] != replies[2]

    def test_an_outcome_does_not_hold_what_a_reply_has_besides_its_arrays(self, jail):
        grown = "def f(x):\n    x.resize(100_000, refcheck=False)\n    return x[:3]"
        [outcome] = jail.run(program(grown), [Batch("f", (CALL,))], LIMITS).outcomes["f"]
        assert len(pickle.dumps(outcome)) < 2000

    def test_long_replies_are_not_cached(self, jail):
        before = len(jail._replies)
        batch = Batch("f", (Call({"x": np.ones(1000)}, {}),))
        assert isinstance(jail.run(program(GOOD), [batch], LIMITS).outcomes["f"][0], Returned)
        assert len(jail._replies) == before


def test_a_bounded_cache_forgets_the_entry_that_was_not_asked_for_longest():
    cache = BoundedCache(2)
    assert [cache.get(key, lambda key=key: 10 * key) for key in (1, 2)] == [10, 20]
    assert cache.lookup(1) == 10
    assert cache.get(3, lambda: 30) == 30
    assert (len(cache), cache.lookup(1), cache.lookup(2), cache.lookup(3)) == (2, 10, None, 30)
    assert cache.get(1, lambda: -1) == 10
    assert cache.get(4, lambda: 40) == 40
    assert (cache.lookup(1), cache.lookup(3), cache.lookup(4)) == (10, None, 40)


class TestSealed:
    """The zygote, and several of its forks."""

    def test_all_forks_draw_the_same_random_numbers(self, sealed_jail):
        cell = "import random, numpy as np\ndef f(x): return x * 0 + random.random() + np.random.random()\ng = f"
        first, second = (execute(sealed_jail, cell).outcomes["f"] for _ in range(2))
        assert first_numbers(first) == first_numbers(second) != []

    def test_a_fork_that_ends_does_not_affect_the_next(self, sealed_jail):
        for body in ("os._exit(3)", "while True: pass", "os.abort()", "os.closerange(0, 100)", "a = [0] * 10**9"):
            execute(sealed_jail, FIRST_ENDS.format(body))
            assert returned_x(execute(sealed_jail, GOOD).outcomes["f"])

    def test_changes_in_a_fork_do_not_reach_the_next(self, sealed_jail):
        cell = """
        import builtins, os, sys, json, numpy as np
        assert not hasattr(np, "mark") and np.sum([1, 2]) == 3 and json.dumps(1) == "1" and sorted([]) == []
        np.mark = 1
        np.sum = builtins.sorted = json.dumps = None
        os.environ["A"] = "a"
        """
        for _ in range(2):
            assert execute(sealed_jail, "import os\nassert 'A' not in os.environ", cell).problems == ()

    def test_a_fork_has_no_open_file_but_its_channel(self, sealed_jail):
        cell = """
        import os, stat
        kinds = {}
        for descriptor in range(256):
            try: kinds[descriptor] = stat.S_IFMT(os.fstat(descriptor).st_mode)
            except OSError: pass
        assert kinds == {**dict.fromkeys(range(3), stat.S_IFCHR), 3: stat.S_IFSOCK}, kinds
        assert all(os.fstat(n).st_rdev == os.makedev(1, 3) for n in range(3))  # /dev/null
        """
        assert execute(sealed_jail, GOOD, cell).problems == ()

    def test_modules_of_the_library_can_be_read_and_its_tests_cannot(self, sealed_jail):
        cell = """
        import importlib.util, inspect, os, pathlib, test
        assert "def dedent" in inspect.getsource(__import__("textwrap"))
        for name in ("colorsys", "xml.dom.minidom", "numpy.ma"):
            importlib.import_module(name)
        for path in ("test/support/__init__.py", "LICENSE.txt", "__pycache__/abc.cpython-311.pyc"):
            try:
                (pathlib.Path(os.__file__).parent / path).read_bytes()
            except (PermissionError, FileNotFoundError):
                continue
            raise AssertionError(path)
        """
        assert execute(sealed_jail, GOOD, cell).problems == ()

    def test_a_killed_zygote_is_replaced(self):
        others = set(psutil.Process().children(recursive=True))  # of jails that other tests keep
        for jail in jail_at("A", "B"):
            for _ in range(2):
                assert returned_x(execute(jail, GOOD).outcomes["f"])
                for process in set(psutil.Process().children(recursive=True)) - others:
                    with suppress(psutil.NoSuchProcess):  # in a container, the first to end takes the others along
                        process.kill()

    @pytest.mark.parametrize("level", ["A", "B"])
    def test_two_forks_at_the_same_time_cannot_reach_each_other(self, level):
        victim = program("import time\nsecret = b'a secret' * 1000\ndef f(x):\n    time.sleep(1)\n    return x")
        attack = """
        import ctypes, os, signal
        libc = ctypes.CDLL(None, use_errno=True)
        own_pid = os.getpid()
        reached = []
        for pid in range(max(1, own_pid - 20), own_pid):
            for number in (0, signal.SIGKILL):
                try: os.kill(pid, number), reached.append(("kill", pid))
                except PermissionError: pass
            buffer = ctypes.create_string_buffer(64)
            vector = (ctypes.c_size_t * 2)(ctypes.addressof(buffer), 64)
            for call in (101, 117, 310, 270, 434, 424):  # ptrace, process_vm_readv, pidfd_open, pidfd_send_signal
                if libc.syscall(call, pid, vector, 1, vector, 1, 0) >= 0: reached.append((call, pid))
                if libc.syscall(call, 16, pid, 0, 0) >= 0: reached.append((call, pid))
            for name in ("mem", "maps", "environ", "fd", "root"):
                try: open(f"/proc/{pid}/{name}"), reached.append((name, pid))
                except OSError: pass
        """
        for jail in jail_at(level):
            execute(jail, GOOD)
            outcomes = {}
            thread = threading.Thread(
                target=lambda: outcomes.update(jail.run(victim, [Batch("f", (CALL,))], Limits()).outcomes)  # noqa: B023 - joined below
            )
            thread.start()
            time.sleep(0.3)
            execution = execute(jail, textwrap.dedent(attack) + "\nassert not reached, reached")
            assert execution.problems == ()
            thread.join()
            assert returned_x(outcomes["f"])

    @ON_LINUX
    def test_the_memory_of_the_grader_cannot_be_read(self, sealed_jail):
        assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0  # PR_GET_DUMPABLE


def _command_lines() -> list[str]:
    return [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]


def _is_running(pid: int) -> bool:
    with suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def _wait_until_false(condition: Callable[[], bool]) -> bool:
    """Return whether a condition becomes false within 20 seconds."""
    deadline = time.monotonic() + 20
    while condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not condition()


@ON_POSIX
class TestChannel:
    """The channel to a process that may not read, and may send anything."""

    def test_sending_does_not_wait_for_a_reader(self):
        channel, theirs = SocketChannel.pair()
        with theirs:
            frames = [framing.encode_frame(("a", bytes([number]) * (1 << 20)), 1 << 21) for number in range(8)]
            for frame in frames:
                channel.send_frame(frame)
            assert channel.receive_frame(0.01) is None
            received = bytearray()
            while len(received) < sum(map(len, frames)):
                received += theirs.recv(1 << 20)
                assert channel.receive_frame(0.001) is None
            assert received == b"".join(frames)
            theirs.sendall(framing.encode_frame(("done",), 100))
            assert channel.receive_frame(1) == framing.encode_message(("done",), 100)
        channel.close()

    def test_an_end_within_a_frame_is_a_protocol_error(self):
        channel, theirs = SocketChannel.pair()
        with theirs:
            theirs.sendall(framing.encode_frame(("whole",), 100) + b"\0\0\0\7half")
        assert channel.receive_frame(1) == framing.encode_message(("whole",), 100)
        with pytest.raises(ProtocolError, match="within one"):
            channel.receive_frame(1)
        channel.close()

    def test_the_handshake_returns_the_id_of_the_sender(self):
        channel, theirs = SocketChannel.pair()
        with theirs:
            with pytest.raises(TimeoutError):
                channel.handshake(0.01)
            subprocess.run([sys.executable, "-c", "import os; os.write(1, b'0')"], stdout=theirs.fileno(), check=True)
            assert (channel.handshake(1) not in (0, os.getpid())) == (sys.platform == "linux")
        with pytest.raises(EOFError):
            channel.handshake(1)
        channel.close()


class TestReplies:
    """Any reply of the process gives an outcome or a ProtocolError."""

    BATCH = Batch("f", (CALL,))
    AFTER = (("x", ((3,), bytes(24))),)
    VALUE = ("float64", ((1,), bytes(8)))

    @pytest.mark.parametrize(
        "reply",
        [
            ("returned", (VALUE,)),
            ("returned", (), AFTER),
            ("returned", (VALUE, VALUE), AFTER),
            ("returned", (("complex128", ((1,), bytes(8))),), AFTER),
            ("returned", (VALUE,), (("y", ((3,), bytes(24))),)),
            ("returned", (VALUE,), AFTER * 2),
            ("returned", None, AFTER),
            ("unusable", None, "<b>anything</b>"),
            ("unusable", None, "a list of a thousand"),
            ("unusable", 1, "None"),
            ("unusable", -1, "None"),
            ("unusable", True, "None"),
            ("raised", "MyError", "", None, None),
            ("raised", "ValueError", "a" * 301, None, None),
            ("raised", "ValueError", "", 9, None),
            ("raised", "ValueError", "", "code cell 1", None),
            ("raised", "ValueError", "", -1, None),
            ("raised", "ValueError", "", None, 0),
            ("raised", "ValueError", "", None, "3"),
            ("raised", "ValueError"),
            ("missing", ("a" * 81,), True),
            ("missing", ("a",) * 201, True),
            ("missing", (), 1),
            ("cell", 3),
            ("loaded",),
            ("",),
        ],
        ids=range(26),
    )
    def test_a_reply_that_no_honest_process_sends_is_refused(self, reply):
        with pytest.raises(ProtocolError):
            decode_reply(framing.encode_message(reply, 10_000), program(), self.BATCH, 0)

    @pytest.mark.parametrize(
        ("reply", "expected"),
        [
            (("unusable", None, "a tuple of 3"), InvalidResult(None, "a tuple of 3")),
            (("raised", "ValueError", "a", 0, 3), FunctionRaised("ValueError", "a", "code cell 1", 3)),
            (("missing", ("F", "g", "_f", "no name", "other"), False), FunctionMissing(("_f",))),
            (("missing", (), True), FunctionMissing((), callable=False)),
        ],
        ids=range(4),
    )
    def test_an_honest_reply_is_decoded(self, reply, expected):
        assert decode_reply(framing.encode_message(reply, 10_000), program("pass"), self.BATCH, 0) == expected


@pytest.mark.skipif(not runtime.POSIX, reason="there is no bubblewrap on Windows")
def test_libraries_are_found_where_a_folder_has_a_space_in_its_name(tmp_path):
    site = runtime.NUMPY_FOLDER.parent
    spaced = tmp_path / "my course"
    spaced.symlink_to(site)
    files = [path.relative_to(site) for path in runtime.NUMPY_FOLDER.rglob("*.so")]
    plain, linked = (runtime.list_libraries(folder, [folder / file for file in files]) for folder in (site, spaced))
    assert plain.keys() == linked.keys() != set()
