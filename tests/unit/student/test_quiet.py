"""How much the released checks print: one cause once, few lines a function, and what a function prints shortened."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from autograder.exercise.model import Mistake
from autograder.student.layout import MAX_LINES, shortened
from tests.classroom.generated_class import answer_with_mistake
from tests.in_process import exercise
from tests.unit.student.test_checks import RIGHT, check_output, edited, module_of

MISTAKES = [
    pytest.param(mistake, id=f"{mistake.function}-{mistake.name}", marks=[pytest.mark.soak] if number % 24 else [])
    for number, mistake in enumerate(exercise().mistakes)
]
WITHOUT_RECURSION = RIGHT.replace("later = ", "later = 0 * ")
CHATTY = f"""{RIGHT}

_forward = forward


def forward(net, x, h0):
    print("h0 is", h0)
    print("and T", len(x))
    return _forward(net, x, h0)
"""


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_function_takes_few_lines(checks: Any, monkeypatch: pytest.MonkeyPatch, mistake: Mistake) -> None:
    text = check_output(checks, monkeypatch, answer_with_mistake(mistake), mistake.function)
    assert len(text.splitlines()) <= MAX_LINES + 1  # that of the progress
    assert text.count("does not have the right numbers") + text.count("is not the slope of J.") <= 2


@pytest.fixture
def long_message(checks: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(importlib.import_module("results"), "MAX_LINES", 12)
    return lambda **options: repr(checks.check("dJ_dW", **options))


def test_a_long_message_is_cut_and_says_how_to_see_all(long_message: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", module_of(WITHOUT_RECURSION, None))
    text, full = long_message(), long_message(full=True)
    assert len(text.splitlines()) <= 12 + 1 < len(full.splitlines())  # one is that of the progress
    assert 'more lines: check("dJ_dW", full=True)' in text
    assert "error of each entry" in full
    assert all(title in text for title in ("nine steps", "other activations and losses (same)", "passed in (same)"))


def test_a_missing_recursion_shows_its_map_without_being_cut(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, WITHOUT_RECURSION, "dJ_dW")
    assert "No entry of dJ_dW is right." in text
    assert "more lines" not in text


def test_the_first_of_two_messages_takes_the_room(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written_out = edited(("net.g1.jacobian(h[t])", "np.diag(1 - h[t] ** 2)"))
    first, second = check_output(checks, monkeypatch, written_out, "dJ_dW").split("WRONG")[1:]
    assert "see it again" in first
    assert "changed on purpose" in second
    assert "see it again" not in second


def test_shortened_cuts_at_a_blank_line() -> None:
    assert shortened(["a", "b", "c", "", "d", "e", "f"], 6, "ask") == ["a", "b", "c", "... and 4 more lines: ask"]
    assert shortened(["a", "b"], 2, "ask") == ["a", "b"]
    assert shortened(["a", "b", "c"], 1, "ask") == ["... and 3 more lines: ask"]


class TestPrints:
    def test_of_many_calls_are_shown_once_and_shortened(
        self,
        checks: Any,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        text = check_output(checks, monkeypatch, CHATTY, "forward")
        assert "all 3 checks pass" in text
        assert text.count("h0 is") == 1
        assert text.splitlines()[-2].strip() == "... and 64 more lines"
        assert capsys.readouterr().out == ""

    def test_of_one_case_are_shown_whole(self, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "__main__", module_of(CHATTY, None))
        lines = repr(checks.check("forward", T=2, H=1, seed=0)).splitlines()
        assert [line.split() for line in lines[-2:]][1] == ["and", "T", "2"]
        assert "more line" not in lines[-1]

    def test_are_text_in_html(self, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "__main__", module_of(CHATTY.replace("h0 is", "<b>h0</b> is"), None))
        assert "&lt;b&gt;h0&lt;/b&gt; is" in checks.check("forward")._repr_html_()

    def test_without_end_take_little_memory(self, checks: Any) -> None:
        printed = importlib.import_module("calls").Printed()
        for _ in range(1000):
            printed.write("x" * 1000 + "\n")
        assert len(printed._start) <= 10_000
        assert printed.lines(2)[-1] == "... and 998 more lines"
