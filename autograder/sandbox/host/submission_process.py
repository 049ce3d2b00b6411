"""Runs one submission: calls its functions in a process, which is replaced when it ends."""

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
from autograder.submission.cells import defined_functions
from autograder.submission.names import defined_names, star_imports

_EXTRA_CPU_SECONDS = 10  # beyond the wall time: the kernel's limit is the last resort
LONGEST_CACHED_REPLY = 4096  # bytes
MAX_FATAL_CELLS = 50  # that are left out because they ended a process: after each, all others are sent again

ReplyCache = BoundedCache[tuple[bytes, int, bytes], Returned]
"""Decoded replies by the digest of the batch, the step and the packed reply: many students return the same numbers."""


class ProcessFactory(Protocol):
    """Starts processes for student code. `note` is a sentence on what could be better on this machine, or empty."""

    note: str

    def start(self, memory_mib: int, cpu_seconds: int, support_modules: Mapping[str, str]) -> Process:
        """Start a process that waits for a program, limited by the kernel as far as possible. Raises JailError.

        `support_modules` are those of the program, which may be loaded before it arrives.
        """

    def close(self) -> None:
        """End whatever runs between two submissions."""


class SubmissionSession:
    """One submission and the process that has loaded it. Its time limit starts when the session is created."""

    def __init__(self, factory: ProcessFactory, program: Program, limits: Limits, cache: ReplyCache) -> None:
        self._factory = factory
        self._program = program
        self._limits = limits
        self._cache = cache
        self._deadline = time.monotonic() + limits.submission_wall_seconds
        self._cpu_limit = math.ceil(limits.submission_wall_seconds) + _EXTRA_CPU_SECONDS
        self._process: LimitedProcess | None = None
        # By function: the batch of which the current process has run the first step, and its outcome.
        self._started_batches: dict[str, tuple[Batch, Outcome]] = {}
        self._problems: dict[int, CellProblem] = {}
        self._fatal_cells: set[int] = set()
        self._load_failure: ProcessEnded | None = None

    @property
    def problems(self) -> tuple[CellProblem, ...]:
        """The cells that have failed so far, in order."""
        return tuple(self._problems[index] for index in sorted(self._problems))

    def run_batch(self, batch: Batch, limits: Limits) -> tuple[Outcome, ...]:
        """Return one outcome per step, within the limits of one function."""
        outcomes = self._run_batch_once(batch, limits)
        # Time by the clock may have run out because the machine was busy, so this is tried once more.
        if ProcessEnded("wall") in outcomes and self._time_left() > 0:
            return self._run_batch_once(batch, limits)
        return outcomes

    def run_first_call(self, batch: Batch, limits: Limits) -> Outcome:
        """Return the outcome of the first step alone. `run_batch` runs only the others if the process still exists."""
        outcome = self._run_first_call_once(batch, limits)
        if outcome == ProcessEnded("wall") and self._time_left() > 0:
            return self._run_first_call_once(batch, limits)
        return outcome

    def ensure_loaded(self) -> LimitedProcess | ProcessEnded:
        """Return the process with the program loaded, or how it ended if it cannot be loaded or time is up."""
        # Each round loads the program in a new process, without the cells that ended a process before. A cell that
        # reached the limit by the clock gets a second chance: the machine may have been busy. `cell_index` is the cell
        # in which the process ended; -1 stands for an end before any student code, which is a fault of the machine.
        timed_out_once: set[int] = set()
        memory_mib = self._limits.memory_mib
        while self._process is None and self._load_failure is None and self._time_left() > 0:
            process = self._factory.start(memory_mib, self._cpu_limit, self._program.support_modules)
            self._process = LimitedProcess(process, memory_mib)
            cell_index, ended = self._load(self._process)
            if ended is None:
                break
            self.close()
            if ended.reason == "wall" and cell_index not in timed_out_once and self._time_left() > 0:
                timed_out_once.add(cell_index)
            elif cell_index >= 0:
                self._skip_cell(cell_index, ended)
            elif ended.reason != "wall" or self._time_left() > 0:
                raise JailError(f"the process for student code ended before it ran any ({ended.reason}, {ended.code})")
        return self._process or self._load_failure or ProcessEnded("wall")

    def close(self) -> None:
        """End the process if there is one."""
        process, self._process = self._process, None
        self._started_batches.clear()
        if process is not None:
            process.close()

    def _run_batch_once(self, batch: Batch, limits: Limits) -> tuple[Outcome, ...]:
        match self._started_batches.get(batch.function):
            case (started, outcome) if started is batch:
                del self._started_batches[batch.function]
                steps = range(1, len(batch.steps))
                return outcome, *self._request_outcomes(batch, batch.remaining_request, steps, limits)
        return self._request_outcomes(batch, batch.request, range(len(batch.steps)), limits)

    def _run_first_call_once(self, batch: Batch, limits: Limits) -> Outcome:
        (outcome,) = self._request_outcomes(batch, batch.first_request, range(1), limits)
        if self._process is not None:
            self._started_batches[batch.function] = batch, outcome
        return outcome

    def _request_outcomes(self, batch: Batch, frame: bytes, steps: range, limits: Limits) -> tuple[Outcome, ...]:
        """Send a request for some steps of a batch, and return their outcomes."""
        process = self.ensure_loaded()
        if isinstance(process, ProcessEnded):
            return (process,) * len(steps)
        outcomes: list[Outcome] = []
        process.set_time_limits(limits.cpu_seconds, min(limits.wall_seconds, self._time_left()))
        process.send_packed(frame)
        try:
            for step in steps:
                outcomes.append(self._decode_outcome(process.receive_packed(), batch, step))
        except (ProcessStopped, ProtocolError) as error:
            self.close()
            ended = error.ended if isinstance(error, ProcessStopped) else ProcessEnded("protocol")
            outcomes += [ended] * (len(steps) - len(outcomes))
        return tuple(outcomes)

    def _decode_outcome(self, packed: bytes, batch: Batch, step: int) -> Outcome:
        if not batch.is_shared:
            return decoding.decode_reply(packed, self._program, batch, step)
        key = (batch.digest, step, packed)
        decoded = self._cache.lookup(key)
        if decoded is not None:
            return decoded
        outcome = decoding.decode_reply(packed, self._program, batch, step)
        # Other students may send the same reply. Arrays mean the same there; an error names a cell of this program.
        if isinstance(outcome, Returned) and len(packed) <= LONGEST_CACHED_REPLY:
            self._cache.store(key, outcome)
        return outcome

    def _load(self, process: LimitedProcess) -> tuple[int, ProcessEnded | None]:
        """Load the program. Return the last cell that started (-1 for none), and how the process ended, if it did."""
        program, cell_index, failed_index = self._program, -1, -1
        cells_to_run = [item for item in enumerate(program.cells) if item[0] not in self._fatal_cells]
        cells = [(index, cell.source) for index, cell in cells_to_run]
        functions = [(name, names, program.result_counts.get(name, 1)) for name, names in program.functions.items()]
        self._set_cell_time_limits(process)
        process.send("program", program.module, cells, list(program.support_modules.items()), functions)
        try:
            while True:
                match process.receive():
                    # The process lies if it goes back to an earlier cell, reports on one that it did not start, or
                    # reports twice: it could do so for as long as loading may take, and each report costs this side.
                    case ("cell", index):
                        cell_index = expect_int(index, cell_index + 1, len(program.cells) - 1)
                        self._set_cell_time_limits(process)
                    case ("problem", index, bool(stopped), *items) if index == cell_index > failed_index:
                        failed_index = cell_index
                        self._record_problem(cell_index, decoding.decode_error(items, program), stopped)
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

    def _set_cell_time_limits(self, process: LimitedProcess) -> None:
        process.set_time_limits(self._limits.load_cpu_seconds, min(self._limits.load_wall_seconds, self._time_left()))

    def _skip_cell(self, index: int, ended: ProcessEnded) -> None:
        """Leave out a cell that ended its process from now on."""
        # A process lies that ended in a cell which was not sent again.
        if index in self._fatal_cells or len(self._fatal_cells) >= MAX_FATAL_CELLS:
            self._load_failure = ended
        self._fatal_cells.add(index)
        self._record_problem(index, ended)

    def _record_problem(self, index: int, cause: FunctionRaised | ProcessEnded, stopped: bool = True) -> None:
        cell = self._program.cells[index]
        functions = defined_functions(cell.source, tuple(self._program.functions))
        defines = tuple(dict.fromkeys([*functions, *defined_names(cell.source)]))
        if isinstance(cause, FunctionRaised):
            imports = star_imports(cell.source) if cause.error == "ModuleNotFoundError" else ()
            problem = CellProblem(
                cell.label, cause.line, cause.error, cause.text, defines, stopped=stopped, star_imports=imports
            )
        else:
            line = None if cell.label else cell.first_line  # a cell of a script has no label
            problem = CellProblem(cell.label, line, "", "", defines, cause)
        self._problems.setdefault(index, problem)
