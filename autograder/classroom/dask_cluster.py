"""A Dask cluster on this machine that no other user can reach. Needs the extra `cluster`, so it is imported late.

Whoever reaches a scheduler or a worker of Dask can run code on it. So every port speaks TLS, with certificates that are
made for this cluster, live in memory, and are asked of both ends. Dask's web pages ask for none: they are not served.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import dask
from distributed import Nanny, Scheduler, Security, SpecCluster, Worker


class _WithoutPages:
    """Serves no web pages. Dask has no setting for that: without a dashboard, it still listens for HTTP."""

    def start_http_server(self, *_: Any, **__: Any) -> None:
        """Open no port."""


class PagelessScheduler(_WithoutPages, Scheduler):
    """A scheduler that serves no web pages."""


class PagelessWorker(_WithoutPages, Worker):
    """A worker that serves no web pages."""


@contextmanager
def open_cluster(jobs: int) -> Iterator[Any]:
    """Open a cluster of `jobs` worker processes with a thread each. Raises RuntimeError if they do not start."""
    security = Security.temporary()
    network = {"host": "127.0.0.1", "protocol": "tls://", "security": security}
    scheduler = {"cls": PagelessScheduler, "options": {**network, "port": 0}}
    # Dask need not watch the memory of its workers: the process of each submission has a limit of its own.
    options = {**network, "nthreads": 1, "memory_limit": 0}
    options |= {"worker_class": PagelessWorker, "silence_logs": logging.CRITICAL}
    worker = {"cls": Nanny, "options": options}
    with (
        _private_folder(),
        SpecCluster(
            dict.fromkeys(range(jobs), worker), scheduler, worker, security=security, silence_logs=logging.CRITICAL
        ) as cluster,
    ):
        yield cluster


@contextmanager
def _private_folder() -> Iterator[None]:
    """Have Dask keep its files in a folder that is private and removed afterwards.

    Dask imports from there. Its own choice has the same name in /tmp for everybody, so somebody else may have made it.
    """
    path = sys.path[:]
    with TemporaryDirectory(prefix="autograder-dask-") as folder, dask.config.set({"temporary-directory": folder}):
        try:
            yield
        finally:
            sys.path[:] = path
