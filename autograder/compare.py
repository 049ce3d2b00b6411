"""Array against array: the one comparison that every verdict rests on.

The error is norm-wise, max|a - b| / max|b| over one array: entry-wise relative errors reject honest float64 code
wherever an entry happens to be small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from autograder.exercise import Array

EXACT = 1e-8
"""Largest error of honest float64 code: four decades above what was seen, below every float32 result seen."""

COARSE = 1e-3
"""Largest error of the right formula in float32; on well-designed cases no slip comes this close."""

SMALLEST_SCALE = 1e-12
"""An expected array smaller than this everywhere is compared as if it had this size."""


@dataclass(frozen=True)
class Comparison:
    """How far an array is from the expected one, and where it is farthest."""

    error: float
    where: tuple[int, ...]

    @property
    def verdict(self) -> Literal["exact", "coarse", "wrong"]:
        """Right, right in low precision, or wrong."""
        if self.error <= EXACT:
            return "exact"
        return "coarse" if self.error <= COARSE else "wrong"


def compare(array: Array, expected: Array) -> Comparison:
    """Compare two finite arrays of one shape: max|array - expected| / max|expected|, and the worst entry."""
    with np.errstate(over="ignore"):  # the difference of two finite numbers may be inf, which is wrong enough
        distance = np.abs(array - expected)
    farthest = int(distance.argmax())
    scale = max(float(np.abs(expected).max()), SMALLEST_SCALE)
    where = tuple(map(int, np.unravel_index(farthest, distance.shape))) if distance.ndim else ()
    return Comparison(float(distance.flat[farthest]) / scale, where)
