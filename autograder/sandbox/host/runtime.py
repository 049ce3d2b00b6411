"""Knows the files that a process for student code needs, at which paths it finds them, and how it is started.

Python keeps these paths in every module, frame and traceback, and student code can read them all. So where it is
isolated, none of them names a folder of this machine: in a container the files are mounted elsewhere, and without one
they are found through links.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgpack
import numpy as np

from autograder.sandbox.host.levels import JailError

POSIX = os.name == "posix"
START_SECONDS = 60.0  # for starting Python and numpy on a slow machine
EXIT_GRACE_SECONDS = 5.0  # for a container to end after the process in it
SANDBOX_FOLDER = Path(__file__).resolve().parents[1]
STDLIB_FOLDER = Path(sysconfig.get_path("stdlib")).resolve()
NUMPY_FOLDER = Path(np.__file__).resolve().parent
MSGPACK_FOLDER = Path(msgpack.__file__).resolve().parent
OWN_SEARCH_PATH = tuple(dict.fromkeys((NUMPY_FOLDER.parent, MSGPACK_FOLDER.parent, SANDBOX_FOLDER.parents[1])))
# After each fork, Python's library would replace its locks and seed `random`. With one thread that holds no lock, the
# first is needless; and equal submissions should draw equal random numbers.
_START = (
    "import os, sys; os.register_at_fork = lambda **_: None; own = sys.path[:]; sys.path += {}; "
    "from autograder.sandbox.guest.{} import main; sys.path[:] = own; main()"
)
# Some systems need them to start this Python, some processors to compute; none holds a secret.
_INHERITED_VARIABLES = ("SYSTEMROOT", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_THREAD_VARIABLES = ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "NUMEXPR_NUM")
# In the library, and named after where and how Python was built: its settings, and what compiles extensions.
_BUILD_FILES = ("_sysconfigdata", "config-")
_COMPILED = "__pycache__"
SITE_FOLDERS = ("site-packages", "dist-packages")  # of other installed packages, in the folder of the standard library
# "libc.so.6 => /lib/libc.so.6 (0x7f...)", or for the loader itself "/lib64/ld-linux-x86-64.so.2 (0x7f...)"
_LIBRARY_LINE = re.compile(r"^\s*(?:(\S+) => )?(/.+) \(0x[0-9a-f]+\)$", re.MULTILINE)
# Extensions that are of no use here, most of them with large libraries.
_EXCLUDED_EXTENSIONS = ("_test", "_tkinter", "_curses", "_dbm", "_gdbm", "readline", "nis", "xx")
_LOADER_TIMEOUT = 20.0  # seconds for the dynamic loader to list libraries


@dataclass(frozen=True)
class Layout:
    """Where a process finds its files.

    `sources` maps its paths to the files and folders that are to be there. `search_path` is where numpy, msgpack and
    the kit are imported from.
    """

    interpreter: Path
    library: Path
    numpy: Path
    search_path: tuple[Path, ...]
    environment: Mapping[str, str]
    sources: Mapping[Path, Path]

    def landlock_paths(self) -> tuple[list[str], list[str]]:
        """Return what student code may read, and folders in which it may also list the names, for Landlock."""
        names = sorted(path.name for path in STDLIB_FOLDER.iterdir())
        names = [name for name in names if name not in (*SITE_FOLDERS, _COMPILED) and not name.startswith(_BUILD_FILES)]
        return [str(self.numpy), *(str(self.library / name) for name in names)], [str(self.library)]

    def make_links(self) -> None:
        """Link each path to its source, except for paths outside of the layout's own folder."""
        for path, source in self.sources.items():
            if path.is_relative_to(self.search_path[0].parent):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(source)


@functools.cache
def read_first(*folders: Path) -> None:
    """Read a byte of every file below the folders, and list them all: once in the life of this process.

    Most file systems note the first time a day that something is read. Where student code reads the library itself, and
    not a copy of its own, a submission could leave a message for the next in such notes.
    """
    for folder in folders:
        for parent, _, files in os.walk(folder):
            if not set(SITE_FOLDERS).isdisjoint(Path(parent).parts[len(folder.parts) :]):
                continue  # names may be listed there, and files may not be read
            for name in files:
                with contextlib.suppress(OSError), open(os.path.join(parent, name), "rb", buffering=0) as file:  # noqa: PTH118, PTH123 - thousands of files
                    file.read(1)


