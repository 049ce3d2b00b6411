"""The small form: what is derived from a source with a teacher cell, and what of it reaches students."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.evaluation.call_plans import plan_calls
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise, Function
from autograder.exercise.small_form.cases import CaseMaker, RoundNumbers, diagnostic_sets
from autograder.exercise.small_form.shapes import symbolic_shape
from autograder.release.build import ReleaseError, build_release

EXERCISES = Path(__file__).parents[2] / "exercises"
LOGISTIC, HEAT = EXERCISES / "logistic_regression", EXERCISES / "heat_equation"


@cache
def load(folder: Path) -> Exercise:
    return load_exercise(folder)


def edited(tmp_path: Path, *replacements: tuple[str, str], folder: Path = LOGISTIC) -> Path:
    """Return a copy of an exercise with its text changed."""
    copy = tmp_path / folder.name
    copy.mkdir()
    text = (folder / f"{folder.name}.py").read_text(encoding="utf-8")
    for old, new in replacements:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (copy / f"{folder.name}.py").write_text(text, encoding="utf-8")
    return copy


def test_logistic_regression_takes_at_most_80_lines() -> None:
    [file] = LOGISTIC.glob("*.py")
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 80


def test_functions_are_derived_from_signatures_docstrings_and_results() -> None:
    read = "equation ({}) of the notebook"
    assert load(LOGISTIC).functions == (
        Function("predict", ("w", "b", "X"), returns={"y_hat": "(N,)"}, reference_text=read.format(1)),
        Function("loss", ("y_hat", "y"), returns={"J": "()"}, reference_text=read.format(2)),
        Function("dJ_dw", ("X", "y", "y_hat"), returns={"dJ_dw": "(D,)"}, wrt="w", reference_text=read.format(3)),
    )


def test_points_are_shared_between_contract_values_and_slope() -> None:
    points = {check.id: check.points for check in load(LOGISTIC).checks if check.function != "loss"}
    assert points == {
        "predict.contract": 0.25,
        "predict.values": 0.75,
        "dJ_dw.contract": 0.5,
        "dJ_dw.values": 1.0,
        "dJ_dw.slope": 0.5,
    }


def test_a_check_of_the_author_s_comes_last() -> None:
    *_, last = load(HEAT).checks
    assert (last.id, last.title, last.points) == ("heat.check1", "A long time", 1)
    assert last.cases == ("heat.N=5, steps=60",)


@pytest.mark.parametrize(
    ("replace", "count"),
    [('replace=" / len(x)"', "' / len(x)' stands there 0 times"), ('replace="y"', "'y' stands there 5 times")],
)
def test_a_mistake_without_one_place_in_the_answer_is_left_out_and_named(
    replace: str, count: str, tmp_path: Path
) -> None:
    exercise = load(edited(tmp_path, ('replace=" / len(y)"', replace)))
    assert "mean_forgotten" not in [mistake.name for mistake in exercise.mistakes if mistake.function == "dJ_dw"]
    assert exercise.mistake_problems == (
        f"logistic_regression.py, line 69: The known mistake mean_forgotten of dJ_dw is left out: {count}, "
        "and must stand there once.",
    )


def test_hidden_cases_are_drawn_from_the_seed_and_public_ones_are_not() -> None:
    [first], [second] = (plan_calls(load(HEAT), seed) for seed in (1, 2))
    same = [
        np.array_equal(a.case.arrays["u"], b.case.arrays["u"])
        for a, b in zip(first.cases.values(), second.cases.values(), strict=True)
    ]
    assert same == [True, False, False, False, False, False]


def test_words_among_the_arguments_cross_as_names() -> None:
    assert {case.names["ends"] for case in load(HEAT).diagnostic_cases} == {"str fixed", "str ring"}


def test_diagnostic_cases_differ_from_the_most_distinct_in_one_thing() -> None:
    ids = [case.id for case in load(LOGISTIC).diagnostic_cases]
    assert ids[:2] == ["N=1, D=1, seed=0", "N=1, D=2, seed=0"]
    assert {"N=3, D=2, balanced=False, seed=0", "N=4, D=2, seed=0"} <= set(ids)
    assert all([case.id for case in cases] == ids for cases in load(LOGISTIC).confirmation_cases)


def test_a_combination_that_case_refuses_is_left_out() -> None:
    def case(rng: np.random.Generator, N: int, K: int) -> dict[str, object]:
        assert K <= N
        return {"x": rng.normal(size=(N, K))}

    [shown, *_] = diagnostic_sets(CaseMaker(case, [{"N": 2, "K": 1}, {"N": 3, "K": 2}]))
    assert "N=1, K=2, seed=0" not in [case.id for case in shown]
    assert "N=3, K=1, seed=0" in [case.id for case in shown]


def test_all_sizes_of_the_author_are_shown_however_many() -> None:
    def case(rng: np.random.Generator, N: int) -> dict[str, object]:
        return {"x": rng.normal(size=N)}

    [shown, *_] = diagnostic_sets(CaseMaker(case, [{"N": number} for number in range(1, 21)]))
    assert [case.parameters["N"] for case in shown] == list(range(1, 21))


def test_numbers_that_students_see_have_two_digits() -> None:
    rng = RoundNumbers(np.random.PCG64(1))
    assert [len(f"{abs(x):g}".replace("0.", "").strip("0.").replace(".", "")) <= 2 for x in rng.normal(size=9)] == [
        True
    ] * 9
    assert isinstance(rng.normal(), float)


@pytest.mark.parametrize(
    ("seen", "symbols"),
    [
        ([({"N": 3, "D": 2}, (3, 2)), ({"N": 1, "D": 1}, (1, 1))], "(N, D)"),
        ([({"T": 3, "H": 2}, (4, 2)), ({"T": 1, "H": 4}, (2, 4))], "(T+1, H)"),
        ([({"N": 3}, ()), ({"N": 4}, ())], "()"),
        ([({"N": 3}, (3, 2)), ({"N": 4}, (4, 2))], "(N, 2)"),
        ([({"H": 3, "D": 2}, (5, 6)), ({"H": 4, "D": 3}, (7, 12))], "(H+D, HD)"),
        ([({"N": 3}, (17,)), ({"N": 4}, (90,))], None),
        ([({"N": 3}, (3,)), ({"N": 4}, (4, 1))], None),
    ],
)
def test_symbolic_shape(seen: list[tuple[dict[str, int], tuple[int, ...]]], symbols: str | None) -> None:
    assert symbolic_shape(seen) == symbols


def test_the_header_says_what_cannot_be_derived(tmp_path: Path) -> None:
    header = 'solution="heat" points=3'
    folder = edited(
        tmp_path,
        (header, f'{header} returns="U (times, N)" starts="U=u" read="equation (7) of the script"'),
        folder=HEAT,
    )
    [function] = load_exercise(folder).functions
    assert function.returns == {"U": "(times, N)"}
    assert function.initial_rows == {"U": "u"}
    assert function.reference_text == "equation (7) of the script"


def test_names_of_the_full_form_take_the_place_of_what_is_derived(tmp_path: Path) -> None:
    folder = edited(tmp_path, ("SIZES =", "DIAGNOSTIC_CASES = ()\nSIZES ="))
    assert load_exercise(folder).diagnostic_cases == ()


def test_own_modules_are_released_with_what_they_import(tmp_path: Path) -> None:
    folder = edited(tmp_path, ("import numpy as np\n", "import numpy as np\nfrom curves import sigmoid\n"))
    (folder / "curves.py").write_text("from constants import ONE\nsigmoid = ONE\n", encoding="utf-8")
    (folder / "constants.py").write_text("ONE = 1\n", encoding="utf-8")
    (folder / "unrelated.py").write_text("", encoding="utf-8")
    exercise = load_exercise(folder)
    assert list(exercise.support_modules) == ["curves.py", "constants.py"]
    [setup] = exercise.setup_cells
    assert "    from checks import check, hint, slope\n    from curves import sigmoid\nexcept" in setup


def test_nothing_of_the_teacher_cell_is_released() -> None:
    exercise = load(HEAT)
    released = build_release(exercise).student_files
    for line in exercise.teacher_cell.splitlines():
        for name, content in released.items():
            text = content.decode("utf-8", "replace")
            if name.endswith(".ipynb"):
                text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
            assert len(line) < 12 or line not in text, name
    assert b"teacher" not in b"".join(released.values())
    assert released["requirements.txt"] == b"numpy>=2.0\njupyterlab>=4.0\npytest>=7.4\n"
    assert released["README.md"].startswith(b"# The heat equation, step by step\n")


def test_a_line_of_the_teacher_cell_in_the_narrative_is_a_leak(tmp_path: Path) -> None:
    line = "SIZES = [dict(N=1, D=1), dict(N=3, D=2), dict(N=20, D=5, balanced=False)]"
    folder = edited(tmp_path, ("# # Logistic regression\n", f"# # Logistic regression\n#\n# {line}\n"))
    with pytest.raises(ReleaseError, match="would give away a line"):
        build_release(load_exercise(folder))
