"""What students read: one line, the place and the next step in it, and nothing of the grader's own words."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import messages
from autograder.compare import Comparison
from autograder.exercise import Case, Function
from autograder.sandbox.jail import CellProblem, Ended, Limits, Missing, Raised, Unusable

FORWARD = Function("forward", ("net", "x"), (), {"h": "(T+1, H)", "y_hat": "(T, K)"})
GRADIENT = Function("dJ_dW", ("net", "x"), (), {"dJ_dW": "(H, H)"})
CASE = Case("dJ_dW.plain", {}, about="T = 4, H = 3")
LIMITS = Limits()
NAME_ERROR = CellProblem("code cell 3", 2, "NameError", "name 'a' is not defined", ("dJ_dW",))


@given(st.text())
def test_a_quote_is_one_short_printable_line(text):
    quoted = messages.quote(text)
    assert quoted == "" or quoted.isprintable()
    assert len(quoted) <= messages.LONGEST_QUOTE + 1
    assert messages.quote(quoted[: messages.LONGEST_QUOTE]) == quoted[: messages.LONGEST_QUOTE].strip()


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (messages.not_attempted("dJ_dW"), "dJ_dW is not written yet."),
        (messages.missing("dJ_dW", Missing(()), ()), "keep the name of the stub"),
        (messages.missing("dJ_dW", Missing(("dJdW",)), ()), "did you rename it to dJdW?"),
        (messages.missing("dJ_dW", Missing((), callable=False), ()), "is a value and not a function"),
        (
            messages.missing("dJ_dW", Missing(("dJdW",)), [NAME_ERROR]),
            "stopped: NameError in code cell 3, line 2: name",
        ),
        (messages.cell_problem(NAME_ERROR), "In a fresh run nothing has that name yet"),
        (
            messages.cell_problem(CellProblem("", 4, "SyntaxError", "bad", ())),
            "Nothing up to the next # %% line was run",
        ),
        (messages.cell_problem(CellProblem("", 4, "KeyError", "'a'", ())), "Nothing after it up to the next # %% line"),
        (messages.cell_problem(CellProblem("", 4, "SystemExit", "None", ())), "SystemExit in line 4. "),
        (messages.unusable(GRADIENT, Unusable(None, "None")), "did you forget a return statement?"),
        (
            messages.unusable(GRADIENT, Unusable(None, "a list")),
            "must return a plain numpy array of floats of shape (H, H)",
        ),
        (messages.unusable(FORWARD, Unusable(1, "a list")), "returned a list for y_hat"),
        (messages.unusable(FORWARD, Unusable(None, "one array")), "the plain numpy arrays h (T+1, H) and y_hat (T, K)"),
        (messages.wrong_dtype("dJ_dW", "int64"), "make its arrays float64"),
        (messages.wrong_shape(GRADIENT, "dJ_dW", np.ones((2, 3)), np.ones((3, 2)), CASE), "Is it transposed?"),
        (messages.not_finite("h", np.array([[0, np.nan]]), CASE), "h holds NaN at [0, 1]"),
        (messages.not_finite("h", np.array([[0, np.inf]]), CASE), "h holds infinity at [0, 1]"),
        (messages.wrong_value("h", Comparison(0.25, (1, 0)), CASE), "2.5e-01 where 1e-03 is allowed, worst at h[1, 0]"),
        (messages.wrong_slope("dJ_dW", Comparison(0.25, (1, 0)), CASE), "dJ_dW is not the slope of J"),
        (messages.changed_inputs("dJ_dW", ["y_hat", "V"]), "changes y_hat and V in place"),
        (messages.repeated("dJ_dW", "again"), "called twice"),
        (messages.repeated("dJ_dW", "later"), "start its sums afresh in every call"),
        (messages.repeated("dJ_dW", "kept"), "return a new array each time"),
        (messages.manners_alone("dJ_dW"), "counts once dJ_dW is right"),
        (messages.condition("Slopes"), "together with the check “Slopes”"),
        (messages.only_a_note("Slopes", "They differ."), "Slopes: They differ."),
        (messages.low_precision("dJ_dW", 3e-7, {"float32"}), "in low precision (float32), relative error 3e-07"),
        *(
            (messages.ended("dJ_dW", Ended(how, code), LIMITS), says)
            for how, code, says in (
                ("cpu", None, "within 2 s of computing, over all its calls: does a loop in it never end?"),
                ("wall", None, "within 10 s, and hardly computed"),
                ("memory", None, "more than 2048 MiB of memory"),
                ("exit", 0, "(exit code 0): it must return its result instead"),
                ("crash", 11, "(signal 11)"),
                ("protocol", None, "it must only return its result"),
            )
        ),
    ],
)
def test_sentences(message, says):
    assert says in message
    assert "\n" not in message
    assert len(message) < 400
    assert message[-1] in ".?)"
    assert not re.search(r"oracle|reference|hidden|sandbox|jail|expected|None\b(?!:)", message)


@pytest.mark.parametrize(
    ("error", "line", "says"),
    [
        ("IndexError", 7, "dJ_dW raised IndexError in code cell 5, line 7"),
        ("NameError", 7, "define it in the function, or at the top level before it"),
        ("MemoryError", 7, "Does a list or an array grow without end?"),
        ("RecursionError", 7, "Does it call itself without end?"),
        ("FileNotFoundError", 7, "Files of your own are not there"),
        ("SystemExit", 7, "dJ_dW ends the program in code cell 5, line 7: it must return its result instead."),
        ("TypeError", None, "dJ_dW cannot be called with (net, x)"),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_exceptions(error, line, says, told):
    message = messages.raised(GRADIENT, Raised(error, "SECRET 0.123", "code cell 5" if line else "", line), CASE, told)
    assert says in message
    assert told or "SECRET" not in message


def test_the_text_of_an_exception_is_told_where_it_may_be():
    outcome = Raised("ValueError", "shapes (2,)\nand\x1b[31m (3,)", "", 7)
    assert "in line 7: shapes (2,) and [31m (3,) (case: T = 4" in messages.raised(GRADIENT, outcome, CASE, told=True)
