"""A class on Dask: the same results, whatever becomes of the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.classroom import dask_workers
from autograder.classroom.dask_workers import ClusterError, DaskWorkers, NotEncrypted, grade_chunk, make_payload
from autograder.classroom.discovery import discover_submissions
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.store import SerializedResult
from autograder.classroom.tasks import Task
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig, read_or_refuse
from tests.classroom.conftest import ROOT
from tests.classroom.generated_class import random_submissions, write_submissions

dask = pytest.importorskip("dask", reason="needs the extra `cluster`")
distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")
dask_cluster = pytest.importorskip("autograder.classroom.dask_cluster", reason="needs the extra `cluster`")
ROLES = ("client", "scheduler", "worker")


def without_seconds(results: Mapping[str, SerializedResult]) -> dict[str, bytes]:
    """Lines of scores.csv, but for the time that each took."""
    return {student: result.csv_line.rpartition(b",")[0] for student, result in results.items()}


def distributed_settings(folder: Path) -> AbstractContextManager[Any]:
    """Dask's settings with a key and a certificate in files, the same for every role."""
    temporary = distributed.Security.temporary()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    key.write_text(temporary.tls_client_key)
    certificate.write_text(temporary.tls_client_cert)
    roles = {f"{role}.{part}": str(file) for role in ROLES for part, file in (("key", key), ("cert", certificate))}
    settings = {"ca-file": str(certificate), **roles}
    return dask.config.set({f"distributed.comm.tls.{name}": value for name, value in settings.items()})


def tasks_in(folder: Path) -> list[Task]:
    return [Task(entry, "key", "rnn_backprop") for entry in discover_submissions(folder, "rnn_backprop").entries]


def test_dask_workers_without_dask_say_what_to_install(
    exercise: Exercise, config: GradingConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'rnn-backprop-autograder\[cluster\]'"):
        DaskWorkers(None, 1, 1, exercise, config, print)


def test_unreachable_scheduler_is_one_sentence(
    exercise: Exercise, config: GradingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "_WAIT_SECONDS", 1)
    folder = write_submissions(tmp_path / "class", random_submissions(exercise, 1))
    with (
        distributed_settings(tmp_path),
        DaskWorkers("tls://127.0.0.1:1", 1, 1, exercise, config, print) as workers,
        pytest.raises(ClusterError, match="No workers can be reached through tls://127"),
    ):
        list(workers.run(iter(tasks_in(folder)), lambda: None))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "127.0.0.1:1", "TCP://127.0.0.1:1", "ws://127.0.0.1:1"])
def test_scheduler_without_tls_is_refused(exercise: Exercise, config: GradingConfig, address: str) -> None:
    with pytest.raises(NotEncrypted, match=r"in the clear: start the scheduler and its workers with TLS"):
        DaskWorkers(address, 1, 1, exercise, config, print)


def test_scheduler_without_tls_is_taken_where_dask_is_told_that_it_may(
    exercise: Exercise, config: GradingConfig
) -> None:
    with dask.config.set({"distributed.comm.require-encryption": False}):
        DaskWorkers("tcp://127.0.0.1:1", 1, 1, exercise, config, print)


def test_worker_without_tls_is_refused(exercise: Exercise, config: GradingConfig) -> None:
    with (
        DaskWorkers("tls://127.0.0.1:1", 1, 1, exercise, config, print) as workers,
        pytest.raises(NotEncrypted, match="would go to tcp://10"),
    ):
        workers._refuse_plain({"tls://10.0.0.1:1": 1, "tcp://10.0.0.2:1": 1})


def test_scheduler_without_certificates_is_one_sentence(exercise: Exercise, config: GradingConfig) -> None:
    with (
        DaskWorkers("tls://127.0.0.1:1", 1, 1, exercise, config, print) as workers,
        pytest.raises(ClusterError, match=r"asks for a certificate, and Dask's settings name none"),
    ):
        workers._connect()


def test_failing_worker_start_is_one_sentence(
    exercise: Exercise, config: GradingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("Nanny failed to start.")  # as Dask does when its processes end at once

    monkeypatch.setattr(dask_cluster, "SpecCluster", fails)
    folder = write_submissions(tmp_path / "class", random_submissions(exercise, 1))
    with (
        DaskWorkers(None, 1, 1, exercise, config, print) as workers,
        pytest.raises(ClusterError, match=r"through a cluster on this machine: Nanny failed to start\.$"),
    ):
        list(workers.run(iter(tasks_in(folder)), lambda: None))


@pytest.mark.parametrize(("total", "threads", "chunks"), [(8, 8, 8), (30, 32, 30), (6, 2, 2), (300, 2, 20), (1, 4, 1)])
def test_every_thread_gets_a_chunk_and_the_last_ones_are_small(total: int, threads: int, chunks: int) -> None:
    workers = DaskWorkers.__new__(DaskWorkers)
    workers._total, left, sizes = total, total, []
    while left > 0:
        sizes.append(min(left, workers._chunk_size(left, threads)))
        left -= sizes[-1]
    assert sum(sizes) == total
    assert len(sizes) >= min(chunks, total)
    assert sizes == sorted(sizes, reverse=True)


def test_the_fork_server_imports_nothing_from_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "tornado.py").write_text("open('imported', 'w')\n", encoding="utf-8")
    start = "from autograder.classroom.dask_workers import _start_fork_server as start; start(); "
    use = "import multiprocessing as m; p = m.get_context('forkserver').Process(target=print); p.start(); p.join()"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-c", start + use], cwd=tmp_path, env=environment, check=True)
    assert not (tmp_path / "imported").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only there is a fork server")
