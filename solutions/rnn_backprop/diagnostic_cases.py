"""The diagnostic cases: public, with small numbers, the same for everybody, the smallest first.

A function with wrong numbers is run on all of them. The first failure is the smallest failing case, and comparing the
parameters of failing and passing cases shows where the mistake lies; so nearly all cases are the base case with one
thing changed. `check` replays a case by its `id`: check("dJ_dW", T=3, H=2, seed=0).

Wrong numbers may be right by coincidence, so the cases are there three times, with the same parameters and other
numbers: DIAGNOSTIC_CASES are shown, and what feedback says of them must hold on both CONFIRMATION_CASES too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import network
import numpy as np
import rnn_backprop as reference

from autograder.exercise.model import Array, Case


@dataclass(frozen=True)
class _Numbers:
    """What the cases are made of: the arrays of a scalar net, those of the base case, and what replaces parts of them.

    The last three are factors that make derivatives which belong to no function.
    """

    scalar: Mapping[str, Any]
    base: Mapping[str, Any]
    symmetric_W: Any
    real_targets: Any  # that are no probabilities
    binary_targets: Any
    square_targets: Any  # of the cases with H = D = K = 3 and squared error
    large_targets: Any
    custom_derivatives: Mapping[str, Any]
    slow_decay_W: Any  # step 1 still counts at step 9
    random_seed: int  # of the cases of other sizes


_SHOWN = _Numbers(
    scalar={  # H = D = K = 1: can be worked out by hand
        "U": [[2]],
        "W": [[0.5]],
        "V": [[-1]],
        "b_h": [1],
        "b_y": [0.5],
        "h0": [2],
        "x": [[1], [-1], [0.5]],
        "y": [[-3], [-1], [2]],
    },
    base={
        "U": [[0.8], [-0.5]],
        "W": [[0.9, -0.7], [0.4, 0.8]],
        "V": [[1.0, -0.6], [0.3, 1.2]],
        "b_h": [0.2, -0.3],
        "b_y": [-0.2, 0.4],
        "h0": [0.6, -0.4],
        "x": [[-1.0], [0.5], [0.8], [-0.3], [0.9], [-1.4], [0.6], [0.7], [-0.6]],
        "y": [[1, 0], [0, 1], [0, 1], [1, 0], [1, 0], [0, 1], [1, 0], [0, 1], [1, 0]],
    },
    symmetric_W=[[0.9, -0.7], [-0.7, 0.8]],
    real_targets=[[0.7, -0.4], [-0.3, 0.9], [0.2, 0.5]],
    binary_targets=[[1, 0], [1, 1], [0, 1]],
    square_targets=np.eye(3),
    large_targets=[[500, -800], [-600, 900], [700, 400]],
    custom_derivatives={
        "G_g1": [[1.2, 0.4], [-0.3, 0.9]],
        "G_g2": [[0.8, -0.5], [0.2, 1.1]],
        "G_loss": [[1.1, 0.3], [-0.4, 0.7]],
    },
    slow_decay_W=[[0.6, -0.9, 0.2], [0.8, 0.5, -0.4], [0.1, 0.3, 1.0]],
    random_seed=0,
)


def _draw_numbers(seed: int, classes: Sequence[int]) -> _Numbers:
    """Return other numbers of the same kinds and sizes, with two decimals and none near 0.

    `classes` are the targets of the base case. Drawn again until each unit of relu is on in some of the first steps and
    off in others, since only then its Jacobians differ from step to step.
    """
    rng = np.random.default_rng(seed)

    def draw(*shape: int, low: float = 0.3, high: float = 1.2) -> Array:
        return np.round(rng.uniform(low, high, shape) * rng.choice([-1, 1], shape), 2)

    def net(T: int, H: int, D: int, K: int) -> dict[str, Array]:
        shapes = {"U": (H, D), "W": (H, H), "V": (K, H), "b_h": (H,), "b_y": (K,), "h0": (H,), "x": (T, D)}
        return {name: draw(*shape) for name, shape in shapes.items()}

    base = net(9, 2, 1, 2)
    while not _relu_switches(base):
        base = net(9, 2, 1, 2)
    symmetric, off_diagonal = draw(2, 2), draw()
    symmetric[0, 1] = symmetric[1, 0] = off_diagonal
    large_W = draw(3, 3)
    return _Numbers(
        scalar={**net(3, 1, 1, 1), "x": draw(3, 1, high=3), "y": draw(3, 1, low=3, high=9)},
        base={**base, "y": np.eye(2)[list(classes)]},
        symmetric_W=symmetric,
        real_targets=_of_other_classes(draw(3, 2), classes),
        binary_targets=np.eye(2)[list(classes[:3])] + [[0, 0], [0, 0], 1 - np.eye(2)[classes[2]]],
        large_targets=1000 * draw(3, 2),
        custom_derivatives={name: np.eye(2) + draw(2, 2, low=0.1, high=0.5) for name in ("G_g1", "G_g2", "G_loss")},
        square_targets=draw(3, 3),  # one-hot only where shown: what is right for a class alone is not right for these
        slow_decay_W=1.15 * large_W / np.abs(np.linalg.eigvals(large_W)).max(),
        random_seed=seed,
    )


def _of_other_classes(targets: Array, classes: Sequence[int]) -> Array:
    """Return targets (T, 2), each turned round if its largest entry is that of its class.

    Otherwise, what takes nothing but the largest entry of a target might not see the difference.
    """
    same = targets.argmax(axis=1) == np.array(classes[: len(targets)])
    return np.where(same[:, None], targets[:, ::-1], targets)


def _relu_switches(base: Mapping[str, Array]) -> bool:
    net: Any = network.arguments(base, {"g1": "relu", "g2": "identity", "loss": "squared_error"})["net"]
    h, _ = reference.forward(net, base["x"][:3], base["h0"])
    is_on = h[1:] > 0
    return bool((is_on.any(axis=0) & ~is_on.all(axis=0)).all())


_NO_BIASES = {"b_h": [0, 0], "b_y": [0, 0]}
_CUSTOM_DERIVATIVES_TEXT = "slopes changed on purpose"

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


def _make_cases(numbers: _Numbers) -> tuple[Case, ...]:
    """Return all cases with these numbers, the smallest first."""
    base, real_targets, large_targets = numbers.base, numbers.real_targets, numbers.large_targets
    derivatives = numbers.custom_derivatives

    def other_sizes(seed: int, T: int, H: int, D: int, K: int) -> dict[str, Any]:
        return _random_numbers(seed + 100 * numbers.random_seed, T, H, D, K)

    square = other_sizes(2, 3, 3, 3, 3)
    square_squared = {**square, "y": numbers.square_targets}
    cases = (
        *(_make_case(0, numbers.scalar, T, "identity", _SQUARED) for T in (1, 2, 3)),
        *(_make_case(0, base, T) for T in (1, 2, 3)),
        _make_case(1, {**base, "h0": [0, 0]}, h0="h0 = 0"),
        _make_case(2, {**base, **_NO_BIASES}, biases="biases 0"),
        _make_case(3, {**base, "W": [[0, 0], [0, 0]]}, W="W = 0"),
        _make_case(15, {**base, "U": [[0], [0]], **_NO_BIASES}, biases="biases 0", inputs="h0 alone not 0"),
        _make_case(4, {**base, "W": numbers.symmetric_W}, W="W symmetric"),
        _make_case(5, base, g1="identity"),
        _make_case(6, base, g1="sigmoid"),
        _make_case(7, base, g1="relu"),
        _make_case(8, {**base, "y": real_targets}, output=_SQUARED),
        _make_case(9, {**base, "y": numbers.binary_targets}, output="sigmoid with binary_cross_entropy"),
        _make_case(10, {**base, "y": real_targets}, output="softmax with squared_error"),
        _make_case(11, {**base, "y": real_targets}, output="sigmoid with squared_error"),
        _make_case(12, {**base, "y": real_targets}, output="tanh with squared_error"),
        _make_case(13, {**base, **derivatives}, slopes=_CUSTOM_DERIVATIVES_TEXT),
        _make_case(14, {**base, "y": large_targets}, output=_SQUARED, targets="large targets"),
        _make_case(0, other_sizes(1, 3, 3, 2, 4)),
        _make_case(1, square),
        _make_case(2, square_squared, output=_SQUARED, **_LAST_LOSS_ONLY),
        _make_case(3, square_squared, output=_SQUARED),
        _make_case(
            5,
            {**square_squared, "x": np.eye(3)},  # each column of dJ/dU is one term of its sum over k
            output=_SQUARED,
            **_LAST_LOSS_ONLY,
            inputs="one-hot inputs",
        ),
        _make_case(0, other_sizes(3, 5, 4, 3, 2), 5),
        *(_make_case(0, base, T) for T in (4, 5, 9)),
        # a second case for each mistake that only one of those above shows: a diagnosis needs two
        _make_case(
            1,
            {**base, **derivatives, "y": real_targets},
            2,
            "sigmoid",
            "softmax with squared_error",
            slopes=_CUSTOM_DERIVATIVES_TEXT,
        ),
        _make_case(4, {**other_sizes(5, 3, 3, 2, 2), "y": large_targets}, output=_SQUARED, targets="large targets"),
        _make_case(0, {**other_sizes(4, 9, 3, 2, 3), "W": numbers.slow_decay_W}, 9),
    )
    return tuple(sorted(cases, key=lambda case: sum(array.size for array in case.arrays.values())))


DIAGNOSTIC_CASES = _make_cases(_SHOWN)
CONFIRMATION_CASES = (
    _make_cases(_draw_numbers(1, classes=(1, 0, 1, 0, 0, 1, 0, 1, 1))),
    _make_cases(_draw_numbers(2, classes=(0, 0, 1, 1, 0, 0, 1, 0, 1))),
)
