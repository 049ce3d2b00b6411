"""The same slip costs the same: whatever the seed, a check has one verdict on a known mistake, and on two at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest

from autograder.evaluation.call_plans import CallPlan, plan_calls
from autograder.exercise.model import Mistake
from autograder.student import rules
from tests.in_process import exercise, largest_error, seeds
from tests.pairs import compose, sample_pairs

FUNCTIONS = [function.name for function in exercise().functions]
THROUGH_TIME = ["dJ_dW", "dJ_dU"]
PAIRS_FOR_EACH_SEED = 10  # 2,000 pairs with 200 seeds
SHOWS = 10 * rules.CLOSE  # what a part of a gradient is worth at least


@cache
def plan(function: str, seed: int) -> CallPlan:
    return {plan.function.name: plan for plan in plan_calls(exercise(), seed)}[function]


def mistakes_of(function: str) -> dict[str, Mistake]:
    return {mistake.name: mistake for mistake in exercise().mistakes if mistake.function == function}


def errors(mistake: Mistake, seed: int) -> dict[str, float]:
    """Return the error of a mistake on each case of a seed."""
    return {id: error_on(mistake, seed, id) for id in plan(mistake.function, seed).cases}


def error_on(mistake: Mistake, seed: int, case_id: str) -> float:
    planned = plan(mistake.function, seed).cases[case_id]
    with np.errstate(all="ignore"):
        try:
            return largest_error(exercise().run_mistake(mistake, planned.case), planned.expected)
        except Exception:  # noqa: BLE001 - two changes together may make code that crashes
            return float("inf")


def spread(mistakes: Iterable[Mistake], seed_range: range) -> list[str]:
    """Return the mistakes and checks with more than one verdict; print how many there are, and the nearest to it."""
    uneven, count, nearest = [], 0, float("inf")
    for mistake in mistakes:
        by_seed = [errors(mistake, seed) for seed in seed_range]
        for check in exercise().checks_of(mistake.function):
            if check.kind == "contract":
                continue
            largest = [max(error[id] for id in check.cases) for error in by_seed]
            count += len(largest)
            nearest = min(nearest, *(max(error / rules.CLOSE, rules.CLOSE / max(error, 1e-300)) for error in largest))
            if min(largest) <= rules.CLOSE < max(largest):
                uneven.append(f"{mistake.name} in {check.id}: from {min(largest):.1e} to {max(largest):.1e}")
    print(f"{count} verdicts, {len(uneven)} uneven; no error within a factor of {nearest:.1f} of the tolerance")
    return uneven


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_mistake_has_one_verdict_whatever_the_seed(function):
    assert spread(mistakes_of(function).values(), seeds(20)) == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_two_mistakes_have_one_verdict_whatever_the_seed(function):
    seed_range = seeds(10)
    pairs = sample_pairs(PAIRS_FOR_EACH_SEED * len(seed_range))
    assert spread((pair for pair in pairs if pair.function == function), seed_range) == []


@pytest.mark.parametrize("function", THROUGH_TIME)
def test_a_window_shows_from_its_width_on(function):
    windows = {1: "current_step_only", 2: "one_step_back_only", **{n: f"window_of_{n}" for n in range(3, 9)}}
    for width, name in windows.items():
        for seed in range(1, 6):
            for id, error in errors(mistakes_of(function)[name], seed).items():
                T = len(plan(function, seed).cases[id].case.arrays["x"])
                assert error >= SHOWS if width < T else error <= rules.EXACT, (name, id, seed)


@pytest.mark.parametrize("name", ["clipped_at_5", "clipped_to_norm_5", "norm_clipped", "error_clipped_at_5"])
@pytest.mark.parametrize("function", FUNCTIONS[1:])
def test_clipping_shows_where_targets_are_large_and_nowhere_else(function, name):
    for mistake in filter(None, [mistakes_of(function).get(name)]):
        for seed in range(1, 21):
            for id, error in errors(mistake, seed).items():
                assert error >= SHOWS if id.endswith(".large") else error <= rules.EXACT, (id, seed)


def test_compose_makes_both_changes():
    mistakes = mistakes_of("dJ_dV")
    pair = compose(mistakes["mean_missing"], mistakes["last_state_for_all"])
    assert pair is not None
    assert "dV += np.outer(e, h[-1])\n" in pair.source


def test_compose_makes_a_change_in_another_right_answer_where_its_line_stands_there():
    mistakes = mistakes_of("dJ_dW")
    pair = compose(mistakes["sign_flipped"], mistakes["window_of_3"])
    assert pair is not None
    assert "e = -net.loss.gradient" in pair.source
    assert "range(max(1, t - 2), t + 1)" in pair.source


def test_compose_refuses_changes_of_the_same_words():
    mistakes = mistakes_of("dJ_dV")
    assert compose(mistakes["mean_missing"], mistakes["mean_twice"]) is None