def test_ctrl_c_does_not_reach_the_fork_server() -> None:
    code = """
        from multiprocessing import forkserver
        from pathlib import Path
        from autograder.classroom.dask_workers import _start_fork_server
        _start_fork_server()
        print(Path(f"/proc/{forkserver._forkserver._forkserver_pid}/status").read_text())
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    [blocked] = [int(line.split()[1], 16) for line in ran.stdout.splitlines() if line.startswith("SigBlk:")]
    assert blocked & 1 << (signal.SIGINT - 1)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only there can a process wipe its environment")
def test_no_process_of_a_local_cluster_has_the_secret_in_its_environment(
    hand_in: Callable[[Mapping[str, str]], Path], tmp_path: Path
) -> None:
    folder = hand_in({"ali": "class/perfect", "mia": "class/notebook"})
    command = [sys.executable, "-m", "autograder", "class", "rnn_backprop", folder, "--results", tmp_path / "results"]
    environment = {**os.environ, "AUTOGRADER_SECRET": "the-secret-of-this-test"}
    names, leaks = set(), set()
    with subprocess.Popen(
        [*command, "--engine", "dask", "--jobs", "1", "--quiet"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            with suppress(psutil.Error):  # one of them has just ended
                for child in psutil.Process(process.pid).children(recursive=True):
                    name, variables = " ".join(child.cmdline()), child.environ()
                    names |= {name}
                    leaks |= {name} if "the-secret-of-this-test" in str(variables) else set()
            time.sleep(0.05)
    assert process.returncode == 0
    assert any("forkserver" in name for name in names)
    assert leaks == set()


def test_grade_chunk_needs_only_the_payload(
    exercise: Exercise,
    config: GradingConfig,
    hand_in: Callable[[Mapping[str, str]], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reports are made from the payload and the work alone: the exercise lies elsewhere, the submission nowhere."""
    folder = hand_in({"ali": "class/perfect", "mia": "bad_input/not_utf8", "zoe": "class/notebook"})
    tasks = tasks_in(folder)
    payload = make_payload(exercise, config)
    work = [(task, read_or_refuse(exercise, task.entry.path, config.limits)) for task in tasks]
    with LocalWorkers(1, [exercise], config, print) as workers:
        expected = {result.student: result for result in workers.run(iter(tasks), lambda: None)}
    folder.rename(folder.with_name("elsewhere"))
    monkeypatch.chdir(folder.parent)
    try:
        results, _ = grade_chunk(payload, work)
    finally:
        dask_workers._thread_state.exit_stack.close()
        dask_workers._thread_state.payload = None
    assert without_seconds({result.student: result for result in results}) == without_seconds(expected)


@pytest.mark.slow
def test_killed_dask_worker_changes_no_score(exercise: Exercise, config: GradingConfig, tmp_path: Path) -> None:
    """On a cluster with certificates in files, as somebody sets it up who follows the guide."""
    tasks = tasks_in(write_submissions(tmp_path / "class", random_submissions(exercise, 200)))
    with LocalWorkers(2, [exercise], config, print) as local:
        expected = {result.student: result for result in local.run(iter(tasks), lambda: None)}
    with (
        distributed_settings(tmp_path),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, protocol="tls://", silence_logs=50) as cluster,
        DaskWorkers(cluster.scheduler_address, 2, len(tasks), exercise, config, print) as workers,
    ):
        results = dict(_with_a_kill(workers.run(iter(tasks), lambda: None), cluster))
    assert without_seconds(results) == without_seconds(expected)


@pytest.mark.slow
def test_local_scheduler_keeps_few_messages(exercise: Exercise, config: GradingConfig, tmp_path: Path) -> None:
    tasks = tasks_in(write_submissions(tmp_path / "class", random_submissions(exercise, 1)))
    with DaskWorkers(None, 1, len(tasks), exercise, config, print) as workers:
        assert len(list(workers.run(iter(tasks), lambda: None))) == 1
        streams = workers._client.cluster.scheduler.stream_comms.values()
        assert [stream.recent_message_log.maxlen for stream in streams] == [10]


def _with_a_kill(results: Iterator[SerializedResult], cluster: Any) -> Iterator[tuple[str, SerializedResult]]:
    """The results, after the first of which a worker is killed."""
    for count, result in enumerate(results):
        if count == 0:
            os.kill(next(iter(cluster.workers.values())).process.process.pid, signal.SIGKILL)
        yield result.student, result
