"""What a process of the grader's own asks of the kernel for itself. Does nothing on systems other than Linux."""

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


def end_with_parent() -> None:
    """Have the kernel end this process when the one that started it ends."""
    if sys.platform == "linux":
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def use_batch_scheduling() -> None:
    """Have this thread wait its turn rather than interrupt the process that sent it something, as far as allowed.

    A process that answers in many small pieces then gets to finish, and the pieces are read together.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
