"""A class graded by Dask workers, on this machine or on many; see distributed.dask.org.

A worker needs this package and nothing else: the exercise and what was handed in are sent as data. A task may be run
more than once, when the worker that had it is lost; its results are the same, and the last ones to come are kept.
"""

from __future__ import annotations

import io
import sys
import tempfile
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import autograder
from autograder.classroom.cache_keys import exercise_files
from autograder.classroom.store import Columns, Result
from autograder.classroom.tasks import Task, graded, not_graded
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import Grader, NotIsolated, Terms, Work, at_work, read_or_refuse
from autograder.sandbox.guest import linux

_LOOK = 0.25  # seconds between two looks at the clock while nothing comes back
_WAIT_SECONDS = 30
_LEAST, _MOST = 20, 50  # submissions in a task
_TURNS = 25  # tasks for each thread in all, if they do not get too small: at the end, some wait for the last one
_AHEAD = 3  # tasks for each thread of a worker, so that none waits for this side
ALLOWED_FAILURES = 5  # workers that may be lost with one task, before it is taken for the reason
SETTINGS = {
    "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    # a scheduler in this process would keep the last 1000 messages to each worker, and all submissions with them
    "distributed.admin.low-level-log-length": 10,
    # nobody looks at what Dask's own profiler finds, a hundred times a second in each of its processes
    "distributed.worker.profile.enabled": False,
}


class ClusterError(Exception):
    """A cluster that cannot be used: one sentence that says why and what to do."""


@dataclass(frozen=True)
class Parcel:
    """All that a worker needs besides the package: the files of the exercise, zipped, and the terms."""

    exercise: str
    files: bytes
    terms: Terms
    columns: Columns


