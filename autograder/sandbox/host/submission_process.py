"""Trusted side: one submission in a jail. Its functions are called in a process, which is replaced when it ends."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Protocol

from autograder.sandbox.host import decoding
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.limited_process import Process, Stopped, Worker
from autograder.sandbox.host.program import Batch, CellProblem, Ended, Limits, Outcome, Program, Raised, Returned
from autograder.sandbox.protocol.framing import LONGEST_TEXT, FrameError, integer, text
from autograder.submission.cells import Cell, defined_in

_SPARE_SECONDS = 10  # on the CPU, beyond what the clock allows
LONGEST_CACHED_REPLY = 4096  # bytes

ReplyCache = BoundedCache[tuple[bytes, int, bytes], Returned]
"""Decoded replies by the digest of the batch, the step and the packed reply: many students return the same numbers."""


class Processes(Protocol):
    """Where processes for student code come from. `note`: a sentence about what could be better here, or nothing."""

    note: str

    def start(self, memory_mib: int, cpu_seconds: int, given: Mapping[str, str]) -> Process:
        """A process that waits for a program, limited by the kernel as far as that goes. Raises JailError.

        `given` are the modules of the program, which may be loaded ahead of it.
        """

    def close(self) -> None:
        """End whatever is kept to start them."""


class Session:
    """One submission: a process that has loaded it, replaced when it ends. Its time begins now."""

    def __init__(self, processes: Processes, program: Program, limits: Limits, cache: ReplyCache) -> None:
        self._processes = processes
        self._program = program
        self._limits = limits
        self._cache = cache
        self._last_moment = time.monotonic() + limits.submission_wall_seconds
        self._most_cpu = math.ceil(limits.submission_wall_seconds) + _SPARE_SECONDS
        self._worker: Worker | None = None
        self._begun: dict[str, tuple[Batch, Outcome]] = {}  # batches of which this very process has made the first step
        self._problems: dict[int, CellProblem] = {}
        self._deadly: set[int] = set()
        self._hopeless: Ended | None = None

    @property
    def problems(self) -> tuple[CellProblem, ...]:
        """The cells that stopped so far, in order."""
        return tuple(self._problems[index] for index in sorted(self._problems))

    def call(self, batch: Batch, limits: Limits) -> tuple[Outcome, ...]:
        """One outcome per step, within the limits of one function.

        What the clock alone ended is tried once more: the machine may have been busy.
        """
        outcomes = self._call_once(batch, limits)
        return self._call_once(batch, limits) if Ended("wall") in outcomes and self._time_left() > 0 else outcomes

    def begin(self, batch: Batch, limits: Limits) -> Outcome:
        """The outcome of the first step alone; `call` goes on with the others, if the process is still the same."""
        outcome = self._begin_once(batch, limits)
        return self._begin_once(batch, limits) if outcome == Ended("wall") and self._time_left() > 0 else outcome

    def start(self) -> Worker | Ended:
        """The process, with the program loaded; or how it ended, when it cannot be loaded at all or time is up."""
        doubted: set[int] = set()  # cells that the clock alone has stopped, once
        while self._worker is None and self._hopeless is None and self._time_left() > 0:
            memory = self._limits.memory_mib
            self._worker = Worker(self._processes.start(memory, self._most_cpu, self._program.given), memory)
            at, ended = self._load(self._worker)
            if ended is None:
                break
            self.close()
            if ended.how == "wall" and at not in doubted and self._time_left() > 0:
                doubted.add(at)
            elif at >= 0:
                self._leave_out(at, ended)
            elif ended.how != "wall" or self._time_left() > 0:
                raise JailError(f"the process for student code ended before it ran any ({ended.how}, {ended.code})")
        return self._worker or self._hopeless or Ended("wall")

    def close(self) -> None:
        """End the process, if there is one."""
        worker, self._worker = self._worker, None
        self._begun.clear()
        if worker is not None:
            worker.close()

    def _call_once(self, batch: Batch, limits: Limits) -> tuple[Outcome, ...]:
        begun = self._begun.pop(batch.function) if self._has_begun(batch) else None
        if begun is None:
            return self._ask(batch, batch.frame, range(len(batch.steps)), limits)
        return begun[1], *self._ask(batch, batch.rest, range(1, len(batch.steps)), limits)

    def _begin_once(self, batch: Batch, limits: Limits) -> Outcome:
        (outcome,) = self._ask(batch, batch.beginning, range(1), limits)
        if self._worker is not None:
            self._begun[batch.function] = batch, outcome
        return outcome

    def _has_begun(self, batch: Batch) -> bool:
        return batch.function in self._begun and self._begun[batch.function][0] is batch

    def _ask(self, batch: Batch, frame: bytes, steps: range, limits: Limits) -> tuple[Outcome, ...]:
        """Send a request for some steps of a batch; their outcomes."""
        worker = self.start()
        if isinstance(worker, Ended):
            return (worker,) * len(steps)
        outcomes: list[Outcome] = []
        worker.allow(limits.cpu_seconds, min(limits.wall_seconds, self._time_left()))
        worker.put(frame)
        try:
            for step in steps:
                outcomes.append(self._outcome(worker.receive_packed(), batch, step))
        except (Stopped, FrameError) as error:
            self.close()
            ended = error.ended if isinstance(error, Stopped) else Ended("protocol")
            outcomes += [ended] * (len(steps) - len(outcomes))
        return tuple(outcomes)

    def _outcome(self, packed: bytes, batch: Batch, step: int) -> Outcome:
        key = (batch.digest, step, packed)
        decoded = self._cache.lookup(key)
        if decoded is not None:
            return decoded
        outcome = decoding.outcome(packed, self._program, batch, step)
        # What was raised may name a cell of this very program, so only arrays are kept for others.
        if isinstance(outcome, Returned) and len(packed) <= LONGEST_CACHED_REPLY:
            self._cache.store(key, outcome)
        return outcome

    def _load(self, worker: Worker) -> tuple[int, Ended | None]:
        """Have the program loaded. The last cell that was started (-1 for none), and how the process ended in it."""
        program, at = self._program, -1
        cells = [(index, cell.source, cell.label, cell.first_line) for index, cell in self._cells_to_run()]
        functions = [(name, names, program.results.get(name, 1)) for name, names in program.functions.items()]
        self._allow_a_cell(worker)
        worker.send("program", program.module, cells, list(program.given.items()), functions)
        try:
            while True:
                match worker.receive():
                    case ("cell", index):
                        at = integer(index, at + 1, len(program.cells) - 1)
                        self._allow_a_cell(worker)
                    case ("problem", index, *items) if index == at and len(items) == 4:
                        self._note(at, decoding.raised(tuple(items), program))
                    case ("loaded",):
                        return at, None
                    case ("failed", message) if at < 0:
                        raise JailError(f"the course's own files do not run: {text(message, LONGEST_TEXT)}")
                    case _:
                        return at, Ended("protocol")
        except FrameError:
            return at, Ended("protocol")
        except Stopped as stopped:
            return at, stopped.ended

    def _time_left(self) -> float:
        return self._last_moment - time.monotonic()

    def _allow_a_cell(self, worker: Worker) -> None:
        worker.allow(self._limits.load_cpu_seconds, min(self._limits.load_wall_seconds, self._time_left()))

    def _cells_to_run(self) -> list[tuple[int, Cell]]:
        return [item for item in enumerate(self._program.cells) if item[0] not in self._deadly]

    def _leave_out(self, index: int, ended: Ended) -> None:
        """From now on, do without a cell that ended its process."""
        if index in self._deadly:  # it was not run again, so the process lies
            self._hopeless = ended
        self._deadly.add(index)
        self._note(index, ended)

    def _note(self, index: int, what: Raised | Ended) -> None:
        cell = self._program.cells[index]
        defines = defined_in(cell.source, tuple(self._program.functions))
        if isinstance(what, Raised):
            problem = CellProblem(cell.label, what.line, what.error, what.text, defines)
        else:
            line = None if cell.label else cell.first_line  # a cell of a script has no label
            problem = CellProblem(cell.label, line, "", "", defines, what)
        self._problems.setdefault(index, problem)
