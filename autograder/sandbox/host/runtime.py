"""Trusted side: what a process for student code is started with: a command, an environment, and the files it needs."""

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
# Where numpy, msgpack and the kit are found, while they are being imported. Student code finds the standard library
# and numpy, at every level, whatever else is installed.
_FOLDERS = list(
    dict.fromkeys(str(folder) for folder in (NUMPY_FOLDER.parent, MSGPACK_FOLDER.parent, SANDBOX_FOLDER.parents[1]))
)
# After each fork, Python's library would make its locks anew and seed `random`: for nothing, with one thread that holds
# no lock, and equal submissions had better draw equal numbers.
_START = (
    "import os, sys; os.register_at_fork = lambda **_: None; own = sys.path[:]; sys.path += {}; "
    "from autograder.sandbox.guest.{} import main; sys.path[:] = own; main()"
)
# Needed to start this very Python on some systems, or to compute on some processors; never a secret.
_INHERITED_VARIABLES = ("SYSTEMROOT", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_THREAD_VARIABLES = ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "NUMEXPR_NUM")


def interpreter_path() -> Path:
    """The file of this Python itself, not the link to it in a virtual environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def guest_command(module: str, *arguments: object) -> list[str]:
    """How to start the main function of a module of sandbox/guest/, with nothing else on Python's path.

    -S and -s: no site-packages, whose .pth files run; -P: no folder of the moment. Not -I or -E, which would ignore
    PYTHONHASHSEED: the environment is made from nothing.
    """
    return [str(interpreter_path()), "-S", "-s", "-P", "-c", _START.format(_FOLDERS, module), *map(str, arguments)]


def guest_environment(home: str) -> dict[str, str]:
    """The environment of such a process: the same everywhere, with one thread for linear algebra."""
    inherited = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    threads = {f"{library}_THREADS": "1" for library in _THREAD_VARIABLES}
    homes = dict.fromkeys(("HOME", "TMPDIR") if POSIX else ("USERPROFILE", "TEMP", "TMP"), home)
    return {**inherited, **threads, **homes, "LANG": "C.UTF-8", "PYTHONUTF8": "1", "PYTHONHASHSEED": "0"}
