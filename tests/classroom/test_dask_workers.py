"""A class on Dask: the same results, whatever becomes of the workers."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from autograder.classroom import dask_workers
from autograder.classroom.dask_workers import ClusterError, DaskWorkers, grade_chunk, make_payload
from autograder.classroom.discovery import discover_submissions
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.store import SerializedResult
from autograder.classroom.tasks import Task
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig, read_or_refuse
from tests.classroom.generated_class import random_submissions, write_submissions

distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")


def without_seconds(results: Mapping[str, SerializedResult]) -> dict[str, bytes]:
    """Lines of scores.csv, but for the time that each took."""
    return {student: result.csv_line.rpartition(b",")[0] for student, result in results.items()}


def tasks_in(folder: Path) -> list[Task]:
    return [Task(entry, "key") for entry in discover_submissions(folder, "rnn_backprop").entries]


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
        DaskWorkers("tcp://127.0.0.1:1", 1, 1, exercise, config, print) as workers,
        pytest.raises(ClusterError, match="No workers can be reached through tcp://127"),
    ):
        list(workers.run(iter(tasks_in(folder)), lambda: None))


def test_failing_worker_start_is_one_sentence(
    exercise: Exercise, config: GradingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: object) -> None:
        raise RuntimeError("Nanny failed to start.")  # as Dask does when its processes end at once

    monkeypatch.setattr(distributed, "LocalCluster", fails)
    folder = write_submissions(tmp_path / "class", random_submissions(exercise, 1))
    with (
        DaskWorkers(None, 1, 1, exercise, config, print) as workers,
        pytest.raises(ClusterError, match=r"through a cluster on this machine: Nanny failed to start\.$"),
    ):
        list(workers.run(iter(tasks_in(folder)), lambda: None))


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
    work = [(task, read_or_refuse(exercise, task.entry.path)) for task in tasks]
    with LocalWorkers(1, exercise, config, print) as workers:
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
    tasks = tasks_in(write_submissions(tmp_path / "class", random_submissions(exercise, 200)))
    with LocalWorkers(2, exercise, config, print) as local:
        expected = {result.student: result for result in local.run(iter(tasks), lambda: None)}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
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