def layout_below(root: Path) -> Layout:
    """Return a layout whose paths all lie below a folder and say nothing else. Raises JailError."""
    python, packages, kit, libraries = (root / name for name in ("python", "packages", "kit", "libraries"))
    interpreter = python / "bin" / interpreter_path().name
    library = python / sys.platlibdir / STDLIB_FOLDER.name
    numpy, msgpack = (packages / folder.name for folder in (NUMPY_FOLDER, MSGPACK_FOLDER))
    sources = {interpreter: interpreter_path(), library: STDLIB_FOLDER}
    sources |= {numpy: NUMPY_FOLDER, msgpack: MSGPACK_FOLDER}
    bundled = NUMPY_FOLDER.with_name("numpy.libs")
    if bundled.is_dir():
        sources[packages / bundled.name] = bundled
    for name in ("__init__.py", "sandbox/__init__.py", "sandbox/protocol", "sandbox/guest"):
        sources[kit / "autograder" / name] = SANDBOX_FOLDER.parent / name
    others = {name: path for name, path in shared_libraries().items() if not path.is_relative_to(bundled)}
    sources |= {libraries / name: path for name, path in others.items()}
    environment = {"PYTHONHOME": str(python)} | ({"LD_LIBRARY_PATH": str(libraries)} if others else {})
    return Layout(interpreter, library, numpy, (packages, kit), environment, sources)


def interpreter_path() -> Path:
    """Return the file of this Python itself, not the link to it in a virtual environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def guest_command(interpreter: Path, search_path: Sequence[Path], module: str, *arguments: object) -> list[str]:
    """Return the command that runs the main function of a module in sandbox/guest/.

    `search_path` is on Python's path while numpy, msgpack and the kit are imported, and not afterwards: at every level,
    student code finds the standard library and numpy, whatever else is installed.

    -S and -s leave out site-packages, whose .pth files would run; -P leaves out the current folder. -I and -E would
    ignore PYTHONHASHSEED, and are not needed: the environment is built from nothing.
    """
    start = _START.format(list(map(str, search_path)), module)
    return [str(interpreter), "-S", "-s", "-P", "-c", start, *map(str, arguments)]


def guest_environment(home: str, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of the process: the same everywhere, with one thread for linear algebra, and `changes`."""
    inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    threads = {f"{library}_THREADS": "1" for library in _THREAD_VARIABLES}
    homes = dict.fromkeys(("HOME", "TMPDIR") if POSIX else ("USERPROFILE", "TEMP", "TMP"), home)
    fixed = {"LANG": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
    return {**inherited, **threads, **homes, **fixed, **(changes or {})}


@functools.cache
def shared_libraries() -> Mapping[str, Path]:
    """Return the libraries of Python, its extensions, numpy and msgpack, by the names under which they are looked for.

    A name that is a path is looked for at that path alone. Raises JailError.
    """
    extensions = STDLIB_FOLDER.glob("lib-dynload/*.so")
    used = [path for path in extensions if not path.name.startswith(_EXCLUDED_EXTENSIONS)]
    libraries = list_libraries(STDLIB_FOLDER, used)
    for package in (NUMPY_FOLDER, MSGPACK_FOLDER):
        libraries |= list_libraries(package.parent, list(package.rglob("*.so")))
    return libraries


def list_libraries(folder: Path, files: list[Path]) -> dict[str, Path]:
    """Return the libraries that the dynamic loader loads with some files below a folder, by name. Raises JailError."""
    # The loader takes a space for the end of a name, and a folder may be called "My Course": names are relative to it.
    names = [os.path.join(".", path.relative_to(folder)) for path in files]  # noqa: PTH118 - Path would drop the dot
    try:
        listing = subprocess.run(
            [interpreter_path()],
            env=guest_environment("/") | {"LD_TRACE_LOADED_OBJECTS": "1", "LD_PRELOAD": ":".join(names)},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_LOADER_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JailError(f"the shared libraries of Python cannot be listed ({type(error).__name__})") from None
    lines = _LIBRARY_LINE.findall(os.fsdecode(listing.stdout))
    return {name or path: Path(os.path.normpath(path)) for name, path in lines}


def startup_failure(error: Exception, stderr_file: IO[bytes]) -> str:
    """Return a phrase on why a process did not start, with the last line that it wrote to its standard error."""
    stderr_file.seek(0)
    lines = stderr_file.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
    summary = "did not get ready in time" if isinstance(error, TimeoutError) else "ended before it ran any"
    return f"{summary}: {lines[-1][:300]}" if lines else summary
