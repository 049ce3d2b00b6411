"""Every sentence of a report: a single line with the place and the next step, in words that students know."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Limits
from autograder.evaluation.findings import Finding, Remark
from autograder.evaluation.name_origins import NameOrigin
from autograder.evaluation.report import Code
from autograder.feedback import messages
from autograder.sandbox.host.program import CellProblem, ProcessEnded

LIMITS = Limits()
CASE = "T = 4, H = 3"
NAME_ERROR = CellProblem("code cell 3", 2, "NameError", "name 'a' is not defined", ("dJ_dW",))
MISSING = {"function": "dJ_dW", "callable": True, "similar": (), "stopped": None, "limits": LIMITS}
GRADIENT = {"function": "dJ_dW", "returns": (("dJ_dW", "(H, H)"),), "position": None}
FORWARD = {"function": "forward", "returns": (("h", "(T+1, H)"), ("y_hat", "(T, K)"))}
NUMBERS = {"error": 0.25, "where": (1, 0), "case": CASE}
RAISED = {"function": "dJ_dW", "arguments": ("net", "x"), "cell": "code cell 5", "line": 7, "case": CASE}
UNKNOWN = {"error": "NameError", "text": "name 'b' is not defined"}


def text_of(code: Code, **fields: Any) -> str:
    return messages.sentence(Finding("fail", code, fields)).text


def ended_text(how: str, code: int | None) -> str:
    return text_of("process_ended", function="dJ_dW", how=how, exit_code=code, limits=LIMITS)


@given(st.text())
def test_quote_gives_a_short_printable_line(text):
    quoted = messages.quote(text)
    assert quoted == "" or quoted.isprintable()
    assert len(quoted) <= messages.LONGEST_QUOTE + 1
    assert messages.quote(quoted[: messages.LONGEST_QUOTE]) == quoted[: messages.LONGEST_QUOTE].strip()


def test_every_code_has_a_sentence():
    assert list(messages._SENTENCES) == list(get_args(Code))
    codes = get_args(inspect.get_annotations(Remark, eval_str=True)["code"])
    assert list(messages._REMARKS) == list(codes)


@pytest.mark.parametrize(
    ("message", "part"),
    [
        (text_of("not_attempted", function="dJ_dW"), "dJ_dW is not written yet."),
        (text_of("function_missing", **MISSING), "keep the name of the stub"),
        (text_of("function_missing", **{**MISSING, "similar": ("dJdW",)}), "did you rename it to dJdW?"),
        (text_of("function_missing", **{**MISSING, "callable": False}), "is a value and not a function"),
        (
            text_of("raised", **RAISED, **UNKNOWN, origin=NameOrigin("b", NAME_ERROR, ()), limits=LIMITS),
            "(case: T = 4, H = 3). b is not there because the code that defines it stopped: NameError in code cell 3",
        ),
        (
            text_of("raised", **RAISED, **UNKNOWN, origin=NameOrigin("b", None, ("helpers",)), limits=LIMITS),
            "Does b come from helpers, which is not there when your work is graded? Copy what you use of it",
        ),
        (
            text_of("raised", **RAISED, **UNKNOWN, origin=NameOrigin("b", None, ()), limits=LIMITS),
            "define it in the function, or at the top level before it",
        ),
        (
            text_of("function_missing", **{**MISSING, "stopped": NAME_ERROR}),
            "stopped: NameError in code cell 3, line 2: name",
        ),
        (
            messages.cell_problem(NAME_ERROR, LIMITS, NameOrigin("a", None, ("helpers",))),
            "was run. Does a come from helpers, which is not there when your work is graded?",
        ),
        (messages.cell_problem(NAME_ERROR, LIMITS), "In a fresh run nothing has that name yet"),
        (
            messages.cell_problem(CellProblem("", 2, "ModuleNotFoundError", "no", (), stopped=False), LIMITS),
            "in line 2: no. What needs it was left out, and the rest was run. Your work is graded with numpy",
        ),
        (
            messages.cell_problem(CellProblem("", 2, "AttributeError", "no", (), stopped=False), LIMITS),
            "in line 2: no. That class was left out, and the rest was run.",
        ),
        (
            messages.cell_problem(CellProblem("", 4, "SyntaxError", "bad", ()), LIMITS),
            "Nothing up to the next # %% line was run",
        ),
        (
            messages.cell_problem(CellProblem("", 4, "KeyError", "'a'", ()), LIMITS),
            "Nothing after it up to the next # %% line",
        ),
        (messages.cell_problem(CellProblem("", 4, "SystemExit", "None", ()), LIMITS), "SystemExit in line 4. "),
        *(
            (messages.cell_problem(CellProblem("", 4, "", "", (), ProcessEnded(how, code)), LIMITS), part)
            for how, code, part in (
                ("cpu", None, "no end after 5 s of computing in the code from line 4 on"),
                ("wall", None, "no end after 15 s of waiting"),
                ("memory", None, "more memory than 2048 MiB"),
                ("exit", 3, "the end of the Python process (exit code 3)"),
                ("crash", 11, "a crash of the Python process (signal 11)"),
                ("protocol", None, "a break of the grader's own channel"),
            )
        ),
        (text_of("invalid_result", **GRADIENT, what="None"), "did you forget a return statement?"),
        (
            text_of("invalid_result", **GRADIENT, what="a list"),
            "must return a plain numpy array of floats of shape (H, H)",
        ),
        (text_of("invalid_result", **FORWARD, position=1, what="a list"), "returned a list for y_hat"),
        (
            text_of("invalid_result", **FORWARD, position=None, what="one array"),
            "the plain numpy arrays h (T+1, H) and y_hat (T, K)",
        ),
        (text_of("wrong_dtype", function="dJ_dW", dtype="int64"), "make its arrays float64"),
        (
            text_of("wrong_shape", result="dJ_dW", shape=(2, 3), symbols="(H, D)", expected=(3, 2), case=CASE),
            "must have shape (H, D) = (3, 2) (case: T = 4, H = 3). Is it transposed?",
        ),
        (
            text_of(
                "wrong_shape",
                result="h",
                shape=(5, 3),
                symbols="(T+1, H)",
                expected=(6, 4),
                case=CASE,
                shape_of="y_hat",
            ),
            "(case: T = 4, H = 3). That is the shape of y_hat: are the two swapped?",
        ),
        (
            text_of("stub_line_left", function="dJ_dW", own_code="below", cell="code cell 3", line=4),
            "dJ_dW stops at raise NotImplementedError in code cell 3, line 4, so your code below it never runs",
        ),
        (
            text_of("stub_line_left", function="dJ_dW", own_code="above", cell="", line=None),
            "dJ_dW reaches raise NotImplementedError in your code, below your code",
        ),
        (text_of("not_finite", result="h", kind="NaN", where=(0, 1), case=CASE), "h holds NaN at [0, 1]"),
        (text_of("wrong_value", result="h", **NUMBERS), "0.25 where 0.001 is allowed, worst at h[1, 0]"),
        (text_of("wrong_gradient", result="dJ_dW", **NUMBERS), "dJ_dW is not the slope of J"),
        (text_of("arguments_changed", function="dJ_dW", arguments=("y_hat", "V")), "changes y_hat and V in place"),
        (
            text_of("wrong_first_row", result="h", argument="h0"),
            "h[0] is not h0: the first row of h must be h0 itself.",
        ),
        (text_of("not_repeatable", function="dJ_dW", call="repeat_same_args"), "called twice"),
        (text_of("not_repeatable", function="dJ_dW", call="repeat_fresh_args"), "start its sums afresh in every call"),
        (text_of("not_repeatable", function="dJ_dW", call="recheck"), "return a new array each time"),
        (text_of("contract_needs_value", function="dJ_dW"), "counts once dJ_dW is right"),
        (text_of("gated", title="Slopes"), "together with the check “Slopes”"),
        *(
            (ended_text(how, code), part)
            for how, code, part in (
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
def test_each_code_gives_its_sentence(message, part):
    assert part in message
    assert "\n" not in message
    assert len(message) < 400
    assert message[-1] in ".?)"
    assert not re.search(r"oracle|reference|hidden|sandbox|jail|expected|None\b(?!:)", message)


def test_a_sentence_about_numbers_has_a_statement_and_a_detail():
    finding = Finding("fail", "wrong_value", {"result": "h", **NUMBERS}, passed_cases=(1, 3))
    sentence = messages.sentence(finding)
    assert sentence.statement == "h is not right"
    assert sentence.text == f"{sentence.statement}: {sentence.detail}"
    assert sentence.detail.endswith("(case: T = 4, H = 3). (1 of the 3 cases of this check is right.)")
    same = messages.same_reason("forward.plain", finding)
    assert same.text == "Most likely for the same reason as forward.plain: relative error 0.25 (case: T = 4, H = 3)."


def test_passed_cases_are_counted_in_every_sentence():
    finding = Finding("error", "raised", {**RAISED, "error": "KeyError", "text": None}, passed_cases=(2, 3))
    assert messages.sentence(finding).text.endswith("(2 of the 3 cases of this check are right.)")


@pytest.mark.parametrize(
    ("remark", "part"),
    [
        (
            Remark(
                "student", "unscored_check", {"title": "Slopes", "finding": Finding("fail", "gated", {"title": "V"})}
            ),
            "Slopes: Right, but",
        ),
        (
            Remark("student", "low_precision", {"function": "dJ_dW", "error": 3e-7, "dtypes": ("float32",)}),
            "in low precision (float32), relative error 3e-07",
        ),
        (Remark("instructor", "uses_numerical_gradient", {"function": "dJ_dW"}), "looks measured"),
        (Remark("instructor", "ignores_arguments", {"function": "dJ_dW"}), "does not use all that is handed in"),
    ],
)
def test_each_remark_gives_its_sentence(remark, part):
    assert part in messages.remark(remark)


@pytest.mark.parametrize(
    ("error", "line", "part"),
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
@pytest.mark.parametrize("text", ["SECRET 0.123", None])
def test_raised_names_the_error_and_the_place(error, line, part, text):
    place = {"cell": "code cell 5" if line else "", "line": line}
    message = text_of("raised", **{**RAISED, **place, "error": error, "text": text})
    assert part in message
    assert text or "SECRET" not in message


def test_raised_quotes_the_text_of_the_exception_on_one_line():
    text = "shapes (2,)\nand\x1b[31m (3,)"
    message = text_of("raised", **{**RAISED, "cell": "", "error": "ValueError", "text": text})
    assert "in line 7: shapes (2,) and [31m (3,) (case: T = 4" in message
