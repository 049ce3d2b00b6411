"""Functions that do not return: stopped, named with their line and case, and never called again."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import pytest

from autograder.student import time_limit
from tests.unit.student.test_checks import check_output, edited, module_of, unwrapped

FOREVER = "while True:\n        pass"
LINE = "cell In[1], line"


LOOPING = edited(("T = len(x)\n    dW", f"T = len(x)\n    CALLS.append(1)\n    {FOREVER}\n    dW")) + "\nCALLS = []\n"


@pytest.fixture(autouse=True)
def short(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("calls"), "TIME_LIMIT", 0.2)


class TestLimit:
    @pytest.mark.parametrize("kind", ["_alarm", "_watchdog"])
    def test_ends_a_loop_that_catches_exceptions(self, kind: str) -> None:
        def work() -> None:
            while True:
                with suppress(Exception):
                    time.sleep(0.001)

        with pytest.raises(time_limit.TimeLimitError), getattr(time_limit, kind)(0.05):
            work()

    @pytest.mark.parametrize("kind", ["_alarm", "_watchdog"])
    def test_is_gone_after_its_context(self, kind: str) -> None:
        with getattr(time_limit, kind)(0.05):
            pass
        time.sleep(0.1)

    @pytest.mark.parametrize("kind", ["_alarm", "_watchdog"])
    def test_waits_for_a_debugger(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(time_limit, "_is_debugged", lambda: True)
        with getattr(time_limit, kind)(0.01):
            time.sleep(0.05)

    def test_holds_outside_the_main_thread(self) -> None:
        stopped: list[BaseException] = []

        def work() -> None:
            try:
                with time_limit.time_limit(0.05):
                    while True:
                        pass
            except time_limit.TimeLimitError as error:
                stopped.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert len(stopped) == 1

    def test_leaves_an_alarm_as_it_was(self) -> None:
        signal = pytest.importorskip("signal")
        if not hasattr(signal, "setitimer"):
            pytest.skip("there are no alarms here")
        signal.setitimer(signal.ITIMER_REAL, 100)
        with time_limit.time_limit(1):
            pass
        remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        assert 90 < remaining <= 100


def test_a_function_that_does_not_return_is_named_with_line_and_case(
    checks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = check_output(
        checks, monkeypatch, edited(("T = len(x)\n    dW", f"T = len(x)\n    {FOREVER}\n    dW")), "dJ_dW"
    )
    assert text.startswith("dJ_dW: 0 of 4 checks pass")
    assert "dJ_dW was stopped after 0.2 s: is there a loop that never ends?" in unwrapped(text)
    assert LINE in text
    assert "case            T = 3, H = 3" in text
    assert text.count("(same)") == 3


def test_a_function_is_not_called_again_once_stopped(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of(LOOPING, None)
    monkeypatch.setitem(sys.modules, "__main__", module)
    repr(checks.check("dJ_dW"))
    assert len(module.CALLS) == 1


def test_interrupting_shows_one_sentence_and_the_line(checks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code = edited(("return dW", "raise KeyboardInterrupt"))
    monkeypatch.setitem(sys.modules, "__main__", module_of(code, None))
    monkeypatch.setattr("builtins.__IPYTHON__", True, raising=False)
    with pytest.raises(KeyboardInterrupt) as stopped:
        checks.check("dJ_dW")
    sentence, _, line = stopped.value._render_traceback_()
    assert sentence == "dJ_dW was interrupted."
    assert line.startswith(f"  {LINE} ")
    assert line.endswith("raise KeyboardInterrupt")
    monkeypatch.delattr("builtins.__IPYTHON__")
    with pytest.raises(SystemExit, match=r"^dJ_dW was interrupted\.\n\n  cell In"):
        checks.check("dJ_dW")
