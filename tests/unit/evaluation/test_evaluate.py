"""evaluate_function() on all kinds of outcomes: points, statuses, messages and remarks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Limits
from autograder.evaluation.evaluate import CheckEvaluator, FunctionVerdict, evaluate_function
from autograder.evaluation.planned_cases import CallResult, PlannedCase
from autograder.evaluation.report import CheckStatus
from autograder.exercise.model import Case, Check, Exercise, Function
from autograder.feedback import messages
from autograder.feedback.builder import plain_results
from autograder.sandbox.host.program import (
    FunctionMissing,
    FunctionRaised,
    InvalidResult,
    Outcome,
    ProcessEnded,
    Returned,
)

# A gradient: J = sum(x^2) / 2 has the slope x, so `slope_of_J(x)` has to return x.
FUNCTION = Function(
    "slope_of_J",
    arguments=("x",),
    arrays=("x",),
    returns={"slope": "(n,)"},
    wrt="x",
)
CHECKS = (
    Check("contract", "slope_of_J", "Contract", 0.25, ("one",), kind="contract", hidden=False),
    Check("value", "slope_of_J", "Values", 0.5, ("two", "three")),
    Check("slope", "slope_of_J", "Slopes", 0.25, ("four",), kind="slope"),
)
CASES = {
    name: Case(name, {"x": np.linspace(1, n, 3)}, description=f"up to {n}")
    for n, name in enumerate(("one", "two", "three", "four"), start=2)
}
CALLS = (*CASES, "recheck", "repeat_same_args", "repeat_fresh_args")


def exercise(checks=CHECKS) -> Exercise:
    return Exercise(
        name="squares",
        folder=Path(),
        source_text="",
        support_modules={},
        functions=(FUNCTION,),
        checks=checks,
        visible_checks=(),
        draw=lambda id, _: CASES[id],
        reference=lambda _, case: (case.arrays["x"],),
        objective=lambda arrays, _: np.sum(arrays["x"] ** 2) / 2,
        **dict.fromkeys(("setup_cells", "check_cells", "stub_cells"), frozenset()),
    )


def case_of(call: str) -> Case:
    return CASES.get(call, CASES["one"])


def returned(call: str, times=1.0, plus=0.0, dtype="float64", changed=0.0) -> Returned:
    x = case_of(call).arrays["x"]
    return Returned((x * times + plus,), (dtype,), {"x": x + changed} if changed else {})


def result_of(call: str, outcome: Outcome) -> CallResult:
    x = case_of(call).arrays["x"]
    return CallResult(PlannedCase.of(exercise(), FUNCTION, case_of(call), (x,)), outcome)


def evaluate(outcomes=None, checks=CHECKS, **all_calls) -> FunctionVerdict:
    """Evaluate right answers to all calls, changed as `all_calls` says, except for these outcomes."""
    outcomes = {call: returned(call, **all_calls) for call in CALLS} | (outcomes or {})
    results = {call: result_of(call, outcome) for call, outcome in outcomes.items()}
    return evaluate_function(exercise(checks), FUNCTION, results, (), Limits())


def points(verdict: FunctionVerdict) -> dict[str, float]:
    return {check.check.id: check.points for check in verdict.checks}


def statuses(verdict: FunctionVerdict) -> dict[str, str]:
    return {check.check.id: check.finding.status for check in verdict.checks}


def message(verdict: FunctionVerdict, check: str) -> str:
    return next(result.message for result in plain_results(verdict) if result.id == check)


def notes(verdict: FunctionVerdict) -> tuple[str, ...]:
    return tuple(messages.remark(remark) for remark in verdict.remarks)


def test_right_answers_get_all_points_and_no_messages():
    verdict = evaluate()
    assert points(verdict) == {"contract": 0.25, "value": 0.5, "slope": 0.25}
    assert notes(verdict) == ()
    assert {result.message for result in plain_results(verdict)} == {""}


def test_each_check_uses_its_own_cases():
    assert points(evaluate({"three": returned("three", times=2)})) == {"contract": 0.25, "value": 0.0, "slope": 0.25}
    assert points(evaluate({"four": returned("four", plus=0.1)})) == {"contract": 0.25, "value": 0.5, "slope": 0.0}
    assert "(1 of 2 cases" in message(evaluate({"three": returned("three", times=2)}), "value").replace("the ", "")


def test_low_precision_gets_the_points_and_a_remark():
    verdict = evaluate(times=1 + 1e-6, dtype="float32")
    assert sum(points(verdict).values()) == 1.0
    assert "float32" in notes(verdict)[0]
    assert "low precision" in notes(evaluate(times=1 + 1e-6))[0]


def test_no_precision_remark_if_another_case_is_wrong():
    assert notes(evaluate({"two": returned("two", times=1 + 1e-6), "three": returned("three", times=2)})) == ()


def test_a_kept_contract_alone_earns_nothing():
    verdict = evaluate(times=2)
    assert points(verdict) == {"contract": 0.0, "value": 0.0, "slope": 0.0}
    assert "counts once slope_of_J is right" in message(verdict, "contract")
    assert points(evaluate({call: returned(call, times=2) for call in ("two", "three")}))["contract"] == 0.25


@pytest.mark.parametrize(
    ("outcomes", "message_part"),
    [
        ({"one": returned("one", changed=1.0)}, "changes x in place"),
        ({"repeat_same_args": returned("repeat_same_args", times=2)}, "called twice with the same arguments"),
        ({"repeat_fresh_args": returned("repeat_fresh_args", times=2)}, "called with other arguments"),
        ({"recheck": returned("recheck", times=2)}, "changed during a later call"),
        ({"recheck": InvalidResult(None, "None")}, "returned None"),
        (
            {"repeat_same_args": FunctionRaised("ValueError", "second call", "", 3)},
            "raised ValueError in line 3: second call",
        ),
    ],
    ids=["arguments", "same args", "fresh args", "recheck", "recheck invalid", "same args raise"],
)
def test_contract_violations(outcomes, message_part):
    verdict = evaluate(outcomes)
    assert points(verdict) == {"contract": 0.0, "value": 0.5, "slope": 0.25}
    assert message_part in message(verdict, "contract")


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("plus", [0.0, 1.0], ids=["the other is right", "the other is wrong"])
def test_a_result_of_several_that_is_not_finite_fails(number, position, plus):
    function = Function("pair", ("x",), ("x",), {"a": "(2,)", "b": "(2,)"})
    check = Check("pair.value", "pair", "Value", 1, ("one",))
    x = np.array([1.0, 2.0])
    values = [x + plus, x + plus]
    values[position] = np.array([1.0, number])
    outcome = Returned(tuple(values), ("float64", "float64"))
    pairs = replace(exercise((check,)), functions=(function,))
    result = CallResult(PlannedCase.of(pairs, function, Case("one", {"x": x}), (x, x)), outcome)
    [finding] = CheckEvaluator(pairs, function, {"one": result}, (), Limits()).evaluate(check)
    assert (finding.status, finding.code) == ("fail", "not_finite")


@pytest.mark.parametrize(("first_row", "codes"), [([1.0, 2.0], ["pass"]), ([1.0, 2.1], ["wrong_first_row"])])
def test_a_result_must_begin_with_its_argument(first_row, codes):
    function = Function("walk", ("start",), ("start",), {"states": "(2, 2)"}, initial_rows={"states": "start"})
    check = Check("walk.contract", "walk", "Contract", 1, ("one",), kind="contract", hidden=False)
    arrays = {"start": np.array([1.0, 2.0])}
    states = np.array([first_row, [3.0, 4.0]])
    walks = replace(exercise((check,)), functions=(function,))
    outcome = Returned((states,), ("float64",))
    result = CallResult(PlannedCase.of(walks, function, Case("one", arrays), (states,)), outcome)
    results = dict.fromkeys(("one", "repeat_same_args", "repeat_fresh_args", "recheck"), result)
    findings = CheckEvaluator(walks, function, results, (), Limits()).evaluate(check)
    assert list(dict.fromkeys(finding.code or "pass" for finding in findings)) == codes


def test_integers_are_never_right():
    verdict = evaluate(dtype="int64")
    assert set(points(verdict).values()) == {0.0}
    assert "dtype int64" in message(verdict, "value")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (ProcessEnded("cpu"), "timeout"),
        (ProcessEnded("wall"), "timeout"),
        (ProcessEnded("memory"), "error"),
        (ProcessEnded("exit", 0), "error"),
        (ProcessEnded("crash", 11), "error"),
        (ProcessEnded("protocol"), "error"),
        (FunctionMissing(()), "error"),
        (FunctionMissing((), callable=False), "error"),
        (FunctionRaised("KeyError", "'x'", "code cell 2", 4), "error"),
        (InvalidResult(None, "a list"), "fail"),
        (Returned((np.ones((3, 1)),), ("float64",)), "fail"),
        (Returned((np.array([1, np.nan, 1]),), ("float64",)), "fail"),
    ],
    ids=str,
)
def test_status_of_each_outcome(outcome, status):
    assert statuses(evaluate({"two": outcome}))["value"] == status
    verdict = evaluate(dict.fromkeys(CALLS, outcome))
    assert set(statuses(verdict).values()) == {status}
    assert set(points(verdict).values()) == {0.0}


def test_a_stub_is_not_attempted():
    verdict = evaluate(
        dict.fromkeys(CALLS, FunctionRaised("NotImplementedError", "slope_of_J is not written yet", "", 2))
    )
    assert set(statuses(verdict).values()) == {"not_attempted"}
    assert notes(verdict) == ()


def test_not_implemented_in_a_later_case_is_an_error():
    verdict = evaluate({"three": FunctionRaised("NotImplementedError", "only for small n", "", 2)})
    assert statuses(verdict) == {"contract": "pass", "value": "error", "slope": "pass"}


def test_an_exception_of_the_public_case_is_quoted_in_hidden_cases_too():
    hidden = dict.fromkeys(CALLS, FunctionRaised("ValueError", "hidden numbers", "", 2))
    verdict = evaluate({**hidden, "one": FunctionRaised("ValueError", "public numbers", "", 2)})
    assert len({message(verdict, check) for check in ("contract", "value", "slope")}) == 1
    assert "public numbers" in message(verdict, "value")


def test_an_exception_of_hidden_cases_only_is_not_quoted():
    hidden = dict.fromkeys(CALLS, FunctionRaised("ValueError", "hidden numbers", "", 7))
    verdict = evaluate({**hidden, "one": FunctionRaised("ValueError", "public numbers", "", 2)})
    assert "numbers" not in message(verdict, "value") + message(verdict, "slope")


def checks_with_role(role: str) -> tuple[Check, ...]:
    return (CHECKS[0], CHECKS[1], replace(CHECKS[2], role=role))


def test_a_note_gives_a_remark_and_no_points():
    verdict = evaluate({"four": returned("four", times=2)}, checks_with_role("note"))
    assert points(verdict) == {"contract": 0.25, "value": 0.5, "slope": 0.0}
    assert {result.max_points for result in plain_results(verdict) if result.id == "slope"} == {0.0}
    assert notes(verdict)[0].startswith("Slopes: slope is not the slope of J")
    assert notes(evaluate(checks=checks_with_role("note"))) == ()
    assert exercise(checks_with_role("note")).max_score == 0.75


def test_a_failed_condition_withholds_the_points_of_its_function():
    verdict = evaluate({"four": returned("four", times=2)}, checks_with_role("condition"))
    assert set(points(verdict).values()) == {0.0}
    assert "together with the check “Slopes”" in message(verdict, "value")
    assert sum(points(evaluate(checks=checks_with_role("condition"))).values()) == 1.0


numbers = st.sampled_from([0.0, 1.0, -2.5, 1e-9, 1e300, np.nan, np.inf])
arrays = st.one_of(
    st.lists(numbers, min_size=3, max_size=3).map(np.array),
    st.sampled_from([np.zeros(0), np.zeros((3, 1)), np.array(1.0), np.full((1, 1, 3), np.nan)]),
)
scaled = st.builds(lambda factor: ("scaled", factor), st.sampled_from([1.0, 1 + 1e-6, 1 + 1e-4, 2.0]))
dtypes = st.sampled_from(["float64", "float32", "float16", "longdouble", "int8", "bool"])
any_outcome = st.one_of(
    st.builds(lambda arrays_or_factor, dtype: (arrays_or_factor, dtype), st.one_of(scaled, arrays), dtypes),
    st.builds(
        ProcessEnded, st.sampled_from(["cpu", "wall", "memory", "exit", "crash", "protocol"]), st.none() | st.integers()
    ),
    st.builds(FunctionMissing, st.lists(st.text(max_size=5), max_size=2).map(tuple), st.booleans()),
    st.builds(InvalidResult, st.none() | st.just(0), st.sampled_from(["None", "a list", "a tuple of 2"])),
    st.builds(FunctionRaised, st.text(max_size=9), st.text(), st.text(max_size=9), st.none() | st.integers(1)),
    st.just(FunctionRaised("NotImplementedError", "", "", None)),
)


def outcome_of(call: str, drawn: object) -> Outcome:
    if not isinstance(drawn, tuple):
        return drawn
    arrays_or_factor, dtype = drawn
    if isinstance(arrays_or_factor, tuple):
        return returned(call, times=arrays_or_factor[1], dtype=dtype)
    return Returned((arrays_or_factor,), (dtype,))


@given(
    st.fixed_dictionaries(dict.fromkeys(CALLS, any_outcome)),
    st.tuples(*[st.sampled_from(["points", "note", "condition"])] * len(CHECKS)),
)
def test_points_are_0_or_all_for_any_outcomes(outcomes, roles):
    checks = tuple(replace(check, role=role) for check, role in zip(CHECKS, roles, strict=True))
    verdict = evaluate({call: outcome_of(call, outcome) for call, outcome in outcomes.items()}, checks)
    assert [result.id for result in plain_results(verdict)] == [check.id for check in checks]
    for result, check in zip(plain_results(verdict), checks, strict=True):
        assert result.status in get_args(CheckStatus)
        assert result.max_points == (0.0 if check.role == "note" else check.points)
        assert result.points == (result.max_points if result.status == "pass" else 0.0)
        assert bool(result.message) is (result.status != "pass")


def test_arguments_are_only_said_to_be_ignored_by_a_function_with_all_points():
    shuffled = {"shuffled": returned("one", times=2)}
    assert any("does not use all that is handed in" in text for text in notes(evaluate(shuffled)))
    raised = FunctionRaised("ValueError", "", "", 3)
    assert notes(evaluate({**shuffled, "two": raised})) == ()
