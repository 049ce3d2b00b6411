"""Tell which draws of a case are informative: those in which every mistake that the case is there for shows.

A mistake that shows in one draw and not in another would cost some students points and others none. So whatever a
mistake may leave out or add must be worth ten times the tolerance in each draw, or nothing in any.
"""

from __future__ import annotations

from functools import cache

import batched
import numpy as np
import numpy.typing as npt
from case_spec import CaseSpec

from autograder.exercise.model import Array, Arrays

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

# A state below its range sits where tanh is a straight line, one above where it is flat.
_STATE_RANGE = (0.3, 0.9)  # of the mean |h|
_MAX_RELU_STATE = 2.0  # of the mean h: relu has no upper bound of its own
_ACTIVE_RANGE = (0.25, 0.75)  # the share of relu units that are on: both branches count
_MIN_KINK_DISTANCE = 1e-2  # |a| of a relu unit: nearer to 0, the slope of J cannot be measured
_MAX_WEIGHT = 2.5  # |W|: with larger entries W is far from normal and magnifies rounding
_MIN_ASYMMETRY = 0.3  # of |W - W.T|, as a share of the largest |W|: W and its transpose must differ
_MIN_BIAS_SPREAD = 0.03  # between the entries of a bias, or of its only entry: softmax ignores what they have in common
_MIN_TARGET_PROBABILITY = 0.02  # of each target: its inverse is in the gradient, and would drown the other steps
# Outputs where real-valued targets do not bound them: outside these ranges an activation is nearly flat.
_OUTPUT_RANGES = {"softmax": (0.01, 0.99), "sigmoid": (0.01, 0.99), "tanh": (-0.99, 0.99), "identity": (-10.0, 10.0)}
# Of the farthest output from the middle, where tanh is its own argument and the slope of softmax at p is that at
# softmax(p).
_MIN_DEVIATION = {"softmax": 0.15, "tanh": 0.3}
_MIN_SCALAR_GRADIENT = 0.02  # where H = 1: a sum that nearly cancels would magnify the rounding of float32
_MIN_PART = 0.01  # of a gradient: ten times the tolerance for float32
_MAX_NORM = 3.0  # of gradients and of what is carried back: clipping, which begins at 5, shows where targets are large
_NO_PART_OF_GRADIENTS = ("U", "b_h", "b_y", "h0")


def is_informative(spec: CaseSpec, arrays: Arrays) -> BoolArray:
    """Return for each draw whether every mistake shows in it; test_rubric.py asks the same of each case."""
    W, y = arrays["W"], arrays["y"]
    informative = _has_informative_states(spec, arrays) & _has_informative_outputs(spec, arrays)
    largest_weight = np.abs(W).max(axis=(1, 2))
    informative &= largest_weight <= _MAX_WEIGHT
    if spec.H > 1:
        informative &= np.abs(W - W.swapaxes(1, 2)).max(axis=(1, 2)) >= _MIN_ASYMMETRY * largest_weight
    if spec.T > 1:  # some target differs from the first: reading the wrong row shows
        informative &= (y != y[:, :1]).any(axis=(1, 2))
    for bias in (arrays["b_h"], arrays["b_y"]):
        spread = bias.max(axis=1) - bias.min(axis=1) if bias.shape[1] > 1 else np.abs(bias[:, 0])
        informative &= spread >= _MIN_BIAS_SPREAD
    # The gradients cost most, so only draws that pass all the rest are asked for them.
    needed = {name: array[informative] for name, array in arrays.items() if name not in _NO_PART_OF_GRADIENTS}
    informative[informative] = _has_informative_gradients(spec, needed)
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
        informative = (y_hat.min(axis=(1, 2)) >= low) & (y_hat.max(axis=(1, 2)) <= high)
    else:
        # A target of 0 has a loss of its own in the binary cross-entropy alone.
        probability_of_0 = 1.0 if spec.loss == "cross_entropy" else 1 - y_hat
        informative = np.where(y > 0, y_hat, probability_of_0).min(axis=(1, 2)) >= _MIN_TARGET_PROBABILITY
    if spec.g2 in _MIN_DEVIATION:
        middle = 1 / spec.K if spec.g2 == "softmax" else 0.0
        informative &= np.abs(y_hat - middle).max(axis=(1, 2)) >= _MIN_DEVIATION[spec.g2]
    return informative


