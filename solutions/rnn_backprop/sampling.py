"""How the numbers of hidden cases are drawn: many at a time, because a class needs very batched.

Each case is drawn from its own generator and from nothing else, again and again until it has what its setting is for.
Several draws are looked at together, and the first good one counts, so the case is the same however many were made.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import batched
import numpy as np
import numpy.typing as npt

from autograder.exercise.model import Array, Arrays, Case, Names

Good = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Setting:
    """What a case looks like before its numbers are drawn.

    `memory` is the spectral radius of W, `drive` the size of the inputs, `error` that of the real-valued targets.
    `handed_in` replaces the slopes of g1, g2 and the loss by ones that are not the slopes of their functions.
    """

    T: int
    H: int
    D: int
    K: int
    g1: str = "tanh"
    g2: str = "softmax"
    loss: str = "cross_entropy"
    memory: float = 1.0
    drive: float = 1.0
    error: float = 1.0
    handed_in: bool = False

    @cached_property
    def names(self) -> Names:
        """The functions of a case, by name."""
        return {"g1": self.g1, "g2": self.g2, "loss": self.loss}

    @cached_property
    def about(self) -> str:
        """The setting, to a reader."""
        sizes = f"T = {self.T}, H = {self.H}, D = {self.D}, K = {self.K}"
        slopes = "; slopes handed in that are not those of the functions" if self.handed_in else ""
        return f"{sizes}; {self.g1}, {self.g2} with {self.loss}{slopes}"

    @cached_property
    def normal(self) -> Mapping[str, tuple[tuple[int, ...], slice]]:
        """The arrays of normally distributed numbers: their shapes, and their places in the order of drawing."""
        T, H, D, K = self.T, self.H, self.D, self.K
        handed_in = {"G_g1": (H, H), "G_g2": (K, K), "G_loss": (K, K)} if self.handed_in else {}
        shapes = {"W": (H, H), **handed_in, "U": (H, D), "V": (K, H), "b_h": (H,), "b_y": (K,), "x": (T, D)}
        ends = list(itertools.accumulate(math.prod(shape) for shape in shapes.values()))
        places = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        return {name: (shape, place) for (name, shape), place in zip(shapes.items(), places, strict=True)}


# what outputs may be where real-valued targets put no bound on them: outside, an activation is nearly flat
_OUTPUTS = {"softmax": (0.01, 0.99), "sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99), "identity": (-10.0, 10.0)}


def cases(
    setting: Setting, ids: Sequence[str], rngs: Sequence[np.random.Generator], decimals: int = 15, draws: int = 1
) -> tuple[list[Case], dict[str, Array]]:
    """A case of a setting from each generator, and all their arrays as stacks.

    So many `draws` of each are looked at together, then twice as many; the generators may be left further on for it.
    """
    chosen: list[dict[str, Array]] = [{} for _ in rngs]
    left = list(range(len(rngs)))
    while left:
        arrays = _numbers(setting, [rngs[i] for i in left for _ in range(draws)], decimals)
        good = _worth_asking(setting, arrays).reshape(len(left), draws)
        for row, i in enumerate(left):
            if good[row].any():
                at = row * draws + int(good[row].argmax())
                chosen[i] = {name: array[at] for name, array in arrays.items()}
        left = [i for i in left if not chosen[i]]
        draws *= 2 if draws > 1 else 1
    stacks = {name: np.array([one[name] for one in chosen]) for name in chosen[0]}
    names, about = setting.names, setting.about
    drawn = [Case(id, {name: stack[i] for name, stack in stacks.items()}, names, about) for i, id in enumerate(ids)]
    return drawn, stacks


def _numbers(setting: Setting, rngs: Sequence[np.random.Generator], decimals: int) -> dict[str, Array]:
    """Stacks of all arrays, one draw from each generator in turn."""
    T, H, K, n = setting.T, setting.H, setting.K, len(rngs)
    normal = np.empty((n, max(place.stop for _, place in setting.normal.values())))
    size, sign, y = np.empty((n, H)), np.empty((n, H)), np.empty((n, T, K))
    for i, rng in enumerate(rngs):
        rng.standard_normal(out=normal[i])
        rng.random(out=size[i])
        sign[i] = rng.integers(0, 2, H)
        if setting.loss == "cross_entropy":
            y[i] = _one_hot(K)[rng.integers(0, K, T)]
        elif setting.loss == "binary_cross_entropy":
            y[i] = rng.integers(0, 2, (T, K))
        else:
            rng.standard_normal(out=y[i])
    drawn = {name: normal[:, place].reshape(n, *shape) for name, (shape, place) in setting.normal.items()}
    drawn["W"] = drawn["W"] * setting.memory / np.abs(np.linalg.eigvals(drawn["W"])).max(axis=1)[:, None, None]
    for name, scale in (("U", 0.8), ("b_h", 0.3), ("b_y", 0.3), ("x", setting.drive)):
        drawn[name] *= scale
    for name in drawn:
        if name.startswith("G_"):
            drawn[name] = np.eye(drawn[name].shape[-1]) + 0.5 * drawn[name]
    drawn["h0"] = (0.3 + (0.9 - 0.3) * size) * (2 * sign - 1)
    drawn["y"] = y * setting.error
    rounded = {name: array.round(decimals) for name, array in drawn.items()}
    h, y_hat = batched.forward(rounded, setting.names)
    return {**rounded, "h": h, "y_hat": y_hat}


@cache
def _one_hot(K: int) -> Array:
    return np.eye(K)


def _worth_asking(setting: Setting, arrays: Arrays) -> Good:
    """Which draws let every mistake show: see the properties that the tests ask of each case."""
    W, y, y_hat = arrays["W"], arrays["y"], arrays["y_hat"]
    states = np.abs(arrays["h"][:, 1:]).mean(axis=(1, 2))
    if setting.g1 == "relu":
        a = arrays["h"][:, :-1] @ W.swapaxes(1, 2) + arrays["x"] @ arrays["U"].swapaxes(1, 2) + arrays["b_h"][:, None]
        alive = (a > 0).mean(axis=(1, 2))
        good = (alive >= 0.25) & (alive <= 0.75) & (np.abs(a).min(axis=(1, 2)) >= 1e-2) & (states <= 2)
    else:
        good = (states >= 0.2) & (states <= 0.9)
    largest = np.abs(W).max(axis=(1, 2))
    good &= largest <= 2.5  # far from normal: rounding would be magnified
    if setting.H > 1:
        good &= np.abs(W - W.swapaxes(1, 2)).max(axis=(1, 2)) >= 0.3 * largest
    if setting.T > 1:
        good &= (y != y[:, :1]).any(axis=(1, 2))
    if setting.loss.endswith("cross_entropy"):
        probability = np.where(y > 0, y_hat, 1 - y_hat)
        asked = np.where(y > 0, probability, 1.0) if setting.loss == "cross_entropy" else probability
        good &= asked.min(axis=(1, 2)) >= 0.02
    else:
        low, high = _OUTPUTS[setting.g2]
        good &= (y_hat.min(axis=(1, 2)) >= low) & (y_hat.max(axis=(1, 2)) <= high)
    if setting.H == 1:
        good &= ~_cancels(setting, arrays)
    if setting.T >= 8:
        good &= _longest_way(setting, arrays) >= 0.01
    return good


def _cancels(setting: Setting, arrays: Arrays) -> Good:
    """Where a gradient of a single entry is a sum that nearly cancels: that would magnify the rounding of float32."""
    gradients = batched.gradients(arrays, setting.names)
    return np.any([np.abs(gradient).max(axis=(1, 2)) < 0.02 for gradient in gradients.values()], axis=0)


def _longest_way(setting: Setting, arrays: Arrays) -> Array:
    """The share that the longest of all ways, from the last loss back to the first step, has in dJ/dW and in dJ/dU."""
    whole = batched.gradients(arrays, setting.names)
    row = batched.longest_way(arrays, setting.names)
    terms = {"dJ_dW": row[:, :, None] * arrays["h"][:, None, 0], "dJ_dU": row[:, :, None] * arrays["x"][:, None, 0]}
    shares = [np.abs(term).max(axis=(1, 2)) / np.abs(whole[name]).max(axis=(1, 2)) for name, term in terms.items()]
    return np.minimum(*shares)
