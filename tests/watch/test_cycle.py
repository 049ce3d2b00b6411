"""The watcher as a process: a real course, real workers, a real gradebook, and signals."""

from __future__ import annotations

import getpass
import json
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests import courses
from tests.courses import NAME, points_by_student
from tests.hub.jupyterhub import missing_proxy, small_jupyterhub
from tests.hub.server_api import hand_in_and_fetch, start_server
from tests.watch.exchange import RIGHT, WRONG, Exchange, points_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="nbgrader's exchange and the workers are those of Linux"),
]
PATIENCE_SECONDS = 120.0
ASLEEP = "import time\n\n\n" + "\n\n\n".join(
    f"def {name}(*arguments):\n    time.sleep(1000)" for name in courses.ARGUMENTS
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    courses.skip_without_nbgrader()
    return courses.make_kit_course(tmp_path_factory.mktemp("watched") / "course")


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "course"
    shutil.copytree(template, copy)
    with (copy / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(f'c.Exchange.root = "{tmp_path / "exchange"}"\n')
    return copy


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    made = Exchange(tmp_path / "exchange")
    made.inbound.mkdir(parents=True)
    return made


@contextmanager
def watching(course: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "autograder", "watch", *options]
    environment = courses.clean_environment(courses.home_folder(course))
    with (course.parent / "log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=course, env=environment, stderr=log, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], object], patience: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def log_of(course: Path) -> str:
    return (course.parent / "log").read_text()


def grade_by_hand(course: Path, points: float) -> None:
    """Give everybody points for the answer in words, as formgrader does."""
    cells = "SELECT id FROM base_cell WHERE name = 'derivation'"
    with closing(sqlite3.connect(course / "gradebook.db")) as book, book:
        book.execute(f"UPDATE grade SET manual_score = ?, needs_manual_grade = 0 WHERE cell_id IN ({cells})", (points,))


def test_a_student_is_answered_and_the_watcher_ends_cleanly(course: Path, exchange: Exchange) -> None:
    with watching(course, NAME) as watcher:
        wrong = exchange.submit("ada", WRONG)
        wait_for(lambda: exchange.page(wrong))
        assert points_of(WRONG)[1] in exchange.page(wrong)
        wait_for(lambda: points_by_student(course))
        grade_by_hand(course, points=1.5)
        with closing(sqlite3.connect(course / "gradebook.db")) as book:
            book.execute("BEGIN EXCLUSIVE")  # somebody keeps it locked, which keeps nobody's answer back
            hanging = exchange.submit("eve", "class/hanging")
            right = exchange.submit("ada", RIGHT, second=60)
            wait_for(lambda: exchange.page(right) and exchange.page(hanging))
            assert points_of(RIGHT)[1] in exchange.page(right)
            wait_for(lambda: f'problem what="results and gradebook of {NAME}"' in log_of(course))
        wait_for(lambda: points_by_student(course).keys() == {"ada", "eve"})
        second = courses.run_module(course, "autograder", "watch", expected=[1])
        assert second.stderr.startswith("autograder: This course is watched already, by process ")
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(PATIENCE_SECONDS) == 0
    assert points_by_student(course)["ada"] == points_of(RIGHT)[0] + 1.5
    assert (course / "autograded" / "ada" / NAME / f"{NAME}.ipynb").is_file()
    status = courses.run_module(course, "autograder", "watch", "--status").stdout
    assert status.splitlines()[0] == "No watcher is running."
    assert "answered in the last hour" in status
    # The same verdicts as those of autograder class, which finds nothing to grade again.
    graded = courses.run_module(course, "autograder", "class", NAME, "submitted", "--gradebook")
    assert "2 unchanged since an earlier run" in graded.stderr
    assert log_of(course).splitlines()[-1].endswith(" ended")
    assert "Traceback" not in log_of(course)


@pytest.mark.skipif(bool(missing_proxy()), reason=missing_proxy())
def test_the_service_of_a_hub_answers_what_a_students_server_hands_in(template: Path, tmp_path: Path) -> None:
    """Without accounts and without a browser: tests/hub has both."""
    course = tmp_path / "course"
    shutil.copytree(template, course)
    with small_jupyterhub(course) as hub:
        start_server(hub, "ada")
        for attempt, sample in enumerate((WRONG, RIGHT), 1):
            page = hand_in_and_fetch(hub, "ada", sample)
            assert f"Attempt {attempt}, received" in page
            assert points_of(sample)[1] in page
        wait_for(lambda: points_by_student(course) == {getpass.getuser(): 10})


def answer_a_burst(
    course: Path, exchange: Exchange, *options: str, students: int, asleep: int, seconds: float
) -> list[str]:
    """Let a class hand in within so many seconds, after some whose work sleeps; return who is answered, in turn."""
    prepared = Exchange(exchange.root.with_name("prepared"))
    records = [prepared.submit(f"asleep{number}") for number in range(asleep)]
    for record in records:
        (record / f"{NAME}.py").write_text(ASLEEP)
    samples = {f"s{number:03}": (RIGHT, WRONG)[number % 2] for number in range(students)}
    records += [prepared.submit(student, sample, second=1) for student, sample in samples.items()]
    worth = {sample: points_of(sample) for sample in (RIGHT, WRONG)}
    points = {student: worth[sample][0] for student, sample in samples.items()}
    with watching(course, *options) as watcher:
        for record in records:
            record.rename(exchange.inbound / record.name)
            time.sleep(seconds / len(records))
        pages = [
            (exchange.inbound / record.name, worth[samples[record.name.partition("+")[0]]][1])
            for record in records[asleep:]
        ]
        wait_for(lambda: all(text in exchange.page(record) for record, text in pages), PATIENCE_SECONDS + 2 * students)
        wait_for(lambda: points.items() <= points_by_student(course).items())
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(PATIENCE_SECONDS) == 0
    return re.findall(r" answered .*student=(\S+)", log_of(course))


def test_work_that_hangs_holds_up_nobody_in_a_burst(course: Path, exchange: Exchange) -> None:
    answered = answer_a_burst(course, exchange, "--jobs=1", students=6, asleep=2, seconds=0.0)
    assert sorted(answered) == [f"s{number:03}" for number in range(6)]


@pytest.mark.soak
def test_a_class_of_five_hundred_that_hands_in_within_ten_seconds_is_answered(course: Path, exchange: Exchange) -> None:
    answered = answer_a_burst(course, exchange, students=500, asleep=5, seconds=10.0)
    assert len(answered) == len(set(answered)) >= 500


def kill_at_random(course: Path, exchange: Exchange, times: int, students: int) -> None:
    """Kill the watcher at random moments of a burst, let the last one finish, and look at everybody's answer."""
    moments = random.Random(7)
    samples = [(RIGHT, WRONG)[n % 2] for n in range(2 * students)]
    records = [exchange.submit(f"s{n % students}", sample, n) for n, sample in enumerate(samples)]
    for _ in range(times):
        with watching(course) as watcher:
            wait_for(lambda: (course / "grades" / ".watch" / "ledger.sqlite3").exists() or watcher.poll() is not None)
            time.sleep(moments.uniform(0.0, 4.0))
    courses.run_module(course, "autograder", "watch", "--once")
    for record, sample in zip(records, samples, strict=True):
        assert points_of(sample)[1] in exchange.page(record), record.name
    last = {f"s{n % students}": points_of(sample)[0] for n, sample in enumerate(samples)}
    assert points_by_student(course) == last
    for student, points in last.items():
        assert json.loads((course / "grades" / NAME / f"{student}.json").read_text())["score"] == points
    with closing(sqlite3.connect(course / "grades" / ".watch" / "ledger.sqlite3")) as ledger:
        rows = ledger.execute("SELECT record, disclosed, recorded, answered_on != '' FROM attempt").fetchall()
    assert sorted(rows) == sorted((record.name, "hint", 1, 1) for record in records)
    assert not list((course / "grades" / ".watch" / "collected").iterdir())


def test_a_watcher_that_is_killed_answers_everybody_once(course: Path, exchange: Exchange) -> None:
    kill_at_random(course, exchange, times=2, students=3)


@pytest.mark.soak
def test_a_watcher_that_is_killed_twenty_times_answers_everybody_once(course: Path, exchange: Exchange) -> None:
    kill_at_random(course, exchange, times=20, students=40)
