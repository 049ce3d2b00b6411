"""The command line: exit codes, and one sentence on stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLASS = ROOT / "tests" / "submissions" / "class"
PERFECT = str(CLASS / "perfect")


def autograder(*args: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *map(str, args)]
    env = {**os.environ, "AUTOGRADER_SECRET": "tests", "PYTHONUTF8": "1"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["grade"], "Missing argument"),
        (["grade", "rnn_backprop"], "Missing argument"),
        (["grade", "rnn_backprop", "not/there"], "does not exist"),
        (["grade", "rnn", PERFECT], "no exercise called 'rnn'"),
        (["grade", "../solutions/rnn_backprop", PERFECT], "no exercise called '../solutions/rnn_backprop'"),
        (["grade", "rnn_backprop", "README.md"], "or beside it"),
        (["grade", "rnn_backprop", PERFECT, "--require-isolation", "F"], "'F'"),
        (["grade", "rnn_backprop", PERFECT, "--format", "xml"], "'xml'"),
        (["grade", "rnn_backprop", PERFECT, "--fail-under", "200"], "200"),
        (["grade", "rnn_backprop", PERFECT, "--seed", "-1"], "-1"),
        (["release", "rnn"], "no exercise called 'rnn'"),
        (["marvel"], "No such command"),
    ],
)
def test_wrong_usage_is_one_sentence_and_2(args: list[str], says: str) -> None:
    done = autograder(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


@pytest.mark.parametrize("command", [[], ["grade"], ["class"], ["release"], ["demo"], ["bundle"], ["export"]])
def test_every_command_has_help(command: list[str]) -> None:
    done = autograder(*command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_one_submission_is_one_object() -> None:
    done = autograder("grade", "rnn_backprop", CLASS / "perfect", "--format", "json")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    report = json.loads(done.stdout)
    assert list(report) == [
        "version", "exercise", "submission", "status", "score", "max_score", "seed", "isolation", "notes", "checks",
    ]  # fmt: skip
    assert (report["version"], report["status"]) == (1, "graded")
    assert report["score"] == report["max_score"] > 0
    assert list(report["checks"][0]) == [
        "id", "function", "title", "status", "code", "points", "max_points", "message", "diagnosis", "hidden",
    ]  # fmt: skip


def test_several_are_a_list_and_progress_is_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "reports.json"
    paths = [CLASS / "perfect", CLASS / "blank"]
    done = autograder("grade", "rnn_backprop", *paths, "--format", "json", "--output", file)
    assert (done.returncode, done.stdout) == (0, "")
    perfect, blank = json.loads(file.read_text(encoding="utf-8"))
    assert (perfect["score"], blank["score"]) == (perfect["max_score"], 0.0)
    assert "Graded 2 of 2." in done.stderr


def test_seed_replays_a_verdict() -> None:
    reports = [
        json.loads(autograder("grade", "rnn_backprop", CLASS / "truncated_bptt", "--format", "json", *seed).stdout)
        for seed in ([], [])
    ]
    assert reports[0] == reports[1]
    seed = str(reports[0]["seed"])
    replayed = autograder("grade", "rnn_backprop", CLASS / "truncated_bptt", "--format", "json", "--seed", seed)
    assert json.loads(replayed.stdout) == reports[0]


@pytest.mark.parametrize(("percent", "code"), [("0", 0), ("40", 0), ("100", 3)])
def test_fail_under(percent: str, code: int) -> None:
    done = autograder("grade", "rnn_backprop", CLASS / "truncated_bptt", "--fail-under", percent)
    assert done.returncode == code


def test_refused_is_a_verdict(tmp_path: Path) -> None:
    done = autograder("grade", "rnn_backprop", tmp_path, "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["status"], report["score"]) == (0, "refused", 0.0)
    assert "rnn_backprop.ipynb" in report["notes"][0]["text"]


def test_output_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = autograder("grade", "rnn_backprop", CLASS / "blank", "--output", tmp_path / "no" / "where")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", [".", "rnn_backprop.py"])
def test_nothing_of_a_submission_is_imported_where_one_stands_in_it(tmp_path: Path, path: str) -> None:
    for name in ("rnn_backprop.py", "numpy.py", "click.py", "msgpack.py", "sol/rnn_backprop/rubric.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("print('imported a student')", encoding="utf-8")
    (tmp_path / "course.toml").write_text('exercises = "sol"', encoding="utf-8")
    done = autograder("grade", "rnn_backprop", path, cwd=tmp_path)
    assert "imported" not in done.stdout + done.stderr
    assert done.returncode == 2
    assert "inside the submission" in done.stderr


def test_text_is_plain_when_piped() -> None:
    done = autograder("grade", "rnn_backprop", CLASS / "truncated_bptt")
    assert "\x1b" not in done.stdout
    assert "dJ_dW.plain" in done.stdout
