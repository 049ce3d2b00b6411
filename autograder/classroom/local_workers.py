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

from autograder.classroom.store import Columns, Result
from autograder.classroom.tasks import Task, graded, not_graded
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import NotIsolated, Terms, at_work
from autograder.sandbox.guest import linux

_LOOK = 0.25  # seconds between two looks at the clock while nothing comes back
_START_SECONDS = 120.0
_SPARE_SECONDS = 60.0  # beyond what a submission may take, until its worker is thought dead
_MOST_STARTS = 3  # that fail, one after the other
_FORKS = sys.platform == "linux"  # elsewhere a process forked from a running one is not safe


@dataclass(eq=False)
class Worker:
    """A process that grades, seen from outside."""

    pipe: Connection
    process: BaseProcess
    task: Task | None = None
    ready: bool = False
    last_moment: float = field(default_factory=lambda: time.monotonic() + _START_SECONDS)

    def end(self) -> str:
        """Make sure that it has ended; how it did, in words."""
        late = time.monotonic() > self.last_moment
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
        self, jobs: int, exercise: Exercise, terms: Terms, columns: Columns, warn: Callable[[str], None]
    ) -> None:
        self._jobs, self._exercise, self._terms, self._columns, self._warn = jobs, exercise, terms, columns, warn
        self._context = multiprocessing.get_context("fork" if _FORKS else "spawn")
        self._workers: list[Worker] = []
        self._waiting: deque[Task] = deque()
        self._tried: set[Task] = set()
        self._warned: set[str] = set()
        self._failed_starts = 0
        if _FORKS:
            linux.make_undumpable()

    def __enter__(self) -> LocalWorkers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.pipe.close()
            worker.process.join()

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[Result]:
        """Grade what `tasks` gives; results come in the order in which they are ready. `tick` is called now and then.

        Raises NotIsolated where student code cannot be run as well isolated as is required.
        """
        while self._hand_out(tasks):
            for worker in self._heard_of():
                result = self._hear(worker)
                if result is not None:
                    self._hand_out(tasks)  # before the result is looked at, so that the worker goes on meanwhile
                    yield result
            tick()

    def _hand_out(self, tasks: Iterator[Task]) -> bool:
        """Give every free worker a task, and start workers while tasks wait; whether there is anything to wait for."""
        busy = sum(worker.task is not None for worker in self._workers)
        while len(self._waiting) < self._jobs - busy and (task := next(tasks, None)) is not None:
            self._waiting.append(task)
        for worker in self._workers:
            if worker.ready and worker.task is None and self._waiting:
                self._give(worker, self._waiting.popleft())
        starting = sum(not worker.ready for worker in self._workers)
        for _ in range(min(self._jobs - len(self._workers), len(self._waiting) - starting)):
            self._start()
        return bool(self._waiting) or any(worker.task is not None for worker in self._workers)

    def _give(self, worker: Worker, task: Task) -> None:
        worker.task = task
        worker.last_moment = time.monotonic() + self._terms.limits.submission_wall_seconds + _SPARE_SECONDS
        with suppress(OSError):  # it is dead, which will be heard of
            worker.pipe.send(task)

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        others = [worker.pipe for worker in self._workers] + [ours] if _FORKS else []
        exercise = self._exercise if _FORKS else self._exercise.folder
        process = self._context.Process(  # type: ignore[attr-defined]  # every context has it, says its documentation
            target=serve, args=(theirs, others, exercise, self._terms, self._columns), daemon=True
        )
        process.start()
        theirs.close()
        self._workers.append(Worker(ours, process))

    def _heard_of(self) -> list[Worker]:
        """The workers that have something to say, have ended, or should have answered long ago."""
        speaking = set(wait([worker.pipe for worker in self._workers], _LOOK))
        now = time.monotonic()
        waited_for = [worker for worker in self._workers if worker.task is not None or not worker.ready]
        late = {worker for worker in waited_for if now > worker.last_moment}
        return [worker for worker in self._workers if worker.pipe in speaking or worker in late]

    def _hear(self, worker: Worker) -> Result | None:
        try:
            said = worker.pipe.recv() if worker.pipe.poll() else None
        except (EOFError, OSError):
            said = None
        match said:
            case Result():
                self._tried.discard(worker.task) if worker.task else None
                worker.task = None
                return said
            case ("ready", list(warnings)):
                worker.ready, self._failed_starts = True, 0
                for sentence in set(warnings) - self._warned:
                    self._warned.add(sentence)
                    self._warn(sentence)
                return None
            case ("not isolated", str(sentence)):
                raise NotIsolated(sentence)
        return self._bury(worker)

    def _bury(self, worker: Worker) -> Result | None:
        """A worker is dead, or as good as dead: its task is tried once more, and then given up."""
        self._workers.remove(worker)
        how, task = worker.end(), worker.task
        if task is None:
            self._failed_starts += not worker.ready
            if self._failed_starts >= _MOST_STARTS:
                raise NotIsolated(f"The processes that grade do not start: the last one {how}.")
            return None
        if task not in self._tried:
            self._tried.add(task)
            self._waiting.appendleft(task)
            return None
        reason = f"The process that graded this submission {how}, twice: grade it by itself to see why."
        return not_graded(self._exercise, task, reason, self._columns)


def serve(
    pipe: Connection, others: list[Connection], exercise: Exercise | Path, terms: Terms, columns: Columns
) -> None:
    """A worker, from inside: grade every task that comes, until the pipe closes."""
    for other in others:  # else it would not be told when the grader is gone
        other.close()
    signal.signal(signal.SIGINT, lambda *_: None)  # who interrupts the class ends the workers
    if sys.platform == "linux":
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        linux.interrupt_nobody()
    if isinstance(exercise, Path):
        exercise = load_exercise(exercise)
    warnings: list[str] = []
    try:
        with at_work(exercise, terms, warnings.append) as grader:
            pipe.send(("ready", warnings))
            while True:
                task = pipe.recv()
                pipe.send(graded(grader, task, task.entry.path, columns))
    except NotIsolated as error:
        pipe.send(("not isolated", str(error)))
    except (EOFError, OSError):  # the grader is gone
        return
