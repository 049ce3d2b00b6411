"""A Jupyter server for one test, in a folder and with a home of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.courses import clean_environment

SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"


def configure(home: Path, plugin: str, settings: Mapping[str, object]) -> None:
    """Change settings of a plugin of JupyterLab, for a server with this home."""
    folder = Path(clean_environment(home)["JUPYTER_CONFIG_DIR"], "lab", "user-settings", "@jupyterlab")
    file = folder / f"{plugin}.jupyterlab-settings"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(settings), encoding="utf-8")


@contextmanager
def jupyterlab(folder: Path, home: Path) -> Iterator[str]:
    """Run JupyterLab on `folder`, and yield its address. At the end it is stopped, with its kernels."""
    env = clean_environment(home)
    configure(home, "apputils-extension/notification", {"fetchNews": "false"})
    port = _free_port()
    options = [
        *("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"),
        *("--ServerApp.port_retries=0", "--IdentityProvider.token=", "--ServerApp.password="),
        "--LabApp.extension_manager=readonly",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ]
    log = home / "jupyter.log"
    with log.open("wb") as log_file:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api/status", server, log)
        yield address
    finally:
        server.send_signal(signal.SIGTERM)  # it ends its kernels
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.URLError:
            assert server.poll() is None, log.read_text(encoding="utf-8", errors="replace")[-3000:]
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"no answer from Jupyter:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
