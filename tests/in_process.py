"""The exercise, and calls of our own right and wrong answers in this process: fast enough for proofs over many seeds.

No student's code is ever called like this: it belongs in the jail.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np

from autograder.course import find_course
from autograder.evaluation.call_plans import draw_case
from autograder.evaluation.comparison import compare
from autograder.evaluation.planned_cases import CallResult, PlannedCase
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Array, Case, Exercise, Function
from autograder.exercise.numerical_gradient import numerical_gradient
from autograder.sandbox.host.program import Returned

Code = Callable[..., Any]
ROOT = Path(__file__).parents[1]
SEEDS_VARIABLE = "AUTOGRADER_PROOF_SEEDS"  # the number of seeds of the long proofs; see tests/README.md


def seeds(default: int) -> range:
    """Return the seeds of a long proof."""
    return range(1, 1 + int(os.environ.get(SEEDS_VARIABLE, default)))


@cache
def exercise() -> Exercise:
    """Return rnn_backprop, loaded once for all tests of a process."""
    return load_exercise(find_course(Path(__file__).parent).exercise_folder("rnn_backprop"))


@cache
def other_exercise() -> Exercise:
    """Return softmax_regression, loaded once: what holds for it as well is no work for one exercise alone."""
    return load_exercise(ROOT / "solutions" / "softmax_regression")


@cache
def exercises() -> tuple[Exercise, ...]:
    """Return every exercise of the repository: those of solutions/, and those that stand among the tests."""
    folders = [path.parent for path in ROOT.glob("solutions/*/*.py") if path.stem == path.parent.name]
    folders += [path.parent for path in ROOT.glob("tests/**/*.py") if path.stem == path.parent.name and is_one(path)]
    loaded = {one.folder: one for one in (exercise(), other_exercise())}
    return tuple(loaded.get(path) or load_exercise(path) for path in sorted(folders))


def is_one(path: Path) -> bool:
    """Return whether a source is that of an exercise."""
    return (path.parent / "rubric.py").is_file() or "\n# %% teacher" in path.read_text(encoding="utf-8")


@cache
def network() -> ModuleType:
    """Return the exercise's network.py as a module."""
    module = ModuleType("network")
    with mock.patch.dict(sys.modules, network=module):
        exec(exercise().support_modules["network.py"], vars(module))
    return module


def load_functions(text: str) -> Mapping[str, Code]:
    """Return the functions that this text defines, by name."""
    module = ModuleType("submission")
    stand_ins = {"checks": mock.Mock(), "learning": mock.Mock()}
    with mock.patch.dict(sys.modules, network=network(), submission=module, **stand_ins):
        exec(text, vars(module))
    return {function.name: getattr(module, function.name) for function in exercise().functions}


def call(code: Code, function: Function, case: Case) -> tuple[Array, ...]:
    """Call a function of a submission on a case; return its results as arrays."""
    arrays = {name: case.arrays[name] for name in function.arrays if name in case.arrays}
    arguments = network().arguments(arrays, case.names)
    with np.errstate(all="ignore"):
        result = code(*(arguments[name] for name in function.arguments))
    return tuple(np.asarray(array) for array in (result if len(function.returns) > 1 else (result,)))


def call_result(function: Function, case: Case, arrays: tuple[Array, ...]) -> CallResult:
    """Return the result of a call that returned these arrays."""
    returned = Returned(
        tuple(np.asarray(array, dtype=np.float64) for array in arrays), tuple(str(array.dtype) for array in arrays)
    )
    expected = exercise().reference(function.name, case)
    return CallResult(PlannedCase.of(exercise(), function, case, expected), returned)


def cases_with_expected(function: Function, seed: int) -> Iterator[tuple[Case, list[tuple[Array, ...]]]]:
    """Yield the cases of a function for a seed, each with everything that its results are compared with."""
    for check in exercise().checks_of(function.name):
        for case_id in check.cases:
            case = draw_case(exercise(), check, case_id, seed)
            expected = [exercise().reference(function.name, case)]
            if check.kind == "slope":
                expected.append((numerical_gradient(exercise().objective, case.arrays, case.names, function.wrt),))
            yield case, expected


def largest_error(arrays: tuple[Array, ...], expected: tuple[Array, ...]) -> float:
    """Return the largest relative error; infinite for another shape or dtype, or for an entry that is not finite."""
    pairs = list(zip(arrays, expected, strict=True))
    if any(a.shape != b.shape or a.dtype.kind != "f" or not np.isfinite(a).all() for a, b in pairs):
        return float("inf")
    return max(compare(a.astype(np.float64), b).error for a, b in pairs)


def points_of(*functions: str) -> str:
    """Return the points of some functions of rnn_backprop, in the words of students' checks."""
    points = sum(check.max_points for name in functions for check in exercise().checks_of(name))
    return f"{points:g} of {exercise().max_score:g} points"
