"""Measured slopes of what can be differentiated on paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from autograder.evaluation.numerical_gradient import numerical_gradient

number = st.floats(-3, 3)


@given(st.lists(number, min_size=1, max_size=6), number)
def test_a_polynomial(coefficients, at):
    polynomial = np.polynomial.Polynomial(coefficients)
    measured = numerical_gradient(lambda arrays, _: polynomial(arrays["x"]), {"x": np.array(at)}, {}, "x")
    assert measured == pytest.approx(polynomial.deriv()(at), rel=1e-12, abs=1e-12)
    assert measured.shape == ()


@given(numpy_arrays(float, (2, 3), elements=number), numpy_arrays(float, (3, 2), elements=number))
def test_a_trace_of_a_product(A, B):
    arrays = {"A": A, "B": B}

    def trace(arrays, names):
        return np.trace(arrays["A"] @ arrays["B"]) * int(names["times"])

    np.testing.assert_allclose(numerical_gradient(trace, arrays, {"times": "2"}, "A"), 2 * B.T, atol=1e-15)
    np.testing.assert_allclose(numerical_gradient(trace, arrays, {"times": "2"}, "B"), 2 * A.T, atol=1e-15)


@given(numpy_arrays(float, 4, elements=number))
def test_functions_of_the_exercise(a):
    measured = numerical_gradient(
        lambda arrays, _: np.sum(np.tanh(arrays["a"]) + np.exp(arrays["a"])), {"a": a}, {}, "a"
    )
    np.testing.assert_allclose(measured, 1 - np.tanh(a) ** 2 + np.exp(a), rtol=1e-13, atol=1e-15)


def test_arrays_are_left_alone():
    arrays = {"a": np.ones(2), "b": np.ones(2)}
    for array in arrays.values():
        array.setflags(write=False)
    assert numerical_gradient(lambda arrays, _: arrays["a"] @ arrays["b"], arrays, {}, "a").tolist() == [1.0, 1.0]
    assert arrays["a"].dtype == float
