"""Tests that an isolated process cannot tell where the kit, Python and the user's home lie on this machine."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from autograder.course import Level, Limits
from autograder.sandbox.host import fork_server, runtime
from autograder.sandbox.host.jail import Jail
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.program import Program
from autograder.submission.cells import Cell

ROOT = Path(__file__).resolve().parents[3]
BUILDER = "def arguments(arrays, names):\n    return dict(arrays)\n"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the isolated levels are Linux's")

# Each collects texts that may hold a path, in the list `found`.
NOSY = {
    "frames": """
        frame = sys._getframe()
        while frame is not None:
            found.append(frame.f_code.co_filename)
            found.extend(map(repr, frame.f_locals.values() if frame.f_globals is not globals() else ()))
            frame = frame.f_back
        """,
    "functions": """
        for thing in gc.get_objects():
            if isinstance(thing, types.FunctionType):
                found.append(thing.__code__.co_filename)
        """,
    "modules": """
        for module in list(sys.modules.values()):
            if module is not None and module is not sys.modules[__name__]:
                for name in ("__file__", "__cached__", "__path__", "__spec__"):
                    found.append(repr(vars(module).get(name)))
        """,
    "sys": """
        found.extend(repr(value) for name, value in vars(sys).items() if name != "modules")
        found.extend(map(repr, sys.path_importer_cache))
        """,
    "settings": "found.append(repr((sysconfig.get_paths(), sysconfig.get_config_vars())))",
    "settings of the build": """
        name = sysconfig._get_sysconfigdata_name()
        found.append(repr(vars(sys.modules.get(name) or __import__(name))))
        """,
    "compiled modules": """
        for module in (os, sysconfig, unittest, numpy, numpy.linalg):
            for path in (module.__spec__.cached or "", os.path.join(os.path.dirname(os.__file__), "__pycache__")):
                try:
                    found.append(open(path, "rb").read().decode("latin-1"))
                except OSError:
                    pass
        """,
    "environment": """
        found.append(repr((dict(os.environ), os.getcwd(), os.uname().nodename)))
        block, number = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ"), 0
        while block[number]:
            found.append(block[number].decode())
            number += 1
        """,
    "files about itself": """
        for name in ("maps", "environ", "cmdline", "mountinfo", "stat"):
            try:
                found.append(open(f"/proc/self/{name}", "rb").read().decode(errors="replace"))
            except OSError:
                pass
        """,
    "links": """
        library = os.path.dirname(os.__file__)
        for path in ("/proc/self/exe", "/proc/self/cwd", "/proc/self/root", sys.executable, library, numpy.__path__[0]):
            try:
                found.append(os.readlink(path))
            except OSError:
                pass
        """,
    "real paths": "found.extend(os.path.realpath(path) for path in (sys.executable, os.__file__, numpy.__file__))",
    "shared libraries": """
        class Library(ctypes.Structure):
            pass
        pointer = ctypes.POINTER(Library)
        fields = ("address", ctypes.c_void_p), ("name", ctypes.c_char_p), ("section", ctypes.c_void_p)
        Library._fields_ = [*fields, ("next", pointer), ("previous", pointer)]
        library = ctypes.cast(ctypes.CDLL(None)._handle, pointer)
        while library:
            found.append((library.contents.name or b"").decode())
            library = library.contents.next
        """,
    "errors": """
        for attempt in (
            lambda: numpy.load("nothing.npy"),
            lambda: __import__("numpy.nothing"),
            lambda: exec("from numpy import nothing"),
            lambda: ctypes.CDLL("nothing.so"),
            lambda: __import__("nothing"),
            lambda: numpy.zeros(2) @ numpy.zeros(3),
        ):
            try:
                attempt()
            except Exception:
                found.append(traceback.format_exc())
        """,
    "warnings": """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            numpy.log(numpy.zeros(1))
            warnings.warn("here", stacklevel=9)
        found.extend(map(str, caught))
        """,
}
SOURCE = """
import ctypes, gc, os, sys, sysconfig, traceback, types, unittest, warnings
import numpy
found = []

def collect():
    {code}

collect()
for text in found:
    for place in {reversed_places!r}:  # or this text itself would be found
        if place[::-1] in text:
            start = max(text.index(place[::-1]) - 100, 0)
            raise AssertionError(text[start : start + 200])
"""


def telling_places() -> list[str]:
    """Return folders of this machine that nobody may learn of: of the kit, Python, the packages, the user, and more."""
    places = {ROOT, Path(sys.prefix), runtime.NUMPY_FOLDER.parent, Path.home(), Path.cwd(), Path(sys.base_prefix)}
    # What every machine has says nothing of this one.
    return [str(place) for place in places if place not in map(Path, ("/", "/usr", "/usr/local", "/home", "/tmp"))]


@pytest.fixture(scope="module", params=["A", "B", "C"])
def isolated_jail(request: pytest.FixtureRequest):
    try:
        jail = Jail(request.param)
    except JailError as error:
        pytest.skip(f"level {request.param} does not work on this machine: {error}")
    with jail:
        yield jail


@pytest.mark.parametrize("name", NOSY)
def test_no_folder_of_the_machine_can_be_told_from(name, isolated_jail):
    if isolated_jail.level == "C" and name == "compiled modules":
        pytest.skip("level C hides no file of Python's own")
    code = NOSY[name].strip().replace("\n        ", "\n    ")
    cell = Cell(SOURCE.format(code=code, reversed_places=[place[::-1] for place in telling_places()]), "code cell 1")
    problems = isolated_jail.run(Program("__main__", (cell,), {"kit": BUILDER}, {}), [], Limits()).problems
    assert [problem.text for problem in problems] == []


def open_jail(level: Level) -> Jail:
    try:
        return Jail(level)
    except JailError as error:
        pytest.skip(f"level {level} does not work on this machine: {error}")


def test_links_do_not_outlive_their_jail(tmp_path, monkeypatch):
    monkeypatch.setattr(fork_server, "_LINKS_FOLDER", str(tmp_path))
    with open_jail("B"):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


def test_links_do_not_outlive_a_jail_that_does_not_start(tmp_path, monkeypatch):
    open_jail("B").close()
    monkeypatch.setattr(fork_server, "_LINKS_FOLDER", str(tmp_path))
    monkeypatch.setattr(runtime, "_START", "raise SystemExit('no start')")
    with pytest.raises(JailError, match="no start"):
        Jail("B")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_for_temporary_files_is_not_named_either(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = f"import os, tempfile\nassert {str(tmp_path)!r} not in repr((dict(os.environ), os.getcwd(), os.__file__))"
    for level in ("A", "B", "C"):
        with open_jail(level) as jail:
            program = Program("__main__", (Cell(code, "code cell 1"),), {"kit": BUILDER}, {})
            assert jail.run(program, [], Limits()).problems == ()
