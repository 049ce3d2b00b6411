"""A stranger on this machine, before the cluster of `--engine dask`: its ports and its files."""

from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.classroom.dask_workers import DaskWorkers
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig

distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")


@pytest.fixture(scope="module")
def client(exercise: Exercise, config: GradingConfig) -> Iterator[Any]:
    """The client of a cluster with one worker."""
    before = set(open_ports())
    with DaskWorkers(None, 1, 1, exercise, config, print) as workers:
        workers._connect()
        workers._client.ports_of_test = sorted(set(open_ports()) - before)
        yield workers._client


def open_ports() -> list[int]:
    """The ports on which this process and its children listen."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return [
        connection.laddr.port
        for process in processes
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]


def connects(scheme: str, port: int, security: Any) -> bool:
    """Whether Dask's own way to connect gets through, which is all that it takes to run code."""

    async def connect() -> None:
        arguments = security.get_connection_args("client")
        comm = await distributed.core.connect(f"{scheme}://127.0.0.1:{port}", timeout=1, **arguments)
        comm.abort()

    try:
        asyncio.run(asyncio.wait_for(connect(), 5))
    except (OSError, TimeoutError):
        return False
    return True


def test_local_cluster_listens_as_scheduler_nanny_and_worker_alone(client: Any) -> None:
    assert len(client.ports_of_test) == 3  # Dask's web pages would be two more


@pytest.mark.parametrize("who", ["without a certificate", "with a certificate of their own"])
def test_local_cluster_refuses_a_stranger_at_every_port(client: Any, who: str) -> None:
    own = distributed.Security.temporary()
    scheme, security = ("tcp", distributed.Security()) if who == "without a certificate" else ("tls", own)
    assert [port for port in client.ports_of_test if connects(scheme, port, security)] == []


def test_local_cluster_lets_its_own_client_in_at_every_port(client: Any) -> None:
    assert all(connects("tls", port, client.security) for port in client.ports_of_test)


def test_local_cluster_shows_its_key_in_no_command_line_and_no_environment(client: Any) -> None:
    for process in psutil.Process().children(recursive=True):
        assert "PRIVATE KEY" not in f"{process.cmdline()} {process.environ()}"


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no mode there")
def test_local_cluster_imports_from_no_folder_that_others_may_write(client: Any) -> None:
    """Another user may have made /tmp/dask-scratch-space before."""

    def open_folders() -> list[str]:
        folders = [Path(entry) for entry in sys.path if "dask" in entry]
        return [str(folder) for folder in folders if not any(map(is_private, (folder, *folder.parents)))]

    def is_private(folder: Path) -> bool:
        return stat.S_IMODE(folder.stat().st_mode) == 0o700

    assert client.run_on_scheduler(open_folders) == []
    assert set(map(tuple, client.run(open_folders).values())) == {()}


def test_local_cluster_leaves_no_folder_to_import_from(exercise: Exercise, config: GradingConfig) -> None:
    before = sys.path[:]
    with DaskWorkers(None, 1, 1, exercise, config, print) as workers:
        workers._connect()
    assert sys.path == before
