"""Run functions with wrong numbers on the diagnostic cases: small and public, the same for all students."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.course import Limits
from autograder.evaluation.comparison import compare
from autograder.evaluation.planned_cases import CallResult, PlannedCase, make_call
from autograder.exercise.model import Array, Case, Exercise, Function
from autograder.exercise.numerical_gradient import is_gradient
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

    planned: PlannedCase
    is_gradient: bool
    sums: tuple[Sum, ...]


class DiagnosticSuite:
    """The diagnostic cases of an exercise, and the results expected on them, computed on first use.

    They are there in several sets: those that are shown, and the confirmations, the same cases with other numbers.
    """

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._sets = (exercise.diagnostic_cases, *exercise.confirmation_cases)
        self._expected: dict[str, tuple[tuple[ExpectedResult, ...], ...]] = {}
        self._batches: dict[tuple[str, bool], Batch] = {}

    def run(
        self, runner: Runner, program: Program, functions: Sequence[Function], limits: Limits
    ) -> Mapping[str, ResultsByCase]:
        """Return the results of each function on every case; nothing if the exercise has no diagnostic cases."""
        return {name: sets[0] for name, sets in self._run(runner, program, functions, limits, shown=True).items()}

    def confirm(
        self, runner: Runner, program: Program, functions: Sequence[Function], limits: Limits
    ) -> Mapping[str, tuple[ResultsByCase, ...]]:
        """Return the results of each function on the confirmations, set by set."""
        return self._run(runner, program, functions, limits, shown=False)

    def case_results(
        self, function: Function, results: ResultsByCase, confirmations: Sequence[ResultsByCase]
    ) -> list[tuple[CaseResult, ...]]:
        """Return the results of a function, set by set and case by case, in the form that `explain` takes.

        A set that was not run counts as one in which the function returned nothing, so that nothing is claimed.
        """
        missing: Sequence[ResultsByCase] = [{}] * (len(self._sets) - 1 - len(confirmations))
        return [
            tuple(_case_result(function, expected, results_of_set) for expected in expected_of_set)
            for expected_of_set, results_of_set in zip(
                self._expected_results(function), (results, *confirmations, *missing), strict=True
            )
        ]

    def _run(
        self, runner: Runner, program: Program, functions: Sequence[Function], limits: Limits, *, shown: bool
    ) -> Mapping[str, tuple[ResultsByCase, ...]]:
        if not functions or not any(self._sets[:1] if shown else self._sets[1:]):
            return {}
        batches = [self._batch(function, shown=shown) for function in functions]
        outcomes = runner.run(program, batches, limits).outcomes
        return {function.name: self._results(function, outcomes[function.name], shown) for function in functions}

    def _batch(self, function: Function, *, shown: bool) -> Batch:
        key = function.name, shown
        if key not in self._batches:
            sets = self._sets[:1] if shown else self._sets[1:]
            steps = tuple(make_call(function, case) for cases in sets for case in cases)
            self._batches[key] = Batch(function.name, steps)
        return self._batches[key]

    def _expected_results(self, function: Function) -> tuple[tuple[ExpectedResult, ...], ...]:
        if function.name not in self._expected:
            self._expected[function.name] = tuple(
                tuple(self._expect(function, case) for case in cases) for cases in self._sets
            )
        return self._expected[function.name]

    def _expect(self, function: Function, case: Case) -> ExpectedResult:
        arrays = self._exercise.reference(function.name, case)
        sums = self._exercise.decompose(function.name, case)
        planned = PlannedCase.of(self._exercise, function, case, arrays)
        return ExpectedResult(planned, is_gradient(self._exercise, function, case, arrays), sums)

    def _results(self, function: Function, outcomes: Sequence[Outcome], shown: bool) -> tuple[ResultsByCase, ...]:
        sets, remaining = self._expected_results(function), iter(outcomes)
        return tuple(
            {expected.planned.case.id: CallResult(expected.planned, next(remaining)) for expected in expected_of_set}
            for expected_of_set in (sets[:1] if shown else sets[1:])
        )


def _case_result(function: Function, expected: ExpectedResult, results: ResultsByCase) -> CaseResult:
    planned = expected.planned
    result = results.get(planned.case.id)
    return CaseResult(
        id=planned.case.id,
        about=planned.case.description,
        traits=planned.case.parameters,
        results=tuple(function.returns),
        yours=comparable_arrays(result.outcome, result.expected) if result else (),
        expected=planned.expected,
        is_slope=expected.is_gradient,
        sums=expected.sums,
    )


def has_wrong_numbers(result: CallResult) -> bool:
    """Return whether a call returned comparable numbers, and wrong ones."""
    # not strict: without comparable numbers there are no arrays
    pairs = zip(comparable_arrays(result.outcome, result.expected), result.expected, strict=False)
    return any(compare(array, expected).verdict == "wrong" for array, expected in pairs)


def comparable_arrays(outcome: Outcome, expected: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return the arrays of a call if all are finite and of the right shapes, else an empty tuple."""
    if not isinstance(outcome, Returned):
        return ()
    pairs = zip(outcome.arrays, expected, strict=True)
    return outcome.arrays if all(a.shape == b.shape and np.isfinite(a).all() for a, b in pairs) else ()
