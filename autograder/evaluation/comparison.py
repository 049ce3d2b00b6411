"""Compare arrays: the single comparison behind every verdict.

The error is norm-wise, max|a - b| / max|b| over a whole array: entry-wise relative errors reject correct float64 code
whenever an entry happens to be small.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from autograder.exercise.model import Array
from autograder.student import rules

TOLERANCE = rules.EXACT
"""Largest error of correct float64 code: 10^4 times what was measured, and below every float32 result."""

LOW_PRECISION_TOLERANCE = rules.CLOSE
"""Largest error of the right formula in float32; on well-designed cases no mistake comes this close."""

SCALE_FLOOR = rules.SMALLEST
"""An expected array whose entries are all smaller than this is compared as if its largest were this."""

relative_error = rules.error
"""max|array - expected| / max|expected| of two arrays of one shape: the function that students check with."""


@dataclass(frozen=True)
class Comparison:
    """How far an array is from the expected one, and the index where it is farthest (empty if they agree)."""

    error: float
    where: tuple[int, ...]

    @property
    def verdict(self) -> Literal["exact", "coarse", "wrong"]:
        """Right, right in low precision, or wrong."""
        if self.error <= TOLERANCE:
            return "exact"
        return "coarse" if self.error <= LOW_PRECISION_TOLERANCE else "wrong"


def relative_errors(arrays: Sequence[Array], expected: Sequence[Array]) -> list[float]:
    """Return what `relative_error` says of each pair of arrays of one shape; all at once, that takes a tenth."""
    sizes = [array.size for array in arrays]
    if 0 in sizes or not sizes:
        return [relative_error(array, right) for array, right in zip(arrays, expected, strict=True)]
    starts = [0, *itertools.accumulate(sizes[:-1])]
    right = _flat(expected)
    with np.errstate(all="ignore"):
        scales = np.maximum(np.maximum.reduceat(np.abs(right), starts), SCALE_FLOOR)
        errors: list[float] = (np.maximum.reduceat(np.abs(_flat(arrays) - right), starts) / scales).tolist()
    return errors


def largest(errors: Iterable[float]) -> float:
    """Return the largest error; NaN if any is, which Python's max would pass over: a result of NaN is not right."""
    return max(errors, key=lambda error: (error != error, error))


def _flat(arrays: Sequence[Array]) -> Array:
    return np.concatenate([array.ravel() for array in arrays])


def compare(array: Array, expected: Array) -> Comparison:
    """Return the relative error of two finite arrays of one shape, and where they differ most."""
    error = relative_error(array, expected)
    if error <= TOLERANCE:
        return Comparison(error, ())
    with np.errstate(over="ignore"):
        farthest = np.abs(array - expected).argmax()
    return Comparison(error, tuple(map(int, np.unravel_index(farthest, array.shape))))
