"""Records of the exchange, where every student may write: what is sound is copied, anything else is refused."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.nbgrader.exchange.records import (
    CopyRules,
    Record,
    RecordRefused,
    copy_record,
    describe_odd_time,
    parse_record,
)
from autograder.nbgrader.intake.timestamps import read_timestamp

pwd = pytest.importorskip("pwd", reason="the exchange needs Unix")

NAME = "ps1"
TIME = "2026-03-01 10:00:00.000000 UTC"
RULES = CopyRules((".git",), ("*",), 1000, 2000, check_owner=True)
Prepare = Callable[[Path], object]


@pytest.fixture
def inbound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An exchange in which this process is ada's."""
    monkeypatch.setattr(pwd, "getpwuid", lambda user: pwd.struct_passwd(("ada", "x", user, 0, "", "", "")))
    monkeypatch.setattr(os, "geteuid", lambda: -2)  # somebody else collects
    folder = tmp_path / "inbound"
    folder.mkdir()
    (tmp_path / "reference.py").write_text("answer = 42")
    return folder


def submit(inbound: Path, prepare: Prepare, student: str = "ada") -> Record:
    name = f"{student}+{NAME}+{TIME}+random"
    (inbound / name).mkdir()
    (inbound / name / "ps1.py").write_text("x = 1")
    (inbound / name / "timestamp.txt").write_text("2001-01-01 00:00:00 UTC")
    prepare(inbound / name)
    return parse_record(name, NAME)


