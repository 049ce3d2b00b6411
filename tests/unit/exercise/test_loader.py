"""Loading exercise folders: errors name what is missing, and no module is left behind."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder.commands import common
from autograder.commands.authoring import release
from autograder.course import find_course
from autograder.exercise.loader import ExerciseError, load_exercise

ROOT = Path(__file__).parents[3]
CLASSIFIER = ROOT / "tests" / "exercises" / "linear_classifier"
CONTRACT = 'Check("dJ_dW.contract", "dJ_dW", "Shape, inputs left alone", 0.5, ("contract",), "contract", hidden=False)'


def test_loading_two_exercises_leaves_no_module_behind() -> None:
    before = set(sys.modules)
    first = load_exercise(ROOT / "solutions" / "rnn_backprop")
    second = load_exercise(CLASSIFIER)
    assert [(exercise.name, [function.name for function in exercise.functions]) for exercise in (first, second)] == [
        ("rnn_backprop", ["forward", "dJ_dV", "dJ_dW", "dJ_dU"]),
        ("linear_classifier", ["predict", "dJ_dW"]),
    ]
    assert not {"rubric", "network", "rnn_backprop", "linear_classifier", "checks"} & (set(sys.modules) - before)


def test_a_mistake_whose_place_in_the_answer_was_reworded_is_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(ROOT / "solutions" / "rnn_backprop", tmp_path / "rnn_backprop")
    text = (folder / "rnn_backprop.py").read_text(encoding="utf-8")
    assert "net.V @ h[t] + net.b_y" in text
    (folder / "rnn_backprop.py").write_text(text.replace("net.V @ h[t] + net.b_y", "net.b_y + net.V @ h[t]"))
    complete, reworded = load_exercise(ROOT / "solutions" / "rnn_backprop"), load_exercise(folder)
    assert complete.mistake_problems == ()
    left_out = [problem for problem in reworded.mistake_problems if "b_y_forgotten" in problem]
    assert left_out == [
        "The known mistake b_y_forgotten of forward is left out: in rnn_backprop.py ' + net.b_y' stands 0 times, "
        "and must stand there once."
    ]
    assert len(reworded.mistakes) + len(reworded.mistake_problems) == len(complete.mistakes)

    monkeypatch.setattr(common, "open_exercise", lambda name: (find_course(tmp_path), reworded))
    monkeypatch.setattr("autograder.release.install.release_exercise", lambda *_: None)
    monkeypatch.setattr("autograder.commands.authoring.release.CONFIG_FILE", "no nbgrader")
    process = CliRunner().invoke(release.command, ["rnn_backprop"])
    assert process.exit_code == 0
    assert [line for line in process.stderr.splitlines() if "b_y_forgotten" in line] == [f"Warning: {left_out[0]}"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "has no toy.py"),
        ({"toy.py": ""}, "toy.py, line 1: This is not a cell header"),
        ({"toy.py": "# %% setup"}, "toy.py, line 1: There is no cell # %% teacher, and no rubric.py"),
        (
            {"toy.py": "# %%", "rubric.py": "SUPPORT_MODULES = ()"},
            "rubric.py, line 1: The rubric does not define FUNCTIONS, CHECKS",
        ),
        (
            {
                "toy.py": "# %%",
                "rubric.py": "SUPPORT_MODULES = FUNCTIONS = CHECKS = VISIBLE = LADDER = ()\ndraw = objective = 0",
            },
            "rubric.py, line 1: LADDER is called DIAGNOSTIC_CASES now.",
        ),
        ({"toy.py": "# %%", "rubric.py": "import not_there"}, "rubric.py, line 1"),
        ({"toy.py": "# %%\n1 +", "rubric.py": ""}, "SyntaxError"),
        ({"toy.py": "# %%\n1 +"}, "toy.py, line 2: SyntaxError"),
    ],
)
def test_an_incomplete_folder_is_refused_with_the_missing_name(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    folder = tmp_path / "toy"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ExerciseError, match=r".") as error:
        load_exercise(folder)
    assert message in str(error.value)
    assert str(folder) not in sys.path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"    {CONTRACT},\n", ""),
        (CONTRACT, CONTRACT.replace('"contract", hidden', '"value", hidden')),
        (CONTRACT, CONTRACT.replace("hidden=False", "hidden=True")),
    ],
    ids=["missing", "of another kind", "hidden"],
)
def test_the_first_check_of_a_function_is_a_public_contract(tmp_path: Path, old: str, new: str) -> None:
    folder = tmp_path / CLASSIFIER.name
    shutil.copytree(CLASSIFIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    rubric = folder / "rubric.py"
    text = rubric.read_text(encoding="utf-8")
    assert old in text
    rubric.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ExerciseError, match=r"rubric.py, line \d+: The first check of dJ_dW must look at its contract"):
        load_exercise(folder)


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        (
            "VISIBLE = (*VISIBLE, VisibleCheck('predict', 'Twice', (draw('small', np.random.default_rng(2)),)))",
            "Two public",
        ),
        ("CONFIRMATION_CASES = (tuple(VISIBLE[1].cases),)", "must have the ids of DIAGNOSTIC_CASES"),
    ],
    ids=["two cases of one id", "confirmations of other cases"],
)
def test_public_cases_are_known_by_their_ids(tmp_path: Path, addition: str, message: str) -> None:
    folder = tmp_path / CLASSIFIER.name
    shutil.copytree(CLASSIFIER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "rubric.py").open("a", encoding="utf-8") as rubric:
        rubric.write(f"\n{addition}\n")
    with pytest.raises(ExerciseError, match=message):
        load_exercise(folder)
