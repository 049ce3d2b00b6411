"""Starts the process that Dask's workers on this machine are forked from: early, because it has much to import."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from multiprocessing import forkserver

START_METHOD = "forkserver" if sys.platform == "linux" else "spawn"  # of workers on this machine
# No module of the working folder is imported, whose names may be those of Python's own; and linear algebra gets one
# thread in each worker, as Dask sets it where it starts Python anew.
_VARIABLES = {"PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def start_fork_server() -> None:
    """Have another process import what workers on this machine need, while this one goes on.

    The workers are forked from it, if the system has that. By default, Dask starts Python anew for each of them.
    """
    if START_METHOD != "forkserver":
        return
    multiprocessing.set_forkserver_preload(["distributed", "autograder.classroom.dask_workers"])
    before = {name: os.environ.get(name) for name in _VARIABLES}
    # Ctrl-C is for this process, which ends the others.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    os.environ.update(_VARIABLES)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
