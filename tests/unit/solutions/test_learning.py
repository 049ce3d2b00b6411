"""The cells that train networks with a student's functions: they learn, end with the clock, and do nothing unseen."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.exercise.source import stub_text
from tests.in_process import exercise, load_functions, network
from tests.naive_gradients import EXERCISE_FOLDER
from tests.release.student_folder import ANSWERS


@pytest.fixture(scope="module")
def learning() -> Iterator[Any]:
    module = ModuleType("learning")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "network", network())
        patch.setitem(sys.modules, "learning", module)
        exec(exercise().notebook_modules["learning.py"], vars(module))
        yield module


def functions_of(text: str) -> tuple[Any, ...]:
    return tuple(load_functions(text).values())


RIGHT = functions_of("import numpy as np\n" + "\n\n".join(ANSWERS.values()))
DOUBLE_SUM = functions_of((EXERCISE_FOLDER / "honest" / "literal_double_sum.py").read_text(encoding="utf-8"))


def updated(run: Any, times: int) -> Any:
    for _ in range(times):
        run.update(RIGHT)
    return run


class TestTraining:
    def test_remembers_five_steps_and_not_twenty(self, learning: Any) -> None:
        short, _, long = (updated(run, 60) for run in learning.runs_of_lengths((5, 10, 20), seed=0))
        assert short.has_learned
        assert long.recent > 0.6

    def test_terms_vanish_with_the_way_back(self, learning: Any) -> None:
        [run] = learning.runs_of_lengths((20,), seed=0)
        terms = learning.terms(run, RIGHT)
        assert np.allclose(terms, learning.terms(run, DOUBLE_SUM))
        assert terms[0] < 1e-5
        assert terms[-1] == 1

    def test_clipping_keeps_what_was_learned(self, learning: Any) -> None:
        plain, clipped = (updated(run, 100) for run in learning.runs_of_clipping(learning.shrink))
        assert plain.recent > 0.6
        assert clipped.recent < 0.1

    @pytest.mark.parametrize("functions", [RIGHT, DOUBLE_SUM], ids=["right", "double sum"])
    def test_gives_each_network_the_same_time_and_ends(self, learning: Any, functions: Any) -> None:
        runs = learning.runs_of_lengths((5, 10, 20), seed=0)
        shares = list(learning.train(runs, functions, 0.3))
        assert shares == sorted(shares)
        assert all(run.losses for run in runs)
        assert len(runs[0].losses) >= len(runs[2].losses)

    def test_clipped_gradients_have_the_norm_asked_for(self, learning: Any) -> None:
        clipped = learning.shrink({"V": np.array([3.0]), "W": np.array([4.0])}, 1.0)
        assert [float(clipped[name][0]) for name in "VW"] == pytest.approx([0.6, 0.8])
        assert learning.shrink({"V": np.zeros(2)}, 1.0)["V"].tolist() == [0, 0]


class TestCells:
    @pytest.fixture
    def shown(self, learning: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What a notebook shows; whoever asks IPython gets a stand-in."""
        shown: list[str] = []
        shell = SimpleNamespace(get_ipython=lambda: object(), version_info=(9, 0))  # which matplotlib reads
        display = SimpleNamespace(HTML=str, display=lambda content, **_: SimpleNamespace(update=shown.append))
        monkeypatch.setitem(sys.modules, "IPython", shell)
        monkeypatch.setitem(sys.modules, "IPython.display", display)
        display.display = lambda content, **_: shown.append(content) or SimpleNamespace(update=shown.append)
        return shown

    def test_show_a_picture_with_a_progress_bar_and_words(self, learning: Any, shown: list[str]) -> None:
        pytest.importorskip("matplotlib")
        learning.compare_lengths(*RIGHT, lengths=(2, 3), seconds=0.2)
        assert 'max="1"></progress> n = 2: loss ' in shown[-1]
        assert 'value="1.00"' in shown[-1]
        assert "Guessing has the loss 0.69." in shown[-1]
        assert "data:image/png;base64," in shown[-1]

    def test_draw_states(self, learning: Any, shown: list[str]) -> None:
        pytest.importorskip("matplotlib")
        learning.draw_states(T=3)
        assert "The 8 states of a random tanh network over 3 steps" in shown[0]

    def test_say_which_function_is_missing(
        self, learning: Any, shown: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        def stub(*_: object) -> None:
            raise NotImplementedError(stub_text("dJ_dW"))

        learning.learn(RIGHT[0], RIGHT[1], stub, RIGHT[3])
        learning.learn(RIGHT[0], lambda *_: None, *RIGHT[2:])
        missing, broken = capsys.readouterr().out.splitlines()
        assert missing == "This cell needs all four functions: dJ_dW is not written yet."
        assert broken.startswith("Training stops with TypeError: ")
        assert not shown

    @pytest.mark.parametrize("where", ["nbgrader", "no notebook"])
    def test_do_nothing_unseen(
        self, learning: Any, shown: list[str], monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        if where == "nbgrader":
            monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
        else:
            monkeypatch.setattr(importlib.import_module("IPython"), "get_ipython", lambda: None)
        learning.draw_states()
        learning.learn()
        learning.compare_lengths()
        learning.compare_clipping(clip=learning.shrink)
        assert not shown
