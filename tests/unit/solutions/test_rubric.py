"""The rubric of rnn_backprop: with any seed, each function meets a case in which each kind of mistake shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.course import Limits
from autograder.evaluation.call_plans import draw_case
from autograder.exercise.model import Array, Case
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail
from tests.in_process import exercise

ROOT = Path(__file__).parents[3]
SEEDS = range(30)
FUNCTIONS = ("forward", "dJ_dV", "dJ_dW", "dJ_dU")
THROUGH_TIME = ("dJ_dW", "dJ_dU")
PAIRS = {
    *(("softmax", "cross_entropy"), ("identity", "squared_error"), ("sigmoid", "binary_cross_entropy")),
    *(("softmax", "squared_error"), ("sigmoid", "squared_error"), ("tanh", "squared_error")),
}


@cache
def cases(function: str, seed: int) -> tuple[Case, ...]:
    checks = exercise().checks_of(function)
    return tuple(draw_case(exercise(), check, id, seed) for check in checks for id in check.cases)


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


def longest_path_share(case: Case) -> float:
    """Return the share of the path from the last loss to step 1 in dJ/dW and dJ/dU: softmax with cross-entropy."""
    a, T = case.arrays, sizes(case)[0]
    row = (a["y_hat"][-1] - a["y"][-1]) @ a["V"] / T
    for t in range(T, 1, -1):
        row = (row * (1 - a["h"][t] ** 2)) @ a["W"]
    row = row * (1 - a["h"][1] ** 2)
    return min(
        np.max(np.abs(np.outer(row, right))) / np.max(np.abs(exercise().reference(function, case)[0]))
        for function, right in (("dJ_dW", a["h"][0]), ("dJ_dU", a["x"][0]))
    )


def has_dense_chain(case: Case) -> bool:
    T, H, _, _ = sizes(case)
    W = case.arrays["W"]
    near_one = 0.75 <= spectral_radius(W) <= 1.25
    return T >= 3 and H >= 2 and near_one and case.names["g1"] == "tanh" and bool(np.min(np.abs(W)) > 0)


def has_long_memory(case: Case) -> bool:
    return sizes(case)[0] >= 8 and longest_path_share(case) >= 0.01


def has_active_and_inactive_units(case: Case) -> bool:
    return case.names["g1"] == "relu" and 0 < np.mean(pre_activations(case) > 0) < 1


def has_four_different_sizes(case: Case) -> bool:
    return len(set(sizes(case))) == 4


def has_equal_sizes(case: Case) -> bool:
    _, H, D, K = sizes(case)
    return H == D == K > 1


def has_custom_derivatives(case: Case) -> bool:
    G = [case.arrays.get(name) for name in ("G_g1", "G_g2", "G_loss")]
    return all(g is not None and np.max(np.abs(g - g.T)) > 0.1 for g in G)


EVERY_FUNCTION: tuple[Callable[[Case], bool], ...] = (
    *(has_dense_chain, has_active_and_inactive_units, has_four_different_sizes, has_equal_sizes),
)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_some_case_has_each_property(function, seed):
    drawn = cases(function, seed)
    required = [*EVERY_FUNCTION, *([has_custom_derivatives] if function != "forward" else [])]
    required += [has_long_memory] if function in THROUGH_TIME else []
    missing = [has_property.__name__ for has_property in required if not any(map(has_property, drawn))]
    assert not missing
    assert {(case.names["g2"], case.names["loss"]) for case in drawn} == PAIRS
    assert {case.names["g1"] for case in drawn} == {"tanh", "sigmoid", "relu", "identity"}
    assert 2 * sum(case.names["g1"] == "tanh" for case in drawn) >= len(drawn)
    assert {sizes(case)[0] for case in drawn} >= {1, 2, 3}
    assert sum(sizes(case) == sizes(drawn[0]) for case in drawn) >= 2, "no later call overwrites a buffer used again"
    if function != "forward":
        largest = max(np.max(np.abs(exercise().reference(function, case)[0])) for case in drawn)
        assert largest > 50, "clipping would not show"


def test_cases_are_short_enough_for_the_literal_double_sum():
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


def test_biases_differ_from_entry_to_entry():
    """Softmax does not see what all entries of b_y have in common."""
    for case in all_cases():
        for bias in (case.arrays["b_h"], case.arrays["b_y"]):
            assert (np.ptp(bias) if len(bias) > 1 else abs(bias[0])) >= 0.03, case.id


def test_some_output_is_far_from_the_middle():
    for case in all_cases():
        if case.names["g2"] in ("softmax", "tanh"):
            middle, least = (1 / sizes(case)[3], 0.15) if case.names["g2"] == "softmax" else (0, 0.3)
            assert np.max(np.abs(case.arrays["y_hat"] - middle)) >= least, case.id


def test_no_gradient_has_norm_1():
    """Else dividing by the norm would not show."""
    for case in all_cases():
        norms = [np.linalg.norm(exercise().reference(function, case)[0]) for function in FUNCTIONS[1:]]
        assert min(abs(norm - 1) for norm in norms) >= 0.009, case.id


def test_no_expected_gradient_is_tiny():
    for function in FUNCTIONS[1:]:
        for seed in SEEDS:
            for case in cases(function, seed):
                assert np.max(np.abs(exercise().reference(function, case)[0])) >= 1e-3, (case.id, seed)


def test_a_case_depends_on_its_seed_and_its_id_alone():
    def same(a: Case, b: Case) -> bool:
        return all(np.array_equal(a.arrays[name], b.arrays[name]) for name in a.arrays)

    for check in exercise().checks:
        for id in check.cases:
            first, second, other = (draw_case(exercise(), check, id, seed) for seed in (7, 7, 8))
            assert same(first, second)
            assert same(first, other) is not check.hidden
    numbers = [case.arrays["b_h"].tobytes() for case in cases("dJ_dW", 7) + cases("dJ_dU", 7)]
    assert len(set(numbers)) == len(numbers)


def test_a_dropped_check_changes_no_other_verdict():
    folder, limits = ROOT / "tests" / "submissions" / "class" / "truncated_bptt", Limits(cpu_seconds=0.5)
    whole = exercise()
    fewer = replace(whole, checks=tuple(c for c in whole.checks if not c.id.endswith((".others", ".sizes"))))
    with Jail() as jail:
        reports = [Grader(variant, jail, limits, seed=3).grade(folder, "") for variant in (whole, fewer)]
    verdicts = [{result.id: result for result in report.checks} for report in reports]
    assert len(verdicts[1]) == len(fewer.checks) < len(verdicts[0])
    assert verdicts[1].items() <= verdicts[0].items()


def test_points_add_up():
    checks = exercise().checks
    uneven = [check.id for check in checks if check.points < 0 or round(check.points * 20, 9) % 1]
    assert not uneven, f"give points in steps of 0.05, so that two decimals show them: {', '.join(uneven)}"
    max_points = {name: sum(check.max_points for check in checks if check.function == name) for name in FUNCTIONS}
    assert all(max_points.values()), f"a function has no points: {max_points}"
    assert exercise().max_score == round(sum(max_points.values()), 6)


def test_ids_and_titles_name_one_check_each():
    checks = exercise().checks
    assert len({check.id for check in checks}) == len(checks)
    assert len({(check.function, check.title) for check in checks}) == len(checks)
    assert all(check.id.startswith(f"{check.function}.") and check.title and check.cases for check in checks)
    descriptions = [case.description for case in all_cases()]
    assert all(part in text for text in descriptions for part in ("T = ", "H = ", " with "))
