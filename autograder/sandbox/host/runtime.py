"""Builds the command and the environment of a process for student code, and knows the files it needs."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import msgpack
import numpy as np

POSIX = os.name == "posix"
SANDBOX_FOLDER = Path(__file__).resolve().parents[1]
STDLIB_FOLDER = Path(sysconfig.get_path("stdlib")).resolve()
NUMPY_FOLDER = Path(np.__file__).resolve().parent
MSGPACK_FOLDER = Path(msgpack.__file__).resolve().parent
# On Python's path while numpy, msgpack and the kit are imported, and not afterwards: at every level, student code finds
# the standard library and numpy, whatever else is installed.
_FOLDERS = list(
    dict.fromkeys(str(folder) for folder in (NUMPY_FOLDER.parent, MSGPACK_FOLDER.parent, SANDBOX_FOLDER.parents[1]))
)
# After each fork, Python's library would replace its locks and seed `random`. With one thread that holds no lock, the
# first is needless; and equal submissions should draw equal random numbers.
_START = (
    "import os, sys; os.register_at_fork = lambda **_: None; own = sys.path[:]; sys.path += {}; "
    "from autograder.sandbox.guest.{} import main; sys.path[:] = own; main()"
)
# Some systems need them to start this Python, some processors to compute; none holds a secret.
_INHERITED_VARIABLES = ("SYSTEMROOT", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_THREAD_VARIABLES = ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "NUMEXPR_NUM")


def interpreter_path() -> Path:
    """Return the file of this Python itself, not the link to it in a virtual environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def guest_command(module: str, *arguments: object) -> list[str]:
    """Return the command that runs the main function of a module in sandbox/guest/.

    -S and -s leave out site-packages, whose .pth files would run; -P leaves out the current folder. -I and -E would
    ignore PYTHONHASHSEED, and are not needed: the environment is built from nothing.
    """
    return [str(interpreter_path()), "-S", "-s", "-P", "-c", _START.format(_FOLDERS, module), *map(str, arguments)]


def guest_environment(home: str) -> dict[str, str]:
    """Return the environment of the process: the same everywhere, with one thread for linear algebra."""
    inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    threads = {f"{library}_THREADS": "1" for library in _THREAD_VARIABLES}
    homes = dict.fromkeys(("HOME", "TMPDIR") if POSIX else ("USERPROFILE", "TEMP", "TMP"), home)
    return {**inherited, **threads, **homes, "LANG": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
