"""Runs programs: the room that grading asks to load a submission and to call its functions.

Student code runs in separate processes, under limits; this side sends source text and arrays, and receives plain
numbers and words. It never compiles, parses or unpickles what a student sent. If a function hangs or ends its process,
only that function fails: another process loads the program again and continues with the next function.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from autograder.course import LEVELS, Level, Limits
from autograder.sandbox.host import own_process, runtime
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.fork_server import ForkServer
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.program import Batch, Execution, Outcome, Program
from autograder.sandbox.host.submission_process import ProcessFactory, ReplyCache, SubmissionSession

MAX_CACHED_REPLIES = 8_000  # some 1,000 for each function's rubric and diagnostic cases
_PROBE_LIMITS = (2048, 60)  # MiB and CPU seconds


class Runner(Protocol):
    """Runs a program: a jail, or the process of a jail that has loaded this program already."""

    def run(self, program: Program, batches: Sequence[Batch], limits: Limits) -> Execution:
        """Load the program and run each batch, at most one per function.

        Raises JailError, and nothing because of what a student sent.
        """


class Jail(Runner):
    """Runs any number of submissions. A context manager that belongs to the thread that creates it.

    Uses the strongest level that works on this machine, found by trying, or exactly `level`; raises JailError if that
    does not work. From then on, no other process can read the memory of this one.
    """

    def __init__(self, level: Level | None = None) -> None:
        own_process.hide_memory()
        self._replies: ReplyCache = BoundedCache(MAX_CACHED_REPLIES)
        self.level, self._process_factory = _strongest_level() if level is None else (level, process_factory(level))

    def __enter__(self) -> Jail:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process of the jail."""
        self._process_factory.close()

    def run(self, program: Program, batches: Sequence[Batch], limits: Limits) -> Execution:
        with self.load_program(program, limits) as loaded_program:
            return loaded_program.run(program, batches, limits)

    @contextmanager
    def load_program(self, program: Program, limits: Limits) -> Iterator[LoadedProgram]:
        """Load a program once for several runs. These limits hold for loading, and for all runs together."""
        session = SubmissionSession(self._process_factory, program, limits, self._replies)
        try:
            session.ensure_loaded()
            yield LoadedProgram(session)
        finally:
            session.close()


@dataclass(frozen=True)
class LoadedProgram(Runner):
    """A program that is loaded already. Whatever its functions changed stays changed in the next run."""

    session: SubmissionSession

    def run(self, program: Program, batches: Sequence[Batch], limits: Limits) -> Execution:  # noqa: ARG002 - is loaded
        """Run each batch on the program that was loaded; `limits` are for each function."""
        outcomes = {batch.function: self.session.run_batch(batch, limits) for batch in batches}
        return Execution(self.session.problems, outcomes)

    def run_first_calls(self, batches: Sequence[Batch], limits: Limits) -> Mapping[str, Outcome]:
        """Make the first call of each batch. If the whole batch runs later, this call is not repeated."""
        return {batch.function: self.session.run_first_call(batch, limits) for batch in batches}


def process_factory(level: Level) -> ProcessFactory:
    """Return what starts the processes of a level. Raises JailError if the level does not work here."""
    if level in "ABC" and sys.platform != "linux":
        raise JailError("this needs Linux")
    if level in "AB":
        return ForkServer(level)
    if level == "D" and not runtime.POSIX:
        raise JailError("this system has no limits for processes")
    # late: psutil, 10 ms, which the usual levels do without
    from autograder.sandbox.host.spawn import Spawner

    spawner = Spawner(level)
    if level == "C":
        spawner.start(*_PROBE_LIMITS, support_modules={}).close()
    return spawner


def _strongest_level() -> tuple[Level, ProcessFactory]:
    *stronger_levels, weakest = LEVELS
    for level in stronger_levels:
        with suppress(JailError):
            return level, process_factory(level)
    return weakest, process_factory(weakest)
