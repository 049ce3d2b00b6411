"""The command line: exit codes, and one sentence on stderr."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CLASS = ROOT / "tests" / "submissions" / "class"
PERFECT = str(CLASS / "perfect")


def autograder(
    *args: str | Path, cwd: Path = ROOT, stdout: Any = subprocess.PIPE, encoding: str = "utf-8", **env: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *map(str, args)]
    variables = {**os.environ, "AUTOGRADER_SECRET": "tests", "PYTHONIOENCODING": encoding, **env}
    return subprocess.run(
        command,
        cwd=cwd,
        env=variables,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding=encoding,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("args", "message"),
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
def test_wrong_usage_is_one_sentence_and_exit_code_2(args: list[str], message: str) -> None:
    process = autograder(*args)
    assert process.returncode == 2
    assert process.stdout == ""
    assert process.stderr.count("\n") == 1
    assert message in process.stderr


@pytest.mark.parametrize("command", [[], ["grade"], ["class"], ["release"], ["demo"], ["bundle"], ["export"]])
def test_every_command_has_help(command: list[str]) -> None:
    process = autograder(*command, "--help")
    assert process.returncode == 0
    assert "Usage:" in process.stdout


def test_json_of_one_submission_is_an_object() -> None:
    process = autograder("grade", "rnn_backprop", CLASS / "perfect", "--format", "json")
    assert process.returncode == 0
    assert "Traceback" not in process.stderr
    report = json.loads(process.stdout)
    assert list(report) == [
        "version", "exercise", "submission", "status", "score", "max_score", "seed", "isolation", "notes", "checks",
    ]  # fmt: skip
    assert (report["version"], report["status"]) == (1, "graded")
    assert report["score"] == report["max_score"] > 0
    assert list(report["checks"][0]) == [
        "id", "function", "title", "status", "code", "points", "max_points", "message", "diagnosis", "hidden",
    ]  # fmt: skip


def test_json_of_several_submissions_is_a_list(tmp_path: Path) -> None:
    file = tmp_path / "reports.json"
    paths = [CLASS / "perfect", CLASS / "blank"]
    process = autograder("grade", "rnn_backprop", *paths, "--format", "json", "--output", file)
    assert (process.returncode, process.stdout) == (0, "")
    perfect, blank = json.loads(file.read_text(encoding="utf-8"))
    assert (perfect["score"], blank["score"]) == (perfect["max_score"], 0.0)
    assert "Graded 2 of 2." in process.stderr


def test_seed_replays_verdict() -> None:
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
    process = autograder("grade", "rnn_backprop", CLASS / "truncated_bptt", "--fail-under", percent)
    assert process.returncode == code


def test_refused_submission_is_a_verdict(tmp_path: Path) -> None:
    process = autograder("grade", "rnn_backprop", tmp_path, "--format", "json")
    report = json.loads(process.stdout)
    assert (process.returncode, report["status"], report["score"]) == (0, "refused", 0.0)
    assert "rnn_backprop.ipynb" in report["notes"][0]["text"]


def test_unwritable_output_is_grader_error(tmp_path: Path) -> None:
    process = autograder("grade", "rnn_backprop", CLASS / "blank", "--output", tmp_path / "no" / "where")
    assert process.returncode == 1
    assert "cannot be written" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("args", [["--version"], ["demo"], ["grade", "rnn_backprop", CLASS / "blank"]], ids=str)
def test_a_full_output_is_one_sentence(args: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        process = autograder(*args, stdout=full)
    assert process.returncode == 1
    assert "cannot be written (No space left on device)" in process.stderr.splitlines()[-1]
    assert "Traceback" not in process.stderr


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes streams")
@pytest.mark.parametrize(
    ("stream", "said"), [(1, b"Warning: the output is closed, so nothing is shown there.\n"), (2, b"")]
)
def test_a_closed_stream_changes_no_exit_code(stream: int, said: bytes) -> None:
    program = shlex.join([sys.executable, "-m", "autograder", "grade", "rnn_backprop", str(CLASS / "blank")])
    command = f"exec {stream}>&-; exec {program}"
    process = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, check=False)
    assert (process.returncode, process.stderr) == (0, said)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell with pipes")
def test_an_output_that_nobody_reads_to_its_end_is_one_sentence() -> None:
    read, write = os.pipe()
    os.close(read)
    process = autograder("--help", stdout=write)
    os.close(write)
    assert (process.returncode, process.stderr) == (
        1,
        "autograder: the output was closed before all of it was written.\n",
    )


@pytest.mark.parametrize("encoding", ["cp1252", "cp437"])
def test_output_in_any_encoding_is_whole(encoding: str) -> None:
    process = autograder("grade", "rnn_backprop", CLASS / "truncated_bptt", encoding=encoding)
    assert (process.returncode, process.stderr) == (0, "")
    assert "error of each entry" in process.stdout


def test_outside_of_a_course_the_one_that_is_used_is_named(tmp_path: Path) -> None:
    process = autograder("grade", "rnn_backprop", CLASS / "blank", cwd=tmp_path)
    assert process.returncode == 0
    assert f"No course.toml here or above: the course in {ROOT} is used." in process.stderr


def test_names_of_exercises_are_completed() -> None:
    words = {"COMP_WORDS": "autograder grade rnn", "COMP_CWORD": "2", "_AUTOGRADER_COMPLETE": "bash_complete"}
    assert autograder(**words).stdout == "plain,rnn_backprop\n"


@pytest.mark.parametrize("path", [".", "rnn_backprop.py"])
def test_grading_inside_submission_imports_nothing_of_it(tmp_path: Path, path: str) -> None:
    for name in ("rnn_backprop.py", "numpy.py", "click.py", "msgpack.py", "sol/rnn_backprop/rubric.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("print('imported a student')", encoding="utf-8")
    (tmp_path / "course.toml").write_text('exercises = "sol"', encoding="utf-8")
    process = autograder("grade", "rnn_backprop", path, cwd=tmp_path)
    assert "imported" not in process.stdout + process.stderr
    assert process.returncode == 2
    assert "inside the submission" in process.stderr


def test_piped_text_is_plain() -> None:
    process = autograder("grade", "rnn_backprop", CLASS / "truncated_bptt")
    assert "\x1b" not in process.stdout
    assert "dJ_dW.plain" in process.stdout
