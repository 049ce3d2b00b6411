"""The log, the status, the lock, the ledger, the pages: what the watcher is made of."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from io import StringIO
from pathlib import Path

import pytest

from autograder.commands import watch as watch_command
from autograder.course import Policy
from autograder.watch import lock
from autograder.watch.answers import Moment
from autograder.watch.events import EventLog
from autograder.watch.ledger import Ledger, LedgerError
from autograder.watch.status import Status, percentile, read_status, write_status
from tests.courses import ROOT
from tests.watch.conftest import WatchedCourse

README = ROOT / "autograder" / "watch" / "README.md"
STATUS = Status(1, 2.0, 1.0, 3, 1, 500, 0.31, 4.2, {"feedback": "/x cannot be used."}, [])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("ada", "ada"),
        ("a b", '"a b"'),
        ("x\n2026 answered student=eve", '"x 2026 answered student=eve"'),
        ("", '""'),
        ("\x1b[31mada\x07\u202e", "[31mada"),
    ],
)
def test_an_event_is_one_line_whatever_a_name_holds(value: str, written: str) -> None:
    lines: list[str] = []
    EventLog(lines.append).write("arrived", student=value, seconds=1.23456)
    assert lines[0].split(" ", 1)[1] == f"arrived student={written} seconds=1.23"


def test_the_status_is_read_back_and_says_it_in_one_line(tmp_path: Path) -> None:
    write_status(tmp_path, STATUS)
    assert read_status(tmp_path) == STATUS
    assert STATUS.headline == ("3 waiting, 500 answered in the last hour, median 0.3 s, 99 % within 4.2 s, 1 problem")
    assert replace(STATUS, median_seconds=None, problems={}).headline.endswith("hour, no problem")


def test_a_status_that_is_cut_short_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text('{"process": 1')
    assert read_status(tmp_path) is None


def test_percentile_is_a_value_that_was_seen() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.0, 0.5, 0.51, 0.99, 1.0)] == [1, 2, 3, 4, 4]
    assert percentile([], 0.5) is None


def test_a_second_watcher_says_that_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_PATIENCE_SECONDS", 0.0)
    assert not lock.is_watched(tmp_path)
    with lock.only_watcher(tmp_path):
        assert lock.is_watched(tmp_path)
        with (
            pytest.raises(lock.AlreadyWatched, match=r"watched already, by process \d+ on "),
            lock.only_watcher(tmp_path),
        ):
            pass
    assert not lock.is_watched(tmp_path)
    with lock.only_watcher(tmp_path):
        pass


def test_a_ledger_that_is_no_ledger_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("no database at all, and long enough to be looked at" * 20)
    with pytest.raises(LedgerError, match="Move it away to start anew"):
        Ledger(tmp_path / "ledger")


def test_a_moment_knows_its_day_in_the_zone_of_the_course(course: WatchedCourse) -> None:
    from zoneinfo import ZoneInfo

    moment = Moment.of(1772407800, ZoneInfo("Europe/Paris"))  # 23:30 UTC on the first of March
    assert (moment.day, moment.text, moment.next_day) == (
        "2026-03-02",
        "2026-03-02 00:30:00 CET",
        "2026-03-03 00:00 CET",
    )
    assert moment.utc.isoformat() == "2026-03-01T23:30:00"


def test_over_the_limit_the_page_says_when_the_next_answer_comes(course: WatchedCourse) -> None:
    course.policy = Policy(answers_a_day=1)
    first = course.exchange.submit("ada", points=2)
    course.serve()
    second = course.exchange.submit("ada", second=5, points=3)
    course.serve()
    assert "Answers left today: none of 1; the next comes from" in course.exchange.page(first)
    page = course.exchange.page(second)
    assert "Attempt 2, received" in page
    assert "is answered from 2" in page
    _, _, body = page.partition("<body>")
    assert "points" not in body
    assert course.gradebook.points == {"ada": 3}


def test_in_a_burst_students_are_told_how_long_it_takes(course: WatchedCourse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.watch.watcher.RECEIPTS_FROM", 2)
    records = [course.exchange.submit(f"s{number}") for number in range(3)]
    with course.watcher() as watcher:
        watcher._take_up()
        watcher._look()
    pages = [course.exchange.page(record) for record in records]
    assert ["The answer will be here in about 1 s" in page for page in pages] == [False, True, True]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
def test_the_systemd_unit_of_the_readme_is_sound(tmp_path: Path) -> None:
    [unit] = re.findall(r"```ini\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    program = tmp_path / "kit" / ".venv" / "bin" / "autograder"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = tmp_path / "autograder-watch.service"
    file.write_text(
        unit.replace("/srv/course", str(tmp_path))
        .replace("/srv", str(tmp_path))
        .replace("User=instructor", "User=root")
    )
    done = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if file.name in line]) == (0, [])


class Terminal(StringIO):
    """A stream that says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_status_stands_below_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with watch_command._display() as (write_line, show):
        show(STATUS)
        write_line("12:00 answered student=\x1b]0;ada\x07[bold]ada[/bold]")
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue()).replace("\r", "\n").splitlines()
    [headline, *_] = [number for number, line in enumerate(lines) if line.startswith("3 waiting, 500 answered")]
    assert headline < lines.index("12:00 answered student= ]0;ada [bold]ada[/bold]")


def test_in_a_log_there_is_no_status(capsys: pytest.CaptureFixture[str]) -> None:
    with watch_command._display() as (write_line, show):
        show(STATUS)
        write_line("12:00 started")
    assert capsys.readouterr().err == "12:00 started\n"


def test_the_table_of_the_readme_has_the_defaults_of_the_policy() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \| `(.+?)` \|", README.read_text(encoding="utf-8"))
    written = {name: json.loads(value) for name, value in rows}
    assert {name: written.get(name) for name in asdict(Policy())} == asdict(Policy())
