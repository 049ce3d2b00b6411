"""Known mistakes made in any right answer, whatever its text: by changing what it is handed in, or what it returns."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from autograder.exercise.model import Array, Case
from autograder.verification.verify import correct_variants
from tests.in_process import Code, exercise, load_functions, network

Arguments = dict[str, Any]
Answer = Callable[[Case], tuple[Array, ...]]


@dataclass(frozen=True)
class Slip:
    """A known mistake: a change of the arguments, or of the result with the number of steps.

    `place` says what it changes; of two slips in one place, one would undo the other.
    """

    place: str
    before: Callable[[Arguments], Arguments] = lambda arguments: {}
    after: Callable[[Array, int], Array] = lambda result, T: result


def _net(part: str, change: Callable[[Any], Any]) -> Callable[[Arguments], Arguments]:
    return lambda given: {"net": replace(given["net"], **{part: change(getattr(given["net"], part))})}


def _jacobian(part: str, change: Callable[[Any, Array], Array]) -> Callable[[Arguments], Arguments]:
    return _net(part, lambda g: replace(g, jacobian=lambda out: change(g, out)))


def _gradient(change: Callable[[Any, Array, Array], Array]) -> Callable[[Arguments], Arguments]:
    return _net("loss", lambda loss: replace(loss, gradient=lambda y_hat, y: change(loss, y_hat, y)))


SLIPS: Mapping[str, Slip] = {
    "sign_flipped": Slip("loss", _gradient(lambda loss, y_hat, y: -loss.gradient(y_hat, y))),
    "squared_error_hard_coded": Slip("loss", _gradient(lambda loss, y_hat, y: y_hat - y)),
    "cross_entropy_hard_coded": Slip("loss", _gradient(lambda loss, y_hat, y: -y / y_hat)),
    "slope_of_g2_missing": Slip("g2", _jacobian("g2", lambda g, out: np.eye(len(out)))),
    "g2_jacobian_transposed": Slip("g2", _jacobian("g2", lambda g, out: g.jacobian(out).T)),
    "diagonal_of_g2_only": Slip("g2", _jacobian("g2", lambda g, out: np.diag(np.diag(g.jacobian(out))))),
    "softmax_slope_hard_coded": Slip("g2", _jacobian("g2", lambda g, out: np.diag(out) - np.outer(out, out))),
    "sigmoid_slope_of_g2_hard_coded": Slip("g2", _jacobian("g2", lambda g, out: np.diag(out * (1 - out)))),
    "first_target_for_all": Slip("y", lambda given: {"y": np.repeat(given["y"][:1], len(given["y"]), axis=0)}),
    "last_target_for_all": Slip("y", lambda given: {"y": np.repeat(given["y"][-1:], len(given["y"]), axis=0)}),
    "target_of_the_step_before": Slip("y", lambda given: {"y": np.roll(given["y"], 1, axis=0)}),
    "target_of_the_next_step": Slip("y", lambda given: {"y": np.roll(given["y"], -1, axis=0)}),
    "W_for_its_transpose": Slip("W", _net("W", lambda W: W.T)),
    "slope_missing": Slip("g1", _jacobian("g1", lambda g, out: np.eye(len(out)))),
    "g1_jacobian_transposed": Slip("g1", _jacobian("g1", lambda g, out: g.jacobian(out).T)),
    "tanh_slope_hard_coded": Slip("g1", _jacobian("g1", lambda g, out: np.diag(1 - out**2))),
    "sigmoid_slope_hard_coded": Slip("g1", _jacobian("g1", lambda g, out: np.diag(out * (1 - out)))),
    "relu_slope_hard_coded": Slip("g1", _jacobian("g1", lambda g, out: np.diag(1.0 * (out > 0)))),
    "slope_of_the_pre_activation": Slip("g1", _jacobian("g1", lambda g, out: g.jacobian(g.function(out)))),
    "mean_missing": Slip("result", after=lambda result, T: result * T),
    "mean_twice": Slip("result", after=lambda result, T: result / T),
    "mean_over_states": Slip("result", after=lambda result, T: result * T / (T + 1)),
    "clipped_at_5": Slip("result", after=lambda result, T: np.clip(result, -5, 5)),
    "gradient_of_W_transposed": Slip("result", after=lambda result, T: result.T),
}


def sample_honest_slips(count: int, seed: int) -> Iterator[tuple[str, tuple[str, str], Answer]]:
    """Yield the function, the names of two mistakes in it, and a right answer of some style with both made in it."""
    rng, variants = random.Random(seed), correct_variants(exercise())
    gradients = [function.name for function in exercise().functions if function.wrt]
    known = {name: {m.name for m in exercise().mistakes if m.function == name} & SLIPS.keys() for name in gradients}
    for _ in range(count):
        function, variant = rng.choice(gradients), rng.choice(variants)
        pairs = [
            pair
            for pair in itertools.combinations(sorted(known[function]), 2)
            if SLIPS[pair[0]].place != SLIPS[pair[1]].place
        ]
        names = rng.choice(pairs)
        yield function, names, _answer(function, _code(variant.read_text(encoding="utf-8"), function), names)


@cache
def _code(text: str, function: str) -> Code:
    return load_functions(text)[function]


def _answer(function: str, code: Code, names: tuple[str, str]) -> Answer:
    arguments, arrays = exercise().function(function).arguments, exercise().function(function).arrays

    def answer(case: Case) -> tuple[Array, ...]:
        given = network().arguments({name: case.arrays[name] for name in arrays if name in case.arrays}, case.names)
        for name in names:
            given |= SLIPS[name].before(given)
        result = np.asarray(code(*(given[argument] for argument in arguments)))
        for name in names:
            result = SLIPS[name].after(result, len(case.arrays["x"]))
        return (result,)

    return answer
