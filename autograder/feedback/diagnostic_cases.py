"""Diagnostic cases: functions with wrong numbers are run on small public cases, the same for everybody."""

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
from autograder.student.feedback import Rung, Sum

ResultsByCase = Mapping[str, CallResult]
"""The results of one function on the diagnostic cases, by the ids of the cases."""


@dataclass(frozen=True)
class ExpectedResult:
    """What is expected of one function on one diagnostic case.

    `is_gradient` says whether that is the gradient of J; `sums` are the terms that it is the sum of.
    """

    case: Case
    expected: tuple[Array, ...]
    is_gradient: bool
    sums: tuple[Sum, ...]


class DiagnosticSuite:
    """The diagnostic cases of an exercise. What is expected on them is computed once, when it is first needed."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._expected: dict[str, tuple[ExpectedResult, ...]] = {}
        self._batches: dict[str, Batch] = {}

    def run(
        self, runner: Runner, program: Program, functions: Sequence[Function], limits: Limits
    ) -> Mapping[str, ResultsByCase]:
        """Run each of the functions on every case; nothing where the exercise has none."""
        if not self._exercise.diagnostic_cases or not functions:
            return {}
        outcomes = runner.run(program, [self._batch(function) for function in functions], limits).outcomes
        return {function.name: self._results(function, outcomes[function.name]) for function in functions}

    def case_reports(self, function: Function, results: ResultsByCase) -> tuple[Rung, ...]:
        """Return the results of one function as feedback is made from."""
        return tuple(
            Rung(
                case=expected.case.id,
                about=expected.case.description,
                traits=expected.case.parameters,
                results=tuple(function.returns),
                yours=comparable_arrays(results[expected.case.id]),
                expected=expected.expected,
                is_slope=expected.is_gradient,
                sums=expected.sums,
            )
            for expected in self.expected_results(function)
        )

    def expected_results(self, function: Function) -> tuple[ExpectedResult, ...]:
        """Return what is expected of one function, case by case."""
        if function.name not in self._expected:
            self._expected[function.name] = tuple(
                self._expect(function, case) for case in self._exercise.diagnostic_cases
            )
        return self._expected[function.name]

    def _batch(self, function: Function) -> Batch:
        if function.name not in self._batches:
            calls = tuple(make_call(function, case) for case in self._exercise.diagnostic_cases)
            self._batches[function.name] = Batch(function.name, calls)
        return self._batches[function.name]

    def _expect(self, function: Function, case: Case) -> ExpectedResult:
        exercise = self._exercise
        expected = exercise.reference(function.name, case)
        sums = exercise.decompose(function.name, case)
        return ExpectedResult(case, expected, is_gradient(exercise, function, case, expected), sums)

    def _results(self, function: Function, outcomes: Sequence[Outcome]) -> ResultsByCase:
        return {
            expected.case.id: CallResult(expected.case, outcome, expected.expected)
            for expected, outcome in zip(self.expected_results(function), outcomes, strict=True)
        }


def has_wrong_numbers(result: CallResult) -> bool:
    """Whether a call gave numbers that can be compared, and wrong ones."""
    values = comparable_arrays(result)
    return any(compare(a, b).verdict == "wrong" for a, b in zip(values, result.expected, strict=False))


def comparable_arrays(result: CallResult) -> tuple[Array, ...]:
    """Return the arrays of a call if all are finite and in the right shapes, else none."""
    if not isinstance(result.outcome, Returned):
        return ()
    arrays = tuple(value.array for value in result.outcome.values)
    fine = (
        array.shape == right.shape and bool(np.isfinite(array).all())
        for array, right in zip(arrays, result.expected, strict=True)
    )
    return arrays if all(fine) else ()
