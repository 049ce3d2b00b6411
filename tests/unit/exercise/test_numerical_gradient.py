"""numerical_gradient() of functions whose derivative is known on paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from autograder.exercise.model import Case
from autograder.exercise.numerical_gradient import central_gradient, keeps_imaginary_parts, numerical_gradient

number = st.floats(-3, 3)


@given(st.lists(number, min_size=1, max_size=6), number)
def test_gradient_of_a_polynomial(coefficients, point):
    polynomial = np.polynomial.Polynomial(coefficients)
    gradient = numerical_gradient(lambda arrays, _: polynomial(arrays["x"]), {"x": np.array(point)}, {}, "x")
    assert gradient == pytest.approx(polynomial.deriv()(point), rel=1e-12, abs=1e-12)
    assert gradient.shape == ()


@given(numpy_arrays(float, (2, 3), elements=number), numpy_arrays(float, (3, 2), elements=number))
def test_gradient_of_a_trace_of_a_product(A, B):
    arrays = {"A": A, "B": B}

    def trace(arrays, names):
        return np.trace(arrays["A"] @ arrays["B"]) * int(names["times"])

    np.testing.assert_allclose(numerical_gradient(trace, arrays, {"times": "2"}, "A"), 2 * B.T, atol=1e-15)
    np.testing.assert_allclose(numerical_gradient(trace, arrays, {"times": "2"}, "B"), 2 * A.T, atol=1e-15)


@given(numpy_arrays(float, 4, elements=number))
def test_gradient_of_the_functions_of_the_exercise(a):
    gradient = numerical_gradient(
        lambda arrays, _: np.sum(np.tanh(arrays["a"]) + np.exp(arrays["a"])), {"a": a}, {}, "a"
    )
    np.testing.assert_allclose(gradient, 1 - np.tanh(a) ** 2 + np.exp(a), rtol=1e-13, atol=1e-15)


def test_numerical_gradient_leaves_its_arguments_unchanged():
    arrays = {"a": np.ones(2), "b": np.ones(2)}
    for array in arrays.values():
        array.setflags(write=False)
    assert numerical_gradient(lambda arrays, _: arrays["a"] @ arrays["b"], arrays, {}, "a").tolist() == [1.0, 1.0]
    assert arrays["a"].dtype == float


@given(numpy_arrays(float, (2, 2), elements=number))
def test_central_gradient_is_exact_to_eleven_digits(a):
    gradient = central_gradient(lambda arrays, _: float(np.sum(np.sin(arrays["a"]) ** 3)), {"a": a}, {}, "a")
    np.testing.assert_allclose(gradient, 3 * np.sin(a) ** 2 * np.cos(a), rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("objective", "keeps"),
    [
        (lambda arrays, _: np.sum(np.tanh(arrays["a"])), True),
        (lambda arrays, _: np.sum(arrays["b"]), True),  # does not depend on a
        (lambda arrays, _: np.sum(np.abs(arrays["a"])), False),
        (lambda arrays, _: float(np.sum(arrays["a"])), False),
        (lambda arrays, _: np.sum(arrays["a"] + np.abs(arrays["a"])), False),
        (lambda arrays, _: np.sum(np.zeros(2) + [x.real for x in arrays["a"]]), False),
    ],
    ids=range(6),
)
def test_keeps_imaginary_parts_is_found_out_by_one_direction(objective, keeps):
    case = Case("one", {"a": np.array([0.3, -0.7]), "b": np.ones(2)})
    assert keeps_imaginary_parts(objective, case, "a") is keeps
