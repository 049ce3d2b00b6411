"""Asks the kernel for what a process of the grader itself needs. Does nothing on systems other than Linux."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from autograder.sandbox.guest import linux


def hide_memory() -> None:
    """Let no process of the same user read or change the memory of this one, nor a crash write it to the disk."""
    if sys.platform == "linux":
        linux.make_undumpable()


def hide_variable(name: str) -> None:
    """Wipe the value of an environment variable that others read in /proc and children inherit; os.environ keeps it."""
    if sys.platform == "linux":
        linux.wipe_variable(name)


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends."""
    if sys.platform == "linux":
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def use_batch_scheduling() -> None:
    """Keep this thread from interrupting the process that sent it something, if the system allows that.

    A process that sends many small replies then gets to finish, and they are read together.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
