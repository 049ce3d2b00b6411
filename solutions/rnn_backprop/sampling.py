"""Draw the numbers of cases, many at a time: a class with a seed for each submission needs thousands of them.

A case depends on its own generator alone. Draws are repeated until one is informative: until every mistake that the
case is there for would show in it. Several candidates are judged at once and the first informative one is taken, so
their number changes the speed and never the case.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import batched
import numpy as np
import numpy.typing as npt

from autograder.exercise.model import Array, Arrays, Case, Names

BoolArray = npt.NDArray[np.bool_]

# The usual size of the numbers that are drawn.
_SCALES = {"U": 0.8, "b_h": 0.3, "b_y": 0.3}
_H0_RANGE = (0.3, 0.9)  # of |h0|: a lost h0 shows, and it is still a state that tanh could give
_CUSTOM_DERIVATIVE_NOISE = 0.5  # added to the identity: not symmetric, so that a transposed Jacobian shows

# What makes a draw informative. A state below its range sits where tanh is a straight line, one above where it is flat.
_STATE_RANGE = (0.2, 0.9)  # of the mean |h|
_MAX_RELU_STATE = 2.0  # of the mean h: relu has no upper bound of its own
_ACTIVE_RANGE = (0.25, 0.75)  # the share of relu units that are on: both branches count
_MIN_KINK_DISTANCE = 1e-2  # |a| of a relu unit: nearer to 0, the slope of J cannot be measured
_MAX_WEIGHT = 2.5  # |W|: with larger entries W is far from normal and magnifies rounding
_MIN_ASYMMETRY = 0.3  # of |W - W.T|, as a share of the largest |W|: W and its transpose must differ
_MIN_TARGET_PROBABILITY = 0.02  # of each target: its inverse is in the gradient, and would drown the other steps
# Outputs where real-valued targets do not bound them: outside these ranges an activation is nearly flat.
_OUTPUT_RANGES = {"softmax": (0.01, 0.99), "sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99), "identity": (-10.0, 10.0)}
_MIN_SCALAR_GRADIENT = 0.02  # where H = 1: a sum that nearly cancels would magnify the rounding of float32
_LONG_SEQUENCE = 8  # from so many steps on, the longest path must count
_MIN_LONGEST_PATH_SHARE = 0.01  # ten times the tolerance for float32, so that a truncated gradient shows in float32 too


@dataclass(frozen=True)
class CaseSpec:
    """What a case looks like before its numbers are drawn.

    `spectral_radius` is that of W, `input_scale` the size of the inputs, `target_scale` that of real-valued targets.
    `custom_derivatives` replaces the derivatives of g1, g2 and the loss by others, which belong to no function.
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
        """The spec in words."""
        sizes = f"T = {self.T}, H = {self.H}, D = {self.D}, K = {self.K}"
        slopes = "; slopes handed in that are not those of the functions" if self.custom_derivatives else ""
        return f"{sizes}; {self.g1}, {self.g2} with {self.loss}{slopes}"

    @cached_property
    def normal_layout(self) -> Mapping[str, tuple[tuple[int, ...], slice]]:
        """The arrays of normally distributed numbers: their shapes, and their places in the order of drawing."""
        T, H, D, K = self.T, self.H, self.D, self.K
        derivatives = {"G_g1": (H, H), "G_g2": (K, K), "G_loss": (K, K)} if self.custom_derivatives else {}
        shapes = {"W": (H, H), **derivatives, "U": (H, D), "V": (K, H), "b_h": (H,), "b_y": (K,), "x": (T, D)}
        ends = itertools.accumulate(math.prod(shape) for shape in shapes.values())
        places = itertools.starmap(slice, itertools.pairwise([0, *ends]))
        return {name: (shape, place) for (name, shape), place in zip(shapes.items(), places, strict=True)}


def sample_cases(
    spec: CaseSpec, ids: Sequence[str], rngs: Sequence[np.random.Generator], decimals: int = 15, candidates: int = 1
) -> tuple[list[Case], dict[str, Array]]:
    """Draw a case from each generator; return the cases, and their arrays as stacks. Numbers are rounded to `decimals`.

    Each round draws `candidates` from every generator that has no case yet, and the next round twice as many, so a
    generator may advance past the draw that was taken. With one candidate it never does, and several cases can be
    drawn from one generator in turn.
    """
    accepted: list[dict[str, Array]] = [{} for _ in rngs]
    while pending := [i for i, arrays in enumerate(accepted) if not arrays]:
        owners = [i for i in pending for _ in range(candidates)]  # the generator of each row of the stacks
        drawn = _draw_candidates(spec, [rngs[i] for i in owners], decimals)
        for row in np.flatnonzero(_is_informative(spec, drawn)):
            # rows of one generator are in the order of drawing: later ones do not replace the first
            accepted[owners[row]] = accepted[owners[row]] or {name: array[row] for name, array in drawn.items()}
        candidates *= 2 if candidates > 1 else 1
    stacks = {name: np.array([arrays[name] for arrays in accepted]) for name in accepted[0]}
    cases = [
        Case(id, {name: stack[i] for name, stack in stacks.items()}, spec.names, spec.description)
        for i, id in enumerate(ids)
    ]
    return cases, stacks


