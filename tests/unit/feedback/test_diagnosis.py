"""MistakeCatalogue: mistakes are identified by their numbers, never guessed, and computed once."""

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


def find_mistake(name: str, function: str = "dJ_dW"):
    return next(m for m in exercise().mistakes if (m.name, m.function) == (name, function))


def results_of(function: str, numbers):
    """Return the results of a submission that returns `numbers(case)` on each diagnostic case."""
    return {case.id: call_result(FUNCTIONS[function], case, numbers(case)) for case in exercise().diagnostic_cases}


def results_with(mistake, dtype=np.float64):
    return results_of(mistake.function, lambda case: tuple(a.astype(dtype) for a in CATALOGUE.output_of(mistake, case)))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_identify_finds_every_mistake(function):
    mistakes = [mistake for mistake in exercise().mistakes if mistake.function == function]
    assert [CATALOGUE.identify(function, results_with(mistake)) for mistake in mistakes] == [
        (mistake,) for mistake in mistakes
    ]


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # an infinity is what it is in float32 too
def test_identify_in_float32_finds_nearly_all_and_confuses_none():
    pairs = [(m, CATALOGUE.identify(m.function, results_with(m, np.float32))) for m in exercise().mistakes]
    assert [(m.name, identified) for m, identified in pairs if identified not in ((m,), ())] == []
    assert sum(identified == () for _, identified in pairs) <= 0.05 * len(pairs)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_identify_finds_nothing_in_right_answers(function, dtype):
    right = results_of(function, lambda case: tuple(a.astype(dtype) for a in exercise().reference(function, case)))
    assert CATALOGUE.identify(function, right) == ()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_identify_finds_nothing_in_random_numbers(function):
    rng = np.random.default_rng(0)
    reference = exercise().reference
    random = results_of(function, lambda case: tuple(rng.normal(size=a.shape) for a in reference(function, case)))
    assert CATALOGUE.identify(function, random) == ()
    assert CATALOGUE.identify(function, {}) == ()


def test_one_case_that_does_not_fit_rules_a_mistake_out():
    results = results_with(find_mistake("W_for_its_transpose"))
    case = exercise().diagnostic_cases[-1]
    results[case.id] = call_result(FUNCTIONS["dJ_dW"], case, exercise().reference("dJ_dW", case))
    assert CATALOGUE.identify("dJ_dW", results) == ()


def test_one_distinguishing_case_is_not_enough():
    mistake = find_mistake("window_of_8")
    results = results_with(mistake)
    outputs = {id: (CATALOGUE.output_of(mistake, result.case), result.expected) for id, result in results.items()}
    distinct = [id for id, (output, expected) in outputs.items() if distance(output, expected) > 1e-6]
    assert CATALOGUE.identify("dJ_dW", results) == (mistake,)
    for id in distinct[1:]:
        del results[id]
    assert CATALOGUE.identify("dJ_dW", results) == ()


@pytest.mark.parametrize(
    "outcome", [FunctionRaised("IndexError", "", "", 3), InvalidResult(None, "None")], ids=["raised", "None"]
)
def test_cases_without_numbers_are_ignored(outcome):
    mistake = find_mistake("W_for_its_transpose")
    results = results_with(mistake)
    for id in list(results)[::2]:
        results[id] = dataclasses.replace(results[id], outcome=outcome)
    assert CATALOGUE.identify("dJ_dW", results) == (mistake,)


def test_cases_with_another_shape_are_ignored():
    mistake = find_mistake("W_for_its_transpose")
    results = results_with(mistake)
    first = exercise().diagnostic_cases[3]
    results[first.id] = call_result(FUNCTIONS["dJ_dW"], first, (np.zeros((7, 7)),))
    assert CATALOGUE.identify("dJ_dW", results) == (mistake,)


def test_an_infinity_that_the_mistake_does_not_give_rules_it_out():
    mistake = find_mistake("sign_flipped", "dJ_dV")
    results = results_with(mistake)
    case = exercise().diagnostic_cases[3]
    infinite = (np.full_like(CATALOGUE.output_of(mistake, case)[0], np.inf),)
    results[case.id] = call_result(FUNCTIONS["dJ_dV"], case, infinite)
    assert CATALOGUE.identify("dJ_dV", results) == ()


def counting_exercise(folder):
    """Return the exercise, as if it lay in this folder, and a list of the mistakes that it has computed."""
    computed = []

    def run_mistake(mistake, case):
        computed.append((mistake.function, mistake.name, case.id))
        return exercise().run_mistake(mistake, case)

    return dataclasses.replace(exercise(), folder=folder, run_mistake=run_mistake), computed


def test_numbers_of_a_mistake_are_computed_once_on_first_use(tmp_path):
    counting, computed = counting_exercise(tmp_path)
    catalogue = MistakeCatalogue(counting)
    results = results_with(find_mistake("W_for_its_transpose"))
    assert computed == []
    first = catalogue.identify("dJ_dW", results)
    assert {function for function, _, _ in computed} == {"dJ_dW"}
    count = len(computed)
    mistakes = [mistake for mistake in exercise().mistakes if mistake.function == "dJ_dW"]
    assert count < 0.25 * len(exercise().diagnostic_cases) * len(mistakes)
    assert catalogue.identify("dJ_dW", results) == first
    assert len(computed) == count
    assert MistakeCatalogue(counting).identify("dJ_dW", results) == first
    assert len(computed) == count


def test_a_mistake_that_raises_is_ignored(tmp_path):
    def run_mistake(mistake, case):
        if mistake.name == "current_step_only":
            raise ZeroDivisionError
        return exercise().run_mistake(mistake, case)

    catalogue = MistakeCatalogue(dataclasses.replace(exercise(), folder=tmp_path, run_mistake=run_mistake))
    assert catalogue.identify("dJ_dW", results_with(find_mistake("current_step_only"))) == ()
    mistake = find_mistake("W_for_its_transpose")
    assert catalogue.identify("dJ_dW", results_with(mistake)) == (mistake,)


def test_distance_of_incomparable_arrays_is_infinite():
    ones = (np.ones((2, 2)),)
    assert distance(ones, ones) == 0.0
    assert distance(ones, (np.ones((2, 2)) * (1 + LOW_PRECISION_TOLERANCE),)) == pytest.approx(
        LOW_PRECISION_TOLERANCE, rel=1e-2
    )
    for other in (None, (np.ones((2, 3)),), (np.ones((2, 2)), np.ones(2)), (np.full((2, 2), np.nan),)):
        assert distance(ones, other) == np.inf
    assert distance((np.full(2, np.nan),), (np.full(2, np.nan),)) == 0.0
