"""The rubric of rnn_backprop: whatever the seed, each function meets a case in which each kind of mistake shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.course import Limits
from autograder.evaluation import call_plans as cases_of
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Array, Case, Exercise
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail

ROOT = Path(__file__).parents[3]
SEEDS = range(30)
FUNCTIONS = ("forward", "dJ_dV", "dJ_dW", "dJ_dU")
THROUGH_TIME = ("dJ_dW", "dJ_dU")
PAIRS = {
    *(("softmax", "cross_entropy"), ("identity", "squared_error"), ("sigmoid", "binary_cross_entropy")),
    *(("softmax", "squared_error"), ("sigmoid", "squared_error"), ("tanh", "squared_error")),
}


@cache
def exercise() -> Exercise:
    return load_exercise(ROOT / "solutions" / "rnn_backprop")


@cache
def cases(function: str, seed: int) -> tuple[Case, ...]:
    checks = exercise().checks_of(function)
    return tuple(cases_of.draw_case(exercise(), check, id, seed) for check in checks for id in check.cases)


@cache
def all_cases() -> tuple[Case, ...]:
    return tuple(case for function in FUNCTIONS for seed in SEEDS for case in cases(function, seed))


def sizes(case: Case) -> tuple[int, int, int, int]:
    (H, D), (T, K) = case.arrays["U"].shape, case.arrays["y"].shape
    return T, H, D, K


def spectral_radius(W: Array) -> float:
    return float(np.max(np.abs(np.linalg.eigvals(W))))


def pre_activations(case: Case) -> Array:
    a = case.arrays
    return a["h"][:-1] @ a["W"].T + a["x"] @ a["U"].T + a["b_h"]


def longest_way(case: Case) -> float:
    """For tanh, softmax and cross-entropy: the share of dJ/dW and dJ/dU that came in at step 1 for the last loss."""
    a, T = case.arrays, sizes(case)[0]
    row = (a["y_hat"][-1] - a["y"][-1]) @ a["V"] / T
    for t in range(T, 1, -1):
        row = (row * (1 - a["h"][t] ** 2)) @ a["W"]
    row = row * (1 - a["h"][1] ** 2)
    return min(
        np.max(np.abs(np.outer(row, right))) / np.max(np.abs(exercise().reference(function, case)[0]))
        for function, right in (("dJ_dW", a["h"][0]), ("dJ_dU", a["x"][0]))
    )


def dense_chain(case: Case) -> bool:
    T, H, _, _ = sizes(case)
    W = case.arrays["W"]
    near_one = 0.75 <= spectral_radius(W) <= 1.25
    return T >= 3 and H >= 2 and near_one and case.names["g1"] == "tanh" and bool(np.min(np.abs(W)) > 0)


def long_memory(case: Case) -> bool:
    return sizes(case)[0] >= 8 and longest_way(case) >= 0.01


def live_and_dead(case: Case) -> bool:
    return case.names["g1"] == "relu" and 0 < np.mean(pre_activations(case) > 0) < 1


def all_sizes_differ(case: Case) -> bool:
    return len(set(sizes(case))) == 4


def square(case: Case) -> bool:
    _, H, D, K = sizes(case)
    return H == D == K > 1


def slopes_of_their_own(case: Case) -> bool:
    G = [case.arrays.get(name) for name in ("G_g1", "G_g2", "G_loss")]
    return all(g is not None and np.max(np.abs(g - g.T)) > 0.1 for g in G)


EVERY_FUNCTION: tuple[Callable[[Case], bool], ...] = (dense_chain, live_and_dead, all_sizes_differ, square)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_some_case_has_each_property(function, seed):
    drawn = cases(function, seed)
    wanted = [*EVERY_FUNCTION, *([slopes_of_their_own] if function != "forward" else [])]
    wanted += [long_memory] if function in THROUGH_TIME else []
    missing = [has.__name__ for has in wanted if not any(map(has, drawn))]
    assert not missing
    assert {(case.names["g2"], case.names["loss"]) for case in drawn} == PAIRS
    assert {case.names["g1"] for case in drawn} == {"tanh", "sigmoid", "relu", "identity"}
    assert 2 * sum(case.names["g1"] == "tanh" for case in drawn) >= len(drawn)
    assert {sizes(case)[0] for case in drawn} >= {1, 2, 3}
    assert sum(sizes(case) == sizes(drawn[0]) for case in drawn) >= 2, "no later call overwrites a buffer used again"
    if function != "forward":
        assert max(np.max(np.abs(exercise().reference(function, case)[0])) for case in drawn) > 50, "clipping unseen"


def test_no_case_is_too_long_for_a_literal_double_sum():
    assert max(sizes(case)[0] for case in all_cases()) <= 10


def test_weights_are_not_symmetric():
    for case in all_cases():
        W = case.arrays["W"]
        assert len(W) == 1 or np.max(np.abs(W - W.T)) >= 0.3 * np.max(np.abs(W)), case.id


def test_starts_and_biases_matter():
    for case in all_cases():
        h0 = np.abs(case.arrays["h0"])
        assert np.min(h0) > 0.2, case.id
        assert np.max(h0) < 1, case.id
        assert np.max(np.abs(case.arrays["b_h"])) > 1e-3, case.id
        assert np.max(np.abs(case.arrays["b_y"])) > 1e-3, case.id


def test_activations_are_neither_linear_nor_flat():
    for case in all_cases():
        if case.names["g1"] == "relu":
            assert np.min(np.abs(pre_activations(case))) >= 1e-3, case.id  # where slopes can be measured
        else:
            assert 0.2 <= np.mean(np.abs(case.arrays["h"][1:])) <= 0.9, case.id


def test_targets_and_inputs_vary():
    for case in all_cases():
        if sizes(case)[0] > 1:
            assert np.ptp(case.arrays["y"], axis=0).any(), case.id
            assert np.ptp(case.arrays["x"], axis=0).all(), case.id


def test_no_target_is_nearly_impossible():
    for case in all_cases():
        y, y_hat = case.arrays["y"], case.arrays["y_hat"]
        if case.names["loss"] == "cross_entropy":
            assert set(np.sum(y, axis=1)) == {1.0}
            assert np.min(y_hat[y == 1]) >= 0.01, case.id
        if case.names["loss"] == "binary_cross_entropy":
            assert np.min(np.where(y == 1, y_hat, 1 - y_hat)) >= 0.01, case.id


def test_no_expected_gradient_is_tiny():
    for function in FUNCTIONS[1:]:
        for seed in SEEDS:
            for case in cases(function, seed):
                assert np.max(np.abs(exercise().reference(function, case)[0])) >= 1e-3, (case.id, seed)


def test_a_case_is_told_by_its_seed_and_its_id():
    def same(a: Case, b: Case) -> bool:
        return all(np.array_equal(a.arrays[name], b.arrays[name]) for name in a.arrays)

    for check in exercise().checks:
        for id in check.cases:
            first, second, other = (cases_of.draw_case(exercise(), check, id, seed) for seed in (7, 7, 8))
            assert same(first, second)
            assert same(first, other) is not check.hidden
    numbers = [case.arrays["b_h"].tobytes() for case in cases("dJ_dW", 7) + cases("dJ_dU", 7)]
    assert len(set(numbers)) == len(numbers)


def test_a_dropped_check_changes_no_other_verdict():
    folder, limits = ROOT / "tests" / "submissions" / "class" / "truncated_bptt", Limits(cpu_seconds=0.5)
    whole = exercise()
    fewer = replace(whole, checks=tuple(c for c in whole.checks if not c.id.endswith((".others", ".sizes"))))
    with Jail() as jail:
        reports = [Grader(some, jail, limits, seed=3).grade(folder, "") for some in (whole, fewer)]
    verdicts = [{result.id: result for result in report.checks} for report in reports]
    assert len(verdicts[1]) == len(fewer.checks) < len(verdicts[0])
    assert verdicts[1].items() <= verdicts[0].items()


def test_points_add_up():
    checks = exercise().checks
    uneven = [check.id for check in checks if check.points < 0 or round(check.points * 20, 9) % 1]
    assert not uneven, f"give points in steps of 0.05, so that two decimals show them: {', '.join(uneven)}"
    worth = {name: sum(check.max_points for check in checks if check.function == name) for name in FUNCTIONS}
    assert all(worth.values()), f"a function is worth nothing: {worth}"
    assert exercise().max_score == round(sum(worth.values()), 6)


def test_ids_and_titles_name_one_check_each():
    checks = exercise().checks
    assert len({check.id for check in checks}) == len(checks)
    assert len({(check.function, check.title) for check in checks}) == len(checks)
    assert all(check.id.startswith(f"{check.function}.") and check.title and check.cases for check in checks)
    about = [case.description for case in all_cases()]
    assert all(part in text for text in about for part in ("T = ", "H = ", " with "))
