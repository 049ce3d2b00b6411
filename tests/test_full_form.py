"""What a rubric can say in the full form alone: checks that are notes, visible checks on cases of their own."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from autograder.course import Limits
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.exercise.source import SCRIPT_CHECK_CELL
from autograder.grading import Grader
from autograder.release.build import build_release
from autograder.sandbox.host.jail import Jail
from tests.in_process import ROOT


@cache
def exercise() -> Exercise:
    return load_exercise(ROOT / "tests" / "exercises" / "linear_classifier")


def answered(folder: Path, right: str, wrong: str) -> Path:
    """Return a script with the model answers and one change, which checks itself."""
    assert exercise().source_text.count(right) == 1
    text = exercise().source_text.replace(right, wrong)
    file = folder / f"{exercise().name}.py"
    file.write_text(f"{text}\n# %%\n{SCRIPT_CHECK_CELL}\n", encoding="utf-8")
    return file


def test_a_note_costs_nothing(tmp_path: Path) -> None:
    wrong_for_a_single_example = answered(tmp_path, "/ n", "/ n * (1 if n > 1 else 2)")
    with Jail() as jail:
        report = Grader(exercise(), jail, Limits(), seed=1).grade(wrong_for_a_single_example, "")
    assert report.score == report.max_score > 0
    assert [note.text.partition(":")[0] for note in report.notes] == ["A single example"]


def test_feedback_without_diagnostic_cases_uses_the_cases_of_the_check(tmp_path: Path) -> None:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
    for name, content in build_release(exercise()).student_files.items():
        (tmp_path / name).write_bytes(content)
    file = answered(tmp_path, "@ x / n", "@ x / 4")
    done = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "dJ_dW is not the slope of J." in done.stdout
    assert "worst entry            dJ_dW[" in done.stdout
    assert "right for              small; wrong for one" in done.stdout
    assert "see it again" not in done.stdout  # no case can be replayed