def _draw_candidates(spec: CaseSpec, rngs: Sequence[np.random.Generator], decimals: int) -> dict[str, Array]:
    """Return stacks of all arrays, one draw from each generator in turn."""
    T, H, K, n = spec.T, spec.H, spec.K, len(rngs)
    # The order in which numbers leave a generator is fixed: verdicts of the past are replayed from their seeds.
    normal = np.empty((n, max(place.stop for _, place in spec.normal_layout.values())))
    size, sign, y, one_hot = np.empty((n, H)), np.empty((n, H)), np.empty((n, T, K)), np.eye(K)
    for i, rng in enumerate(rngs):
        rng.standard_normal(out=normal[i])
        rng.random(out=size[i])
        sign[i] = rng.integers(0, 2, H)
        if spec.loss == "cross_entropy":
            y[i] = one_hot[rng.integers(0, K, T)]
        elif spec.loss == "binary_cross_entropy":
            y[i] = rng.integers(0, 2, (T, K))
        else:
            rng.standard_normal(out=y[i])
    # From here on, whole stacks at once.
    drawn = {name: normal[:, place].reshape(n, *shape) for name, (shape, place) in spec.normal_layout.items()}
    drawn["W"] = drawn["W"] * spec.spectral_radius / np.abs(np.linalg.eigvals(drawn["W"])).max(axis=1)[:, None, None]
    for name, scale in {**_SCALES, "x": spec.input_scale}.items():
        drawn[name] *= scale
    for name in ("G_g1", "G_g2", "G_loss") if spec.custom_derivatives else ():
        drawn[name] = np.eye(drawn[name].shape[-1]) + _CUSTOM_DERIVATIVE_NOISE * drawn[name]
    low, high = _H0_RANGE
    drawn["h0"] = (low + (high - low) * size) * (2 * sign - 1)
    drawn["y"] = y * spec.target_scale
    rounded = {name: array.round(decimals) for name, array in drawn.items()}
    h, y_hat = batched.forward(rounded, spec.names)
    return {**rounded, "h": h, "y_hat": y_hat}


def _is_informative(spec: CaseSpec, arrays: Arrays) -> BoolArray:
    """Return for each draw whether every mistake shows in it; test_rubric.py asks the same of each case."""
    W, y = arrays["W"], arrays["y"]
    informative = _has_informative_states(spec, arrays) & _has_informative_outputs(spec, arrays)
    largest_weight = np.abs(W).max(axis=(1, 2))
    informative &= largest_weight <= _MAX_WEIGHT
    if spec.H > 1:
        informative &= np.abs(W - W.swapaxes(1, 2)).max(axis=(1, 2)) >= _MIN_ASYMMETRY * largest_weight
    if spec.T > 1:  # some target differs from the first: reading the wrong row shows
        informative &= (y != y[:, :1]).any(axis=(1, 2))
    if spec.H == 1:
        gradients = batched.gradients(arrays, spec.names).values()
        smallest = np.min([np.abs(gradient).max(axis=(1, 2)) for gradient in gradients], axis=0)
        informative &= smallest >= _MIN_SCALAR_GRADIENT
    if spec.T >= _LONG_SEQUENCE:
        informative &= _longest_path_share(spec, arrays) >= _MIN_LONGEST_PATH_SHARE
    return informative


def _has_informative_states(spec: CaseSpec, arrays: Arrays) -> BoolArray:
    """Return for each draw whether its states are neither where g1 is linear nor where it is flat."""
    h = arrays["h"]
    mean_state = np.abs(h[:, 1:]).mean(axis=(1, 2))
    if spec.g1 != "relu":
        return _is_within(mean_state, _STATE_RANGE)
    a = h[:, :-1] @ arrays["W"].swapaxes(1, 2) + arrays["x"] @ arrays["U"].swapaxes(1, 2) + arrays["b_h"][:, None]
    off_the_kink = np.abs(a).min(axis=(1, 2)) >= _MIN_KINK_DISTANCE
    return _is_within((a > 0).mean(axis=(1, 2)), _ACTIVE_RANGE) & off_the_kink & (mean_state <= _MAX_RELU_STATE)


def _has_informative_outputs(spec: CaseSpec, arrays: Arrays) -> BoolArray:
    """Return for each draw whether no target is nearly impossible and no output nearly flat."""
    y, y_hat = arrays["y"], arrays["y_hat"]
    if not spec.loss.endswith("cross_entropy"):
        low, high = _OUTPUT_RANGES[spec.g2]
        return (y_hat.min(axis=(1, 2)) >= low) & (y_hat.max(axis=(1, 2)) <= high)
    # A target of 0 has a loss of its own in the binary cross-entropy alone.
    probability_of_0 = 1.0 if spec.loss == "cross_entropy" else 1 - y_hat
    return np.where(y > 0, y_hat, probability_of_0).min(axis=(1, 2)) >= _MIN_TARGET_PROBABILITY


def _is_within(values: Array, bounds: tuple[float, float]) -> BoolArray:
    return (values >= bounds[0]) & (values <= bounds[1])


def _longest_path_share(spec: CaseSpec, arrays: Arrays) -> Array:
    """Return the share of dJ/dW and of dJ/dU, whichever is less, that the path from the last loss to step 1 has."""
    gradients = batched.gradients(arrays, spec.names)
    delta = batched.longest_path_delta(arrays, spec.names)
    terms = {"dJ_dW": delta[:, :, None] * arrays["h"][:, None, 0], "dJ_dU": delta[:, :, None] * arrays["x"][:, None, 0]}
    shares = [np.abs(term).max(axis=(1, 2)) / np.abs(gradients[name]).max(axis=(1, 2)) for name, term in terms.items()]
    return np.minimum(*shares)