def _is_within(values: Array, bounds: tuple[float, float]) -> BoolArray:
    return (values >= bounds[0]) & (values <= bounds[1])


def _has_informative_gradients(spec: CaseSpec, arrays: Arrays) -> BoolArray:
    """Return for each draw whether every part of its gradients counts, and whether they are of the size they should."""
    n, T, H, D, h = len(arrays["h"]), spec.T, spec.H, spec.D, arrays["h"]
    errors = batched.errors(arrays, spec.names)
    rows = batched.path_deltas(arrays, spec.names, errors)
    # A term for each loss t and step k: first those of all entries of dJ/dW, then those of dJ/dU.
    t, k, masks = _part_masks(T)
    terms, from_loss = np.empty((n, len(t), H * (H + D))), rows[:, t, k, :, None]
    for factors, entries in ((h[:, :-1], slice(H * H)), (arrays["x"], slice(H * H, None))):
        out = terms[..., entries].reshape(n, len(t), H, factors.shape[2])
        np.multiply(from_loss, factors[:, k - 1, None], out=out)  # for step 0, what Python reads at the row -1
    parts = masks @ terms
    dV = errors.swapaxes(1, 2) @ h[:, 1:]
    largest = np.maximum.reduceat(np.abs(parts), (0, H * H), axis=2)  # of dJ/dW and of dJ/dU
    largest_in_dV = np.abs(dV).max(axis=(1, 2))
    ends_of_dV = np.abs(errors[:, [0, -1]]).max(axis=2) * np.abs(h[:, [1, -1]]).max(axis=2)  # its first and last term
    informative = (largest[:, 1:] >= _MIN_PART * largest[:, :1]).all(axis=(1, 2))
    informative &= (ends_of_dV >= _MIN_PART * largest_in_dV[:, None]).all(axis=1)
    if H == 1:
        informative &= np.minimum(largest[:, 0].min(axis=1), largest_in_dV) >= _MIN_SCALAR_GRADIENT
    if spec.g1 == "tanh" and T == 1:  # with more steps, some unit always shows where the square stands
        informative &= _shows_the_place_of_the_square(h[:, 1], rows[:, 0, 1])
    squares = np.add.reduceat(parts[:, 0] ** 2, (0, H * H), axis=1)
    norms = np.sqrt(np.column_stack([squares, (dV**2).sum(axis=(1, 2))]))
    informative &= (np.abs(norms - 1) >= _MIN_PART).all(axis=1)  # or scaling them to 1 would not show
    if spec.target_scale == 1:
        carried = rows.sum(axis=1) @ arrays["W"]
        informative &= (norms <= _MAX_NORM).all(axis=1) & ((carried**2).sum(axis=2) <= _MAX_NORM**2).all(axis=1)
    return informative


def _shows_the_place_of_the_square(states: Array, deltas: Array) -> BoolArray:
    """Return for each draw whether 1 - tanh(a^2) for the slope of tanh changes what comes back to a.

    `states` are tanh(a), `deltas` the slopes of J by a, (n, H) each.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = (1 - np.tanh(np.arctanh(states) ** 2)) / (1 - states**2)
        return np.abs(deltas * (wrong - 1)).max(axis=1) >= _MIN_PART * np.abs(deltas).max(axis=1)


@cache
def _part_masks(T: int) -> tuple[IntArray, IntArray, Array]:
    """Return the indices of loss t and step k of each term, and of which terms each part of a gradient is made.

    The masks are an array (parts, terms), and the first part is all of it. The others are what a mistake may leave out
    or add: the paths of so many steps or more, those of one loss, those to one step, those to the first step from later
    losses, and those to step 0.
    """
    t, k = np.indices((T, T + 1)) + np.array([1, 0])[:, None, None]
    lag, is_term = t - k, (k >= 1) & (k <= t)
    long_paths = [is_term & (lag >= steps) for steps in range(1, T)]
    losses = [is_term & (t == step) for step in range(1, T + 1)]
    steps = [is_term & (k == step) for step in range(1, T + 1)]
    later = [is_term & (k == 1) & (lag > 0)] if T > 1 else []
    masks = np.array([is_term, *long_paths, *losses, *steps, *later, k == 0])
    used = masks.any(axis=0)
    return *np.nonzero(used), masks[:, used] * 1.0
