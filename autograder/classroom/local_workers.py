"""A class graded by processes of this machine, each with a jail of its own.

A submission is handed out when a worker is free, so that one that takes all its time holds up no other. Should a worker
die, another takes its place, and the submission gets one more chance.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from autograder.classroom.store import Columns, SerializedResult
from autograder.classroom.tasks import Task, grade_task, make_error_result
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig, IsolationError, grader_from_config
from autograder.sandbox.host import own_process

_POLL_SECONDS = 0.25  # seconds between two looks at the clock while nothing comes back
_START_SECONDS = 120.0
_SPARE_SECONDS = 60.0  # beyond what a submission may take, until its worker is thought dead
_MAX_FAILED_STARTS = 3  # that fail, one after the other
_USE_FORK = sys.platform == "linux"  # elsewhere a process forked from a running one is not safe


@dataclass(eq=False)
class WorkerProcess:
    """A process that grades, seen from outside."""

    pipe: Connection
    process: BaseProcess
    task: Task | None = None
    ready: bool = False
    deadline: float = field(default_factory=lambda: time.monotonic() + _START_SECONDS)

    def stop(self) -> str:
        """Make sure that it has ended; how it did, in words."""
        late = time.monotonic() > self.deadline
        self.pipe.close()
        if late:
            self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        if late:
            return "did not answer in time"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


class LocalWorkers:
    """Up to `jobs` workers on this machine, started as they are needed. A context manager: at its end, none is left.

    `warn` is told once, in a sentence, of what is not as it should be.
    """

    def __init__(
        self, jobs: int, exercise: Exercise, config: GradingConfig, columns: Columns, warn: Callable[[str], None]
    ) -> None:
        self._jobs, self._exercise, self._config, self._columns, self._warn = jobs, exercise, config, columns, warn
        self._context = multiprocessing.get_context("fork" if _USE_FORK else "spawn")
        self._workers: list[WorkerProcess] = []
        self._queue: deque[Task] = deque()
        self._retried: set[Task] = set()
        self._warned: set[str] = set()
        self._failed_starts = 0
        if _USE_FORK:
            own_process.hide_memory()

    def __enter__(self) -> LocalWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.pipe.close()
            worker.process.join()

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[SerializedResult]:
        """Grade what `tasks` gives; results come in the order in which they are ready. `tick` is called now and then.

        Raises NotIsolated where student code cannot be run as well isolated as is required.
        """
        while self._dispatch(tasks):
            for worker in self._wait_for_workers():
                result = self._receive(worker)
                if result is not None:
                    self._dispatch(tasks)  # before the result is looked at, so that the worker goes on meanwhile
                    yield result
            tick()

    def _dispatch(self, tasks: Iterator[Task]) -> bool:
        """Give every free worker a task, and start workers while tasks wait; whether there is anything to wait for."""
        busy = sum(worker.task is not None for worker in self._workers)
        while len(self._queue) < self._jobs - busy and (task := next(tasks, None)) is not None:
            self._queue.append(task)
        for worker in self._workers:
            if worker.ready and worker.task is None and self._queue:
                self._assign(worker, self._queue.popleft())
        starting = sum(not worker.ready for worker in self._workers)
        for _ in range(min(self._jobs - len(self._workers), len(self._queue) - starting)):
            self._start_worker()
        return bool(self._queue) or any(worker.task is not None for worker in self._workers)

    def _assign(self, worker: WorkerProcess, task: Task) -> None:
        worker.task = task
        worker.deadline = time.monotonic() + self._config.limits.submission_wall_seconds + _SPARE_SECONDS
        with suppress(OSError):  # it is dead, which will be heard of
            worker.pipe.send(task)

    def _start_worker(self) -> None:
        ours, theirs = self._context.Pipe()
        others = [worker.pipe for worker in self._workers] + [ours] if _USE_FORK else []
        exercise = self._exercise if _USE_FORK else self._exercise.folder
        process = self._context.Process(  # type: ignore[attr-defined]  # every context has it, says its documentation
            target=worker_main, args=(theirs, others, exercise, self._config, self._columns), daemon=True
        )
        process.start()
        theirs.close()
        self._workers.append(WorkerProcess(ours, process))

    def _wait_for_workers(self) -> list[WorkerProcess]:
        """The workers that have something to say, have ended, or should have answered long ago."""
        speaking = set(wait([worker.pipe for worker in self._workers], _POLL_SECONDS))
        now = time.monotonic()
        waited_for = [worker for worker in self._workers if worker.task is not None or not worker.ready]
        late = {worker for worker in waited_for if now > worker.deadline}
        return [worker for worker in self._workers if worker.pipe in speaking or worker in late]

    def _receive(self, worker: WorkerProcess) -> SerializedResult | None:
        try:
            said = worker.pipe.recv() if worker.pipe.poll() else None
        except (EOFError, OSError):
            said = None
        match said:
            case SerializedResult():
                self._retried.discard(worker.task) if worker.task else None
                worker.task = None
                return said
            case ("ready", list(warnings)):
                worker.ready, self._failed_starts = True, 0
                for sentence in set(warnings) - self._warned:
                    self._warned.add(sentence)
                    self._warn(sentence)
                return None
            case ("not isolated", str(sentence)):
                raise IsolationError(sentence)
        return self._handle_exit(worker)

    def _handle_exit(self, worker: WorkerProcess) -> SerializedResult | None:
        """A worker is dead, or as good as dead: its task is tried once more, and then given up."""
        self._workers.remove(worker)
        how, task = worker.stop(), worker.task
        if task is None:
            self._failed_starts += not worker.ready
            if self._failed_starts >= _MAX_FAILED_STARTS:
                raise IsolationError(f"The processes that grade do not start: the last one {how}.")
            return None
        if task not in self._retried:
            self._retried.add(task)
            self._queue.appendleft(task)
            return None
        reason = f"The process that graded this submission {how}, twice: grade it by itself to see why."
        return make_error_result(self._exercise, task, reason, self._columns)


def worker_main(
    pipe: Connection,
    inherited_pipes: list[Connection],
    exercise: Exercise | Path,
    config: GradingConfig,
    columns: Columns,
) -> None:
    """A worker, from inside: grade every task that comes, until the pipe closes."""
    for inherited_pipe in inherited_pipes:  # else it would not be told when the grader is gone
        inherited_pipe.close()
    signal.signal(signal.SIGINT, lambda *_: None)  # who interrupts the class ends the workers
    own_process.end_with_parent()
    own_process.use_batch_scheduling()
    if isinstance(exercise, Path):
        exercise = load_exercise(exercise)
    warnings: list[str] = []
    try:
        with grader_from_config(exercise, config, warnings.append) as grader:
            pipe.send(("ready", warnings))
            while True:
                task = pipe.recv()
                pipe.send(grade_task(grader, task, task.entry.path, columns))
    except IsolationError as error:
        pipe.send(("not isolated", str(error)))
    except (EOFError, OSError):  # the grader is gone
        return
