"""Exercise folders: what is missing is named, and loading one leaves nothing behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.loading import ExerciseError, load_exercise

ROOT = Path(__file__).parents[2]


def test_two_exercises_side_by_side() -> None:
    before = set(sys.modules)
    first = load_exercise(ROOT / "solutions" / "rnn_backprop")
    second = load_exercise(ROOT / "tests" / "toy_course" / "solutions" / "softmax_regression")
    assert (first.max_score, first.name) == (10.0, "rnn_backprop")
    assert second.name == "softmax_regression"
    assert not {"rubric", "network", "rnn_backprop", "softmax_regression", "checks"} & (set(sys.modules) - before)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "has no toy.py"),
        ({"toy.py": ""}, "has no rubric.py"),
        ({"toy.py": "", "rubric.py": "GIVEN = ()"}, "does not define FUNCTIONS, CHECKS"),
        ({"toy.py": "", "rubric.py": "import not_there"}, "rubric.py, line 1"),
        ({"toy.py": "1 +", "rubric.py": ""}, "SyntaxError"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, files: dict[str, str], says: str) -> None:
    folder = tmp_path / "toy"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ExerciseError, match=r".") as told:
        load_exercise(folder)
    assert says in str(told.value)
    assert str(folder) not in sys.path
