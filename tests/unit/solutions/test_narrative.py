"""The text around the exercise: numbered equations, figures, nothing that gives the solution away."""

from __future__ import annotations

import re

import pytest

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


def test_no_released_cell_draws():
    assert "matplotlib" not in SOURCE
