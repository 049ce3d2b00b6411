"""Trusted side: one submission in a jail. Its functions are called in a process, which is replaced when it ends."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Protocol

from autograder.course import Limits
from autograder.sandbox.host import decoding
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.levels import JailError
from autograder.sandbox.host.limited_process import LimitedProcess, Process, ProcessStopped
from autograder.sandbox.host.program import Batch, CellProblem, FunctionRaised, Outcome, ProcessEnded, Program, Returned
from autograder.sandbox.protocol.framing import MAX_TEXT_LENGTH, ProtocolError, expect_int, expect_str
from autograder.submission.cells import Cell, defined_functions

_EXTRA_CPU_SECONDS = 10  # on the CPU, beyond what the clock allows
LONGEST_CACHED_REPLY = 4096  # bytes

ReplyCache = BoundedCache[tuple[bytes, int, bytes], Returned]
"""Decoded replies by the digest of the batch, the step and the packed reply: many students return the same numbers."""


class ProcessFactory(Protocol):
    """Where processes for student code come from. `note`: a sentence about what could be better here, or nothing."""

    note: str

    def start(self, memory_mib: int, cpu_seconds: int, support_modules: Mapping[str, str]) -> Process:
        """A process that waits for a program, limited by the kernel as far as that goes. Raises JailError.

        `support_modules` are the modules of the program, which may be loaded ahead of it.
        """

    def close(self) -> None:
        """End whatever is kept to start them."""


class SubmissionSession:
    """One submission: a process that has loaded it, replaced when it ends. Its time begins now."""

    def __init__(self, factory: ProcessFactory, program: Program, limits: Limits, cache: ReplyCache) -> None:
        self._factory = factory
        self._program = program
        self._limits = limits
        self._cache = cache
        self._deadline = time.monotonic() + limits.submission_wall_seconds
        self._cpu_limit = math.ceil(limits.submission_wall_seconds) + _EXTRA_CPU_SECONDS
        self._process: LimitedProcess | None = None
        self._started_batches: dict[
            str, tuple[Batch, Outcome]
        ] = {}  # batches of which this very process has made the first step
        self._problems: dict[int, CellProblem] = {}
        self._fatal_cells: set[int] = set()
        self._load_failure: ProcessEnded | None = None

    @property
    def problems(self) -> tuple[CellProblem, ...]:
        """The cells that stopped so far, in order."""
        return tuple(self._problems[index] for index in sorted(self._problems))

    def run_batch(self, batch: Batch, limits: Limits) -> tuple[Outcome, ...]:
        """One outcome per step, within the limits of one function.

        What the clock alone ended is tried once more: the machine may have been busy.
        """
        outcomes = self._run_batch_once(batch, limits)
        return (
            self._run_batch_once(batch, limits)
            if ProcessEnded("wall") in outcomes and self._time_left() > 0
            else outcomes
        )

    def run_first_call(self, batch: Batch, limits: Limits) -> Outcome:
        """The outcome of the first step alone; `run_batch` goes on with the others, if the process is still the same."""
        outcome = self._run_first_call_once(batch, limits)
        return (
            self._run_first_call_once(batch, limits)
            if outcome == ProcessEnded("wall") and self._time_left() > 0
            else outcome
        )

    def ensure_loaded(self) -> LimitedProcess | ProcessEnded:
        """The process, with the program loaded; or how it ended, when it cannot be loaded at all or time is up."""
        doubted: set[int] = set()  # cells that the clock alone has stopped, once
        while self._process is None and self._load_failure is None and self._time_left() > 0:
            memory = self._limits.memory_mib
            self._process = LimitedProcess(
                self._factory.start(memory, self._cpu_limit, self._program.support_modules), memory
            )
            at, ended = self._load(self._process)
            if ended is None:
                break
            self.close()
            if ended.reason == "wall" and at not in doubted and self._time_left() > 0:
                doubted.add(at)
            elif at >= 0:
                self._skip_cell(at, ended)
            elif ended.reason != "wall" or self._time_left() > 0:
                raise JailError(f"the process for student code ended before it ran any ({ended.reason}, {ended.code})")
        return self._process or self._load_failure or ProcessEnded("wall")

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        self._started_batches.clear()
        if process is not None:
            process.close()

    def _run_batch_once(self, batch: Batch, limits: Limits) -> tuple[Outcome, ...]:
        begun = self._started_batches.pop(batch.function) if self._has_started(batch) else None
        if begun is None:
            return self._request_outcomes(batch, batch.request, range(len(batch.steps)), limits)
        return begun[1], *self._request_outcomes(batch, batch.remaining_request, range(1, len(batch.steps)), limits)

    def _run_first_call_once(self, batch: Batch, limits: Limits) -> Outcome:
        (outcome,) = self._request_outcomes(batch, batch.first_request, range(1), limits)
        if self._process is not None:
            self._started_batches[batch.function] = batch, outcome
        return outcome

    def _has_started(self, batch: Batch) -> bool:
        return batch.function in self._started_batches and self._started_batches[batch.function][0] is batch

    def _request_outcomes(self, batch: Batch, frame: bytes, steps: range, limits: Limits) -> tuple[Outcome, ...]:
        """Send a request for some steps of a batch; their outcomes."""
        worker = self.ensure_loaded()
        if isinstance(worker, ProcessEnded):
            return (worker,) * len(steps)
        outcomes: list[Outcome] = []
        worker.set_time_limits(limits.cpu_seconds, min(limits.wall_seconds, self._time_left()))
        worker.send_packed(frame)
        try:
            for step in steps:
                outcomes.append(self._decode_outcome(worker.receive_packed(), batch, step))
        except (ProcessStopped, ProtocolError) as error:
            self.close()
            ended = error.ended if isinstance(error, ProcessStopped) else ProcessEnded("protocol")
            outcomes += [ended] * (len(steps) - len(outcomes))
        return tuple(outcomes)

    def _decode_outcome(self, packed: bytes, batch: Batch, step: int) -> Outcome:
        key = (batch.digest, step, packed)
        decoded = self._cache.lookup(key)
        if decoded is not None:
            return decoded
        outcome = decoding.decode_reply(packed, self._program, batch, step)
        # What was raised may name a cell of this very program, so only arrays are kept for others.
        if isinstance(outcome, Returned) and len(packed) <= LONGEST_CACHED_REPLY:
            self._cache.store(key, outcome)
        return outcome

    def _load(self, process: LimitedProcess) -> tuple[int, ProcessEnded | None]:
        """Have the program loaded. The last cell that was started (-1 for none), and how the process ended in it."""
        program, cell_index = self._program, -1
        cells = [(index, cell.source, cell.label, cell.first_line) for index, cell in self._cells_to_run()]
        functions = [(name, names, program.result_counts.get(name, 1)) for name, names in program.functions.items()]
        self._set_cell_time_limits(process)
        process.send("program", program.module, cells, list(program.support_modules.items()), functions)
        try:
            while True:
                match process.receive():
                    case ("cell", index):
                        cell_index = expect_int(index, cell_index + 1, len(program.cells) - 1)
                        self._set_cell_time_limits(process)
                    case ("problem", index, *items) if index == cell_index and len(items) == 4:
                        self._record_problem(cell_index, decoding.decode_error(tuple(items), program))
                    case ("loaded",):
                        return cell_index, None
                    case ("failed", message) if cell_index < 0:
                        raise JailError(f"the course's own files do not run: {expect_str(message, MAX_TEXT_LENGTH)}")
                    case _:
                        return cell_index, ProcessEnded("protocol")
        except ProtocolError:
            return cell_index, ProcessEnded("protocol")
        except ProcessStopped as stopped:
            return cell_index, stopped.ended

    def _time_left(self) -> float:
        return self._deadline - time.monotonic()

    def _set_cell_time_limits(self, worker: LimitedProcess) -> None:
        worker.set_time_limits(self._limits.load_cpu_seconds, min(self._limits.load_wall_seconds, self._time_left()))

    def _cells_to_run(self) -> list[tuple[int, Cell]]:
        return [item for item in enumerate(self._program.cells) if item[0] not in self._fatal_cells]

    def _skip_cell(self, index: int, ended: ProcessEnded) -> None:
        """From now on, do without a cell that ended its process."""
        if index in self._fatal_cells:  # it was not run again, so the process lies
            self._load_failure = ended
        self._fatal_cells.add(index)
        self._record_problem(index, ended)

    def _record_problem(self, index: int, what: FunctionRaised | ProcessEnded) -> None:
        cell = self._program.cells[index]
        defines = defined_functions(cell.source, tuple(self._program.functions))
        if isinstance(what, FunctionRaised):
            problem = CellProblem(cell.label, what.line, what.error, what.text, defines)
        else:
            line = None if cell.label else cell.first_line  # a cell of a script has no label
            problem = CellProblem(cell.label, line, "", "", defines, what)
        self._problems.setdefault(index, problem)
