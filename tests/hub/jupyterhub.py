"""A JupyterHub for one test: a server for each user, nbgrader's exchange, and the watcher as its service.

`jupyterhub()` has real accounts, which it makes; `small_jupyterhub()` has a user who is whoever runs the test.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import secrets
import shlex
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
GUIDE = ROOT / "autograder" / "watch" / "README.md"
INSTRUCTOR, STUDENTS = "hub-ivy", ("hub-ada", "hub-bob")
START_SECONDS = 180

CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.Spawner.http_timeout = c.Spawner.start_timeout = {start_seconds}
"""

WITH_ACCOUNTS = """
c.PAMAuthenticator.open_sessions = False
c.Spawner.args = ["--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"]
"""
"""Besides what stands in the guide."""

WITHOUT_ACCOUNTS = """
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home/{{username}}"
c.Spawner.args = ["--allow-root"]
del c.JupyterHub.services[0]["user"]
c.JupyterHub.services.append({{"name": "test", "api_token": {token!r}}})
c.JupyterHub.load_roles = [
    {{"name": "test", "services": ["test"], "scopes": ["admin:users", "admin:servers", "access:servers"]}}
]
"""


@dataclass(frozen=True)
class Hub:
    """A hub that runs: its address, the password or the token that opens it, the folders of the course and of homes."""

    address: str
    secret: str
    course: Path
    homes: Path
    log: Path


def missing() -> str:
    """Return why there can be no hub here; empty if there can."""
    if not os.environ.get(ALLOWED):
        return f"{ALLOWED} is not set: this makes accounts on the machine, as make hub does"
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can make accounts"
    if missing_proxy():
        return missing_proxy()
    if open_python() is None:
        return "no Python of this version can be run by other accounts"
    return ""


def missing_proxy() -> str:
    """Return why there can be no hub here, not even without accounts; empty if there can."""
    if shutil.which("node") and PROXY.is_file():
        return ""
    return "its proxy is not installed: make tests/hub/node_modules does that, with npm"


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
        course = make_kit_course(folder / "course")
        _set_up_exchange(course)
        _give_to_instructor(folder, course)
        environment = _environment(folder)
        python = open_python() or ""
        run_as(INSTRUCTOR, [python, "-m", "nbgrader", "release_assignment", NAME], course, environment)
        with _run(WITH_ACCOUNTS, python, course, environment) as address:
            yield Hub(address, password, course, folder / "home", folder / "hub.log")
    finally:
        for name in (INSTRUCTOR, *STUDENTS):
            _remove_account(name)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def small_jupyterhub(course: Path) -> Iterator[Hub]:
    """Run a hub without accounts beside a course: whoever runs this is the instructor, and every student."""
    folder, token = course.parent, secrets.token_hex(16)
    _set_up_exchange(course)
    shutil.copytree(course / "assignments" / NAME, folder / "exchange" / "rnn" / "outbound" / NAME)
    (folder / "exchange" / "rnn" / "inbound").mkdir(mode=0o733)
    switched_off = dict.fromkeys(("jupyter_lsp", "jupyterlab", "notebook", "notebook_shim"), False)
    settings = {"ServerApp": {"jpserver_extensions": switched_off}}  # nobody looks at these pages
    (folder / "etc" / "jupyter_server_config.json").write_text(json.dumps(settings))
    environment = {**_environment(folder), "JUPYTERHUB_SINGLEUSER_APP": "jupyter_server.serverapp.ServerApp"}
    with _run(WITHOUT_ACCOUNTS, sys.executable, course, environment, token=token) as address:
        yield Hub(address, token, course, folder / "home", folder / "hub.log")


@contextmanager
def _run(config: str, python: str, course: Path, environment: dict[str, str], **values: str) -> Iterator[str]:
    """Run a hub as the guide sets it up, in the folder that holds the course, and yield its address."""
    ports, folder = [_free_port() for _ in range(3)], course.parent
    values = {"folder": str(folder), **values}
    own = (CONFIG + config).format(
        ports=ports, proxy=[shutil.which("node"), str(PROXY)], start_seconds=START_SECONDS, **values
    )
    (folder / "jupyterhub_config.py").write_text(f"c = get_config()\n{_guide(folder, course)}\n{own}")
    for name, module in (("jupyterhub-singleuser", "jupyterhub.singleuser"), ("autograder", "autograder")):
        _write_program(folder / "bin" / name, [python, "-m", module], environment)
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
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _guide(folder: Path, course: Path) -> str:
    """Return the hub's configuration in the guide to the watcher, with the folders and the account of the test."""
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    for written, here in (
        ("/opt/hub/bin", folder / "bin"),
        ("/srv/kit/.venv/bin", folder / "bin"),
        ("/srv/course", course),
        ('"instructor"', f'"{INSTRUCTOR}"'),
    ):
        assert written in code
        code = code.replace(written, str(here))
    return code


def _write_program(path: Path, command: Sequence[str], environment: dict[str, str]) -> None:
    path.parent.mkdir(exist_ok=True)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    path.write_text(f'#!/bin/sh\n{exports}exec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)


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


def _set_up_exchange(course: Path) -> None:
    """Let a course, and everybody's server, use an exchange beside it."""
    exchange, settings = course.parent / "exchange", course.parent / "etc"
    exchange.mkdir()
    exchange.chmod(0o777)
    settings.mkdir()
    common = f'c = get_config()\nc.CourseDirectory.course_id = "rnn"\nc.Exchange.root = "{exchange}"\n'
    (settings / "nbgrader_config.py").write_text(common)
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f'c.Exchange.root = "{exchange}"\n')


def _give_to_instructor(folder: Path, course: Path) -> None:
    """Let the course be the instructor's alone."""
    own_settings = folder / "home" / INSTRUCTOR / ".jupyter"
    own_settings.mkdir()
    (own_settings / "nbgrader_config.py").write_text(f'c = get_config()\nc.CourseDirectory.root = "{course}"\n')
    for path in (course, *course.rglob("*"), own_settings, *own_settings.iterdir()):
        shutil.chown(path, INSTRUCTOR, INSTRUCTOR)
    course.chmod(0o700)


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
