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
from autograder.classroom.store import Columns, SerializedResult
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


def test_without_the_extra_it_says_what_to_install(
    exercise: Exercise, terms: GradingConfig, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"pip install 'rnn-backprop-autograder\[cluster\]'"):
        DaskWorkers(None, 1, 1, exercise, terms, columns, print)


def test_a_scheduler_that_is_not_there_is_one_sentence(
    exercise: Exercise, terms: GradingConfig, columns: Columns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_workers, "_WAIT_SECONDS", 1)
    folder = write_submissions(tmp_path / "class", random_submissions(exercise, 1))
    with (
        DaskWorkers("tcp://127.0.0.1:1", 1, 1, exercise, terms, columns, print) as engine,
        pytest.raises(ClusterError, match="No workers can be reached through tcp://127"),
    ):
        list(engine.run(iter(tasks_in(folder)), lambda: None))


def test_workers_that_do_not_start_are_one_sentence(
    exercise: Exercise, terms: GradingConfig, columns: Columns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**_: object) -> None:
        raise RuntimeError("Nanny failed to start.")  # as Dask does when its processes end at once

    monkeypatch.setattr(distributed, "LocalCluster", fails)
    folder = write_submissions(tmp_path / "class", random_submissions(exercise, 1))
    with (
        DaskWorkers(None, 1, 1, exercise, terms, columns, print) as engine,
        pytest.raises(ClusterError, match=r"through a cluster on this machine: Nanny failed to start\.$"),
    ):
        list(engine.run(iter(tasks_in(folder)), lambda: None))


def test_what_is_sent_is_all_that_a_worker_needs(
    exercise: Exercise,
    terms: GradingConfig,
    columns: Columns,
    hand_in: Callable[[Mapping[str, str]], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reports are made from the parcel and the work alone: the exercise lies elsewhere, the submission nowhere."""
    folder = hand_in({"ali": "class/perfect", "mia": "bad_input/not_utf8", "zoe": "class/notebook"})
    tasks = tasks_in(folder)
    sent = make_payload(exercise, terms, columns)
    work = [(task, read_or_refuse(exercise, task.entry.path)) for task in tasks]
    with LocalWorkers(1, exercise, terms, columns, print) as engine:
        expected = {result.student: result for result in engine.run(iter(tasks), lambda: None)}
    folder.rename(folder.with_name("elsewhere"))
    monkeypatch.chdir(folder.parent)
    try:
        results, _ = grade_chunk(sent, work)
    finally:
        dask_workers._thread_state.exit_stack.close()
        dask_workers._thread_state.payload = None
    assert without_seconds({one.student: one for one in results}) == without_seconds(expected)


@pytest.mark.slow
def test_a_worker_killed_on_the_way_changes_no_score(
    exercise: Exercise, terms: GradingConfig, columns: Columns, tmp_path: Path
) -> None:
    tasks = tasks_in(write_submissions(tmp_path / "class", random_submissions(exercise, 200)))
    with LocalWorkers(2, exercise, terms, columns, print) as local:
        expected = {result.student: result for result in local.run(iter(tasks), lambda: None)}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as two,
        DaskWorkers(two.scheduler_address, 2, len(tasks), exercise, terms, columns, print) as engine,
    ):
        found = dict(_with_a_kill(engine.run(iter(tasks), lambda: None), two))
    assert without_seconds(found) == without_seconds(expected)


@pytest.mark.slow
def test_a_scheduler_of_our_own_keeps_no_submissions(
    exercise: Exercise, terms: GradingConfig, columns: Columns, tmp_path: Path
) -> None:
    tasks = tasks_in(write_submissions(tmp_path / "class", random_submissions(exercise, 1)))
    with DaskWorkers(None, 1, len(tasks), exercise, terms, columns, print) as engine:
        assert len(list(engine.run(iter(tasks), lambda: None))) == 1
        streams = engine._client.cluster.scheduler.stream_comms.values()
        assert [stream.recent_message_log.maxlen for stream in streams] == [10]


def _with_a_kill(results: Iterator[SerializedResult], cluster: Any) -> Iterator[tuple[str, SerializedResult]]:
    """The results, after the first of which a worker is killed."""
    for count, result in enumerate(results):
        if count == 0:
            os.kill(next(iter(dask_workers.workers.values())).process.process.pid, signal.SIGKILL)
        yield result.student, result
