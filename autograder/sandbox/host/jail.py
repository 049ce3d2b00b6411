"""Trusted side: a program and batches of calls -> what came of them.

Student code runs in processes of its own, under limits; this side sends source text and arrays, and takes back plain
numbers and words. It never compiles, parses or unpickles what a student sent. A function that hangs or ends its process
costs only itself: another process loads the program again and goes on with the next one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from autograder.sandbox.guest import linux
from autograder.sandbox.host import runtime
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.fork_server import Zygote
from autograder.sandbox.host.levels import LEVELS, JailError, Level
from autograder.sandbox.host.program import (
    Again,
    Batch,
    Call,
    CellProblem,
    Ended,
    Execution,
    Limits,
    Missing,
    Outcome,
    Program,
    Raised,
    Recall,
    Returned,
    Step,
    Unusable,
    Value,
)
from autograder.sandbox.host.spawn import FreshProcesses
from autograder.sandbox.host.submission_process import Processes, ReplyCache, Session
from autograder.submission.cells import Cell

__all__ = [
    "Again",
    "Batch",
    "Call",
    "Cell",
    "CellProblem",
    "Ended",
    "Execution",
    "Jail",
    "JailError",
    "Limits",
    "Missing",
    "Outcome",
    "Program",
    "Raised",
    "Recall",
    "Returned",
    "Runner",
    "Step",
    "Unusable",
    "Value",
]


MAX_CACHED_REPLIES = 4000
_FOR_A_TRIAL = (2048, 60)  # MiB and CPU seconds


class Jail:
    """Where submissions run, any number of them. A context manager, and belongs to the thread that makes it.

    Starts at the strongest level that really works here, found out by doing it, or at exactly `level`; raises JailError
    where that does not work. From then on, no other process can read the memory of this one.
    """

    def __init__(self, level: Level | None = None) -> None:
        if sys.platform == "linux":
            linux.make_undumpable()
        self._replies: ReplyCache = BoundedCache(MAX_CACHED_REPLIES)
        self.level, self._processes = _strongest() if level is None else (level, processes_at(level))

    def __enter__(self) -> Jail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the jail."""
        self._processes.close()

    def run(self, program: Program, batches: Sequence[Batch], limits: Limits) -> Execution:
        """Load the program, and make the calls of each batch, at most one batch per function.

        Raises JailError, and nothing because of what a student sent.
        """
        with self.loaded(program, limits) as once:
            return once.run(program, batches, limits)

    @contextmanager
    def loaded(self, program: Program, limits: Limits) -> Iterator[Loaded]:
        """The program, loaded once for several runs. These limits are for loading it, and for all runs together."""
        session = Session(self._processes, program, limits, self._replies)
        try:
            session.start()
            yield Loaded(session)
        finally:
            session.close()


class Runner(Protocol):
    """What runs a program: a jail, or a place in it where that program is loaded already."""

    def run(self, program: Program, batches: Sequence[Batch], limits: Limits) -> Execution:
        """As Jail.run."""


@dataclass(frozen=True)
class Loaded:
    """A program that is loaded already. What its functions left behind is there in the next run."""

    session: Session

    def run(self, program: Program, batches: Sequence[Batch], limits: Limits) -> Execution:  # noqa: ARG002 - its own
        """As Jail.run, for the program that was loaded; `limits` are for each function."""
        outcomes = {batch.function: self.session.call(batch, limits) for batch in batches}
        return Execution(self.session.problems, outcomes)

    def begin(self, batches: Sequence[Batch], limits: Limits) -> Mapping[str, Outcome]:
        """Make the first call of each batch, which may be run whole later on, and is not made twice then."""
        return {batch.function: self.session.begin(batch, limits) for batch in batches}


def processes_at(level: Level) -> Processes:
    """Where processes of a level come from. Raises JailError where that level does not work here."""
    if level in "ABC" and sys.platform != "linux":
        raise JailError("this needs Linux")
    if level in "AB":
        return Zygote(level)
    if level == "D" and not runtime.POSIX:
        raise JailError("this system has no limits for processes")
    processes = FreshProcesses(level)
    if level == "C":
        processes.start(*_FOR_A_TRIAL, given={}).close()
    return processes


def _strongest() -> tuple[Level, Processes]:
    *better, last = LEVELS
    for level in better:
        with suppress(JailError):
            return level, processes_at(level)
    return last, processes_at(last)
