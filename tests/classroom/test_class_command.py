"""autograder class, as a course runs it: from the shell, with whatever may end it halfway."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from autograder.course import Limits
from autograder.exercise.model import Exercise
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail
from tests.classroom.generated_class import answer_with_mistake, random_submissions, write_submissions

ROOT = Path(__file__).parents[2]
SAMPLE_CLASS = {"Zoë": "class/perfect", "ali": "class/transposed_W", "王小明": "class/blank"}
HandIn = Callable[[Mapping[str, str]], Path]


def command(*args: object) -> list[str]:
    return [sys.executable, "-m", "autograder", "class", "rnn_backprop", *map(str, args)]


ENVIRONMENT = {**os.environ, "AUTOGRADER_SECRET": "tests", "PYTHONUTF8": "1"}


def grade(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False
    )


def start(*args: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*args),
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What a shell starts in the background ignores Ctrl-C, and so would whatever these tests start there.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def scores(results: Path) -> dict[str, dict[str, str]]:
    """The lines of scores.csv by student, without how long it took."""
    with (results / "scores.csv").open(encoding="utf-8", newline="") as file:
        return {row["student"]: {**row, "seconds": ""} for row in csv.DictReader(file)}


def files(results: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in results.glob("*.json")}


def test_class_command_keeps_results_and_grades_only_who_is_named(hand_in: HandIn, tmp_path: Path) -> None:
    results = tmp_path / "results"
    process = grade(hand_in(SAMPLE_CLASS), "--results", results, "--jobs", "2")
    assert (process.returncode, process.stderr.splitlines()[-1][:7]) == (0, "3 of 3:")
    assert process.stdout.startswith("3 graded; mean ")
    max_score = json.loads((results / "Zoë.json").read_text(encoding="utf-8"))["max_score"]
    totals = {student: float(row["total"]) for student, row in scores(results).items()}
    assert totals["Zoë"] == max_score > totals["ali"] > totals["王小明"] == 0
    before = files(results)
    second = grade(tmp_path / "submitted", "--results", results, "--quiet", "--fail-under", "60")
    assert (second.returncode, second.stderr) == (3, "")
    assert files(results) == before
    third = grade(tmp_path / "submitted", "--results", results, "--student", "ali", "--force", "--seed=7", "--html")
    assert third.returncode == 0
    assert third.stdout.startswith("3 graded; mean ")  # of the class, as its page
    assert all(f">{student}</a>" in (results / "class.html").read_text(encoding="utf-8") for student in SAMPLE_CLASS)
    assert {name for name, data in files(results).items() if data != before[name]} == {"ali.json"}
    assert scores(results).keys() == SAMPLE_CLASS.keys()
    shutil.rmtree(tmp_path / "submitted" / "ali")
    fourth = grade(tmp_path / "submitted", "--results", results, "--dry-run", "--quiet")
    assert fourth.stdout.startswith("3 graded; mean ")
    assert fourth.stderr == "Warning: an earlier result counts, without a submission here: ali.\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "does not exist"),
        (["tests"], "lies inside the submission"),
        ([".ci"], "holds no submission"),
        (["tests/submissions/class", "--student", "nobody"], "is called nobody"),
        (["tests/submissions/class", "--jobs", "0"], "0"),
        (["tests/submissions/class", "--scheduler", "tcp://127.0.0.1:1"], "goes with --engine dask"),
        (["tests/submissions/class", "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1"], "in the clear"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(args: list[str], message: str, tmp_path: Path) -> None:
    if args == ["tests"]:
        args = [str(ROOT.parent)]
    if args == [".ci"]:
        args = [str(tmp_path)]
    process = grade(*args)
    assert (process.returncode, process.stdout, process.stderr.count("\n")) == (2, "", 1)
    assert message in process.stderr


def test_class_command_warns_of_files_that_are_no_submission(hand_in: HandIn, tmp_path: Path) -> None:
    folder = hand_in({"ali": "class/blank"})
    (folder / "marks.csv").write_text("")
    (folder / "zoe" / "other").mkdir(parents=True)
    process = grade(folder, "--results", tmp_path / "results")
    assert process.returncode == 0
    assert "not graded, because they belong to no student: marks.csv" in process.stderr
    assert "nothing handed in by zoe" in process.stderr


def test_class_command_refuses_unreadable_submission(hand_in: HandIn, tmp_path: Path) -> None:
    process = grade(hand_in({"ali": "bad_input/not_utf8", "mia": "class/perfect"}), "--results", tmp_path / "results")
    assert process.returncode == 0
    assert process.stdout.startswith("1 graded, 1 refused;")
    assert {row["status"] for row in scores(tmp_path / "results").values()} == {"graded", "refused"}


def started_to_grade(results: Path, running: subprocess.Popen[str]) -> None:
    while not list(results.glob("*.json")) and running.poll() is None:
        time.sleep(0.01)


def test_interrupt_says_how_many_have_a_result(exercise: Exercise, tmp_path: Path) -> None:
    folder, results = write_submissions(tmp_path / "class", random_submissions(exercise, 300)), tmp_path / "results"
    running = start(folder, "--results", results)
    started_to_grade(results, running)
    os.killpg(running.pid, signal.SIGINT)  # as Ctrl-C does: everybody in the foreground
    _, stderr = running.communicate(timeout=60)
    assert running.returncode == 130, stderr
    assert "of 300 have a result; run the same command again to go on from there." in stderr
    assert "Traceback" not in stderr
    assert len(scores(results)) == len(files(results)) < 300


@pytest.mark.slow
@pytest.mark.parametrize(("times", "count"), [(3, 100), pytest.param(10, 240, marks=pytest.mark.soak)])
def test_killed_and_restarted_loses_no_result(exercise: Exercise, tmp_path: Path, times: int, count: int) -> None:
    folder, results = write_submissions(tmp_path / "class", random_submissions(exercise, count)), tmp_path / "results"
    assert grade(folder, "--results", tmp_path / "undisturbed").returncode == 0
    rng = random.Random(1)
    before: dict[str, bytes] = {}
    for _ in range(times):
        running = start(folder, "--results", results)
        with running:
            time.sleep(rng.uniform(0.3, 1.5))
            os.killpg(running.pid, signal.SIGKILL) if rng.random() < 0.5 else running.kill()
        now = files(results)
        assert before.items() <= now.items(), "something was lost, or graded twice"
        assert all(json.loads(data)["checks"] for data in now.values())
        before = now
    process = grade(folder, "--results", results)
    assert process.returncode == 0
    assert before.items() <= files(results).items()
    assert f"{len(before)} unchanged since an earlier run" in process.stderr or not before
    assert scores(results) == scores(tmp_path / "undisturbed")
    assert len(scores(results)) == count


@pytest.mark.slow
def test_dask_gives_the_same_scores(hand_in: HandIn, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="needs the extra `cluster`")
    folder = hand_in(SAMPLE_CLASS)
    process = grade(folder, "--results", tmp_path / "dask", "--engine", "dask", "--jobs", "2")
    assert (process.returncode, "Traceback" in process.stderr) == (0, False)
    grade(folder, "--results", tmp_path / "local")
    assert scores(tmp_path / "dask") == scores(tmp_path / "local")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a few results only."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(mount_point)]
    if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk needs root, and rights to mount")
    try:
        yield mount_point
    finally:
        subprocess.run(["umount", str(mount_point)], check=True)


@pytest.mark.slow
def test_full_disk_is_one_sentence_and_loses_no_result(exercise: Exercise, tmp_path: Path, small_disk: Path) -> None:
    folder, results = write_submissions(tmp_path / "class", random_submissions(exercise, 60)), small_disk / "results"
    process = grade(folder, "--results", results)
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    assert "No space left on device. What was graded before is kept" in process.stderr.splitlines()[-1]
    stored = files(results)
    assert 0 < len(stored) < 60
    assert all(json.loads(data)["checks"] for data in stored.values())
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert grade(folder, "--results", results).returncode == 0
    assert stored.items() <= files(results).items()
    assert len(scores(results)) == 60


@pytest.mark.slow
def test_single_mistakes_in_a_class_cost_what_each_one_costs(exercise: Exercise, tmp_path: Path) -> None:
    """Everybody made one mistake in one function, known beforehand: the score is that of the mistake by itself."""
    submissions = random_submissions(exercise, 100)
    results = tmp_path / "results"
    assert (
        grade(write_submissions(tmp_path / "class", submissions), "--results", results, "--seed", "7").returncode == 0
    )
    expected = {}
    with Jail() as jail:
        alone = Grader(exercise, jail, Limits(), seed=7)
        for mistake in {submission.mistake for submission in submissions}:
            (tmp_path / "submission.py").write_text(answer_with_mistake(mistake), encoding="utf-8")
            expected[mistake] = alone.grade(tmp_path / "submission.py", "one")
    totals = scores(results)
    wrong = {
        submission.student
        for submission in submissions
        if totals[submission.student]["total"] != f"{expected[submission.mistake].score:g}"
    }
    assert wrong == set()
    for mistake, report in expected.items():
        lost = {check.function for check in report.checks if check.points < check.max_points}
        assert lost == ({mistake.function} if mistake else set())
