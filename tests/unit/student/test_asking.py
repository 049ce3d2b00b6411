"""A case as variables, what is expected there, and hints: what students ask for besides a check."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest

from tests.unit.student.test_checks import RIGHT, check_output, edited, module_of, unwrapped

WITHOUT_RECURSION = edited(("later = delta_G1 @ net.W", "later = 0 * delta_G1"))


class TestCase:
    @pytest.mark.parametrize("name", ["forward", "dJ_dV", "dJ_dW", "dJ_dU"])
    def test_gives_the_arguments_with_which_an_answer_is_right(self, checks: Any, name: str) -> None:
        function = getattr(module_of(RIGHT, None), name)
        results = function(*checks.case(name, T=2, H=1, seed=0))
        expected = checks.expected(function, T=2, H=1, seed=0)
        pairs = zip(results, expected, strict=True) if name == "forward" else [(results, expected)]
        assert all(np.allclose(result, right) for result, right in pairs)

    def test_gives_new_arrays_each_time(self, checks: Any) -> None:
        net, x, *_ = checks.case("dJ_dW", T=3, H=2, seed=0)
        net.W[:], x[:] = 0, 0
        checks.expected("dJ_dW", T=3, H=2, seed=0)[:] = 0
        again, other_x, *_ = checks.case("dJ_dW", T=3, H=2, seed=0)
        assert again.W.all()
        assert other_x.all()
        assert checks.expected("dJ_dW", T=3, H=2, seed=0).all()

    def test_gives_the_smallest_that_fits(self, checks: Any) -> None:
        assert [len(x) for _, x, _ in (checks.case("forward"), checks.case("forward", T=5))] == [1, 5]

    @pytest.mark.parametrize("ask", ["case", "expected"])
    def test_of_other_names_is_one_sentence(self, checks: Any, ask: str) -> None:
        with pytest.raises(LookupError, match=r"There is no 'dJ_dX' here, only forward, ") as raised:
            getattr(checks, ask)("dJ_dX")
        assert raised.value._render_traceback_() == str(raised.value).splitlines()
        with pytest.raises(LookupError, match=r"There is no case with T=77 here\. There are:"):
            getattr(checks, ask)("dJ_dW", T=77)


def test_a_message_names_the_call_that_gives_its_case(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = edited(("later = delta_G1 @ net.W", "later = delta_G1 @ net.W.T"))
    text = check_output(checks, monkeypatch, code, "dJ_dW")
    call = re.search(r"^ +(case\(.*\))$", text, flags=re.MULTILINE)[1]
    assert eval(call, {"case": checks.case})[3].shape == (3, 2)  # h of T = 2, H = 2
    assert "error of each entry" in text  # is not cut off by it


def test_a_case_that_is_shown_has_the_line_that_gives_it(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "__main__", module_of(WITHOUT_RECURSION, None))
    text = repr(checks.check("dJ_dW", T=2, H=2, seed=0))
    line = re.search(r"(net, x, y, h, y_hat = case\(\s+.*\))$", text, flags=re.MULTILINE)[1]
    given: dict[str, Any] = {"case": checks.case}
    exec(line, given)
    assert given["h"].shape == (3, 2)


def test_a_function_may_be_given_itself(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(RIGHT, None)
    monkeypatch.setitem(sys.modules, "__main__", module)
    assert repr(checks.check(module.dJ_dV)).startswith("dJ_dV: all 4 checks pass")
    assert "There is no 'module_of' here" in repr(checks.check(module_of))


class TestHints:
    def said(self, capsys: pytest.CaptureFixture[str]) -> str:
        return unwrapped(capsys.readouterr().out)

    def test_come_singly_and_then_all_together(self, checks: Any, capsys: pytest.CaptureFixture[str]) -> None:
        known = checks.golden().hints["dJ_dU"]
        assert len(known) == 3
        for number, text in enumerate(known, start=1):
            checks.hint("dJ_dU")
            assert self.said(capsys) == f"Hint {number} of 3 for dJ_dU: {text}"
        checks.hint("dJ_dU")
        assert self.said(capsys) == f"All hints for dJ_dU: {' '.join(f'- {text}' for text in known)}"

    def test_are_a_part_of_the_page_in_a_notebook(self, checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        shown: list[Any] = []
        monkeypatch.setattr("builtins.display", shown.append, raising=False)
        checks.hint("dJ_dU")
        assert shown[0]._repr_html_().startswith('<p style="margin: 0.3em 0">Hint 1 of 3 for dJ_dU: Compare ')
        assert unwrapped(repr(shown[0])).startswith("Hint 1 of 3 for dJ_dU: Compare ")

    def test_can_be_asked_for_by_number(self, checks: Any, capsys: pytest.CaptureFixture[str]) -> None:
        checks.hint("dJ_dU", 2)
        assert self.said(capsys).startswith("Hint 2 of 3 for dJ_dU: ")
        checks.hint("dJ_dU", 4)
        assert self.said(capsys) == 'There is no hint 4 for dJ_dU: hint("dJ_dU", 3) is the last one.'

    def test_of_other_names_say_which_there_are(self, checks: Any, capsys: pytest.CaptureFixture[str]) -> None:
        checks.hint("dJ_dX")
        assert self.said(capsys) == "No hints for 'dJ_dX'. Hints exist for forward, dJ_dV, dJ_dW, dJ_dU."

    def test_without_a_name_are_for_the_first_function_that_does_not_pass(
        self, checks: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "__main__", module_of(RIGHT, None))
        checks.hint()
        assert self.said(capsys).startswith("Hint 1 of 3 for forward: ")
        checks.check("forward")
        checks.hint()
        assert self.said(capsys).startswith("Hint 1 of 3 for dJ_dV: ")
        checks.check()
        checks.hint()
        assert self.said(capsys) == "All functions pass here: no hint is needed."

    @pytest.mark.parametrize(
        ("words", "begins", "ends"),
        [
            (["hint", "dJ_dW"], "Hint 1 of 3 for dJ_dW: ", "The next one: python checks.py hint dJ_dW 2"),
            (["hint", "dJ_dW,", "3"], "Hint 3 of 3 for dJ_dW: ", "look at its time index."),
            (["hint", "dJ_dW", "x"], "There is no hint x for dJ_dW: ", "is the last one."),
            (["--help"], "python checks.py check all functions ", "hint forward 2 gives the second one"),
        ],
    )
    def test_in_a_shell(
        self, checks: Any, capsys: pytest.CaptureFixture[str], words: list[str], begins: str, ends: str
    ) -> None:
        checks.main(words)
        text = self.said(capsys)
        assert text.startswith(begins)
        assert text.endswith(ends)
