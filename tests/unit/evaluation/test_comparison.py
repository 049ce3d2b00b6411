"""compare(): the norm-wise error, its verdicts and the index of the worst entry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from autograder.evaluation.comparison import (
    LOW_PRECISION_TOLERANCE,
    TOLERANCE,
    compare,
    relative_error,
    relative_errors,
)

ordinary = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
pairs = array_shapes(max_dims=3, max_side=4).flatmap(
    lambda shape: st.tuples(arrays(float, shape, elements=ordinary), arrays(float, shape, elements=ordinary))
)


@given(pairs)
def test_only_equal_arrays_have_error_zero(pair):
    a, b = pair
    assert compare(b, b).error == 0.0
    assert (compare(a, b).error == 0.0) == np.array_equal(a, b)


@given(pairs, st.integers(-15, 15))
def test_compare_ignores_the_unit(pair, power):
    a, b = pair
    b.flat[0] = 1.0  # above the smallest scale
    scaled = compare(a * 2.0**power, b * 2.0**power)
    assert scaled == compare(a, b)


@given(pairs)
def test_compare_finds_the_worst_entry_in_any_order(pair):
    a, b = pair
    comparison = compare(a, b)
    assert compare(a.T, b.T).error == comparison.error
    if comparison.verdict == "exact":
        assert comparison.where == ()
    else:
        assert abs(a - b)[comparison.where] == np.max(abs(a - b))


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (0, "exact"),
        (TOLERANCE / 2, "exact"),
        (TOLERANCE * 2, "coarse"),
        (LOW_PRECISION_TOLERANCE / 2, "coarse"),
        (LOW_PRECISION_TOLERANCE * 2, "wrong"),
    ],
)
def test_verdict_for_each_size_of_error(error, verdict):
    b = np.array([[0.0, 2.0], [-1.0, 1e-9]])  # a small entry may be as far off as a large one
    assert compare(b + np.array([[0, 0], [0, 2 * error]]), b).verdict == verdict


def test_float32_results_are_coarse():
    b = np.random.default_rng(0).normal(size=(4, 3))
    assert compare(b.astype(np.float32).astype(float), b).verdict == "coarse"


def test_expected_zeros_match_zeros_only():
    assert compare(np.full(3, 1e-9), np.zeros(3)).verdict == "wrong"
    assert compare(np.zeros(3), np.zeros(3)).verdict == "exact"


def test_an_overflow_is_wrong_and_raises_no_warning():
    assert compare(np.array([-1e308]), np.array([1.7e308])).verdict == "wrong"


def test_a_scalar_has_an_empty_index():
    assert compare(np.array(1.0), np.array(2.0)).where == ()


def test_relative_errors_are_those_of_each_pair():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((), (3,), (2, 4), (1, 1))]
    expected = [array + rng.normal(scale=1e-6, size=array.shape) for array in arrays]
    arrays[1][1], expected[2][0, 0] = np.inf, 1e300
    for some in (slice(0), slice(1, 2), slice(None)):
        one_by_one = [relative_error(a, b) for a, b in zip(arrays[some], expected[some], strict=True)]
        assert relative_errors(arrays[some], expected[some]) == one_by_one
    assert relative_errors([np.zeros((0, 3)), arrays[0]], [np.ones((0, 3)), arrays[0]]) == [0.0, 0.0]
