"""Numerical gradients of J by the complex step, or by central differences where J loses imaginary parts.

For an objective J that is analytic in its arrays,

    dJ/da = Im J(a + i s) / s  + O(s^2)

and nothing is subtracted, so s = 1e-20 leaves only rounding: the median error measured is 3e-16, against 3e-10 for
central differences. See Squire and Trapp, "Using complex variables to estimate derivatives of real functions" (1998).

An objective that calls abs, max or float on what it computes loses the imaginary part. It is found out when the
exercise is loaded, and then differentiated by central differences of sixth order, to about 1e-12.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.exercise.model import Array, Arrays, Case, Exercise, Function, Names
from autograder.student import rules

STEP = 1e-20
REAL_STEP = 1e-3  # of central differences of sixth order
CENTRAL_TOLERANCE = 1e-6
"""The largest error of correct float64 code against central differences; against complex steps it is rules.EXACT."""

_STENCIL = ((1, 45 / 60), (2, -9 / 60), (3, 1 / 60))  # of the differences over 1, 2 and 3 steps
_PROBE_STEP = 1e-5  # of the central difference that a complex step is compared with
_PROBE_TOLERANCE = 1e-4

Objective = Callable[[Mapping[str, npt.NDArray[Any]], Names], complex]
ObjectiveBatch = Callable[[Mapping[str, npt.NDArray[Any]], Names], npt.NDArray[Any]]


def gradient_of_J(exercise: Exercise, function: Function, case: Case) -> Array:
    """Return the numerical gradient of J by the array that a function differentiates by, in its shape."""
    stacks = {name: array[None] for name, array in case.arrays.items()}
    gradient: Array = gradients_of_J(exercise, function, stacks, case.names)[0, ...]
    return gradient


def gradients_of_J(exercise: Exercise, function: Function, stacks: Arrays, names: Names) -> Array:
    """Return the numerical gradients of J on several cases, from stacks of their arrays, as a stack."""
    objective, wrt = exercise.objective, function.wrt
    assert wrt is not None
    if exercise.objective_batch is not None and function.name not in exercise.without_complex_step:
        return numerical_gradients(exercise.objective_batch, stacks, names, wrt)
    measure = central_gradient if function.name in exercise.without_complex_step else numerical_gradient
    rows = ({name: stack[row, ...] for name, stack in stacks.items()} for row in range(len(stacks[wrt])))
    return np.array([measure(objective, arrays, names, wrt) for arrays in rows])


def slope_tolerance(exercise: Exercise, function: Function) -> float:
    """Return the largest error of a right gradient against the numerical one."""
    return CENTRAL_TOLERANCE if function.name in exercise.without_complex_step else rules.EXACT


def numerical_gradient(objective: Objective, arrays: Arrays, names: Names, wrt: str) -> Array:
    """Return dJ/d arrays[wrt] by the complex step, entry by entry, in the shape of arrays[wrt].

    `objective(arrays, names)` is J and must keep the imaginary part of its arrays.
    """
    point = np.array(arrays[wrt], dtype=np.complex128)
    gradient = np.empty(point.shape)
    for index in np.ndindex(point.shape):
        point[index] += 1j * STEP
        gradient[index] = np.imag(objective({**arrays, wrt: point}, names)) / STEP
        point[index] = point[index].real
    return gradient


def numerical_gradients(objective_batch: ObjectiveBatch, stacks: Arrays, names: Names, wrt: str) -> Array:
    """Return dJ/d arrays[wrt] of a stack of cases by complex steps, all of them in one call.

    `objective_batch` takes stacks of arrays, whose leading axes are broadcast against each other, and returns J for
    each row.
    """
    # Axis 0 counts the cases, axis 1 the entries of arrays[wrt]: in row i, entry i is moved, and no other.
    stacks = {name: np.array(stack)[:, None] for name, stack in stacks.items()}  # copies, whatever J does to them
    points = stacks[wrt]
    size, shape = points[0].size, points.shape[2:]
    steps = 1j * STEP * np.eye(size).reshape(size, *shape)
    objectives = objective_batch({**stacks, wrt: points + steps}, names)
    gradients: Array = np.imag(objectives).reshape(len(points), *shape) / STEP
    return gradients


def central_gradient(objective: Objective, arrays: Arrays, names: Names, wrt: str) -> Array:
    """Return dJ/d arrays[wrt] by central differences of sixth order, entry by entry, in the shape of arrays[wrt]."""
    point = np.array(arrays[wrt], dtype=np.float64)
    step = REAL_STEP * max(1.0, float(np.abs(point).max(initial=0.0)))
    gradient = np.empty(point.shape)
    for index in np.ndindex(point.shape):
        move = np.zeros(point.shape)
        move[index] = step
        differences = (weight * _difference(objective, arrays, names, wrt, times * move) for times, weight in _STENCIL)
        gradient[index] = sum(differences) / step
    return gradient


def keeps_imaginary_parts(objective: Objective, case: Case, wrt: str) -> bool:
    """Return whether a complex step of J is its slope, in one direction: not if J loses imaginary parts or refuses."""
    point = case.arrays[wrt]
    direction = np.cos(1.0 + np.arange(point.size)).reshape(point.shape)  # no entry is 0, and no two are equal
    measured = _difference(objective, case.arrays, case.names, wrt, _PROBE_STEP * direction) / (2 * _PROBE_STEP)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an imaginary part is discarded
        try:
            J = objective({**case.arrays, wrt: point + 1j * STEP * direction}, case.names)
        except Exception:  # noqa: BLE001 - such as float() of a complex number
            return False
    rounding = 1e-9 * abs(J)
    return bool(abs(np.imag(J) / STEP - measured) <= _PROBE_TOLERANCE * abs(measured) + rounding)


def is_gradient(exercise: Exercise, function: Function, case: Case, expected: tuple[Array, ...]) -> bool:
    """Return whether the expected result on a case is the gradient of J: not if the case hands in other derivatives."""
    return function.wrt is not None and rules.is_right(expected[0], gradient_of_J(exercise, function, case))


def _difference(objective: Objective, arrays: Arrays, names: Names, wrt: str, move: Array) -> float:
    """Return J(a + move) - J(a - move) for arrays[wrt] = a."""
    up, down = (objective({**arrays, wrt: arrays[wrt] + by}, names) for by in (move, -move))
    return float(np.real(up) - np.real(down))
