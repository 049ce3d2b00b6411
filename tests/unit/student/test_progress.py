"""How far a student is: the last line of a check, and progress()."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.in_process import points_of
from tests.unit.student.test_checks import RIGHT, check_output, edited, module_of, unwrapped

NEXT_IS_DJ_DV = f"Done: forward; {points_of('forward')}. Next: dJ_dV (~30 min)."


def as_main(monkeypatch: pytest.MonkeyPatch, code: str) -> ModuleType:
    module = module_of(code, None)
    monkeypatch.setitem(sys.modules, "__main__", module)
    return module


def test_a_check_ends_in_one_line(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_output(checks, monkeypatch, RIGHT, "forward").splitlines()[-1] == NEXT_IS_DJ_DV
    text = check_output(checks, monkeypatch, edited(("return dV", "return 2 * dV")), "dJ_dV")
    assert text.splitlines()[-1] == f"Done: nothing yet; {points_of()}. Next: forward (~20 min)."


def test_a_function_that_was_defined_anew_has_to_pass_anew(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = as_main(monkeypatch, RIGHT)
    checks.check("forward")
    module.dJ_dV = lambda *_: None  # another function leaves it as it was
    assert repr(checks.SESSION.progress(module)) == NEXT_IS_DJ_DV
    module.forward = lambda *_: None
    assert "Done: nothing yet" in repr(checks.SESSION.progress(module))


def test_progress_checks_what_has_not_passed(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = as_main(monkeypatch, edited(("return dW", "return 2 * dW")))
    done = f"Done: forward, dJ_dV, dJ_dU; {points_of('forward', 'dJ_dV', 'dJ_dU')}. Next: dJ_dW (~90 min)."
    assert done in repr(checks.progress())
    module.dJ_dW = module_of(RIGHT, None).dJ_dW
    assert "All 4 functions pass here" in repr(checks.progress())


def test_passing_everything_says_what_grading_does_beyond(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    text = unwrapped(check_output(checks, monkeypatch, RIGHT))
    points = points_of("forward", "dJ_dV", "dJ_dW", "dJ_dU")
    assert f"All 4 functions pass here: {points}. Grading goes beyond these checks: " in text
    assert text.endswith("A function that follows its formula passes there, too.")


def test_html_has_a_mark_for_each_function_in_words(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    as_main(monkeypatch, RIGHT)
    html = checks.check("forward")._repr_html_()
    assert "&#10003; forward: done" in html
    assert "dJ_dW: to do (~90 min)" in html


def test_colour_is_for_terminals_that_want_it(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = as_main(monkeypatch, RIGHT)
    checks.check("forward")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "\x1b[32mDone: forward" in repr(checks.SESSION.progress(module))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in repr(checks.SESSION.progress(module))


def test_a_case_or_an_unknown_name_says_nothing_of_it(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    as_main(monkeypatch, RIGHT)
    assert "Done: " not in repr(checks.check("forward", T=2, H=1))
    assert "Done: " not in repr(checks.check("dJ_dX"))