def parcel(exercise: Exercise, terms: Terms, columns: Columns) -> Parcel:
    """What is sent with every task."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in exercise_files(exercise.folder).items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return Parcel(exercise.name, packed.getvalue(), terms, columns)


# --- On a worker ------------------------------------------------------------------------------------------------------


class _Desk(threading.local):
    """What a thread of a worker grades with: a jail belongs to its thread."""

    parcel: Parcel | None = None
    grader: Grader
    warnings: list[str]
    open: ExitStack = ExitStack()


_desk = _Desk()
_loading = threading.Lock()  # importing an exercise changes sys.path for a moment


def grade_chunk(sent: Parcel, chunk: Sequence[tuple[Task, Work]]) -> tuple[list[Result], list[str]]:
    """The results of a few submissions, and warnings about this worker. Raises NotIsolated."""
    if _desk.parcel != sent:
        _desk.open.close()
        _desk.parcel, _desk.warnings, _desk.open = None, [], ExitStack()
        exercise = _unpack(sent)
        if sys.platform == "linux":
            linux.interrupt_nobody()
        _desk.grader = _desk.open.enter_context(at_work(exercise, sent.terms, _desk.warnings.append))
        _desk.parcel = sent
    return [graded(_desk.grader, task, work, sent.columns) for task, work in chunk], list(_desk.warnings)


def _unpack(sent: Parcel) -> Exercise:
    with _loading, tempfile.TemporaryDirectory() as place, zipfile.ZipFile(io.BytesIO(sent.files)) as archive:
        folder = Path(place) / sent.exercise
        archive.extractall(folder)
        return load_exercise(folder)


def version() -> str:
    """That of the package on a worker."""
    return autograder.__version__


# --- On this side -----------------------------------------------------------------------------------------------------


class DaskWorkers:
    """The workers of the scheduler at `address`, else of a cluster of `jobs` processes on this machine.

    A context manager. `total` is how many submissions there may be. Raises ClusterError.
    """

    def __init__(
        self,
        address: str | None,
        jobs: int,
        total: int,
        exercise: Exercise,
        terms: Terms,
        columns: Columns,
        warn: Callable[[str], None],
    ) -> None:
        try:
            import dask
            import distributed
        except ImportError:
            raise ClusterError(
                "--engine dask needs Dask: install it with pip install 'rnn-backprop-autograder[cluster]'."
            ) from None
        self._dask: Any = dask
        self._distributed: Any = distributed
        self._address, self._jobs, self._total = address, jobs, total
        self._exercise, self._columns, self._warn = exercise, columns, warn
        self._parcel = parcel(exercise, terms, columns)
        self._warned: set[str] = set()
        self._client: Any = None

    def __enter__(self) -> DaskWorkers:
        self._open = ExitStack()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _connect(self) -> int:
        """Reach the workers, with this very version of the package on all; how many threads they have together."""
        try:
            with self._dask.config.set(SETTINGS):
                self._client = self._open.enter_context(self._reached())
        except (OSError, ValueError, RuntimeError) as error:  # the last of them where processes do not start
            where = self._address or "a cluster on this machine"
            why = str(error).partition("\n")[0].rstrip(".") or "no answer"
            raise ClusterError(f"No workers can be reached through {where}: {why}.") from None
        try:
            versions: Mapping[str, str] = self._client.run(version)
        except Exception as error:  # noqa: BLE001 - whatever a worker answers that has no such package, or a broken one
            raise ClusterError(f"The workers cannot use this package: {type(error).__name__}: {error}.") from None
        if other := sorted(set(versions.values()) - {autograder.__version__}):
            raise ClusterError(
                f"The workers have version {', '.join(other)} of this package, and here is {autograder.__version__}: "
                "install the same one everywhere."
            )
        return max(1, sum(map(int, self._client.nthreads().values())))

    def _reached(self) -> Any:
        distributed = self._distributed
        if self._address is None:
            cluster = distributed.LocalCluster(
                n_workers=self._jobs, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
            )
            return distributed.Client(self._open.enter_context(cluster))
        client = distributed.Client(self._address, timeout=_WAIT_SECONDS)
        client.run_on_scheduler(_allow_failures, failures=ALLOWED_FAILURES)
        client.wait_for_workers(1, timeout=_WAIT_SECONDS)
        return client

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[Result]:
        """As in session.Engine. Raises NotIsolated where a worker cannot isolate as is required."""
        first = next(tasks, None)
        if first is None:
            return
        tasks, threads = chain([first], tasks), self._connect()
        size = min(_MOST, max(_LEAST, self._total // (_TURNS * threads)), -(-self._total // threads))
        again: deque[list[Task]] = deque()
        under_way: dict[Any, list[Task]] = {}
        while True:
            while len(under_way) < _AHEAD * threads and (
                chunk := again.popleft() if again else list(islice(tasks, size))
            ):
                under_way[self._submit(chunk)] = chunk
            if not under_way:
                return
            for future in self._done(list(under_way)):
                chunk = under_way.pop(future)
                error = future.exception() if future.status != "finished" else None
                if error is None:
                    results, warnings = future.result()
                    self._tell(warnings)
                    yield from results
                elif isinstance(error, NotIsolated):
                    raise error
                elif len(chunk) > 1:  # one of them is the reason
                    again.extend([task] for task in chunk)
                else:
                    reason = f"The workers that graded this submission were lost: {type(error).__name__}: {error}"
                    yield not_graded(self._exercise, chunk[0], reason, self._columns)
            tick()

    def _submit(self, chunk: Sequence[Task]) -> Any:
        work = [(task, read_or_refuse(self._exercise, task.entry.path)) for task in chunk]
        return self._client.submit(grade_chunk, self._parcel, work, pure=False, retries=1)

    def _done(self, futures: Sequence[Any]) -> Sequence[Any]:
        try:
            done, _ = self._distributed.wait(futures, timeout=_LOOK, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return ()
        return [future for future in futures if future in done]

    def _tell(self, warnings: Sequence[str]) -> None:
        for sentence in set(warnings) - self._warned:
            self._warned.add(sentence)
            self._warn(f"on a worker, {sentence}")


def _allow_failures(dask_scheduler: Any, failures: int) -> None:
    """On a scheduler that was started by somebody else."""
    dask_scheduler.allowed_failures = max(dask_scheduler.allowed_failures, failures)
