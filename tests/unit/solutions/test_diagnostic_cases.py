"""The diagnostic cases of rnn_backprop: small numbers, one parameter changed at a time, terms that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autograder.exercise.model import Case
from autograder.student.rules import error
from tests.in_process import exercise

CASES = exercise().diagnostic_cases
DRAWN = ("U", "W", "V", "b_h", "b_y", "x", "h0")
BASE = next(case for case in CASES if case.id == "T=3, H=2, seed=0")


def changed_parameters(case: Case) -> set[str]:
    return {name for name, value in case.parameters.items() if BASE.parameters[name] != value}


def test_ids_are_the_arguments_that_replay_a_case() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    for case in CASES:
        T, H = (case.parameters[name] for name in "TH")
        assert case.id.startswith(f"T={T}, H={H}, seed=")
        assert case.arrays["h"].shape == (T + 1, H)


def test_numbers_have_one_decimal_and_cases_grow() -> None:
    for case in CASES:
        for name in DRAWN:
            np.testing.assert_array_equal(case.arrays[name], np.round(case.arrays[name], 1))
    sizes = [sum(array.size for array in case.arrays.values()) for case in CASES]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("parameter", ["T", "g1", "output", "h0", "biases", "W", "slopes"])
def test_some_case_differs_from_the_base_in_one_parameter_alone(parameter: str) -> None:
    assert [case for case in CASES if changed_parameters(case) == {parameter}]


def test_a_mistake_that_shows_on_a_scalar_case_shows_on_all_longer_ones() -> None:
    """Otherwise feedback would say "right for T = 3, wrong for T = 2" because of a coincidence."""
    scalar = [case for case in CASES if case.parameters["H"] == 1]
    for mistake in exercise().mistakes:
        right = []
        for case in scalar:
            expected = exercise().reference(mistake.function, case)
            with np.errstate(all="ignore"):
                returned = exercise().run_mistake(mistake, case)
            pairs = zip(returned, expected, strict=True)
            right.append(all(a.shape == b.shape and error(a, b) <= 1e-3 for a, b in pairs))
        assert right == sorted(right, reverse=True), mistake.name


def test_decompositions_add_up_to_the_expected_result() -> None:
    count = 0
    for case in CASES:
        for function in exercise().functions:
            for total in exercise().decompose(function.name, case):
                (expected,) = exercise().reference(function.name, case)
                assert error(sum(total.parts.values()), expected) < 1e-8
                count += 1
    assert count >= 10


def test_a_single_loss_leaves_the_sum_over_k() -> None:
    case = next(case for case in CASES if case.parameters["targets"] == "a loss at t = 3 only")
    for function, title in {"dJ_dW": "dJ(3)/dW", "dJ_dU": "dJ(3)/dU"}.items():
        (total,) = exercise().decompose(function, case)
        assert (total.of, list(total.parts)) == (title, ["k = 3", "k = 2", "k = 1"])


def test_one_hot_inputs_give_each_term_its_own_column() -> None:
    case = next(case for case in CASES if case.parameters["inputs"] == "one-hot inputs")
    (total,) = exercise().decompose("dJ_dU", case)
    columns = {name: list(np.flatnonzero(np.abs(part).max(axis=0))) for name, part in total.parts.items()}
    assert columns == {"k = 1": [0], "k = 2": [1], "k = 3": [2]}


def test_one_case_has_states_that_come_from_h0_alone() -> None:
    case = next(case for case in CASES if case.parameters["inputs"] == "h0 alone not 0")
    without = {**case.arrays, "h0": np.zeros_like(case.arrays["h0"])}
    states, _ = exercise().reference("forward", replace(case, arrays=without))
    assert case.arrays["h"].all()
    assert not states.any()
