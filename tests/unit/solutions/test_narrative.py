"""The text around the exercise: numbered equations, figures, nothing that gives the solution away."""

from __future__ import annotations

import re

import pytest

from tests.in_process import exercise
from tests.naive_gradients import EXERCISE_FOLDER

SOURCE = (EXERCISE_FOLDER / "rnn_backprop.py").read_text(encoding="utf-8")
FIGURES = re.findall(r"!\[([^\]]*)\]\(figures/(\w+\.png)\)", SOURCE)


def test_every_figure_of_the_folder_is_shown_once():
    shown = [name for _, name in FIGURES]
    assert sorted(shown) == sorted(path.name for path in (EXERCISE_FOLDER / "figures").iterdir())


@pytest.mark.parametrize(("alternative", "name"), FIGURES, ids=[name for _, name in FIGURES])
def test_figures_have_an_alternative_text_and_stay_small(alternative, name):
    assert len(alternative.split()) > 30
    assert (EXERCISE_FOLDER / "figures" / name).stat().st_size < 60_000


def test_minutes_are_those_of_the_rubric():
    minutes = {
        name: int(number) for name, number in re.findall(r"^# \| `(\w+)` \|.*\| (\d+) minutes \|$", SOURCE, re.M)
    }
    assert minutes == {function.name: function.minutes for function in exercise().functions}


def test_tables_hold_no_display_mathematics():
    rows = [line for line in SOURCE.splitlines() if line.startswith("# |")]
    assert not [row for row in rows if "$$" in row or "\\dfrac" in row]


def test_tables_hold_no_formula_that_can_be_broken():
    """The classic Notebook's MathJax gives such a formula the width of the whole table."""
    formulas = [formula for line in SOURCE.splitlines() if line.startswith("# |") for formula in line.split("$")[1::2]]
    assert not [formula for formula in formulas if re.search(r"=|\\to\b|\\times| / |, ", formula)]


def test_no_released_cell_draws():
    assert "matplotlib" not in SOURCE
