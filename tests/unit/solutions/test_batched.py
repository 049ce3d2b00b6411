"""Many cases drawn and answered at once are the same as one case after the other."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from autograder.evaluation.call_plans import CallPlanner, case_rngs, draw_case, plan_calls
from autograder.exercise.model import Exercise
from autograder.exercise.numerical_gradient import numerical_gradient, numerical_gradients
from autograder.grading import PLANNED_AHEAD
from tests.in_process import exercise

CASES = [(check, case) for check in exercise().checks for case in check.cases]


def without_batches() -> Exercise:
    """Return the exercise without its optional batched functions."""
    return replace(exercise(), draw_batch=None, objective_batch=None)


@pytest.mark.parametrize("seed", range(5))
def test_draw_batch_equals_draw_and_reference(seed: int) -> None:
    one_by_one = {id: planned for plan in plan_calls(without_batches(), seed) for id, planned in plan.cases.items()}
    together = {id: planned for plan in plan_calls(exercise(), seed) for id, planned in plan.cases.items()}
    assert list(one_by_one) == list(together) == list(dict.fromkeys(case for _, case in CASES))
    for id, planned in together.items():
        expected = one_by_one[id]
        assert planned.case.names == expected.case.names
        assert planned.case.description == expected.case.description
        for name, array in expected.case.arrays.items():  # to the last bit: an earlier verdict can be replayed
            np.testing.assert_array_equal(planned.case.arrays[name], array)
        for value, right in zip(planned.expected, expected.expected, strict=True):
            np.testing.assert_allclose(value, right, rtol=0, atol=1e-13 * np.abs(right).max())


def test_a_case_does_not_depend_on_the_others_of_a_batch() -> None:
    check, case = CASES[-1]
    draw_batch = exercise().draw_batch
    assert draw_batch is not None
    [rng] = case_rngs([(check, case, 3)])
    [alone] = draw_batch([(case, [rng])])
    *_, last = draw_batch([(id, case_rngs([(owner, id, seed) for seed in (1, 2, 3)])) for owner, id in CASES])
    for name, array in draw_case(exercise(), check, case, 3).arrays.items():
        np.testing.assert_array_equal(array, alone.case(0).arrays[name])
        np.testing.assert_array_equal(array, last.case(2).arrays[name])


def test_plans_of_several_seeds_equal_those_of_one() -> None:
    seeds = [0, 7, *range(2**63, 2**63 + PLANNED_AHEAD)]
    for seed, plans in zip(seeds, CallPlanner(exercise()).plan(seeds), strict=True):
        for plan, alone in zip(plans, plan_calls(exercise(), seed), strict=True):
            assert plan.batch.digest == alone.batch.digest  # all calls to the last bit, in their order
            for planned, single in zip(
                (*plan.cases.values(), plan.shuffled), (*alone.cases.values(), alone.shuffled), strict=True
            ):
                for value, right in zip(planned.expected, single.expected, strict=True):
                    np.testing.assert_allclose(value, right, rtol=0, atol=1e-12 * np.abs(right).max())
            for id in (id for check in exercise().checks if check.kind == "slope" for id in check.cases):
                if id in plan.cases:
                    slope, together = alone.cases[id].numerical_gradient, plan.cases[id].numerical_gradient
                    np.testing.assert_allclose(together, slope, rtol=0, atol=1e-12 * np.abs(slope).max())


def test_case_rngs_are_default_rngs_of_seed_and_id() -> None:
    check, id = CASES[-1]
    number = int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big")
    seeds = (0, 1, 2**32 - 1, 2**32, 2**64 - 1, 2**64, 2**200)
    for seed, rng in zip(seeds, case_rngs([(check, id, seed) for seed in seeds]), strict=True):
        assert rng.random() == np.random.default_rng([seed, number]).random()


@pytest.mark.parametrize("wrt", ["W", "U", "V"])
@pytest.mark.parametrize("case", [case for case in CASES if case[1].startswith("dJ_dW")], ids=lambda case: case[1])
def test_objective_batch_equals_objective(case: tuple[object, str], wrt: str) -> None:
    drawn = draw_case(exercise(), *case, 1)
    arrays, names = drawn.arrays, drawn.names
    one_by_one = numerical_gradient(exercise().objective, arrays, names, wrt)
    stacks = {name: array[None] for name, array in arrays.items()}
    [together] = numerical_gradients(exercise().objective_batch, stacks, names, wrt)
    np.testing.assert_allclose(together, one_by_one, rtol=0, atol=1e-12 * np.abs(one_by_one).max())


def test_a_J_that_changes_its_arrays_changes_no_case() -> None:
    def objective(arrays, names):
        arrays["x"][...] = 0
        return np.sum(arrays["W"] ** 2, axis=(-2, -1))

    stacks = {"W": np.ones((2, 3, 3)), "x": np.ones((2, 4))}
    np.testing.assert_allclose(numerical_gradients(objective, stacks, {}, "W"), 2 * stacks["W"])
    assert (stacks["x"] == 1).all()
