"""Run functions with wrong numbers on the diagnostic cases: small and public, the same for all students."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.course import Limits
from autograder.evaluation.call_plans import make_call
from autograder.evaluation.comparison import compare
from autograder.evaluation.evaluate import CallResult
from autograder.evaluation.numerical_gradient import is_gradient
from autograder.exercise.model import Array, Case, Exercise, Function
from autograder.sandbox.host.jail import Runner
from autograder.sandbox.host.program import Batch, Outcome, Program, Returned
from autograder.student.feedback import CaseResult, Sum

ResultsByCase = Mapping[str, CallResult]
"""The results of a function on the diagnostic cases, by case id."""


@dataclass(frozen=True)
class ExpectedResult:
    """The result expected of a function on a diagnostic case.

    `is_gradient` says whether it is the gradient of J; `sums` are the sums of terms that it equals.
    """

    case: Case
    arrays: tuple[Array, ...]
    is_gradient: bool
    sums: tuple[Sum, ...]


class DiagnosticSuite:
    """The diagnostic cases of an exercise, and the results expected on them, computed on first use."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._expected: dict[str, tuple[ExpectedResult, ...]] = {}
        self._batches = {
            function.name: Batch(function.name, tuple(make_call(function, case) for case in exercise.diagnostic_cases))
            for function in exercise.functions
        }

    def run(
        self, runner: Runner, program: Program, functions: Sequence[Function], limits: Limits
    ) -> Mapping[str, ResultsByCase]:
        """Return the results of each function on every case; nothing if the exercise has no diagnostic cases."""
        if not self._exercise.diagnostic_cases or not functions:
            return {}
        outcomes = runner.run(program, [self._batches[function.name] for function in functions], limits).outcomes
        return {function.name: self._results(function, outcomes[function.name]) for function in functions}

    def case_reports(self, function: Function, results: ResultsByCase) -> tuple[CaseResult, ...]:
        """Return the results of a function, case by case, in the form that `explain` takes."""
        return tuple(
            CaseResult(
                id=expected.case.id,
                about=expected.case.description,
                traits=expected.case.parameters,
                results=tuple(function.returns),
                yours=comparable_arrays(results[expected.case.id]),
                expected=expected.arrays,
                is_slope=expected.is_gradient,
                sums=expected.sums,
            )
            for expected in self._expected_results(function)
        )

    def _expected_results(self, function: Function) -> tuple[ExpectedResult, ...]:
        if function.name not in self._expected:
            cases = self._exercise.diagnostic_cases
            self._expected[function.name] = tuple(self._expect(function, case) for case in cases)
        return self._expected[function.name]

    def _expect(self, function: Function, case: Case) -> ExpectedResult:
        arrays = self._exercise.reference(function.name, case)
        sums = self._exercise.decompose(function.name, case)
        return ExpectedResult(case, arrays, is_gradient(self._exercise, function, case, arrays), sums)

    def _results(self, function: Function, outcomes: Sequence[Outcome]) -> ResultsByCase:
        return {
            expected.case.id: CallResult(expected.case, outcome, expected.arrays)
            for expected, outcome in zip(self._expected_results(function), outcomes, strict=True)
        }


def has_wrong_numbers(result: CallResult) -> bool:
    """Whether a call returned comparable numbers, and wrong ones."""
    # not strict: without comparable numbers there are no arrays
    pairs = zip(comparable_arrays(result), result.expected, strict=False)
    return any(compare(array, expected).verdict == "wrong" for array, expected in pairs)


def comparable_arrays(result: CallResult) -> tuple[Array, ...]:
    """Return the arrays of a call if all are finite and of the right shapes, else an empty tuple."""
    if not isinstance(result.outcome, Returned):
        return ()
    arrays = tuple(value.array for value in result.outcome.values)
    pairs = zip(arrays, result.expected, strict=True)
    return arrays if all(a.shape == b.shape and np.isfinite(a).all() for a, b in pairs) else ()
