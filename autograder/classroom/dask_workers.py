"""A class graded by Dask workers, on this machine or on many; see distributed.dask.org.

A worker needs this package and nothing else: the exercise and what was handed in are sent as data. A task may be run
more than once, when the worker that had it is lost; its results are the same, and the last ones to come are kept.
"""

from __future__ import annotations

import io
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
from autograder.classroom.store import Columns, SerializedResult
from autograder.classroom.tasks import Task, grade_task, make_error_result
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import Grader, GradingConfig, IsolationError, ReadResult, grader_from_config, read_or_refuse
from autograder.sandbox.host import own_process

_POLL_SECONDS = 0.25  # seconds between two looks at the clock while nothing comes back
_WAIT_SECONDS = 30
_MIN_CHUNK_SIZE, _MAX_CHUNK_SIZE = 20, 50  # submissions in a task
_CHUNKS_PER_THREAD = (
    25  # tasks for each thread in all, if they do not get too small: at the end, some wait for the last one
)
_QUEUED_PER_THREAD = 3  # tasks for each thread of a worker, so that none waits for this side
ALLOWED_FAILURES = 5  # workers that may be lost with one task, before it is taken for the reason
DASK_SETTINGS = {
    "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    # a scheduler in this process would keep the last 1000 messages to each worker, and all submissions with them
    "distributed.admin.low-level-log-length": 10,
    # nobody looks at what Dask's own profiler finds, a hundred times a second in each of its processes
    "distributed.worker.profile.enabled": False,
}


class ClusterError(Exception):
    """A cluster that cannot be used: one sentence that says why and what to do."""


@dataclass(frozen=True)
class WorkerPayload:
    """All that a worker needs besides the package: the files of the exercise, zipped, and the terms."""

    exercise: str
    exercise_zip: bytes
    config: GradingConfig
    columns: Columns


