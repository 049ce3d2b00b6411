"""Stopping a function that does not return: not inside C code, and not while a debugger looks on."""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

REPEATED = 0.2  # seconds after which a function is stopped once more, if it caught that


class TimeLimitError(BaseException):
    """Raised in a function that takes too long; no Exception, so that `except Exception` does not catch it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeLimitError in what runs in this context, once it has taken so many seconds."""
    if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        with _alarm(seconds):
            yield
    else:
        with _watchdog(seconds):
            yield


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """The limit by a signal, which also ends time.sleep; an alarm that was set before goes on afterwards."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if not _is_debugged():
            raise TimeLimitError

    handler, start = signal.signal(signal.SIGALRM, stop), time.monotonic()
    remaining, interval = signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001), REPEATED)
    try:
        yield
    finally:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # the alarm may have come just now
            signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if remaining:
            signal.setitimer(signal.ITIMER_REAL, max(remaining - (time.monotonic() - start), 0.001), interval)


@contextmanager
def _watchdog(seconds: float) -> Iterator[None]:
    """The limit by a thread that waits beside this one, where there are no alarms, as on Windows."""
    thread, done = ctypes.c_ulong(threading.get_ident()), threading.Event()

    def watch() -> None:
        left = seconds
        while not done.wait(left):
            if not _is_debugged():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeLimitError))
            left = REPEATED

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        try:
            done.set()
        finally:  # as above
            done.set()
        watcher.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # one that has not come yet


def _is_debugged() -> bool:
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    return sys.gettrace() is not None or bool(monitoring and monitoring.get_tool(monitoring.DEBUGGER_ID))
