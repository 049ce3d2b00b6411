"""What is made of the outcomes of one function, whatever they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.exercise import Case, Check, Exercise, Function, Law
from autograder.judging import Judged, Trial, judge
from autograder.report import CheckStatus
from autograder.sandbox.jail import Ended, Limits, Missing, Outcome, Raised, Returned, Unusable, Value

# A gradient: J = sum(x^2) / 2 has the slope x, and so x is what `slope_of_J(x)` has to return.
FUNCTION = Function(
    "slope_of_J",
    arguments=("x",),
    arrays=("x",),
    returns={"slope": "(n,)"},
    slope_of="x",
    laws=(Law("The slope is not finite and small.", lambda _, results: bool(np.max(np.abs(results[0])) < 1e6)),),
)
CHECKS = (
    Check("manners", "slope_of_J", "Manners", 0.25, ("one",), looks_at="contract", hidden=False),
    Check("value", "slope_of_J", "Values", 0.5, ("two", "three")),
    Check("slope", "slope_of_J", "Slopes", 0.25, ("four",), looks_at="slope"),
)
CASES = {
    name: Case(name, {"x": np.linspace(1, n, 3)}, about=f"up to {n}")
    for n, name in enumerate(("one", "two", "three", "four"), start=2)
}
CALLS = (*CASES, "kept", "again", "later")


def exercise(checks=CHECKS) -> Exercise:
    return Exercise(
        name="squares",
        folder=Path(),
        given={},
        functions=(FUNCTION,),
        checks=checks,
        visible=(),
        draw=lambda id, _: CASES[id],
        reference=lambda _, case: (case.arrays["x"],),
        objective=lambda arrays, _: np.sum(arrays["x"] ** 2) / 2,
        **dict.fromkeys(("set_up", "check_cells", "stub_cells"), frozenset()),
    )


def case_of(call: str) -> Case:
    return CASES.get(call, CASES["one"])


def returned(call: str, times=1.0, plus=0.0, dtype="float64", changed=0.0) -> Returned:
    x = case_of(call).arrays["x"]
    return Returned((Value(x * times + plus, dtype),), {"x": x + changed})


def judged(outcomes=None, checks=CHECKS, **every) -> Judged:
    """Right answers to all calls, but for the outcomes told."""
    outcomes = {call: returned(call, **every) for call in CALLS} | (outcomes or {})
    trials = {call: Trial(case_of(call), outcome, (case_of(call).arrays["x"],)) for call, outcome in outcomes.items()}
    return judge(exercise(checks), FUNCTION, trials, (), Limits())


def points(told: Judged) -> dict[str, float]:
    return {result.id: result.points for result in told.results}


def statuses(told: Judged) -> dict[str, str]:
    return {result.id: result.status for result in told.results}


def message(told: Judged, check: str) -> str:
    return next(result.message for result in told.results if result.id == check)


def test_right_answers_have_all_points_and_nothing_to_be_told():
    told = judged()
    assert points(told) == {"manners": 0.25, "value": 0.5, "slope": 0.25}
    assert told.notes == ()
    assert {result.message for result in told.results} == {""}


def test_each_check_looks_at_its_own_cases():
    assert points(judged({"three": returned("three", times=2)})) == {"manners": 0.25, "value": 0.0, "slope": 0.25}
    assert points(judged({"four": returned("four", plus=0.1)})) == {"manners": 0.25, "value": 0.5, "slope": 0.0}
    assert "(1 of 2 cases" in message(judged({"three": returned("three", times=2)}), "value").replace("the ", "")


def test_low_precision_counts_and_is_told():
    told = judged(times=1 + 1e-6, dtype="float32")
    assert sum(points(told).values()) == 1.0
    assert "float32" in told.notes[0]
    assert "low precision" in judged(times=1 + 1e-6).notes[0]


def test_a_coarse_number_beside_a_wrong_one_is_no_matter_of_precision():
    assert judged({"two": returned("two", times=1 + 1e-6), "three": returned("three", times=2)}).notes == ()


def test_manners_alone_earn_nothing():
    told = judged(times=2)
    assert points(told) == {"manners": 0.0, "value": 0.0, "slope": 0.0}
    assert "counts once slope_of_J is right" in message(told, "manners")
    assert points(judged({call: returned(call, times=2) for call in ("two", "three")}))["manners"] == 0.25


@pytest.mark.parametrize(
    ("outcomes", "says"),
    [
        ({"one": returned("one", changed=1.0)}, "changes x in place"),
        ({"again": returned("again", times=2)}, "called twice with the same arguments"),
        ({"later": returned("later", times=2)}, "called with other arguments in between"),
        ({"kept": returned("kept", times=2)}, "changed during a later call"),
        ({"kept": Unusable(None, "None")}, "returned None"),
        ({"one": returned("one", plus=1e7)}, "not finite and small"),
        ({"again": Raised("ValueError", "second call", "", 3)}, "raised ValueError in line 3: second call"),
    ],
    ids=["inputs", "again", "later", "kept", "kept is gone", "law", "again raises"],
)
def test_manners(outcomes, says):
    told = judged(outcomes)
    assert points(told) == {"manners": 0.0, "value": 0.5, "slope": 0.25}
    assert says in message(told, "manners")


def test_other_numbers_than_floats_are_never_right():
    told = judged(dtype="int64")
    assert set(points(told).values()) == {0.0}
    assert "dtype int64" in message(told, "value")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Ended("cpu"), "timeout"),
        (Ended("wall"), "timeout"),
        (Ended("memory"), "error"),
        (Ended("exit", 0), "error"),
        (Ended("crash", 11), "error"),
        (Ended("protocol"), "error"),
        (Missing(()), "error"),
        (Missing((), callable=False), "error"),
        (Raised("KeyError", "'x'", "code cell 2", 4), "error"),
        (Unusable(None, "a list"), "fail"),
        (Returned((Value(np.ones((3, 1)), "float64"),), {"x": CASES["two"].arrays["x"]}), "fail"),
        (Returned((Value(np.array([1, np.nan, 1]), "float64"),), {"x": CASES["two"].arrays["x"]}), "fail"),
    ],
    ids=str,
)
def test_status(outcome, status):
    assert statuses(judged({"two": outcome}))["value"] == status
    told = judged(dict.fromkeys(CALLS, outcome))
    assert set(statuses(told).values()) == {status}
    assert set(points(told).values()) == {0.0}


def test_a_stub_is_not_attempted():
    told = judged(dict.fromkeys(CALLS, Raised("NotImplementedError", "slope_of_J is not written yet", "", 2)))
    assert set(statuses(told).values()) == {"not_attempted"}
    assert told.notes == ()


def test_a_case_left_out_on_purpose_is_an_error_and_not_unattempted():
    told = judged({"three": Raised("NotImplementedError", "only for small n", "", 2)})
    assert statuses(told) == {"manners": "pass", "value": "error", "slope": "pass"}


def test_an_exception_of_the_public_case_is_told_with_its_text_wherever_it_comes_again():
    hidden = dict.fromkeys(CALLS, Raised("ValueError", "hidden numbers", "", 2))
    told = judged({**hidden, "one": Raised("ValueError", "public numbers", "", 2)})
    assert len({message(told, check) for check in ("manners", "value", "slope")}) == 1
    assert "public numbers" in message(told, "value")


def test_the_text_of_another_exception_is_not_quoted():
    hidden = dict.fromkeys(CALLS, Raised("ValueError", "hidden numbers", "", 7))
    told = judged({**hidden, "one": Raised("ValueError", "public numbers", "", 2)})
    assert "numbers" not in message(told, "value") + message(told, "slope")


def with_counts(counts: str) -> tuple[Check, ...]:
    return (CHECKS[0], CHECKS[1], replace(CHECKS[2], counts=counts))


def test_a_note_gives_no_points_and_tells():
    told = judged({"four": returned("four", times=2)}, with_counts("note"))
    assert points(told) == {"manners": 0.25, "value": 0.5, "slope": 0.0}
    assert {result.max_points for result in told.results if result.id == "slope"} == {0.0}
    assert told.notes[0].startswith("Slopes: slope is not the slope of J")
    assert judged(checks=with_counts("note")).notes == ()
    assert exercise(with_counts("note")).max_score == 0.75


def test_a_condition_withholds_the_points_of_its_function():
    told = judged({"four": returned("four", times=2)}, with_counts("condition"))
    assert set(points(told).values()) == {0.0}
    assert "together with the check “Slopes”" in message(told, "value")
    assert sum(points(judged(checks=with_counts("condition"))).values()) == 1.0


numbers = st.sampled_from([0.0, 1.0, -2.5, 1e-9, 1e300, np.nan, np.inf])
arrays = st.one_of(
    st.lists(numbers, min_size=3, max_size=3).map(np.array),
    st.sampled_from([np.zeros(0), np.zeros((3, 1)), np.array(1.0), np.full((1, 1, 3), np.nan)]),
)
own = st.builds(lambda factor: ("own", factor), st.sampled_from([1.0, 1 + 1e-6, 1 + 1e-4, 2.0]))
dtypes = st.sampled_from(["float64", "float32", "float16", "longdouble", "int8", "bool"])
wild = st.one_of(
    st.builds(lambda what, dtype: (what, dtype), st.one_of(own, arrays), dtypes),
    st.builds(
        Ended, st.sampled_from(["cpu", "wall", "memory", "exit", "crash", "protocol"]), st.none() | st.integers()
    ),
    st.builds(Missing, st.lists(st.text(max_size=5), max_size=2).map(tuple), st.booleans()),
    st.builds(Unusable, st.none() | st.just(0), st.sampled_from(["None", "a list", "a tuple of 2"])),
    st.builds(Raised, st.text(max_size=9), st.text(), st.text(max_size=9), st.none() | st.integers(1)),
    st.just(Raised("NotImplementedError", "", "", None)),
)


def outcome_of(call: str, drawn: object) -> Outcome:
    if not isinstance(drawn, tuple):
        return drawn
    what, dtype = drawn
    if isinstance(what, tuple):
        return returned(call, times=what[1], dtype=dtype)
    return Returned((Value(what, dtype),), {"x": case_of(call).arrays["x"]})


@given(
    st.fixed_dictionaries(dict.fromkeys(CALLS, wild)),
    st.tuples(*[st.sampled_from(["points", "note", "condition"])] * len(CHECKS)),
)
def test_points_are_never_negative_nor_more_than_there_are(drawn, counts):
    checks = tuple(replace(check, counts=how) for check, how in zip(CHECKS, counts, strict=True))
    told = judged({call: outcome_of(call, outcome) for call, outcome in drawn.items()}, checks)
    assert [result.id for result in told.results] == [check.id for check in checks]
    for result, check in zip(told.results, checks, strict=True):
        assert result.status in get_args(CheckStatus)
        assert result.max_points == (0.0 if check.counts == "note" else check.points)
        assert result.points == (result.max_points if result.status == "pass" else 0.0)
        assert bool(result.message) is (result.status != "pass")
