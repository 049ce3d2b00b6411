"""AUTOGRADER_SECRET, from where student code could look for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.evaluation.seeds import SECRET_VARIABLE, load_secret
from tests.courses import ROOT

SECRET = "the-secret-of-this-test"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only there can a process wipe its environment")

GRADE_AT_LEVEL_E = """
import sys, pathlib
from autograder import grading
from autograder.course import find_course
from autograder.exercise.loader import load_exercise
from autograder.sandbox.host.jail import Jail

grading.Jail = lambda: Jail("E")
course = find_course(pathlib.Path.cwd())
exercise = load_exercise(course.exercise_folder("rnn_backprop"))
with grading.open_grader(course, exercise, lambda warning: None) as grader:
    report = grader.grade(pathlib.Path(sys.argv[1]), "spy")
print(report.status, *(note.text for note in report.notes if "spied" in note.text))
"""

SPY = f"""
import os, pathlib
looked_at = str(dict(os.environ)).encode()
pid = os.getpid()
while pid > 1:
    try:
        looked_at += pathlib.Path(f"/proc/{{pid}}/environ").read_bytes()
        pid = int(pathlib.Path(f"/proc/{{pid}}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        break
if b"{SECRET[:8]}" + b"{SECRET[8:]}" in looked_at:
    raise RuntimeError("spied")
"""


@LINUX
def test_student_code_at_level_e_finds_no_secret_in_the_environment_of_its_parents(tmp_path: Path) -> None:
    (tmp_path / "rnn_backprop.py").write_text(SPY)
    environment = {**os.environ, SECRET_VARIABLE: SECRET}
    command = [sys.executable, "-c", GRADE_AT_LEVEL_E, tmp_path / "rnn_backprop.py"]
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert process.stdout.split() == ["graded"]


@LINUX
def test_load_secret_hands_the_variable_to_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    assert load_secret(None) == SECRET.encode()  # the course is not asked
    command = [sys.executable, "-c", f"import os; print(os.environ.get({SECRET_VARIABLE!r}))"]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip() in (
        "",
        "None",
    )


def test_load_secret_gives_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    assert [load_secret(None), load_secret(None)] == [SECRET.encode()] * 2  # no course is read
