"""Dask workers that grade a class, on this machine or on many; see distributed.dask.org.

A worker needs this package and nothing else: the exercise and the submissions are sent as data. A chunk runs again if
its worker is lost; the results are the same.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import forkserver, resource_tracker
from pathlib import Path
from typing import Any

import autograder
from autograder.classroom.cache_keys import exercise_files
from autograder.classroom.store import SerializedResult
from autograder.classroom.tasks import Task, grade_task, make_error_result
from autograder.exercise.lint.soundness import Findings
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import (
    PLANNED_AHEAD,
    Grader,
    GradingConfig,
    IsolationError,
    ReadResult,
    grader_from_config,
    read_or_refuse,
)
from autograder.sandbox.host import own_process

_ENCRYPTION_SETTING = "distributed.comm.require-encryption"
_POLL_SECONDS = 0.25  # how long to wait for a result before `tick` is called
_WAIT_SECONDS = 30
_MIN_CHUNK_SIZE, _MAX_CHUNK_SIZE, _LAST_CHUNK_SIZE = 20, 50, 4  # submissions in a chunk
_CHUNKS_PER_THREAD = 25  # if they do not get too small
_QUEUED_PER_THREAD = 3  # chunks, so that no thread waits for this process
ALLOWED_FAILURES = 5  # workers that may be lost with a chunk before it is taken for the cause
_START_METHOD = "forkserver" if sys.platform == "linux" else "spawn"  # of workers on this machine
# No module of the working folder is imported, whose names may be those of Python's own; and linear algebra gets one
# thread in each worker, as Dask sets it where it starts Python anew.
_FORK_SERVER_VARIABLES = {"PYTHONSAFEPATH": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
DASK_SETTINGS = {
    "distributed.worker.multiprocessing-method": _START_METHOD,
    "distributed.scheduler.allowed-failures": ALLOWED_FAILURES,
    # a scheduler in this process would keep the last 1000 messages to each worker, and all submissions with them
    "distributed.admin.low-level-log-length": 10,
    # Dask would sample what each of its processes does, a hundred times a second, and its speed, fifty times
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
}


class ClusterError(Exception):
    """A cluster that cannot be used: one sentence that says why and what to do."""


class NotEncrypted(ClusterError):
    """A cluster to which the answers and the secret would travel in the clear."""


@dataclass(frozen=True)
class WorkerPayload:
    """Everything that a worker needs besides the package: the exercise's files, zipped, and how to grade.

    The exercise was examined before it was sent: `without_complex_step` is what was found. A worker on this machine
    finds the exercise in `folder`, with what is kept there (exercise/cache_folder.py).
    """

    exercise: str
    exercise_zip: bytes
    without_complex_step: frozenset[str]
    config: GradingConfig
    folder: Path | None = None


def make_payload(exercise: Exercise, config: GradingConfig, *, here: bool = False) -> WorkerPayload:
    """Return what is sent with every chunk; `here` says that the workers are on this machine."""
    files, folder = _zip_files(exercise.folder), exercise.folder if here else None
    return WorkerPayload(exercise.name, files, exercise.without_complex_step, config, folder)


def _zip_files(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in exercise_files(folder).items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


# --- On a worker ------------------------------------------------------------------------------------------------------


class _ThreadState(threading.local):
    """The grader of a worker's thread, and the payload that it was made from. A jail belongs to its thread."""

    payload: WorkerPayload | None = None
    grader: Grader
    warnings: list[str]
    exit_stack: ExitStack = ExitStack()


_thread_state = _ThreadState()
_load_lock = threading.Lock()  # importing an exercise changes sys.path for a moment


def grade_chunk(
    payload: WorkerPayload, chunk: Sequence[tuple[Task, ReadResult]]
) -> tuple[list[SerializedResult], list[str]]:
    """Return the results of a few submissions, and warnings about this worker. Raises IsolationError."""
    state = _thread_state
    # The first chunk of a class opens a grader, which stays open for the others: a jail takes long to start.
    if state.payload != payload:
        state.exit_stack.close()
        state.payload, state.warnings, state.exit_stack = None, [], ExitStack()
        exercise = _load_exercise(payload)
        own_process.use_batch_scheduling()
        state.grader = state.exit_stack.enter_context(
            grader_from_config(exercise, payload.config, state.warnings.append)
        )
        state.payload = payload
    results = []
    for start in range(0, len(chunk), PLANNED_AHEAD):
        part = chunk[start : start + PLANNED_AHEAD]
        state.grader.plan_ahead([work for _, work in part])
        results += [grade_task(state.grader, task, work) for task, work in part]
    return results, list(state.warnings)


