"""What a class is graded with, many cases at once, is what one case after the other gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autograder.evaluation.call_plans import case_rng, draw_case, plan_calls
from autograder.evaluation.numerical_gradient import numerical_gradient
from autograder.exercise.model import Exercise
from tests.in_process import exercise

CASES = [(check, case) for check in exercise().checks for case in check.cases]


def by_one() -> Exercise:
    """The exercise without its quicker ways."""
    return replace(exercise(), draw_batch=None, objective_batch=None)


@pytest.mark.parametrize("seed", range(5))
def test_cases_and_answers(seed: int) -> None:
    one_by_one = {id: posed for one in plan_calls(by_one(), seed) for id, posed in one.cases.items()}
    together = {id: posed for one in plan_calls(exercise(), seed) for id, posed in one.cases.items()}
    assert list(one_by_one) == list(together) == list(dict.fromkeys(case for _, case in CASES))
    for id, posed in together.items():
        expected = one_by_one[id]
        assert posed.case.names == expected.case.names
        assert posed.case.description == expected.case.description
        for name, array in expected.case.arrays.items():  # to the last bit: what was graded before can be replayed
            np.testing.assert_array_equal(posed.case.arrays[name], array)
        for value, right in zip(posed.expected, expected.expected, strict=True):
            np.testing.assert_allclose(value, right, rtol=0, atol=1e-13 * np.abs(right).max())


def test_a_case_is_the_same_whatever_is_asked_for_beside_it() -> None:
    check, case = CASES[-1]
    pose = exercise().draw_batch
    assert pose is not None
    [(alone, _)] = pose([(case, case_rng(check, case, 3))])
    everything = pose([(id, case_rng(one, id, 3)) for one, id in CASES])
    for name, array in draw_case(exercise(), check, case, 3).arrays.items():
        np.testing.assert_array_equal(array, alone.arrays[name])
        np.testing.assert_array_equal(array, everything[-1][0].arrays[name])


@pytest.mark.parametrize("wrt", ["W", "U", "V"])
@pytest.mark.parametrize("case", [case for case in CASES if case[1].startswith("dJ_dW")], ids=lambda case: case[1])
def test_slopes(case: tuple[object, str], wrt: str) -> None:
    arrays, names = (drawn := draw_case(exercise(), *case, 1)).arrays, drawn.names
    one_by_one = numerical_gradient(exercise().objective, arrays, names, wrt)
    together = numerical_gradient(exercise().objective, arrays, names, wrt, exercise().objective_batch)
    np.testing.assert_allclose(together, one_by_one, rtol=0, atol=1e-12 * np.abs(one_by_one).max())
