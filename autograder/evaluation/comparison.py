"""Array against array: the one comparison that every verdict rests on.

The error is norm-wise, max|a - b| / max|b| over one array: entry-wise relative errors reject honest float64 code
wherever an entry happens to be small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

import autograder.student.feedback as student
from autograder.exercise.model import Array

TOLERANCE = student.EXACT
"""Largest error of honest float64 code: four decades above what was seen, below every float32 result seen."""

LOW_PRECISION_TOLERANCE = student.CLOSE
"""Largest error of the right formula in float32; on well-designed cases no slip comes this close."""

SCALE_FLOOR = student.SMALLEST
"""An expected array smaller than this everywhere is compared as if it had this size."""

relative_error = student.error
"""max|array - expected| / max|expected| of two arrays of one shape: the very function that students check with."""


@dataclass(frozen=True)
class Comparison:
    """How far an array is from the expected one, and where it is farthest (empty where they agree)."""

    error: float
    where: tuple[int, ...]

    @property
    def verdict(self) -> Literal["exact", "coarse", "wrong"]:
        """Right, right in low precision, or wrong."""
        if self.error <= TOLERANCE:
            return "exact"
        return "coarse" if self.error <= LOW_PRECISION_TOLERANCE else "wrong"


def compare(array: Array, expected: Array) -> Comparison:
    """Compare two finite arrays of one shape: their relative error, and where it is largest unless they agree."""
    error = relative_error(array, expected)
    if error <= TOLERANCE:
        return Comparison(error, ())
    with np.errstate(over="ignore"):
        farthest = int(np.abs(array - expected).argmax())
    return Comparison(error, tuple(map(int, np.unravel_index(farthest, array.shape))) if array.ndim else ())
