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

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CaseSpec:
    """What a case looks like before its numbers are drawn.

    `spectral_radius` is the spectral radius of W, `input_scale` the size of the inputs, `target_scale` that of the real-valued targets.
    `custom_derivatives` replaces the slopes of g1, g2 and the loss by ones that are not the slopes of their functions.
    """

    T: int
    H: int
    D: int
    K: int
    g1: str = "tanh"
    g2: str = "softmax"
    loss: str = "cross_entropy"
    spectral_radius: float = 1.0
    input_scale: float = 1.0
    target_scale: float = 1.0
    custom_derivatives: bool = False

    @cached_property
    def names(self) -> Names:
        """The functions of a case, by name."""
        return {"g1": self.g1, "g2": self.g2, "loss": self.loss}

    @cached_property
    def description(self) -> str:
        """The setting, to a reader."""
        sizes = f"T = {self.T}, H = {self.H}, D = {self.D}, K = {self.K}"
        slopes = "; slopes handed in that are not those of the functions" if self.custom_derivatives else ""
        return f"{sizes}; {self.g1}, {self.g2} with {self.loss}{slopes}"

    @cached_property
    def normal_layout(self) -> Mapping[str, tuple[tuple[int, ...], slice]]:
        """The arrays of normally distributed numbers: their shapes, and their places in the order of drawing."""
        T, H, D, K = self.T, self.H, self.D, self.K
        handed_in = {"G_g1": (H, H), "G_g2": (K, K), "G_loss": (K, K)} if self.custom_derivatives else {}
        shapes = {"W": (H, H), **handed_in, "U": (H, D), "V": (K, H), "b_h": (H,), "b_y": (K,), "x": (T, D)}
        ends = list(itertools.accumulate(math.prod(shape) for shape in shapes.values()))
        places = [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
        return {name: (shape, place) for (name, shape), place in zip(shapes.items(), places, strict=True)}


# what outputs may be where real-valued targets put no bound on them: outside, an activation is nearly flat
_OUTPUT_RANGES = {"softmax": (0.01, 0.99), "sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99), "identity": (-10.0, 10.0)}


def sample_cases(
    spec: CaseSpec, ids: Sequence[str], rngs: Sequence[np.random.Generator], decimals: int = 15, candidates: int = 1
) -> tuple[list[Case], dict[str, Array]]:
    """A case of a setting from each generator, and all their arrays as stacks.

    So many `candidates` of each are looked at together, then twice as many; the generators may be left further on for it.
    """
    accepted: list[dict[str, Array]] = [{} for _ in rngs]
    pending = list(range(len(rngs)))
    while pending:
        arrays = _draw_candidates(spec, [rngs[i] for i in pending for _ in range(candidates)], decimals)
        informative = _is_informative(spec, arrays).reshape(len(pending), candidates)
        for row, i in enumerate(pending):
            if informative[row].any():
                index = row * candidates + int(informative[row].argmax())
                accepted[i] = {name: array[index] for name, array in arrays.items()}
        pending = [i for i in pending if not accepted[i]]
        candidates *= 2 if candidates > 1 else 1
    stacks = {name: np.array([one[name] for one in accepted]) for name in accepted[0]}
    names, description = spec.names, spec.description
    drawn = [
        Case(id, {name: stack[i] for name, stack in stacks.items()}, names, description) for i, id in enumerate(ids)
    ]
    return drawn, stacks


def _draw_candidates(spec: CaseSpec, rngs: Sequence[np.random.Generator], decimals: int) -> dict[str, Array]:
    """Stacks of all arrays, one draw from each generator in turn."""
    T, H, K, n = spec.T, spec.H, spec.K, len(rngs)
    normal = np.empty((n, max(place.stop for _, place in spec.normal_layout.values())))
    size, sign, y = np.empty((n, H)), np.empty((n, H)), np.empty((n, T, K))
    for i, rng in enumerate(rngs):
        rng.standard_normal(out=normal[i])
        rng.random(out=size[i])
        sign[i] = rng.integers(0, 2, H)
        if spec.loss == "cross_entropy":
            y[i] = _one_hot(K)[rng.integers(0, K, T)]
        elif spec.loss == "binary_cross_entropy":
            y[i] = rng.integers(0, 2, (T, K))
        else:
            rng.standard_normal(out=y[i])
    drawn = {name: normal[:, place].reshape(n, *shape) for name, (shape, place) in spec.normal_layout.items()}
    drawn["W"] = drawn["W"] * spec.spectral_radius / np.abs(np.linalg.eigvals(drawn["W"])).max(axis=1)[:, None, None]
    for name, scale in (("U", 0.8), ("b_h", 0.3), ("b_y", 0.3), ("x", spec.input_scale)):
        drawn[name] *= scale
    for name in drawn:
        if name.startswith("G_"):
            drawn[name] = np.eye(drawn[name].shape[-1]) + 0.5 * drawn[name]
    drawn["h0"] = (0.3 + (0.9 - 0.3) * size) * (2 * sign - 1)
    drawn["y"] = y * spec.target_scale
    rounded = {name: array.round(decimals) for name, array in drawn.items()}
    h, y_hat = batched.forward(rounded, spec.names)
    return {**rounded, "h": h, "y_hat": y_hat}


@cache
def _one_hot(K: int) -> Array:
    return np.eye(K)


def _is_informative(spec: CaseSpec, arrays: Arrays) -> BoolArray:
    """Which draws let every mistake show: see the properties that the tests ask of each case."""
    W, y, y_hat = arrays["W"], arrays["y"], arrays["y_hat"]
    mean_state = np.abs(arrays["h"][:, 1:]).mean(axis=(1, 2))
    if spec.g1 == "relu":
        a = arrays["h"][:, :-1] @ W.swapaxes(1, 2) + arrays["x"] @ arrays["U"].swapaxes(1, 2) + arrays["b_h"][:, None]
        active_share = (a > 0).mean(axis=(1, 2))
        informative = (
            (active_share >= 0.25) & (active_share <= 0.75) & (np.abs(a).min(axis=(1, 2)) >= 1e-2) & (mean_state <= 2)
        )
    else:
        informative = (mean_state >= 0.2) & (mean_state <= 0.9)
    largest_weight = np.abs(W).max(axis=(1, 2))
    informative &= largest_weight <= 2.5  # far from normal: rounding would be magnified
    if spec.H > 1:
        informative &= np.abs(W - W.swapaxes(1, 2)).max(axis=(1, 2)) >= 0.3 * largest_weight
    if spec.T > 1:
        informative &= (y != y[:, :1]).any(axis=(1, 2))
    if spec.loss.endswith("cross_entropy"):
        probability = np.where(y > 0, y_hat, 1 - y_hat)
        relevant = np.where(y > 0, probability, 1.0) if spec.loss == "cross_entropy" else probability
        informative &= relevant.min(axis=(1, 2)) >= 0.02
    else:
        low, high = _OUTPUT_RANGES[spec.g2]
        informative &= (y_hat.min(axis=(1, 2)) >= low) & (y_hat.max(axis=(1, 2)) <= high)
    if spec.H == 1:
        informative &= ~_nearly_cancels(spec, arrays)
    if spec.T >= 8:
        informative &= _longest_path_share(spec, arrays) >= 0.01
    return informative


def _nearly_cancels(spec: CaseSpec, arrays: Arrays) -> BoolArray:
    """Where a gradient of a single entry is a sum that nearly cancels: that would magnify the rounding of float32."""
    gradients = batched.gradients(arrays, spec.names)
    return np.any([np.abs(gradient).max(axis=(1, 2)) < 0.02 for gradient in gradients.values()], axis=0)


def _longest_path_share(spec: CaseSpec, arrays: Arrays) -> Array:
    """The share that the longest of all ways, from the last loss back to the first step, has in dJ/dW and in dJ/dU."""
    gradients = batched.gradients(arrays, spec.names)
    delta = batched.longest_path_delta(arrays, spec.names)
    terms = {"dJ_dW": delta[:, :, None] * arrays["h"][:, None, 0], "dJ_dU": delta[:, :, None] * arrays["x"][:, None, 0]}
    shares = [np.abs(term).max(axis=(1, 2)) / np.abs(gradients[name]).max(axis=(1, 2)) for name, term in terms.items()]
    return np.minimum(*shares)
