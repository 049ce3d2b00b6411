"""The public ladder of rnn_backprop: small numbers, one thing changed at a time, and sums that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autograder.exercise.model import Case
from autograder.student.feedback import error
from tests.leaks import exercise

LADDER = exercise().diagnostic_cases
GIVEN = ("U", "W", "V", "b_h", "b_y", "x", "h0")
BASE = next(case for case in LADDER if case.id == "T=3, H=2, seed=0")


def traits_changed(case: Case) -> set[str]:
    return {name for name, value in case.parameters.items() if BASE.parameters[name] != value}


def test_ids_are_how_a_case_is_asked_for() -> None:
    assert len({case.id for case in LADDER}) == len(LADDER)
    for case in LADDER:
        T, H = (case.parameters[name] for name in "TH")
        assert case.id.startswith(f"T={T}, H={H}, seed=")
        assert case.arrays["h"].shape == (T + 1, H)


def test_numbers_have_one_decimal_and_cases_grow() -> None:
    for case in LADDER:
        for name in GIVEN:
            np.testing.assert_array_equal(case.arrays[name], np.round(case.arrays[name], 1))
    sizes = [sum(array.size for array in case.arrays.values()) for case in LADDER]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("trait", ["T", "g1", "output", "h0", "biases", "W", "slopes"])
def test_something_differs_from_the_base_in_one_thing_alone(trait: str) -> None:
    assert [case for case in LADDER if traits_changed(case) == {trait}]


def test_a_mistake_that_shows_in_one_number_shows_in_all_longer_ones() -> None:
    """Else "right for T = 3, wrong for T = 2" would be told of a coincidence."""
    scalar = [case for case in LADDER if case.parameters["H"] == 1]
    for mistake in exercise().mistakes:
        right = []
        for case in scalar:
            expected = exercise().reference(mistake.function, case)
            with np.errstate(all="ignore"):
                got = exercise().run_mistake(mistake, case)
            fits = [a.shape == b.shape and error(a, b) <= 1e-3 for a, b in zip(got, expected, strict=True)]
            right.append(all(fits))
        assert right == sorted(right, reverse=True), mistake.name


def test_sums_add_up_to_what_is_expected() -> None:
    found = 0
    for case in LADDER:
        for function in exercise().functions:
            for one in exercise().decompose(function.name, case):
                (expected,) = exercise().reference(function.name, case)
                assert error(sum(one.parts.values()), expected) < 1e-8
                found += 1
    assert found >= 10


def test_a_single_loss_leaves_the_sum_over_k() -> None:
    case = next(case for case in LADDER if case.parameters["targets"] == "a loss at t = 3 only")
    for name, of in {"dJ_dW": "dJ(3)/dW", "dJ_dU": "dJ(3)/dU"}.items():
        (one,) = exercise().decompose(name, case)
        assert (one.of, list(one.parts)) == (of, ["k = 3", "k = 2", "k = 1"])


def test_one_hot_inputs_give_each_term_a_column_of_its_own() -> None:
    case = next(case for case in LADDER if case.parameters["inputs"] == "one-hot inputs")
    (one,) = exercise().decompose("dJ_dU", case)
    columns = {name: list(np.flatnonzero(np.abs(part).max(axis=0))) for name, part in one.parts.items()}
    assert columns == {"k = 1": [0], "k = 2": [1], "k = 3": [2]}


def test_h0_alone_makes_all_states_of_one_case() -> None:
    case = next(case for case in LADDER if case.parameters["inputs"] == "h0 alone not 0")
    without = {**case.arrays, "h0": np.zeros_like(case.arrays["h0"])}
    states, _ = exercise().reference("forward", replace(case, arrays=without))
    assert case.arrays["h"].all()
    assert not states.any()
