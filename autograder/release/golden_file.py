"""checks.json: the golden numbers with which students check themselves, so that they need no reference."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.evaluation.numerical_gradient import is_gradient, slope
from autograder.exercise.model import Array, Case, Exercise, Function, VisibleCheck

DIGITS = 10  # the last ones of a float64 differ between machines, and two releases must be the same


def golden_numbers(exercise: Exercise) -> str:
    """The text of checks.json: the cases of the visible checks, and what the functions should make of them."""
    by_name = {function.name: function for function in exercise.functions}
    functions = {
        function.name: {
            "arguments": function.arguments,
            "returns": dict(function.returns),
            "slope_of": function.slope_of,
            "arrays": function.arrays,
            "read": function.read,
        }
        for function in exercise.functions
    }
    checks = [  # from small to large: the first case that fails is the one to look at
        {
            "function": check.function,
            "title": check.title,
            "looks_at": check.looks_at,
            "starts": dict(check.starts),
            "hint": check.hint,
            "cases": [_case(exercise, by_name[check.function], check, case) for case in sorted(check.cases, key=_size)],
        }
        for check in exercise.visible
    ]
    ladder = [_step(exercise, case) for case in exercise.ladder]
    given = Path(next(iter(exercise.given))).stem
    told = {"exercise": exercise.name, "given": given, "functions": functions, "checks": checks, "ladder": ladder}
    text = json.dumps({**told, "hints": exercise.hints}, indent=1)
    return (
        re.sub(r"\{[^]{}[]*\}|\[[^]{}[]*\]|(?<=: )\[[-\d.e,\s\[\]]+\]", lambda found: _one_line(found[0]), text) + "\n"
    )


def _one_line(array: str) -> str:
    return re.sub(r"(?<=[{[]) | (?=[]}])", "", re.sub(r"\s+", " ", array))


def _size(case: Case) -> int:
    return sum(array.size for array in case.arrays.values())


def _case(exercise: Exercise, function: Function, check: VisibleCheck, case: Case) -> dict[str, Any]:
    arrays = {name: _rounded(array) for name, array in case.arrays.items()}
    expected: tuple[Array, ...]
    if check.looks_at == "slope" and function.slope_of is not None:
        results = {name for other in exercise.functions for name in other.returns}
        free = {name: array for name, array in arrays.items() if name not in results}
        expected = (slope(exercise.objective, free, case.names, function.slope_of),)
    else:
        expected = exercise.reference(function.name, Case(case.id, arrays, case.names))
    return {
        "id": case.id,
        "about": case.about,
        "names": dict(case.names),
        "arrays": {name: array.tolist() for name, array in arrays.items()},
        "expected": [_rounded(array).tolist() for array in expected],
    }


def _step(exercise: Exercise, case: Case) -> dict[str, Any]:
    """One case of the ladder, with what is expected of each function there and what that is the sum of."""
    rounded = replace(case, arrays={name: _rounded(array) for name, array in case.arrays.items()})
    return {
        "id": case.id,
        "about": case.about,
        "traits": dict(case.traits),
        "names": dict(case.names),
        "arrays": {name: array.tolist() for name, array in rounded.arrays.items()},
        "functions": {function.name: _expected(exercise, function, rounded) for function in exercise.functions},
    }


def _expected(exercise: Exercise, function: Function, case: Case) -> dict[str, Any]:
    expected = exercise.reference(function.name, case)
    sums = exercise.sums(function.name, case)
    return {
        "expected": [_rounded(array).tolist() for array in expected],
        "is_slope": is_gradient(exercise, function, case, expected),
        "sums": [
            {"of": one.of, "parts": {name: _rounded(part).tolist() for name, part in one.parts.items()}} for one in sums
        ],
    }


def _rounded(array: Array) -> Array:
    """Ten significant digits of the largest entry, for all entries: what is rounding noise becomes 0."""
    largest = float(np.max(np.abs(array), initial=0.0))
    digits = DIGITS - 1 - math.floor(math.log10(largest)) if largest else 0
    rounded: Array = np.round(array, digits) + 0.0  # + 0.0: no negative zeros
    return rounded
