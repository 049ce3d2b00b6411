"""checks.json: the golden numbers with which students check themselves, so that they need no reference."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from autograder.evaluation.numerical_gradient import is_gradient, numerical_gradient
from autograder.exercise.model import Array, Case, Exercise, Function, VisibleCheck

SIGNIFICANT_DIGITS = 10  # the last digits of a float64 differ between machines, and a release must not


def golden_file_text(exercise: Exercise) -> str:
    """Return the text of checks.json: the cases of the visible checks and the expected results on them."""
    functions = {function.name: function for function in exercise.functions}
    content = {
        "exercise": exercise.name,
        "given": Path(next(iter(exercise.support_modules))).stem,
        "functions": {
            name: {
                "arguments": function.arguments,
                "returns": dict(function.returns),
                "slope_of": function.wrt,
                "arrays": function.arrays,
                "read": function.reference_text,
            }
            for name, function in functions.items()
        },
        "checks": [
            {
                "function": check.function,
                "title": check.title,
                "looks_at": check.kind,
                "starts": dict(check.initial_rows),
                "hint": check.hint,
                # From small to large, because feedback shows the first case that fails.
                "cases": [
                    _visible_case_entry(exercise, functions[check.function], check, case)
                    for case in sorted(check.cases, key=lambda case: sum(array.size for array in case.arrays.values()))
                ],
            }
            for check in exercise.visible_checks
        ],
        "ladder": [_diagnostic_case_entry(exercise, case) for case in exercise.diagnostic_cases],
        "hints": exercise.hints,
    }
    # One line for each innermost object, innermost list, and value that is a list of numbers, however deep.
    single_lines = r"\{[^]{}[]*\}|\[[^]{}[]*\]|(?<=: )\[[-\d.e,\s\[\]]+\]"
    return re.sub(single_lines, lambda match: _on_one_line(match[0]), json.dumps(content, indent=1)) + "\n"


def _on_one_line(text: str) -> str:
    return re.sub(r"(?<=[{[]) | (?=[]}])", "", re.sub(r"\s+", " ", text))


def _visible_case_entry(exercise: Exercise, function: Function, check: VisibleCheck, case: Case) -> dict[str, Any]:
    case = _round_case(case)
    if check.kind == "slope" and function.wrt is not None:
        # The objective computes all results itself, so the case's copies of them are left out.
        results = {name for other in exercise.functions for name in other.returns}
        arrays = {name: array for name, array in case.arrays.items() if name not in results}
        expected: tuple[Array, ...] = (numerical_gradient(exercise.objective, arrays, case.names, function.wrt),)
    else:
        expected = exercise.reference(function.name, case)
    return {
        "id": case.id,
        "about": case.description,
        "names": dict(case.names),
        "arrays": {name: array.tolist() for name, array in case.arrays.items()},
        "expected": _rounded_lists(expected),
    }


def _diagnostic_case_entry(exercise: Exercise, case: Case) -> dict[str, Any]:
    case = _round_case(case)
    return {
        "id": case.id,
        "about": case.description,
        "traits": dict(case.parameters),
        "names": dict(case.names),
        "arrays": {name: array.tolist() for name, array in case.arrays.items()},
        "functions": {function.name: _expected_entry(exercise, function, case) for function in exercise.functions},
    }


def _expected_entry(exercise: Exercise, function: Function, case: Case) -> dict[str, Any]:
    """Return the expected results of a function on a diagnostic case, and the sums that they can be written as."""
    expected = exercise.reference(function.name, case)
    return {
        "expected": _rounded_lists(expected),
        "is_slope": is_gradient(exercise, function, case, expected),
        "sums": [
            {"of": total.of, "parts": {name: _round_significant(part).tolist() for name, part in total.parts.items()}}
            for total in exercise.decompose(function.name, case)
        ],
    }


def _round_case(case: Case) -> Case:
    return replace(case, arrays={name: _round_significant(array) for name, array in case.arrays.items()})


def _rounded_lists(arrays: Iterable[Array]) -> list[Any]:
    return [_round_significant(array).tolist() for array in arrays]


def _round_significant(array: Array) -> Array:
    """Round all entries to the tenth significant digit of the largest one, so that rounding noise becomes 0."""
    largest = float(np.max(np.abs(array), initial=0.0))
    digits = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest)) if largest else 0
    rounded: Array = np.round(array, digits) + 0.0  # + 0.0: no negative zeros
    return rounded
