"""The diagnostic cases: public, with small numbers, the same for everybody, the smallest first.

A function with wrong numbers is run on all of them. The first failure is the smallest failing case, and comparing the
parameters of failing and passing cases shows where the mistake lies; so nearly all cases are the base case with one
thing changed. `check` replays a case by its `id`: check("dJ_dW", T=3, H=2, seed=0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import network
import numpy as np
import rnn_backprop as reference

from autograder.exercise.model import Array, Case

_SCALAR: dict[str, Any] = {  # H = D = K = 1: can be worked out by hand
    "U": [[2]],
    "W": [[0.5]],
    "V": [[-1]],
    "b_h": [1],
    "b_y": [0.5],
    "h0": [2],
    "x": [[1], [-1], [0.5]],
    "y": [[-3], [-1], [2]],
}
_BASE: dict[str, Any] = {
    "U": [[0.8], [-0.5]],
    "W": [[0.9, -0.7], [0.4, 0.8]],
    "V": [[1.0, -0.6], [0.3, 1.2]],
    "b_h": [0.2, -0.3],
    "b_y": [-0.2, 0.4],
    "h0": [0.6, -0.4],
    "x": [[-1.0], [0.5], [0.8], [-0.3], [0.9], [-1.4], [0.6], [0.7], [-0.6]],
    "y": [[1, 0], [0, 1], [0, 1], [1, 0], [1, 0], [0, 1], [1, 0], [0, 1], [1, 0]],
}
_NO_BIASES = {"b_h": [0, 0], "b_y": [0, 0]}
_REAL_TARGETS = [[0.7, -0.4], [-0.3, 0.9], [0.2, 0.5]]  # targets that are no probabilities
_BINARY_TARGETS = [[1, 0], [1, 1], [0, 1]]
_LARGE_TARGETS = [[500, -800], [-600, 900], [700, 400]]
_CUSTOM_DERIVATIVES = {  # factors that make derivatives which belong to no function
    "G_g1": [[1.2, 0.4], [-0.3, 0.9]],
    "G_g2": [[0.8, -0.5], [0.2, 1.1]],
    "G_loss": [[1.1, 0.3], [-0.4, 0.7]],
}
_CUSTOM_DERIVATIVES_TEXT = "slopes handed in that are not those of the functions"
_SLOW_DECAY_W = [[0.6, -0.9, 0.2], [0.8, 0.5, -0.4], [0.1, 0.3, 1.0]]  # step 1 still counts at step 9

_SQUARED = "identity with squared_error"
_LAST_LOSS_ONLY: dict[str, Any] = {"loss_step": 3, "targets": "a loss at t = 3 only"}

_DEFAULT_PARAMETERS = {
    "h0": "h0 not 0",
    "biases": "biases not 0",
    "W": "W not symmetric",
    "slopes": "the usual slopes",
    "targets": "small targets",
    "inputs": "inputs of all kinds",
}


def _make_case(
    seed: int,
    numbers: Mapping[str, Any],
    T: int = 3,
    g1: str = "tanh",
    output: str = "softmax with cross_entropy",
    loss_step: int | None = None,
    **changed: str,
) -> Case:
    """Return the case made of the first T steps of `numbers`.

    `seed` distinguishes cases of the same T and H; `changed` are the parameters in which the case differs from the
    usual ones. With `loss_step`, the targets of all other steps are their outputs, so that no other step has a loss.
    """
    arrays: dict[str, Array] = {name: np.array(rows, dtype=np.float64) for name, rows in numbers.items()}
    arrays |= {name: arrays[name][:T] for name in ("x", "y")}
    g2, _, loss = output.partition(" with ")
    names = {"g1": g1, "g2": g2, "loss": loss}
    arguments: Any = network.arguments(arrays, names)
    arrays["h"], arrays["y_hat"] = reference.forward(arguments["net"], arrays["x"], arrays["h0"])
    if loss_step is not None:
        arrays["y"] = np.where(np.arange(1, T + 1)[:, None] == loss_step, arrays["y"], arrays["y_hat"])
    (K, H), D = arrays["V"].shape, arrays["U"].shape[1]
    parameters = {"T": T, "H": H, "D": D, "K": K, "g1": g1, "output": output, **_DEFAULT_PARAMETERS, **changed}
    description = "; ".join([f"T = {T}, H = {H}, D = {D}, K = {K}", f"{g1}, {output}", *changed.values()])
    return Case(f"T={T}, H={H}, seed={seed}", arrays, names, description, parameters)


def _random_numbers(seed: int, T: int, H: int, D: int, K: int) -> dict[str, Any]:
    """Return numbers with one decimal for any sizes, with one-hot targets that change from step to step."""
    rng = np.random.default_rng(seed)
    sizes = {"U": (H, D), "W": (H, H), "V": (K, H), "b_h": (H,), "b_y": (K,), "h0": (H,), "x": (T, D)}
    numbers = {name: np.round(0.6 * rng.standard_normal(shape), 1) for name, shape in sizes.items()}
    return {**numbers, "y": np.eye(K)[np.arange(T) % K]}


_UNSORTED_CASES = (
    *(_make_case(0, _SCALAR, T, "identity", _SQUARED) for T in (1, 2, 3)),
    *(_make_case(0, _BASE, T) for T in (1, 2, 3)),
    _make_case(1, {**_BASE, "h0": [0, 0]}, h0="h0 = 0"),
    _make_case(2, {**_BASE, **_NO_BIASES}, biases="biases 0"),
    _make_case(3, {**_BASE, "W": [[0, 0], [0, 0]]}, W="W = 0"),
    _make_case(15, {**_BASE, "U": [[0], [0]], **_NO_BIASES}, biases="biases 0", inputs="h0 alone not 0"),
    _make_case(4, {**_BASE, "W": [[0.9, -0.7], [-0.7, 0.8]]}, W="W symmetric"),
    _make_case(5, _BASE, g1="identity"),
    _make_case(6, _BASE, g1="sigmoid"),
    _make_case(7, _BASE, g1="relu"),
    _make_case(8, {**_BASE, "y": _REAL_TARGETS}, output=_SQUARED),
    _make_case(9, {**_BASE, "y": _BINARY_TARGETS}, output="sigmoid with binary_cross_entropy"),
    _make_case(10, {**_BASE, "y": _REAL_TARGETS}, output="softmax with squared_error"),
    _make_case(11, {**_BASE, "y": _REAL_TARGETS}, output="sigmoid with squared_error"),
    _make_case(12, {**_BASE, "y": _REAL_TARGETS}, output="tanh with squared_error"),
    _make_case(13, {**_BASE, **_CUSTOM_DERIVATIVES}, slopes=_CUSTOM_DERIVATIVES_TEXT),
    _make_case(14, {**_BASE, "y": _LARGE_TARGETS}, output=_SQUARED, targets="large targets"),
    _make_case(0, _random_numbers(1, 3, 3, 2, 4)),
    _make_case(1, _random_numbers(2, 3, 3, 3, 3)),
    _make_case(2, _random_numbers(2, 3, 3, 3, 3), output=_SQUARED, **_LAST_LOSS_ONLY),
    _make_case(3, _random_numbers(2, 3, 3, 3, 3), output=_SQUARED),
    _make_case(
        5,
        {**_random_numbers(2, 3, 3, 3, 3), "x": np.eye(3)},  # each column of dJ/dU is one term of its sum over k
        output=_SQUARED,
        **_LAST_LOSS_ONLY,
        inputs="one-hot inputs",
    ),
    _make_case(0, _random_numbers(3, 5, 4, 3, 2), 5),
    *(_make_case(0, _BASE, T) for T in (4, 5, 9)),
    # a second case for each mistake that only one of those above shows: a diagnosis needs two
    _make_case(
        1,
        {**_BASE, **_CUSTOM_DERIVATIVES, "y": _REAL_TARGETS},
        2,
        "sigmoid",
        "softmax with squared_error",
        slopes=_CUSTOM_DERIVATIVES_TEXT,
    ),
    _make_case(4, {**_random_numbers(5, 3, 3, 2, 2), "y": _LARGE_TARGETS}, output=_SQUARED, targets="large targets"),
    _make_case(0, {**_random_numbers(4, 9, 3, 2, 3), "W": _SLOW_DECAY_W}, 9),
)

DIAGNOSTIC_CASES = tuple(sorted(_UNSORTED_CASES, key=lambda case: sum(array.size for array in case.arrays.values())))
