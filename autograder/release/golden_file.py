"""checks.json: the golden numbers with which students check themselves, so that they need no reference."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.evaluation.numerical_gradient import is_gradient, numerical_gradient
from autograder.exercise.model import Array, Case, Exercise, Function, VisibleCheck

SIGNIFICANT_DIGITS = 10  # the last ones of a float64 differ between machines, and two releases must be the same


def golden_file_text(exercise: Exercise) -> str:
    """The text of checks.json: the cases of the visible checks, and what the functions should make of them."""
    by_name = {function.name: function for function in exercise.functions}
    functions = {
        function.name: {
            "arguments": function.arguments,
            "returns": dict(function.returns),
            "slope_of": function.wrt,
            "arrays": function.arrays,
            "read": function.reference_text,
        }
        for function in exercise.functions
    }
    checks = [  # from small to large: the first case that fails is the one to look at
        {
            "function": check.function,
            "title": check.title,
            "looks_at": check.kind,
            "starts": dict(check.initial_rows),
            "hint": check.hint,
            "cases": [
                _visible_case_entry(exercise, by_name[check.function], check, case)
                for case in sorted(check.cases, key=_total_size)
            ],
        }
        for check in exercise.visible_checks
    ]
    diagnostic_cases = [_diagnostic_case_entry(exercise, case) for case in exercise.diagnostic_cases]
    support_module = Path(next(iter(exercise.support_modules))).stem
    content = {
        "exercise": exercise.name,
        "given": support_module,
        "functions": functions,
        "checks": checks,
        "ladder": diagnostic_cases,
    }
    text = json.dumps({**content, "hints": exercise.hints}, indent=1)
    return (
        re.sub(r"\{[^]{}[]*\}|\[[^]{}[]*\]|(?<=: )\[[-\d.e,\s\[\]]+\]", lambda found: _on_one_line(found[0]), text)
        + "\n"
    )


def _on_one_line(array: str) -> str:
    return re.sub(r"(?<=[{[]) | (?=[]}])", "", re.sub(r"\s+", " ", array))


def _total_size(case: Case) -> int:
    return sum(array.size for array in case.arrays.values())


def _visible_case_entry(exercise: Exercise, function: Function, check: VisibleCheck, case: Case) -> dict[str, Any]:
    arrays = {name: _round_significant(array) for name, array in case.arrays.items()}
    expected: tuple[Array, ...]
    if check.kind == "slope" and function.wrt is not None:
        results = {name for other in exercise.functions for name in other.returns}
        independent_arrays = {name: array for name, array in arrays.items() if name not in results}
        expected = (numerical_gradient(exercise.objective, independent_arrays, case.names, function.wrt),)
    else:
        expected = exercise.reference(function.name, Case(case.id, arrays, case.names))
    return {
        "id": case.id,
        "about": case.description,
        "names": dict(case.names),
        "arrays": {name: array.tolist() for name, array in arrays.items()},
        "expected": [_round_significant(array).tolist() for array in expected],
    }


def _diagnostic_case_entry(exercise: Exercise, case: Case) -> dict[str, Any]:
    """One case of the ladder, with what is expected of each function there and what that is the sum of."""
    rounded = replace(case, arrays={name: _round_significant(array) for name, array in case.arrays.items()})
    return {
        "id": case.id,
        "about": case.description,
        "traits": dict(case.parameters),
        "names": dict(case.names),
        "arrays": {name: array.tolist() for name, array in rounded.arrays.items()},
        "functions": {function.name: _expected_entry(exercise, function, rounded) for function in exercise.functions},
    }


def _expected_entry(exercise: Exercise, function: Function, case: Case) -> dict[str, Any]:
    expected = exercise.reference(function.name, case)
    decompositions = exercise.decompose(function.name, case)
    return {
        "expected": [_round_significant(array).tolist() for array in expected],
        "is_slope": is_gradient(exercise, function, case, expected),
        "sums": [
            {"of": one.of, "parts": {name: _round_significant(part).tolist() for name, part in one.parts.items()}}
            for one in decompositions
        ],
    }


def _round_significant(array: Array) -> Array:
    """Ten significant digits of the largest entry, for all entries: what is rounding noise becomes 0."""
    largest = float(np.max(np.abs(array), initial=0.0))
    digits = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest)) if largest else 0
    rounded: Array = np.round(array, digits) + 0.0  # + 0.0: no negative zeros
    return rounded
