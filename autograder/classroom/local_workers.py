"""Workers on this machine: processes that grade a class, each with its own jail.

A worker reserves some submissions, because planning the calls of several together is faster, and grades them one by
one. Who has none left takes half of another's, unless these are few and soon done, so a slow submission delays no
other. A worker that dies is replaced, and its submission is tried once more.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from autograder.classroom.store import SerializedResult
from autograder.classroom.tasks import Task, collect_garbage_rarely, grade_task, make_error_result, read_ahead
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import PLANNED_AHEAD, Grader, GradingConfig, IsolationError, ReadResult, make_grader, open_jail
from autograder.sandbox.host import own_process

_POLL_SECONDS = 0.25  # how long to wait for an answer before deadlines are checked
_START_SECONDS = 120.0
_SPARE_SECONDS = 60.0  # beyond a submission's own limit, before its worker is taken for dead
_MAX_FAILED_STARTS = 3  # in a row
_SLOW_SECONDS = 2.0  # most of a class is done in a tenth of one
_FEW = 4  # submissions that a worker has reserved
_USE_FORK = sys.platform == "linux"  # elsewhere a process forked from a running one is not safe


@dataclass(eq=False)
class WorkerProcess:
    """The parent's side of a worker: the process, its task, those that follow, and when an answer is overdue."""

    pipe: Connection
    process: BaseProcess
    task: Task | None = None
    reserved: deque[Task] = field(default_factory=deque)
    ready: bool = False
    deadline: float = field(default_factory=lambda: time.monotonic() + _START_SECONDS)
    assigned_at: float = 0.0

    def is_slow(self) -> bool:
        """Return whether its task takes longer than most."""
        return self.task is not None and time.monotonic() > self.assigned_at + _SLOW_SECONDS

    def stop(self) -> str:
        """End the process and say how it ended, as the rest of a sentence."""
        is_late = time.monotonic() > self.deadline
        self.pipe.close()
        if is_late:
            self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        if is_late:
            return "did not answer in time"
        return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


