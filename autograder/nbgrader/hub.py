"""What makes courses fail on a hub, looked for before students do: `autograder doctor --hub`.

Every check is a function that yields findings; a finding says what is wrong and which command mends it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from traitlets.config import Config

from autograder.course import Course
from autograder.nbgrader.exchange.settings import DEFAULT_ROOT, ExchangeSettings, exchange_settings
from autograder.nbgrader.gradebook.session import GradebookError, open_gradebook
from autograder.nbgrader.gradebook.settings import Settings, machine_config, read_hub_settings

Code = Literal[
    "settings",
    "exchange_missing",
    "exchange_closed",
    "folder_missing",
    "folder_mode",
    "folder_owner",
    "course_open",
    "course_closed",
    "umask",
    "course_ids",
    "exchange_roots",
    "owners",
    "database",
    "environment",
    "timestamps",
]

FOLDER_MODES = {"inbound": 0o733, "outbound": 0o755, "feedback": 0o711}
"""Of the folders of a course in the exchange: students put work into the first, and list none but the second."""

_SERVERS = ("jupyterhub-singleuser", "jupyter-labhub", "jupyter-lab")
_IMPORT_SECONDS = 60


@dataclass(frozen=True)
class HubFinding:
    """What is wrong, in a sentence, and the command, or the line of a settings file, that mends it."""

    code: Code
    text: str
    command: str


def examine(course: Course) -> Iterator[HubFinding]:
    """Yield what is wrong with a course on this machine, for the account that runs this."""
    try:
        settings = read_hub_settings(course.root)
        exchange = exchange_settings(settings)
    except GradebookError as error:
        yield HubFinding("settings", str(error), f"edit {_quoted(course.root / 'nbgrader_config.py')}")
        return
    yield from _check_exchange(exchange)
    yield from _check_course(course, exchange)
    yield from _check_students_settings(machine_config(), exchange)
    yield from _check_owners(exchange)
    yield from _check_database(course, settings)
    yield from _check_environment()
    yield from _check_timestamps(settings)


def _check_exchange(exchange: ExchangeSettings) -> Iterator[HubFinding]:
    root = exchange.root
    if not root.is_dir():
        made = f"mkdir -p {_quoted(root)} && chmod 777 {_quoted(root)}"
        yield HubFinding("exchange_missing", f"There is no exchange {root}.", made)
        return
    if not exchange.groupshared and _mode(root) & 0o777 != 0o777:
        text = f"The exchange {root} is not open to all: nbgrader stops for anybody who cannot write there."
        yield HubFinding("exchange_closed", text, f"chmod 777 {_quoted(root)}")
    for name, mode in FOLDER_MODES.items():
        folder = root / exchange.course_id / name
        wanted = mode | 0o2070 if exchange.groupshared else mode
        if not folder.is_dir():
            if name != "feedback":  # which is made with the first page
                made = "release an assignment: formgrader, or nbgrader release_assignment NAME"
                yield HubFinding("folder_missing", f"There is no {folder}: nothing was released yet.", made)
            continue
        if _mode(folder) & 0o777 != wanted & 0o777:
            text = f"{folder} has mode {_mode(folder) & 0o777:o}, and students need {wanted & 0o777:o}."
            yield HubFinding("folder_mode", text, f"chmod {wanted:o} {_quoted(folder)}")
        if not exchange.groupshared and folder.stat().st_uid != os.geteuid():
            text = f"{folder} belongs to another account, so nothing can be released, collected or answered."
            yield HubFinding("folder_owner", text, f"chown {os.geteuid()} {_quoted(folder)}")


def _check_course(course: Course, exchange: ExchangeSettings) -> Iterator[HubFinding]:
    for path in (course.exercises, course.secret_file, course.root / "gradebook.db", course.root / "submitted"):
        if path.exists() and _can_be_reached(path):
            yield HubFinding(
                "course_open",
                f"Everybody with an account here can read {path}.",
                f"chmod o-rwx {_quoted(course.root)}",
            )
            break
    written = (course.root, course.root / "gradebook.db", course.root / "grades", course.root / "submitted")
    for path in written:
        if path.exists() and not _can_write(path):
            yield HubFinding(
                "course_closed", f"This account cannot write to {path}.", f"chown -R {os.geteuid()} {_quoted(path)}"
            )
            break
    umask = os.umask(0o022)
    os.umask(umask)
    if exchange.groupshared and umask & 0o070:
        text = f"The course is shared by a group, and with umask {umask:03o} its members cannot change what you write."
        yield HubFinding("umask", text, "umask 002")


def _check_students_settings(machine: Config, exchange: ExchangeSettings) -> Iterator[HubFinding]:
    """Compare with what the machine tells everybody: students have no other settings."""
    course_id = str(machine.CourseDirectory.get("course_id") or "")
    if course_id and course_id != exchange.course_id:
        yield HubFinding(
            "course_ids",
            f"Students hand in to the course {course_id}, and this one is {exchange.course_id}.",
            f'c.CourseDirectory.course_id = "{exchange.course_id}" in nbgrader_config.py of /etc/jupyter',
        )
    root = Path(str(machine.Exchange.get("root") or DEFAULT_ROOT))
    if root != exchange.root:
        yield HubFinding(
            "exchange_roots",
            f"Students hand in to the exchange {root}, and this course collects from {exchange.root}.",
            f'c.Exchange.root = "{exchange.root}" in nbgrader_config.py of /etc/jupyter',
        )


def _check_owners(exchange: ExchangeSettings) -> Iterator[HubFinding]:
    """Look for a hub on which all students have one account."""
    try:
        records = [path for path in exchange.inbound.iterdir() if "+" in path.name]
        owners = {path.lstat().st_uid for path in records}
    except OSError:  # named above
        return
    students = {path.name.partition("+")[0] for path in records}
    if exchange.rules.check_owner and len(owners) == 1 < len(students) and owners != {os.geteuid()}:
        yield HubFinding(
            "owners",
            f"One account owns what {len(students)} students handed in, so nothing of it is collected.",
            "c.ExchangeCollect.check_owner = False in nbgrader_config.py of the course",
        )


def _check_database(course: Course, settings: Settings) -> Iterator[HubFinding]:
    try:
        with open_gradebook(settings.url, course.root) as gradebook:
            for name in course.exercise_names():
                if not gradebook.has_assignment(course.assignment_of(name)):
                    text = f"The gradebook does not know {course.assignment_of(name)}."
                    yield HubFinding("database", text, f"autograder release {name}")
    except GradebookError as error:
        names = course.exercise_names() or ["EXERCISE"]
        yield HubFinding("database", str(error), f"autograder release {names[0]}")


def _check_environment() -> Iterator[HubFinding]:
    """Look whether the servers of the hub, which run formgrader, can import the kit."""
    server = next(filter(None, map(shutil.which, _SERVERS)), None)
    python = _interpreter_of(Path(server)) if server else None
    if python is None or python == sys.executable:
        return
    command = [python, "-c", "import autograder.nbgrader.config"]
    try:
        done = subprocess.run(command, cwd="/", capture_output=True, timeout=_IMPORT_SECONDS, check=False)
        works = done.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        works = False
    if not works:
        text = f"The Jupyter server of this machine, {server}, cannot import the kit: formgrader grades nothing."
        kit = Path(__file__).resolve().parents[2]
        yield HubFinding("environment", text, f"{shlex.quote(python)} -m pip install '{kit}[release]'")


def _check_timestamps(settings: Settings) -> Iterator[HubFinding]:
    """nbgrader takes a time without its zone for UTC."""
    config = settings.config.Exchange
    form, zone = str(config.get("timestamp_format") or "%Z"), str(config.get("timezone") or "UTC")
    if "%Z" not in form and "%z" not in form and zone != "UTC":
        yield HubFinding(
            "timestamps",
            f"What is handed in is stamped in the time zone {zone} without saying so, and read as UTC.",
            'c.Exchange.timestamp_format = "%Y-%m-%d %H:%M:%S.%f %Z" in nbgrader_config.py',
        )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _can_be_reached(path: Path) -> bool:
    """Return whether others than the owner and the group can read a path, each folder on the way included."""
    return bool(_mode(path) & 0o004) and all(_mode(parent) & 0o001 for parent in path.resolve().parents)


def _can_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _interpreter_of(program: Path) -> str | None:
    """Return the Python that a program's first line names; None if it names none."""
    try:
        with program.open("rb") as file:
            line = file.readline(500).decode(errors="replace").strip()
    except OSError:
        return None
    words = line.removeprefix("#!").split()
    return words[0] if line.startswith("#!") and words and "python" in words[0] else None


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
