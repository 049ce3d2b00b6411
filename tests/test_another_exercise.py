"""Another exercise than rnn_backprop, released and graded by the same engine without a change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import Limits
from autograder.evaluation.report import Report
from autograder.exercise import source
from autograder.exercise.loader import load_exercise
from autograder.grading import Grader
from autograder.release.build import build_release
from autograder.release.install import diff_release, release_exercise
from autograder.sandbox.host.jail import Jail
from tests.in_process import ROOT
from tests.in_process import other_exercise as exercise

NAME = exercise().name
FORMS = [".py", ".ipynb"]


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return release_exercise(exercise(), tmp_path_factory.mktemp("assignments") / NAME)


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Jail() as jail:
        yield Grader(exercise(), jail, Limits(), seed=1)


def hand_in(released: Path, suffix: str, folder: Path, replacement: tuple[str, str] = ("", "")) -> Path:
    """Answer every stub of the released file as in the source, but for a replacement: (right text, wrong text)."""
    text = (exercise().folder / f"{NAME}.py").read_text(encoding="utf-8")
    answers = {source.student_text(cell): cell.source for cell in source.parse_cells(text) if cell.kind == "solution"}
    answers = {stub: answer.replace(*replacement) for stub, answer in answers.items()}
    file = folder / f"{NAME}{suffix}"
    text = (released / file.name).read_text(encoding="utf-8")
    fill_in = fill_in_notebook if suffix == ".ipynb" else fill_in_script
    file.write_text(fill_in(text, answers), encoding="utf-8")
    return file


def fill_in_script(text: str, answers: dict[str, str]) -> str:
    for stub, answer in answers.items():
        assert text.count(stub) == 1
        text = text.replace(stub, answer)
    return text


def fill_in_notebook(text: str, answers: dict[str, str]) -> str:
    notebook = json.loads(text)
    stubs = [cell for cell in notebook["cells"] if "".join(cell["source"]) in answers]
    assert len(stubs) == len(answers)
    for cell in stubs:
        cell["source"] = answers["".join(cell["source"])]
    return json.dumps(notebook)


def points_by_function(report: Report) -> dict[str, tuple[float, float]]:
    assert report.status == "graded", report.notes
    return {function.name: report.points_of(function.name) for function in exercise().functions}


@pytest.mark.parametrize("suffix", FORMS)
def test_right_answers_have_all_points(grader, released, suffix, tmp_path):
    report = grader.grade(hand_in(released, suffix, tmp_path), "")
    assert {check.status for check in report.checks} == {"pass"}
    assert report.score == report.max_score == exercise().max_score > 0
    assert report.notes == ()


@pytest.mark.parametrize("suffix", [*FORMS, ""], ids=["script", "notebook", "folder"])
def test_released_stubs_have_none(grader, released, suffix):
    report = grader.grade(released / f"{NAME}{suffix}" if suffix else released, "")
    assert (report.status, report.score) == ("graded", 0.0)
    assert {check.status for check in report.checks} == {"not_attempted"}


@pytest.mark.parametrize("suffix", FORMS)
@pytest.mark.parametrize(
    ("function", "replacement"),
    [("predict", (" + b", " - b")), ("loss", ("-np.sum", "np.sum")), ("dJ_dW", (" / len(X)", ""))],
    ids=["predict", "loss", "dJ_dW"],
)
def test_a_wrong_answer_costs_its_own_function(grader, released, suffix, function, replacement, tmp_path):
    report = grader.grade(hand_in(released, suffix, tmp_path, replacement), "")
    lost = [name for name, (points, max_points) in points_by_function(report).items() if points < max_points]
    assert lost == [function]
    assert f"{function}.values" in {check.id for check in report.checks if check.status == "fail"}


def test_a_release_is_reproducible(released, tmp_path):
    again = release_exercise(load_exercise(exercise().folder), tmp_path / NAME)
    assert {path.name: path.read_bytes() for path in again.iterdir()} == build_release(exercise()).student_files
    assert {path.name: path.read_bytes() for path in released.iterdir()} == build_release(exercise()).student_files
    assert diff_release(exercise(), released) == ()


def test_the_command_line_releases_and_grades_in_a_copy_of_the_course(tmp_path):
    """The whole workflow of an instructor: release, a student's answers, the grade."""
    course = tmp_path / "course"
    ignored = shutil.ignore_patterns("__pycache__", ".cache")
    shutil.copytree(exercise().folder, course / "solutions" / NAME, ignore=ignored)
    (course / "course.toml").touch()
    env = {**os.environ, "AUTOGRADER_SECRET": "of another course", "PYTHONSAFEPATH": "1", "PYTHONPATH": str(ROOT)}

    def autograder(*args: str | Path) -> str:
        command = [sys.executable, "-m", "autograder", *map(str, args)]
        return subprocess.run(
            command, cwd=course, env=env, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    assert f"Released {NAME} to {Path('assignments', NAME)}." in autograder("release", NAME)
    (tmp_path / "student").mkdir()
    file = hand_in(course / "assignments" / NAME, ".ipynb", tmp_path / "student")
    report = json.loads(autograder("grade", NAME, file, "--format", "json"))
    assert (report["exercise"], report["score"]) == (NAME, exercise().max_score)
    assert not list(course.rglob(".course-secret"))