class LocalWorkers:
    """Up to `jobs` worker processes, started when they are needed. A context manager that leaves none behind.

    Each grades all of the `exercises`. Up to `spare` more are started while as many submissions are slow, so that those
    hold up nobody. Calls `warn` once with each warning of the workers.
    """

    def __init__(
        self,
        jobs: int,
        exercises: Sequence[Exercise],
        config: GradingConfig,
        warn: Callable[[str], None],
        spare: int = 0,
    ) -> None:
        self._jobs, self._config, self._warn, self._spare = jobs, config, warn, spare
        self._exercises = {exercise.name: exercise for exercise in exercises}
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
        """Grade `tasks` and yield results in the order in which they are ready. Calls `tick` several times a second.

        Raises IsolationError if student code cannot be isolated as well as required.
        """
        while self._dispatch(tasks):
            for worker in self._wait_for_workers():
                result = self._receive(worker)
                if result is not None:
                    self._dispatch(tasks)  # first, so that the worker goes on while the caller saves the result
                    yield result
            tick()

    def _dispatch(self, tasks: Iterator[Task]) -> bool:
        """Assign tasks to free workers and start workers for waiting tasks. Returns whether any task is unfinished."""
        # `tasks` reads submissions when it is advanced: take no more of them than can be graded at once.
        slow = [worker for worker in self._workers if worker.is_slow()]
        for worker in slow:  # what waits behind a slow submission goes to whoever is free
            self._queue.extendleft(reversed(worker.reserved))
            worker.reserved.clear()
        jobs = self._jobs + min(self._spare, len(slow))
        busy = sum(worker.task is not None for worker in self._workers)
        while len(self._queue) < jobs - busy and (task := next(tasks, None)) is not None:
            self._queue.append(task)
        for worker in self._workers:
            if worker.ready and worker.task is None:
                self._assign(worker, tasks)
        starting = sum(not worker.ready for worker in self._workers)
        for _ in range(min(jobs - len(self._workers), len(self._queue) - starting)):
            self._start_worker()
        return bool(self._queue) or any(worker.task is not None for worker in self._workers)

    def _assign(self, worker: WorkerProcess, tasks: Iterator[Task]) -> None:
        """Hand a free worker its next task, and with the first of those that it reserves the others, to be planned."""
        upcoming: tuple[Task, ...] = ()
        if not worker.reserved:
            worker.reserved.extend(upcoming := self._take(tasks))
        if worker.reserved:
            worker.task, worker.assigned_at = worker.reserved.popleft(), time.monotonic()
            worker.deadline = worker.assigned_at + self._config.limits.submission_wall_seconds + _SPARE_SECONDS
            with suppress(OSError):  # the worker is dead; its closed pipe will say so
                worker.pipe.send((worker.task, upcoming[1:]))

    def _take(self, tasks: Iterator[Task]) -> tuple[Task, ...]:
        """Take a worker's share of the tasks that wait; if none do, the latter half of what another has reserved."""
        if self._queue:
            self._queue.extend(islice(tasks, max(0, self._jobs * PLANNED_AHEAD - len(self._queue))))
            # An equal share of all that is left: a task that another worker takes over has to be planned once more.
            left = len(self._queue) + sum(len(worker.reserved) for worker in self._workers)
            share = min(PLANNED_AHEAD, -(-left // self._jobs), len(self._queue))
            return tuple(self._queue.popleft() for _ in range(share))
        busiest = max(self._workers, key=lambda worker: len(worker.reserved))
        # With a seed for each, the last few are graded sooner where they are planned, if nothing slow is before them.
        is_quick = time.monotonic() < busiest.assigned_at + _POLL_SECONDS
        if self._config.seed is None and len(busiest.reserved) < _FEW and is_quick:
            return ()
        return tuple(busiest.reserved.pop() for _ in range(-(-len(busiest.reserved) // 2)))[::-1]

    def _start_worker(self) -> None:
        ours, theirs = self._context.Pipe()
        others = [worker.pipe for worker in self._workers] + [ours] if _USE_FORK else []
        exercises = [exercise if _USE_FORK else exercise.folder for exercise in self._exercises.values()]
        process = self._context.Process(  # type: ignore[attr-defined]  # every context has it, says its documentation
            target=worker_main, args=(theirs, others, exercises, self._config), daemon=True
        )
        process.start()
        theirs.close()
        self._workers.append(WorkerProcess(ours, process))

    def _wait_for_workers(self) -> list[WorkerProcess]:
        """Return the workers that have answered, have ended, or are overdue."""
        ready_pipes = set(wait([worker.pipe for worker in self._workers], _POLL_SECONDS))
        now = time.monotonic()
        late = {worker for worker in self._workers if now > worker.deadline and (worker.task or not worker.ready)}
        return [worker for worker in self._workers if worker.pipe in ready_pipes or worker in late]

    def _receive(self, worker: WorkerProcess) -> SerializedResult | None:
        """Handle what a worker answered, or that it did not. Returns a result if there is one."""
        try:
            answer = worker.pipe.recv() if worker.pipe.poll() else None
        except (EOFError, OSError):
            answer = None
        match answer:
            case SerializedResult():
                self._retried.discard(worker.task) if worker.task else None
                worker.task = None
                return answer
            case ("ready", list(warnings)):
                worker.ready, self._failed_starts = True, 0
                for warning in set(warnings) - self._warned:
                    self._warned.add(warning)
                    self._warn(warning)
                return None
            case ("not isolated", str(reason)):
                raise IsolationError(reason)
        return self._handle_exit(worker)

    def _handle_exit(self, worker: WorkerProcess) -> SerializedResult | None:
        """Remove a worker that is dead or overdue. Its task is queued again the first time, and given up the second."""
        self._workers.remove(worker)
        how, task = worker.stop(), worker.task
        self._queue.extendleft(reversed(worker.reserved))
        # Without a task it died while it started. If several do, in a row, none ever will start.
        if task is None:
            self._failed_starts += not worker.ready
            if self._failed_starts >= _MAX_FAILED_STARTS:
                raise IsolationError(f"The processes that grade do not start: the last one {how}.")
            return None
        if task not in self._retried:
            self._retried.add(task)
            self._queue.appendleft(task)
            return None
        reason = f"The process that graded this submission {how}, twice: grade it alone to see why."
        return make_error_result(self._exercises[task.exercise], task, reason)


def worker_main(
    pipe: Connection, inherited_pipes: list[Connection], exercises: Sequence[Exercise | Path], config: GradingConfig
) -> None:
    """Run a worker process: grade every task that comes, until the pipe closes."""
    for inherited_pipe in inherited_pipes:  # while a copy is open here, no worker notices that the parent is gone
        inherited_pipe.close()
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C reaches every process; the parent ends its workers itself
    own_process.end_with_parent()
    own_process.use_batch_scheduling()
    loaded = [load_exercise(exercise) if isinstance(exercise, Path) else exercise for exercise in exercises]
    warnings: list[str] = []
    try:
        with open_jail(config, warnings.append) as jail:
            graders = {exercise.name: make_grader(exercise, config, jail) for exercise in loaded}
            collect_garbage_rarely()
            pipe.send(("ready", warnings))
            works: dict[Task, Path | ReadResult] = {}
            while True:
                task, upcoming = pipe.recv()
                if task not in works:
                    works = _read_all(graders, [task, *upcoming])
                pipe.send(grade_task(graders[task.exercise], task, works.pop(task)))
    except IsolationError as error:
        pipe.send(("not isolated", str(error)))
    except (EOFError, OSError):  # the parent is gone
        return


def _read_all(graders: Mapping[str, Grader], tasks: Sequence[Task]) -> dict[Task, Path | ReadResult]:
    works: dict[Task, Path | ReadResult] = {}
    for name, grader in graders.items():
        works |= read_ahead(grader, [task for task in tasks if task.exercise == name])
    return works