def _load_exercise(payload: WorkerPayload) -> Exercise:
    findings = Findings(without_complex_step=payload.without_complex_step)
    if payload.folder is not None and _zip_files(payload.folder) == payload.exercise_zip:
        with _load_lock:
            return load_exercise(payload.folder, findings=findings)
    with (
        _load_lock,
        tempfile.TemporaryDirectory() as temp_folder,
        zipfile.ZipFile(io.BytesIO(payload.exercise_zip)) as archive,
    ):
        folder = Path(temp_folder) / payload.exercise
        archive.extractall(folder)
        return load_exercise(folder, findings=findings)


def package_version() -> str:
    """Return the version of this package; called on a worker."""
    return autograder.__version__


# --- On this side -----------------------------------------------------------------------------------------------------


class DaskWorkers(ExitStack):
    """The workers of the scheduler at `address`, or if that is None of a cluster of `jobs` processes on this machine.

    A context manager that holds the connection. `total` is an upper bound of the number of tasks. Raises ClusterError,
    and NotEncrypted for an address that is not tls:// unless Dask's own settings say that encryption is not required.
    """

    def __init__(
        self,
        address: str | None,
        jobs: int,
        total: int,
        exercise: Exercise,
        config: GradingConfig,
        warn: Callable[[str], None],
    ) -> None:
        super().__init__()
        if address is None:
            _start_fork_server()
        try:
            # late: an optional extra, and 1020 ms
            import dask
            import distributed
        except ImportError:
            raise ClusterError(
                "--engine dask needs Dask: install it with pip install 'rnn-backprop-autograder[cluster]'."
            ) from None
        self._dask: Any = dask
        self._distributed: Any = distributed
        self._address, self._jobs, self._total = address, jobs, total
        if address is not None:
            self._refuse_plain([address])
        self._exercise, self._config, self._warn = exercise, config, warn
        self._payload = make_payload(exercise, config, here=address is None)
        self._warned: set[str] = set()
        self._client: Any = None

    def _connect(self) -> int:
        """Reach the workers and check that all have this version of the package. Returns their number of threads."""
        try:
            with self._dask.config.set(DASK_SETTINGS):
                self._client = self.enter_context(self._make_client())
        except (OSError, ValueError, RuntimeError) as error:  # a RuntimeError if processes do not start
            cluster_name = self._address or "a cluster on this machine"
            reason = str(error).partition("\n")[0].rstrip(".") or "no answer"
            raise ClusterError(f"No workers can be reached through {cluster_name}: {reason}.") from None
        try:
            versions: Mapping[str, str] = self._client.run(package_version)
        except Exception as error:  # noqa: BLE001 - a worker without this package, or with a broken one, raises anything
            raise ClusterError(f"The workers cannot use this package: {type(error).__name__}: {error}.") from None
        if other_versions := sorted(set(versions.values()) - {autograder.__version__}):
            raise ClusterError(
                f"The workers have version {', '.join(other_versions)} of this package, "
                f"and this machine has {autograder.__version__}: install the same version everywhere."
            )
        threads: Mapping[str, int] = self._client.nthreads()
        self._refuse_plain(threads)
        return max(1, sum(map(int, threads.values())))

    def _refuse_plain(self, addresses: Iterable[str]) -> None:
        """Refuse addresses without TLS; who accepts them says so where Dask looks for it, too."""
        plain = sorted(address for address in addresses if not address.startswith("tls://"))
        if plain and self._dask.config.get(_ENCRYPTION_SETTING, None) is not False:
            raise NotEncrypted(
                f"The answers and the course's secret would go to {plain[0]} in the clear: start the scheduler and its "
                "workers with TLS and give its tls:// address (autograder/classroom/README.md says how); or, in a "
                "network that nobody else can reach, set DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=False."
            )

    def _make_client(self) -> Any:
        distributed = self._distributed
        if self._address is None:
            # late: distributed, 1020 ms
            from autograder.classroom.dask_cluster import open_cluster

            return distributed.Client(self.enter_context(open_cluster(self._jobs)))
        certificates = distributed.Security().get_connection_args("client").get("ssl_context")
        if certificates is None and self._address.startswith("tls://"):
            raise ClusterError(
                f"{self._address} asks for a certificate, and Dask's settings name none: set ca-file, client.cert "
                "and client.key of distributed.comm.tls (autograder/classroom/README.md says how)."
            )
        client = distributed.Client(self._address, timeout=_WAIT_SECONDS)
        client.run_on_scheduler(_allow_failures, failures=ALLOWED_FAILURES)
        client.wait_for_workers(1, timeout=_WAIT_SECONDS)
        return client

    def run(self, tasks: Iterator[Task], tick: Callable[[], None]) -> Iterator[SerializedResult]:
        """Grade `tasks` and yield results in the order in which they are ready. Calls `tick` several times a second.

        Raises IsolationError if a worker cannot isolate student code as well as required.
        """
        first = next(tasks, None)
        if first is None:  # there is no need for a cluster
            return
        tasks, threads, left = chain([first], tasks), self._connect(), self._total
        retry_chunks: deque[list[Task]] = deque()
        in_flight: dict[Any, list[Task]] = {}
        while True:
            # Submissions are read only now, and a few chunks at a time: a class may be larger than memory.
            while len(in_flight) < _QUEUED_PER_THREAD * threads:
                size = self._chunk_size(left, threads)
                if retry_chunks:
                    chunk = retry_chunks.popleft()
                else:
                    chunk = list(islice(tasks, size))
                    left -= len(chunk)
                if not chunk:
                    break
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
                elif len(chunk) > 1:  # one of them is the cause: alone, it takes no other with it
                    retry_chunks.extend([task] for task in chunk)
                else:
                    reason = f"The workers that graded this submission were lost: {type(error).__name__}: {error}"
                    yield make_error_result(self._exercise, chunk[0], reason)
            tick()

    def _chunk_size(self, left: int, threads: int) -> int:
        """Return the size of the next chunk. `left` is an upper bound of the submissions that are to come."""
        size = max(_MIN_CHUNK_SIZE, self._total // (_CHUNKS_PER_THREAD * threads))
        # The last ones get smaller, so that threads finish together. A small class still uses every thread.
        smallest = min(_LAST_CHUNK_SIZE, -(-self._total // threads))
        return max(smallest, min(_MAX_CHUNK_SIZE, size, -(-left // (2 * threads))))

    def _submit(self, chunk: Sequence[Task]) -> Any:
        work = [(task, read_or_refuse(self._exercise, task.entry.path, self._config.limits)) for task in chunk]
        return self._client.submit(grade_chunk, self._payload, work, pure=False, retries=1)

    def _wait_for_any(self, futures: Sequence[Any]) -> Sequence[Any]:
        try:
            done, _ = self._distributed.wait(futures, timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED")
        except TimeoutError:
            return ()
        return [future for future in futures if future in done]

    def _warn_once(self, warnings: Sequence[str]) -> None:
        for warning in set(warnings) - self._warned:
            self._warned.add(warning)
            self._warn(f"on a worker, {warning}")


def _start_fork_server() -> None:
    """Have another process import what workers on this machine need, while this one imports the same.

    The workers are forked from it, if the system has that. By default, Dask starts Python anew for each of them.
    """
    if _START_METHOD != "forkserver":
        return
    multiprocessing.set_forkserver_preload(["distributed", __name__])
    before = {name: os.environ.get(name) for name in _FORK_SERVER_VARIABLES}
    # Ctrl-C is for this process, which ends the others. The tracker comes first: to start it unblocks the signal.
    resource_tracker.ensure_running()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    os.environ.update(_FORK_SERVER_VARIABLES)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _allow_failures(dask_scheduler: Any, failures: int) -> None:
    """Change the setting of a scheduler that somebody else started; Dask fills in `dask_scheduler`."""
    dask_scheduler.allowed_failures = max(dask_scheduler.allowed_failures, failures)
