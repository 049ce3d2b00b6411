"""Exercises that prove the engine: arguments of any kind, and results that are numbers."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from autograder.course import Limits
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail
from autograder.verification.verify import gradient_errors
from autograder.verification.visible import released_checks

FOLDER = Path(__file__).parent / "exercises" / "layers"


@cache
def layers() -> Exercise:
    return load_exercise(FOLDER)


SOURCE = layers().source_text


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Jail() as jail:
        yield Grader(layers(), jail, Limits(), seed=1)


@pytest.fixture(scope="module")
def checks() -> Iterator[ModuleType]:
    with released_checks(layers()) as checks:
        yield checks


def edited(right: str, wrong: str) -> str:
    assert SOURCE.count(right) == 1
    return SOURCE.replace(right, wrong)


def graded(grader: Grader, folder: Path, text: str) -> dict[str, str]:
    """Return what the grader says of each function that is not right."""
    file = folder / "layers.py"
    file.write_text(text, encoding="utf-8")
    report = grader.grade(file, "")
    assert report.status == "graded", report.notes
    wrong = [check for check in report.checks if check.status != "pass"]
    return {check.function: " ".join(other.message for other in wrong) for check in wrong}


def checked(checks: ModuleType, text: str) -> dict[str, str]:
    """Return what the student's own checks say of each function that is not right."""
    module = ModuleType("layers")
    sys.modules["layers"] = module
    exec(text, vars(module))
    wrong = [result for result in checks.results_of(module) if result.status != "pass"]
    return {result.function: result.message for result in reversed(wrong) if result.message}


RESULTS = {  # of loss and classify: right in each of these forms
    "float": ("losses.mean() if", "float(losses.mean()) if"),
    "array_without_dimensions": ("losses.mean() if", "np.array(losses.mean()) if"),
    "floats_for_ints": ("return np.argmax(S, axis=1)", "return np.argmax(S, axis=1) * 1.0"),
    "bools_for_ints": (
        "return np.argmax(S, axis=1)",
        "C = np.argmax(S, axis=1)\n    return C > 0 if S.shape[1] < 3 else C",
    ),
}
FINDINGS = {  # an edit, its function, a part of what is said when graded, and of what the student's checks say
    "loss_of_each": ("return losses.mean() if", "return losses if", "loss", *["must be a single number"] * 2),
    "loss_none": ("return losses.mean() if", "losses.mean() if", "loss", "returned None", "returned None"),
    "loss_nan": ("return losses.mean() if", "return np.nan if", "loss", "loss is NaN", "loss is nan"),
    "loss_text": ("return losses.mean() if", "return '1' if", "loss", "returned a string", "not a single number"),
    "loss_wrong": ("return losses.mean() if", "return losses.mean() + 1 if", "loss", *["loss does not have"] * 2),
    "number_for_array": ("    return A\n", "    return 3\n", "scores", "a single number", "is a single number"),
    "ints_for_floats": ("    return A\n", "    return A.astype(int)\n", "scores", "dtype int64", "dtype int64"),
    "list_changed": ("    return A\n", "    layers.pop(); return A\n", "scores", "changes layers in", "input layers:"),
    "array_changed": (
        *("    A = X\n", "    A = X; layers[0].W[:] = 1\n"),
        *("scores", "changes layers[0].W in place", "its input layers[0].W:"),
    ),
    "labels_changed": (
        *("    losses = np.log", "    labels += 1; labels %= S.shape[1]\n    losses = np.log"),
        *("loss", "changes labels in place", "its input labels: work on a copy, labels.copy()"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", RESULTS)
def test_numbers_and_whole_numbers_are_right_in_every_form(grader, checks, tmp_path, form):
    text = edited(*RESULTS[form])
    assert graded(grader, tmp_path, text) == {}
    assert checked(checks, text) == {}


@pytest.mark.parametrize("edit", FINDINGS)
def test_both_faces_say_what_is_wrong(grader, checks, tmp_path, edit):
    right, wrong, function, in_report, in_check = FINDINGS[edit]
    text = edited(right, wrong)
    by_grader, by_check = graded(grader, tmp_path, text), checked(checks, text)
    assert list(by_grader) == list(by_check) == [function]
    assert in_report in by_grader[function]
    assert in_check in " ".join(by_check[function].split())


def test_a_gradient_is_the_slope_of_j_through_wrong_functions_of_ones_own(checks):
    """J of the given module takes the student's own scores and loss."""
    doubled = edited("return losses.mean() if", "losses = 2 * losses; return losses.mean() if")
    gradient = ("    D = (P - ", "    D = 2 * (P - ")
    notes = {
        "right": checked(checks, doubled).get("dJ_dW", ""),
        "doubled": checked(checks, doubled.replace(*gradient)).get("dJ_dW", ""),
    }
    assert notes["right"] == ""
    assert "It is the slope of J through your own scores and loss, though: look at loss first." in " ".join(
        notes["doubled"].split()
    )


def test_an_objective_that_loses_imaginary_parts_is_differentiated_by_central_differences(tmp_path):
    folder = shutil.copytree(FOLDER, tmp_path / "layers")
    source = (folder / "layers.py").read_text(encoding="utf-8")
    J = "J(scores, loss, layers, X, labels, reduction)\n\n\nSIZES"
    assert J in source
    (folder / "layers.py").write_text(source.replace(J, f"float(np.real({J[:46]}))\n\n\nSIZES"), encoding="utf-8")
    exercise = load_exercise(folder)
    assert exercise.without_complex_step == {"dJ_dW"}
    assert gradient_errors(exercise, [1])["dJ_dW"] < 1e-10
    with Jail() as jail:
        assert graded(Grader(exercise, jail, Limits(), seed=1), tmp_path, SOURCE) == {}


def test_dataclasses_of_the_set_up_cell_are_those_of_the_notebook(checks):
    module = ModuleType("__main__")
    exec(SOURCE, vars(module))
    assert {result.status for result in checks.results_of(module)} == {"pass"}


def test_a_replayed_case_shows_options_and_numbers(checks):
    module = ModuleType("layers")
    sys.modules["layers"] = module
    exec(SOURCE, vars(module))
    [shown] = checks.results_of(module, ["loss"], {"N": 6, "reduction": "sum"})
    facts = dict(shown.feedback.facts)
    assert shown.status == "pass"
    assert re.fullmatch(r"\[\d(, \d){5}\]", facts["labels"])
    assert facts["reduction"] == "sum"
    assert float(facts["your loss"]) == pytest.approx(float(facts["expected"]))