def test_copy_record_copies_files_and_writes_the_time_of_the_name(inbound: Path, tmp_path: Path) -> None:
    def prepare(record: Path) -> None:
        (record / "data").mkdir()
        (record / "data" / "a.csv").write_text("1")
        (record / ".git").mkdir()
        (record / "huge").write_bytes(bytes(1001))
        (record / "ps1.py").chmod(0o4777)

    copy_record(inbound, submit(inbound, prepare), tmp_path / "copy", RULES)
    copied = {path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*")}
    assert copied == {"ps1.py", "timestamp.txt", "data", "data/a.csv"}
    assert read_timestamp(tmp_path / "copy") == datetime(2026, 3, 1, 10)
    assert stat.S_IMODE((tmp_path / "copy" / "ps1.py").stat().st_mode) & 0o7133 == 0


def replace_by_link(record: Path) -> None:
    record.rename(record.with_name("elsewhere"))
    record.symlink_to(record.with_name("elsewhere"))


def listen(record: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(record)
        listener.bind("ps1.ipynb")


def nest(record: Path) -> None:
    (record / "/".join("d" * 25)).mkdir(parents=True)


ODD_RECORDS: dict[str, tuple[Prepare, str]] = {
    "link to a file": (lambda record: (record / "ps1.ipynb").symlink_to("../../reference.py"), "symbolic link"),
    "link to a folder": (lambda record: (record / "data").symlink_to("../.."), "symbolic link"),
    "link to nothing": (lambda record: (record / "ps1.ipynb").symlink_to("nothing"), "symbolic link"),
    "the record is a link": (replace_by_link, "not an open folder"),
    "hard link": (lambda record: os.link(record / "../../reference.py", record / "ps1.ipynb"), "several names"),
    "pipe": (lambda record: os.mkfifo(record / "ps1.ipynb"), "not a regular file"),
    "socket": (listen, "not a regular file"),
    "too large": (lambda record: [(record / str(i)).write_bytes(bytes(900)) for i in range(3)], "more than"),
    "too deep": (nest, "folders inside each other"),
    "gone": (lambda record: record.rename(record.with_name("gone")), "not an open folder"),
    "a file": (lambda record: (record.rename(record.with_name("gone")), record.touch()), "not an open folder"),
}


@pytest.mark.parametrize("kind", ODD_RECORDS)
def test_copy_record_refuses_an_odd_record_and_leaves_nothing(
    inbound: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare, reason = ODD_RECORDS[kind]
    record = submit(inbound, prepare)
    with pytest.raises(RecordRefused, match=reason):
        copy_record(inbound, record, tmp_path / "copy", RULES)
    assert not (tmp_path / "copy").exists()


def test_copy_record_refuses_more_files_than_a_folder_may_hold(
    inbound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.nbgrader.exchange.records.MAX_ENTRIES", 1)
    with pytest.raises(RecordRefused, match="files"):
        copy_record(inbound, submit(inbound, lambda record: None), tmp_path / "copy", RULES)


def test_copy_record_refuses_a_record_in_the_name_of_another(inbound: Path, tmp_path: Path) -> None:
    record = submit(inbound, lambda record: None, student="zoe")
    with pytest.raises(RecordRefused, match="claims to be from zoe, and belongs to ada"):
        copy_record(inbound, record, tmp_path / "copy", RULES)


def test_copy_record_lets_the_account_that_collects_hand_in_for_anybody(
    inbound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = submit(inbound, lambda record: None, student="zoe")
    monkeypatch.setattr(os, "geteuid", lambda: inbound.stat().st_uid)
    assert copy_record(inbound, record, tmp_path / "copy", RULES) == "ada"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("name", ["ps1.ipynb", "data"])
def test_copy_record_refuses_files_of_somebody_else(inbound: Path, tmp_path: Path, name: str) -> None:
    def prepare(record: Path) -> None:
        (record / "data").mkdir()
        (record / "ps1.ipynb").touch()
        os.chown(record / name, 12345, -1)

    with pytest.raises(RecordRefused, match="belongs to"):
        copy_record(inbound, submit(inbound, prepare), tmp_path / "copy", RULES)


@pytest.mark.parametrize("student", ["ada", "a+b", "ada+ps1", "Ada Lovelace"])
@pytest.mark.parametrize("random", ["", "+Zm9v-_=="])
def test_parse_record_reads_the_students_name(student: str, random: str) -> None:
    record = parse_record(f"{student}+{NAME}+{TIME}{random}", NAME)
    assert (record.student, record.submitted_at) == (student, datetime(2026, 3, 1, 10))


@pytest.mark.parametrize(
    "name",
    [
        "ada",
        f"ada+{NAME}",
        f"ada+other+{TIME}+{NAME}+x+y",
        f"+{NAME}+{TIME}",
        f"..+{NAME}+{TIME}",
        f"a\nb+{NAME}+{TIME}",
        f"\udcff+{NAME}+{TIME}",
        f"ada+{NAME}+{TIME}+\udcff",
        f"ada+{NAME}++x",
        f"ada+{NAME}+yesterday+x",
        f"ada+{NAME}+2026-99-99 10:00:00 UTC+x",
        f"ada+{NAME}+0001-01-01 00:00:00 +99999999999+x",
        f"ada+{NAME}+{'9' * 150}+x",
    ],
)
def test_parse_record_refuses_odd_names(name: str) -> None:
    with pytest.raises(RecordRefused):
        parse_record(name, NAME)


@pytest.mark.parametrize(
    ("ago", "is_odd"),
    [
        (timedelta(days=2), True),
        (timedelta(minutes=6), True),
        (timedelta(minutes=2), False),  # nbgrader has been copying since
        (-timedelta(minutes=2), False),  # one clock is ahead of the other
        (-timedelta(days=2), True),
    ],
    ids=["days before", "minutes before", "just now", "soon", "days after"],
)
def test_a_time_that_the_exchange_did_not_see_is_odd(tmp_path: Path, ago: timedelta, is_odd: bool) -> None:
    submitted_at = datetime.now(UTC).replace(tzinfo=None) - ago
    record = Record("record", "ada", submitted_at)
    (tmp_path / "record").mkdir()
    os.utime(tmp_path / "record", (submitted_at.timestamp(),) * 2)  # which the student may do
    odd_time = describe_odd_time(tmp_path, record)
    assert bool(odd_time) == is_odd
    assert f"{submitted_at:%Y-%m-%d %H:%M}" in odd_time or not is_odd


def test_nothing_is_odd_about_the_time_of_a_record_that_is_gone(tmp_path: Path) -> None:
    assert describe_odd_time(tmp_path, Record("record", "ada", datetime(2026, 3, 1))) == ""
