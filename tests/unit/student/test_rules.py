"""The rules of what is right: for the students' checks and for grading alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from autograder.student.rules import ArrayProblem, are_equal, array_problem, begins_with, error, is_right

NUMBERS = arrays(np.float64, (2, 3), elements=st.floats(-1000, 1000, width=16))


@pytest.mark.parametrize(
    ("array", "dtype", "problem"),
    [
        (np.ones((2, 3)), "float64", None),
        (np.ones((2, 3)), "float32", None),
        (np.ones((3, 2)), "float64", ArrayProblem("wrong_shape")),
        (np.ones((3, 2)), "int64", ArrayProblem("wrong_shape")),
        (np.ones((2, 3)), "int64", ArrayProblem("wrong_dtype")),
        (np.ones((2, 3)), "bool", ArrayProblem("wrong_dtype")),
        (np.ones(()), "float64", ArrayProblem("not_an_array")),
        (np.array([[0, 1, 2], [np.nan, 1, np.inf]]), "float64", ArrayProblem("not_finite", (1, 0))),
    ],
    ids=range(8),
)
def test_array_problem_names_the_first_rule_that_is_broken(array, dtype, problem):
    assert array_problem(array, dtype, np.ones((2, 3))) == problem


@pytest.mark.parametrize(
    ("expected", "dtype", "problem"),
    [
        (np.ones(3), "int64", ArrayProblem("wrong_dtype")),
        (np.ones(3, dtype=np.int64), "int64", None),
        (np.ones(3, dtype=np.int64), "bool", None),
        (np.ones(3, dtype=np.int64), "float64", None),
        (np.array(1.0), "int64", None),
        (np.array(1.0), "bool", None),
    ],
    ids=range(6),
)
def test_whole_numbers_count_where_they_are_expected_and_as_a_single_number(expected, dtype, problem):
    assert array_problem(np.ones(expected.shape), dtype, expected) == problem


@given(NUMBERS, st.floats(0.1, 1e3))
def test_error_has_no_unit(array, scale):
    expected = array + 2000  # never so small that the floor counts
    assert error(scale * (expected + 1), scale * expected) == pytest.approx(error(expected + 1, expected), rel=1e-6)


@given(NUMBERS)
def test_error_of_the_expected_array_is_zero(array):
    assert error(array, array) == 0
    assert are_equal([array], [array])


@pytest.mark.parametrize(("far", "right"), [(1e-9, True), (9e-4, True), (1.1e-3, False)])
def test_is_right_up_to_one_in_a_thousand_of_the_largest_entry(far, right):
    expected = np.array([[0.0, 2.0]])
    assert is_right(expected + 2 * far, expected) is right
    assert begins_with(np.array([[2 * far, 2.0], [5.0, 5.0]]), expected[0]) is right
