"""What makes a result right: the rules by which you check your work, and by which it is graded.

How far an array is from the expected one is a single number, the relative error max|yours - expected| / max|expected|
over the whole array (max|expected| taken as 1e-12 at least):

    up to 1e-8    right
    up to 1e-3    right, in low precision such as float32: passes, with a note
    above         wrong

Whole numbers (ints and bools) are right where whole numbers are expected, and as a single number. An array of them
where real numbers are expected is not: what was put into it has lost its decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

EXACT, CLOSE, SMALLEST = 1e-8, 1e-3, 1e-12  # see above
FLOATS = ("float64", "float32", "float16", "longdouble")


@dataclass(frozen=True)
class ArrayProblem:
    """Why an array cannot be compared. `entry` is the index of its first entry that is no finite number."""

    code: Literal["not_an_array", "wrong_shape", "wrong_dtype", "not_finite"]
    entry: tuple[int, ...] = ()


def array_problem(array: Array, dtype: str, expected: Array) -> ArrayProblem | None:
    """Return why an array cannot be compared with the expected one, None if it can; a number has no dimensions.

    `dtype` is what the array had when it was returned.
    """
    if array.shape != expected.shape:
        return ArrayProblem("wrong_shape" if array.shape else "not_an_array")
    if dtype not in FLOATS and array.shape and expected.dtype.kind == "f":
        return ArrayProblem("wrong_dtype")
    if not np.isfinite(array).all():
        return ArrayProblem("not_finite", tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0]))
    return None


def error(yours: Array, expected: Array) -> float:
    """Return the relative error max|yours - expected| / max|expected| of two arrays of one shape."""
    scale = max(float(np.abs(expected).max(initial=0.0)), SMALLEST)
    with np.errstate(over="ignore"):  # the difference of two finite numbers may be inf, which is wrong enough
        return float(np.abs(yours - expected).max(initial=0.0)) / scale


def is_right(yours: Array, expected: Array) -> bool:
    """Return whether an array is right, if only in low precision."""
    return error(yours, expected) <= CLOSE


def begins_with(result: Array, start: Array) -> bool:
    """Return whether the first row of a result is an argument itself."""
    return is_right(result[0], start)


def are_equal(now: Sequence[Array], before: Sequence[Array]) -> bool:
    """Return whether two equal calls gave equal results."""
    return all(error(a, b) <= EXACT for a, b in zip(now, before, strict=True))