def make_payload(exercise: Exercise, config: GradingConfig, columns: Columns) -> WorkerPayload:
    """What is sent with every task."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in exercise_files(exercise.folder).items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return WorkerPayload(exercise.name, buffer.getvalue(), config, columns)


# --- On a worker ------------------------------------------------------------------------------------------------------


class _ThreadState(threading.local):
    """What a thread of a worker grades with: a jail belongs to its thread."""

    payload: WorkerPayload | None = None
    grader: Grader
    warnings: list[str]
    exit_stack: ExitStack = ExitStack()


_thread_state = _ThreadState()
_load_lock = threading.Lock()  # importing an exercise changes sys.path for a moment


def grade_chunk(
    payload: WorkerPayload, chunk: Sequence[tuple[Task, ReadResult]]
) -> tuple[list[SerializedResult], list[str]]:
    """The results of a few submissions, and warnings about this worker. Raises NotIsolated."""
    if _thread_state.payload != payload:
        _thread_state.exit_stack.close()
        _thread_state.payload, _thread_state.warnings, _thread_state.exit_stack = None, [], ExitStack()
        exercise = _unpack_exercise(payload)
        own_process.use_batch_scheduling()
        _thread_state.grader = _thread_state.exit_stack.enter_context(
            grader_from_config(exercise, payload.config, _thread_state.warnings.append)
        )
        _thread_state.payload = payload
    return [grade_task(_thread_state.grader, task, work, payload.columns) for task, work in chunk], list(
        _thread_state.warnings
    )


def _unpack_exercise(payload: WorkerPayload) -> Exercise:
    with (
        _load_lock,
        tempfile.TemporaryDirectory() as temp_folder,
        zipfile.ZipFile(io.BytesIO(payload.exercise_zip)) as archive,
    ):
        folder = Path(temp_folder) / payload.exercise
        archive.extractall(folder)
        return load_exercise(folder)


def package_version() -> str:
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
        config: GradingConfig,
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
        self._payload = make_payload(exercise, config, columns)
        self._warned: set[str] = set()
        self._client: Any = None

    def __enter__(self) -> DaskWorkers:
        self._exit_stack = ExitStack()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit_stack.close()

    def _connect(self) -> int:
        """Reach the workers, with this very version of the package on all; how many threads they have together."""
        try:
            with self._dask.config.set(DASK_SETTINGS):
                self._client = self._exit_stack.enter_context(self._make_client())
        except (OSError, ValueError, RuntimeError) as error:  # the last of them where processes do not start
            cluster_name = self._address or "a cluster on this machine"
            reason = str(error).partition("\n")[0].rstrip(".") or "no answer"
            raise ClusterError(f"No workers can be reached through {cluster_name}: {reason}.") from None
        try:
            versions: Mapping[str, str] = self._client.run(package_version)
        except Exception as error:  # noqa: BLE001 - whatever a worker answers that has no such package, or a broken one
            raise ClusterError(f"The workers cannot use this package: {type(error).__name__}: {error}.") from None
        if other_versions := sorted(set(versions.values()) - {autograder.__version__}):
            raise ClusterError(
                f"The workers have version {', '.join(other_versions)} of this package, and here is {autograder.__version__}: "
                "install the same one everywhere."
            )
        return max(1, sum(map(int, self._client.nthreads().values())))

    def _make_client(self) -> Any:
        distributed = self._distributed
        if self._address is None:
            cluster = distributed.LocalCluster(
                n_workers=self._jobs, threads_per_worker=1, dashboard_address=None, silence_logs="CRITICAL"
            )
            return distributed.Client(self._exit_stack.enter_context(cluster))
        client = distributed.Client(self._address, timeout=_WAIT_SECONDS)
        client.run_on_scheduler(_allow_failures, failures=ALLOWED_FAILURES)
        client.wait_for_workers(1, timeout=_WAIT_SECONDS)
        return client

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[SerializedResult]:
        """As in session.Engine. Raises NotIsolated where a worker cannot isolate as is required."""
        first = next(tasks, None)
        if first is None:
            return
        tasks, threads = chain([first], tasks), self._connect()
        chunk_size = min(
            _MAX_CHUNK_SIZE,
            max(_MIN_CHUNK_SIZE, self._total // (_CHUNKS_PER_THREAD * threads)),
            -(-self._total // threads),
        )
        retry_chunks: deque[list[Task]] = deque()
        in_flight: dict[Any, list[Task]] = {}
        while True:
            while len(in_flight) < _QUEUED_PER_THREAD * threads and (
                chunk := retry_chunks.popleft() if retry_chunks else list(islice(tasks, chunk_size))
            ):
                in_flight[self._submit(chunk)] = chunk
            if not in_flight:
                return
            for future in self._wait_for_any(list(in_flight)):
                chunk = in_flight.pop(future)
                error = future.exception() if future.status != "finished" else None
                if error is None:
                    results, warnings = future.result()
                    self._warn_once(warnings)
                    yield from results
                elif isinstance(error, IsolationError):
                    raise error
                elif len(chunk) > 1:  # one of them is the reason
                    retry_chunks.extend([task] for task in chunk)
                else:
                    reason = f"The workers that graded this submission were lost: {type(error).__name__}: {error}"
                    yield make_error_result(self._exercise, chunk[0], reason, self._columns)
            tick()

    def _submit(self, chunk: Sequence[Task]) -> Any:
        chunk_with_submissions = [(task, read_or_refuse(self._exercise, task.entry.path)) for task in chunk]
        return self._client.submit(grade_chunk, self._payload, chunk_with_submissions, pure=False, retries=1)

    def _wait_for_any(self, futures: Sequence[Any]) -> Sequence[Any]:
        try:
            done, _ = self._distributed.wait(futures, timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return ()
        return [future for future in futures if future in done]

    def _warn_once(self, warnings: Sequence[str]) -> None:
        for sentence in set(warnings) - self._warned:
            self._warned.add(sentence)
            self._warn(f"on a worker, {sentence}")


def _allow_failures(dask_scheduler: Any, failures: int) -> None:
    """On a scheduler that was started by somebody else."""
    dask_scheduler.allowed_failures = max(dask_scheduler.allowed_failures, failures)
