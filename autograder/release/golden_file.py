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

from autograder.exercise.model import Array, Case, Exercise, Function
from autograder.exercise.numerical_gradient import is_gradient
from autograder.student.rules import is_right

SIGNIFICANT_DIGITS = 10  # the last digits of a float64 differ between machines, and a release must not


def golden_file_text(exercise: Exercise) -> str:
    """Return the text of checks.json: the public cases, the expected results on them, and which check uses which."""
    cases = {case.id: case for case in public_cases(exercise)}
    content = {
        "exercise": exercise.name,
        "given": Path(next(iter(exercise.support_modules), "")).stem,
        "J": _function_of_J(exercise, cases.values()),
        "functions": {
            function.name: {
                "arguments": function.arguments,
                "returns": dict(function.returns),
                "slope_of": function.wrt,
                "arrays": function.arrays,
                "read": function.reference_text,
                "points": sum(check.max_points for check in exercise.checks_of(function.name)),
                "minutes": function.minutes,
            }
            for function in exercise.functions
        },
        "cases": [_case_entry(exercise, case) for case in cases.values()],
        "confirmations": [
            [_confirmation_entry(exercise, confirmation.get(case.id, case)) for case in cases.values()]
            for confirmation in ({case.id: case for case in cases} for cases in exercise.confirmation_cases)
        ],
        "checks": [
            {
                "function": check.function,
                "title": check.title,
                "looks_at": check.kind,
                "starts": dict(exercise.function(check.function).initial_rows) if check.kind == "contract" else {},
                "hint": check.hint,
                "cases": sorted({case.id for case in check.cases}, key=list(cases).index),
            }
            for check in exercise.visible_checks
        ],
        "hints": exercise.hints,
    }
    # One line for each innermost object, innermost list, and value that is a list of numbers, however deep.
    single_lines = r"\{[^]{}[]*\}|\[[^]{}[]*\]|(?<=: )\[[-\d.e,\s\[\]]+\]"
    return re.sub(single_lines, lambda match: _on_one_line(match[0]), json.dumps(content, indent=1)) + "\n"


def _function_of_J(exercise: Exercise, cases: Iterable[Case]) -> str:
    """Return the name of the function that returns J of all that it is differentiated by.

    Empty if none does: then J of the given module, or of the set-up cell, may say how it is computed.
    """
    moved = {function.wrt for function in exercise.functions if function.wrt}
    for function in exercise.functions if moved else ():
        on = [case for case in cases if _is_checked_on(exercise, function, case)]
        if (
            on
            and moved <= function.visible_arrays(on[0]).keys()
            and len(function.returns) == 1
            and all(_returns_J(exercise, function, case) for case in on)
        ):
            return function.name
    return ""


def _returns_J(exercise: Exercise, function: Function, case: Case) -> bool:
    [result] = exercise.reference(function.name, case)
    return result.size == 1 and is_right(result, np.array(exercise.objective(case.arrays, case.names)))


def public_cases(exercise: Exercise) -> list[Case]:
    """Return the diagnostic cases and those of the visible checks, each once, from small to large.

    Feedback shows the first that fails.
    """
    visible = (case for check in exercise.visible_checks for case in check.cases)
    cases = {case.id: case for case in (*exercise.diagnostic_cases, *visible)}
    return sorted(cases.values(), key=lambda case: sum(array.size for array in case.arrays.values()))


def _on_one_line(text: str) -> str:
    return re.sub(r"(?<=[{[]) | (?=[]}])", "", re.sub(r"\s+", " ", text))


def _case_entry(exercise: Exercise, case: Case) -> dict[str, Any]:
    functions = [function for function in exercise.functions if _is_checked_on(exercise, function, case)]
    case = _round_case(case)
    return {
        "id": case.id,
        "about": case.description or case.id,
        "traits": dict(case.parameters) or {"case": case.id},
        "names": dict(case.names),
        "arrays": {name: array.tolist() for name, array in case.arrays.items()},
        "functions": {function.name: _expected_entry(exercise, function, case) for function in functions},
    }


def _confirmation_entry(exercise: Exercise, case: Case) -> dict[str, Any]:
    """Return the numbers of a confirmation: all else is that of the case which it confirms."""
    entry = _case_entry(exercise, case)
    return {"arrays": entry["arrays"], "functions": entry["functions"]}


def _is_checked_on(exercise: Exercise, function: Function, case: Case) -> bool:
    """Return whether students can run a function on a case: every diagnostic case is for all functions."""
    checks = (check for check in exercise.visible_checks if check.function == function.name)
    diagnostic = (*exercise.diagnostic_cases, *(other for cases in exercise.confirmation_cases for other in cases))
    return any(case is other for other in (*diagnostic, *(other for check in checks for other in check.cases)))


def _expected_entry(exercise: Exercise, function: Function, case: Case) -> dict[str, Any]:
    """Return the expected results of a function on a diagnostic case, and the sums that they can be written as."""
    expected = exercise.reference(function.name, case)
    return {
        "expected": [_round_significant(array).tolist() for array in expected],
        "is_slope": is_gradient(exercise, function, case, expected),
        "sums": [
            {"of": total.of, "parts": {name: _round_significant(part).tolist() for name, part in total.parts.items()}}
            for total in exercise.decompose(function.name, case)
        ],
    }


def _round_case(case: Case) -> Case:
    is_whole = {path for path, word in case.names.items() if word in ("array int64", "array bool")}
    arrays = {name: array if name in is_whole else _round_significant(array) for name, array in case.arrays.items()}
    return replace(case, arrays=arrays)


def _round_significant(array: Array) -> Array:
    """Round all entries to the tenth significant digit of the largest one, so that rounding noise becomes 0.

    Whole numbers stay as they are.
    """
    if array.dtype.kind in "iu":
        return array
    largest = float(np.max(np.abs(array), initial=0.0))
    digits = SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(largest)) if largest else 0
    rounded: Array = np.round(array, digits) + 0.0  # + 0.0: no negative zeros
    return rounded
