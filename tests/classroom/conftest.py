"""What the tests of a class share: the exercise, the config, and classes made of the sample submissions."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from autograder.course import Limits, find_course
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "submissions"
NAME = "rnn_backprop"


@pytest.fixture(scope="session")
def exercise() -> Exercise:
    return load_exercise(find_course(ROOT).exercise_folder(NAME))


@pytest.fixture(scope="session")
def config() -> GradingConfig:
    return GradingConfig(Limits(cpu_seconds=0.5, load_cpu_seconds=2), "E", b"tests", None)


@pytest.fixture
def hand_in(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Makes submitted/STUDENT/rnn_backprop/ from students and the samples that they hand in."""

    def make(class_: Mapping[str, str]) -> Path:
        for student, sample in class_.items():
            folder = tmp_path / "submitted" / student / NAME
            shutil.copytree(SAMPLES / sample, folder)
            (folder / "expected.toml").unlink(missing_ok=True)
        return tmp_path / "submitted"

    return make
