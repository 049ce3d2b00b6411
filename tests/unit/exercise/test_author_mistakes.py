"""An author is told: every mistake gets its sentences, with file and line, before anything is released."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autograder import cli
from autograder.exercise import loader
from autograder.exercise.lint import rubric_problems, run_problems
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.exercise.problems import SENTENCES

TESTS = Path(__file__).parents[2]
LOGISTIC, FULL_FORM = "logistic_regression", "linear_classifier"
SLIPS = tomllib.loads(Path(__file__).with_name("author_mistakes.toml").read_text(encoding="utf-8"))["slip"]


def copied(name: str, folder: Path) -> Path:
    source = TESTS / "exercises" / name
    return Path(shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".cache")))


def edited(name: str, edits: Sequence[Sequence[str]], folder: Path) -> Path:
    """Return a copy of an exercise with its rubric.py changed, or its only file."""
    copy = copied(name, folder)
    file = copy / ("rubric.py" if name == FULL_FORM else f"{name}.py")
    text = file.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    return copy


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("number", range(len(SLIPS)))
def test_a_mistake_of_an_author_gets_its_sentences(number: int, tmp_path: Path) -> None:
    slip: dict[str, Any] = SLIPS[number]
    with pytest.raises(ExerciseError) as error:
        load_exercise(edited(slip["exercise"], slip["edits"], tmp_path))
    lines = [str(problem) for problem in error.value.problems]
    shown = [line[: len(expected)] for line, expected in zip(lines, slip["sentences"], strict=True)]
    assert shown == slip["sentences"]


def test_a_shared_case_that_gives_no_answer_away_is_none(tmp_path: Path) -> None:
    at_the_optimum = [
        ('("small", "large")', '("small", "large", "optimum")'),
        ("_SIZES = {", '_SIZES = {"optimum": (4, 3, 2), '),
        ("    y = np.eye(K)", '    W, b = (W * 0, b * 0) if case_id == "optimum" else (W, b)\n    y = np.eye(K)'),
        ("    y_hat = ref", '    y = y * 0 + 1 / K if case_id == "optimum" else y\n    y_hat = ref'),
        ('arrays=("W", "b", "x"), ', 'arrays=["W", "b", "x"], '),
    ]
    load_exercise(edited(FULL_FORM, at_the_optimum, tmp_path))


def test_the_sentences_are_many() -> None:
    assert len({tuple(slip["sentences"]) for slip in SLIPS}) >= 120
    assert all(sentence.endswith((".", "?", "}")) for sentence in SENTENCES.values())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_a_file_in_another_encoding_is_said_so(encoding: str, tmp_path: Path) -> None:
    file = copied(LOGISTIC, tmp_path) / f"{LOGISTIC}.py"
    text = file.read_text(encoding="utf-8").replace("shorter", "k\u00fcrzer")
    file.write_bytes(text.encode(encoding))
    with pytest.raises(ExerciseError, match=r"^logistic_regression.py, line 1: The file is not plain UTF-8: save it"):
        load_exercise(file.parent)


@pytest.mark.parametrize(
    ("module", "whose"),
    [
        ("results", "a file that students get with every exercise"),
        ("checks", "a file that students get with every exercise"),
        ("random", "a module of Python itself"),
    ],
)
def test_a_module_of_the_author_s_takes_no_name_that_is_taken(module: str, whose: str, tmp_path: Path) -> None:
    folder = edited(LOGISTIC, [("import numpy as np\n", f"import numpy as np\nfrom {module} import X\n")], tmp_path)
    (folder / f"{module}.py").write_text("X = 1\n", encoding="utf-8")
    with pytest.raises(ExerciseError) as error:
        load_exercise(folder)
    [problem] = map(str, error.value.problems)
    assert problem == f"{LOGISTIC}.py, line 14: {module}.py has the name of {whose}: take another one."


def test_an_equation_of_another_text_may_be_referred_to(tmp_path: Path) -> None:
    load_exercise(edited(LOGISTIC, [("(N,): equation (1).", "(N,): equation (9) of the script.")], tmp_path))


def test_lint_prints_all_problems_of_an_exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "course.toml").write_text('exercises = "."\n', encoding="utf-8")
    copied(LOGISTIC, tmp_path)
    monkeypatch.chdir(tmp_path)
    sound = CliRunner().invoke(cli.commands, ["lint", LOGISTIC], catch_exceptions=False)
    assert sound.output == f"{LOGISTIC} is sound: 7 checks, 4 points, for predict, loss, dJ_dw.\n"
    shutil.rmtree(tmp_path / LOGISTIC)
    edited(LOGISTIC, (("y_hat=predict(w, b, X))", "z=0)"),), tmp_path)
    wrong = CliRunner().invoke(cli.commands, ["lint", LOGISTIC])
    assert "line 25: loss asks for y_hat" in wrong.output
    assert "line 40: dJ_dw asks for y_hat" in wrong.output
    assert str(wrong.exception).startswith(f"{LOGISTIC} has 2 problems: correct them, and run this again;")


def test_an_objective_that_loses_imaginary_parts_is_noted(tmp_path: Path) -> None:
    edits = [("return loss(predict(w, b, X), y)", "return float(np.real(loss(predict(w, b, X), y)))")]
    folder = edited(LOGISTIC, edits, tmp_path)
    for _ in range(2):  # found out, and remembered
        assert load_exercise(folder).without_complex_step == {"dJ_dw"}


def test_a_sound_exercise_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied(LOGISTIC, tmp_path)
    load_exercise(folder)
    looks: list[object] = []
    monkeypatch.setattr(rubric_problems, "rubric_problems", lambda exercise: looks.append(exercise) or [])
    monkeypatch.setattr(run_problems, "run_problems", lambda exercise: [])
    loader.load_exercise(folder)
    assert len(looks) == 0
    with (folder / f"{LOGISTIC}.py").open("a", encoding="utf-8") as source:
        source.write("# a change\n")
    loader.load_exercise(folder)
    assert len(looks) == 1
    assert len(list((folder / ".cache").glob("sound-*"))) == 1
