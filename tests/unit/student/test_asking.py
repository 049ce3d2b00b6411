"""A case as variables, what is expected there, and hints: what students ask for besides a check."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pytest

from tests.unit.student.test_checks import RIGHT, check_output, edited, module_of

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
        with pytest.raises(LookupError, match=r"There is no 'dJ_dX' here: there are forward, ") as raised:
            getattr(checks, ask)("dJ_dX")
        assert raised.value._render_traceback_() == str(raised.value).splitlines()
        with pytest.raises(LookupError, match=r"There is no case with T=77 here\. There are:"):
            getattr(checks, ask)("dJ_dW", T=77)


def test_a_message_names_the_line_that_gives_its_case(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = check_output(checks, monkeypatch, WITHOUT_RECURSION, "dJ_dW")
    line = re.search(r"^ +(net, x, y, h, y_hat = case\(\s+.*\))$", text, flags=re.MULTILINE)[1]
    given: dict[str, Any] = {"case": checks.case}
    exec(line, given)
    assert given["h"].shape == (3, 2)  # T = 2, H = 2


def test_a_function_may_be_given_itself(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(RIGHT, None)
    monkeypatch.setitem(sys.modules, "__main__", module)
    assert repr(checks.check(module.dJ_dV)).startswith("dJ_dV: all 4 checks pass")
    assert "There is no 'module_of' here" in repr(checks.check(module_of))
