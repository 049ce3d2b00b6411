"""A JupyterHub for one test: real accounts, a server for each, nbgrader's exchange, and the watcher as its service."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.courses import NAME, ROOT, make_kit_course

ALLOWED = "AUTOGRADER_HUB_ACCOUNTS"
"""The variable that allows the test to make accounts on this machine, and to remove them again."""

PROXY = Path(__file__).parent / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
INSTRUCTOR, STUDENTS = "hub-ivy", ("hub-ada", "hub-bob")
START_SECONDS = 180

CONFIG = """
c = get_config()
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.Authenticator.allow_all = True
c.PAMAuthenticator.open_sessions = False
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"]
c.Spawner.default_url = "/lab"
c.Spawner.environment = {environment!r}
c.Spawner.http_timeout = c.Spawner.start_timeout = {start_seconds}

def pre_spawn_hook(spawner):
    if spawner.user.name == {instructor!r}:
        spawner.notebook_dir = {course!r}  # formgrader works on a course below the folder of its server

c.Spawner.pre_spawn_hook = pre_spawn_hook
c.JupyterHub.services = [
    {{
        "name": "autograder-watch",
        "command": [{python!r}, "-m", "autograder", "watch"],
        "cwd": {course!r},
        "user": {instructor!r},
        "environment": {environment!r},
    }}
]
"""


@dataclass(frozen=True)
class Hub:
    """A hub that runs: its address, everybody's password, and the folders of the course and of homes."""

    address: str
    password: str
    course: Path
    homes: Path
    log: Path


def missing() -> str:
    """Return why there can be no hub here; empty if there can."""
    if not os.environ.get(ALLOWED):
        return f"{ALLOWED} is not set: this makes accounts on the machine, as make hub does"
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can make accounts"
    if not PROXY.is_file():
        return "its proxy is not installed: make hub does that"
    if open_python() is None:
        return "no Python of this version can be run by other accounts"
    return ""


def open_python() -> str | None:
    """Return a Python of this version that every account can run."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (Path(sys.executable).resolve(), Path("/usr/bin", name)):
        if program.is_file() and all(parent.stat().st_mode & 0o001 for parent in program.parents):
            return str(program)
    return None


@contextmanager
def jupyterhub() -> Iterator[Hub]:
    """Run a hub with an instructor, whose course has released the exercise, and two students."""
    folder = Path(f"/tmp/hub-{secrets.token_hex(4)}")
    folder.mkdir(mode=0o755)
    password = secrets.token_hex(8)
    try:
        for name in (INSTRUCTOR, *STUDENTS):
            _add_account(name, folder / "home" / name, password)
        course, environment = _set_up_course(folder), _environment(folder)
        python = open_python() or ""
        run_as(INSTRUCTOR, [python, "-m", "nbgrader", "release_assignment", NAME], course, environment)
        ports = [_free_port() for _ in range(3)]
        config = CONFIG.format(
            ports=ports,
            proxy=[shutil.which("node"), str(PROXY)],
            folder=folder,
            python=python,
            environment=environment,
            instructor=INSTRUCTOR,
            course=str(course),
            start_seconds=START_SECONDS,
        )
        (folder / "jupyterhub_config.py").write_text(config)
        log = folder / "hub.log"
        with log.open("wb") as log_file:
            process = subprocess.Popen(
                [python, "-m", "jupyterhub", "--config", str(folder / "jupyterhub_config.py")],
                cwd=folder,
                env={**os.environ, **environment},
                stdout=log_file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            address = f"http://127.0.0.1:{ports[0]}"
            _wait_for(f"{address}/hub/api/", process, log)
            yield Hub(address, password, course, folder / "home", log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        for name in (INSTRUCTOR, *STUDENTS):
            _remove_account(name)
        shutil.rmtree(folder, ignore_errors=True)


def run_as(account: str, command: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
    """Run a command as an account, and check that it succeeds."""
    home = pwd.getpwnam(account).pw_dir
    done = subprocess.run(
        command,
        cwd=folder,
        user=account,
        group=account,
        extra_groups=[],
        env={**environment, "HOME": home, "USER": account, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def _set_up_course(folder: Path) -> Path:
    exchange, settings = folder / "exchange", folder / "etc"
    exchange.mkdir()
    exchange.chmod(0o777)
    settings.mkdir()
    common = f'c = get_config()\nc.CourseDirectory.course_id = "rnn"\nc.Exchange.root = "{exchange}"\n'
    (settings / "nbgrader_config.py").write_text(common)
    course = make_kit_course(folder / "course")
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f'c.Exchange.root = "{exchange}"\n')
    own_settings = folder / "home" / INSTRUCTOR / ".jupyter"
    own_settings.mkdir()
    (own_settings / "nbgrader_config.py").write_text(f'c = get_config()\nc.CourseDirectory.root = "{course}"\n')
    for path in (course, *course.rglob("*"), own_settings, *own_settings.iterdir()):
        shutil.chown(path, INSTRUCTOR, INSTRUCTOR)
    course.chmod(0o700)
    return course


def _environment(folder: Path) -> dict[str, str]:
    """Return what servers need: the packages of this environment, for a Python that may be another of this version."""
    prefix = Path(sys.prefix)
    packages = next(path for path in sys.path if path.startswith(str(prefix)) and path.endswith("site-packages"))
    return {
        "PYTHONPATH": os.pathsep.join((packages, str(ROOT))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "JUPYTER_PATH": str(prefix / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": os.pathsep.join((str(folder / "etc"), str(prefix / "etc" / "jupyter"))),
        "JUPYTERLAB_DIR": str(prefix / "share" / "jupyter" / "lab"),
        "OPENBLAS_NUM_THREADS": "1",
    }


def _add_account(name: str, home: Path, password: str) -> None:
    home.parent.mkdir(mode=0o755, exist_ok=True)
    _remove_account(name)  # of a test that was killed
    subprocess.run(["useradd", "--create-home", "--home-dir", home, "--user-group", name], check=True)
    subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True)


def _remove_account(name: str) -> None:
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return
    subprocess.run(["pkill", "-KILL", "-u", str(account.pw_uid)], check=False)  # what its servers left behind
    subprocess.run(["userdel", name], check=False, capture_output=True)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except urllib.error.HTTPError:  # the proxy is there, and the hub is not
            time.sleep(0.2)
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text(errors="replace")[-3000:]
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"no answer from JupyterHub:\n{log.read_text(errors='replace')[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
