"""Naming a mistake by its numbers on the ladder: right, never by guessing, and computed once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE
from autograder.feedback.diagnosis import MistakeCatalogue, distance
from autograder.sandbox.host.program import FunctionRaised, InvalidResult
from tests.in_process import call_result, exercise

FUNCTIONS = {function.name: function for function in exercise().functions}
CATALOGUE = MistakeCatalogue(exercise())


def mistake_called(name: str, function: str = "dJ_dW"):
    return next(one for one in exercise().mistakes if (one.name, one.function) == (name, function))


def trials(function: str, numbers):
    """What a submission shows that returns `numbers(case)` on each case of the ladder."""
    return {case.id: call_result(FUNCTIONS[function], case, numbers(case)) for case in exercise().diagnostic_cases}


def shown_by(mistake, dtype=np.float64):
    return trials(mistake.function, lambda case: tuple(a.astype(dtype) for a in CATALOGUE.output_of(mistake, case)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_mistake_is_named(function):
    own = [one for one in exercise().mistakes if one.function == function]
    assert [CATALOGUE.identify(function, shown_by(one)) for one in own] == own


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # an infinity is what it is in float32 too
def test_in_float32_nearly_all_are_named_and_none_gets_the_name_of_another():
    named = [(one, CATALOGUE.identify(one.function, shown_by(one, np.float32))) for one in exercise().mistakes]
    assert [(one.name, name.name) for one, name in named if name not in (one, None)] == []
    assert sum(name is None for _, name in named) <= 0.05 * len(named)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_right_answer_has_no_name(function, dtype):
    right = trials(function, lambda case: tuple(a.astype(dtype) for a in exercise().reference(function, case)))
    assert CATALOGUE.identify(function, right) is None


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_nobody_knows_has_no_name(function):
    rng = np.random.default_rng(0)
    odd = trials(function, lambda case: tuple(rng.normal(size=a.shape) for a in exercise().reference(function, case)))
    assert CATALOGUE.identify(function, odd) is None
    assert CATALOGUE.identify(function, {}) is None


def test_one_case_with_other_numbers_and_nothing_is_claimed():
    shown = shown_by(mistake_called("W_for_its_transpose"))
    case = exercise().diagnostic_cases[-1]
    shown[case.id] = call_result(FUNCTIONS["dJ_dW"], case, exercise().reference("dJ_dW", case))
    assert CATALOGUE.identify("dJ_dW", shown) is None


def test_one_telling_case_is_not_enough():
    mistake = mistake_called("window_of_8")
    shown = shown_by(mistake)
    telling = [id for id, one in shown.items() if distance(CATALOGUE.output_of(mistake, one.case), one.expected) > 1e-6]
    assert CATALOGUE.identify("dJ_dW", shown) is mistake
    for id in telling[1:]:
        del shown[id]
    assert CATALOGUE.identify("dJ_dW", shown) is None


@pytest.mark.parametrize(
    "outcome", [FunctionRaised("IndexError", "", "", 3), InvalidResult(None, "None")], ids=["raised", "None"]
)
def test_cases_without_numbers_are_passed_over(outcome):
    mistake = mistake_called("W_for_its_transpose")
    shown = shown_by(mistake)
    for id in list(shown)[::2]:
        shown[id] = dataclasses.replace(shown[id], outcome=outcome)
    assert CATALOGUE.identify("dJ_dW", shown) is mistake


def test_another_shape_is_no_number():
    mistake = mistake_called("W_for_its_transpose")
    shown = shown_by(mistake)
    first = exercise().diagnostic_cases[3]
    shown[first.id] = call_result(FUNCTIONS["dJ_dW"], first, (np.zeros((7, 7)),))
    assert CATALOGUE.identify("dJ_dW", shown) is mistake


def test_an_infinity_where_the_mistake_has_none_is_another_mistake():
    mistake = mistake_called("sign_flipped", "dJ_dV")
    shown = shown_by(mistake)
    case = exercise().diagnostic_cases[3]
    infinite = (np.full_like(CATALOGUE.output_of(mistake, case)[0], np.inf),)
    shown[case.id] = call_result(FUNCTIONS["dJ_dV"], case, infinite)
    assert CATALOGUE.identify("dJ_dV", shown) is None


def counting():
    """The exercise, and a list of the mistakes that it was asked for."""
    asked = []

    def mistaken(mistake, case):
        asked.append((mistake.function, mistake.name, case.id))
        return exercise().run_mistake(mistake, case)

    return dataclasses.replace(exercise(), run_mistake=mistaken), asked


def test_what_a_mistake_gives_is_computed_once_and_only_when_it_is_needed():
    counted, asked = counting()
    catalogue = MistakeCatalogue(counted)
    shown = shown_by(mistake_called("W_for_its_transpose"))
    assert asked == []
    first = catalogue.identify("dJ_dW", shown)
    assert {function for function, _, _ in asked} == {"dJ_dW"}
    known = len(asked)
    assert known < 0.25 * len(exercise().diagnostic_cases) * sum(one.function == "dJ_dW" for one in exercise().mistakes)
    assert catalogue.identify("dJ_dW", shown) is first
    assert len(asked) == known


def test_an_entry_that_fails_is_no_name_and_no_fault():
    def mistaken(mistake, case):
        if mistake.name == "current_step_only":
            raise ZeroDivisionError
        return exercise().run_mistake(mistake, case)

    catalogue = MistakeCatalogue(dataclasses.replace(exercise(), run_mistake=mistaken))
    assert catalogue.identify("dJ_dW", shown_by(mistake_called("current_step_only"))) is None
    mistake = mistake_called("W_for_its_transpose")
    assert catalogue.identify("dJ_dW", shown_by(mistake)) is mistake


def test_the_distance_of_what_cannot_be_compared_is_infinite():
    one = (np.ones((2, 2)),)
    assert distance(one, one) == 0.0
    assert distance(one, (np.ones((2, 2)) * (1 + LOW_PRECISION_TOLERANCE),)) == pytest.approx(
        LOW_PRECISION_TOLERANCE, rel=1e-2
    )
    for other in (None, (np.ones((2, 3)),), (np.ones((2, 2)), np.ones(2)), (np.full((2, 2), np.nan),)):
        assert distance(one, other) == np.inf
    assert distance((np.full(2, np.nan),), (np.full(2, np.nan),)) == 0.0
