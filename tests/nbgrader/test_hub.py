"""autograder doctor --hub: whatever makes a course fail is planted, found, and named with what mends it."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from autograder.course import Course, find_course

pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")

from autograder.nbgrader import hub

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nbgrader has no exchange on Windows")

Plant = Callable[[Path, Path, pytest.MonkeyPatch], None]
"""Spoils a course, given its folder and the exchange."""

SHARED = "c.CourseDirectory.groupshared = True\n"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course in which all is as it should be."""
    folder, exchange, machine = tmp_path / "course", tmp_path / "exchange", tmp_path / "etc"
    (folder / "solutions" / "hw").mkdir(parents=True)
    (folder / "solutions" / "hw" / "hw.py").touch()
    (folder / "course.toml").touch()
    (folder / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.CourseDirectory.course_id = "a"\nc.Exchange.root = "{exchange}"\n'
    )
    with closing(sqlite3.connect(folder / "gradebook.db")) as database:
        database.execute("CREATE TABLE assignment (id TEXT, name TEXT, duedate TEXT)")
        database.execute("INSERT INTO assignment VALUES ('1', 'hw', NULL)")
        database.commit()
    folder.chmod(0o700)
    for name, mode in hub.FOLDER_MODES.items():
        (exchange / "a" / name).mkdir(parents=True)
        (exchange / "a" / name).chmod(mode)
    exchange.chmod(0o777)
    machine.mkdir()
    (machine / "nbgrader_config.py").write_text(f'c = get_config()\nc.Exchange.root = "{exchange}"\n')
    monkeypatch.setattr("autograder.nbgrader.gradebook.settings.jupyter_config_path", lambda: [str(machine)])
    monkeypatch.setattr(hub, "_SERVERS", ())
    return find_course(folder)


def append(file: Path, line: str) -> None:
    file.write_text(file.read_text() + line)


def a_server_without_the_kit(course: Path, exchange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = course / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    server = course / "server"
    server.write_text(f"#!{python}\n")
    for program in (python, server):
        program.chmod(0o755)
    monkeypatch.setattr(hub, "_SERVERS", (str(server),))


def one_account_for_all(course: Path, exchange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for student in ("ada", "bob"):
        (exchange / "a" / "inbound" / f"{student}+hw+2026-03-01 12:00:00 UTC").mkdir()
    somebody = os.geteuid() + 1
    monkeypatch.setattr(hub.os, "geteuid", lambda: somebody)


def shared_by_a_group(course: Path, exchange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(course / "nbgrader_config.py", SHARED)
    for name, mode in hub.FOLDER_MODES.items():
        (exchange / "a" / name).chmod(mode | 0o2070)
    monkeypatch.setattr(hub.os, "umask", lambda _: 0o022)


def not_writable(course: Path, exchange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_can_write", lambda path: path.name != "gradebook.db")


def open_to_all(course: Path, exchange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_can_be_reached", lambda path: path.name == "solutions")


PLANTS: dict[str, tuple[Plant, str, str]] = {
    "no course id": (
        lambda course, *_: append(course / "nbgrader_config.py", 'c.CourseDirectory.course_id = ""\n'),
        "settings",
        "nbgrader_config.py",
    ),
    "no such time zone": (
        lambda course, *_: append(course / "nbgrader_config.py", 'c.Exchange.timezone = "Mars/Olympus"\n'),
        "settings",
        "nbgrader_config.py",
    ),
    "no exchange": (
        lambda _, exchange, __: exchange.rename(f"{exchange}-away") and None,
        "exchange_missing",
        "mkdir -p",
    ),
    "closed exchange": (lambda _, exchange, __: exchange.chmod(0o755), "exchange_closed", "chmod 777"),
    "nothing released": (lambda _, exchange, __: (exchange / "a" / "outbound").rmdir(), "folder_missing", "release"),
    "closed inbound": (lambda _, exchange, __: (exchange / "a" / "inbound").chmod(0o700), "folder_mode", "chmod 733"),
    "inbound that all can list": (
        lambda _, exchange, __: (exchange / "a" / "inbound").chmod(0o777),
        "folder_mode",
        "chmod 733",
    ),
    "another's folders": (
        lambda _, __, monkeypatch: monkeypatch.setattr(hub.os, "geteuid", lambda: 4711),
        "folder_owner",
        "chown 4711",
    ),
    "open course": (open_to_all, "course_open", "chmod o-rwx"),
    "closed course": (not_writable, "course_closed", "chown -R"),
    "umask": (shared_by_a_group, "umask", "umask 002"),
    "another course id": (
        lambda course, *_: append(course.parent / "etc" / "nbgrader_config.py", 'c.CourseDirectory.course_id = "b"\n'),
        "course_ids",
        'course_id = "a"',
    ),
    "another exchange": (
        lambda course, *_: append(course.parent / "etc" / "nbgrader_config.py", 'c.Exchange.root = "/elsewhere"\n'),
        "exchange_roots",
        "c.Exchange.root",
    ),
    "one account": (one_account_for_all, "owners", "check_owner = False"),
    "no gradebook": (lambda course, *_: (course / "gradebook.db").unlink(), "database", "autograder release hw"),
    "gradebook of another": (
        lambda course, *_: (course / "course.toml").write_text('release_as = { hw = "hw3" }\n') and None,
        "database",
        "autograder release hw",
    ),
    "server without the kit": (a_server_without_the_kit, "environment", "pip install"),
    "times without a zone": (
        lambda course, *_: append(
            course / "nbgrader_config.py",
            'c.Exchange.timezone = "Europe/Paris"\nc.Exchange.timestamp_format = "%Y-%m-%d %H:%M:%S"\n',
        ),
        "timestamps",
        "%Z",
    ),
}


def test_a_sound_course_has_no_finding(course: Course) -> None:
    assert list(hub.examine(course)) == []


@pytest.mark.parametrize("planted", PLANTS)
def test_what_is_wrong_is_named_with_what_mends_it(
    course: Course, planted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, code, command = PLANTS[planted]
    plant(course.root, tmp_path / "exchange", monkeypatch)
    findings = {finding.code: finding for finding in hub.examine(find_course(course.root))}
    assert code in findings
    assert command in findings[code].command
    extra = {"folder_owner"} if planted == "one account" else set()  # the account that looks is another there
    assert set(findings) - extra == {code}


def test_every_code_is_planted() -> None:
    assert {code for _, code, _ in PLANTS.values()} == set(hub.Code.__args__)
