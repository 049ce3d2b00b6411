"""Check whether gradients are consistent with a wrong forward pass: are they those of J through it?

Every function is graded by itself, so no points depend on this. It separates a gradient that is wrong by itself from
one that is right for a wrong forward pass. Student code cannot take complex steps, so the slopes of J are central
differences of calls in the sandbox: one slope for each array of weights, in a direction that moves every entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autograder.course import Limits
from autograder.evaluation.evaluate import FunctionVerdict
from autograder.evaluation.planned_cases import CallResult, make_call
from autograder.exercise.model import Array, Arrays, Case, Exercise, Function
from autograder.exercise.numerical_gradient import is_gradient
from autograder.feedback import messages
from autograder.feedback.diagnostic_cases import ResultsByCase, comparable_arrays, has_wrong_numbers
from autograder.sandbox.host.jail import Runner
from autograder.sandbox.host.program import Batch, Outcome, Program
from autograder.student import rules
from autograder.student.slope import STEP

MAX_WEIGHTS = 12  # of a case: in a larger one, errors of some entries are a smaller part of the slope
TOLERANCE = 1e-5
"""Of the largest entry of a gradient: right ones are within 1e-7, in float32 too, and one wrong entry may be small."""


@dataclass(frozen=True)
class ForwardConsistency:
    """Whether each gradient with comparable numbers is that of J through the student's forward pass.

    `forward` is the name of the forward pass, empty if nothing was checked.
    """

    forward: str = ""
    consistent: Mapping[str, bool] = field(default_factory=dict)

    def facts(self, function: Function) -> tuple[tuple[str, str], ...]:
        """Return the facts, (label, text), that feedback on a wrong gradient adds."""
        consistent = self.consistent.get(function.name)
        if consistent is None:
            return ()
        return ((f"your own {self.forward}", messages.gradient_consistency(self.forward, consistent)),)


@dataclass(frozen=True)
class Perturbation:
    """A case with the array `name` moved by `step` times a direction."""

    name: str
    step: float
    case: Case


@dataclass(frozen=True)
class FiniteDifferenceBatch:
    """A case with each array of weights moved up and down, the calls for that, and the expected results of the case."""

    perturbations: tuple[Perturbation, ...]
    batch: Batch
    expected: tuple[Array, ...]


class ConsistencyChecker:
    """Checks gradients against a wrong forward pass. Holds the calls, which all submissions share."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._forward = next((function for function in exercise.functions if function.wrt is None), None)
        self._gradients = [function for function in exercise.functions if function.wrt is not None]
        self._differences: dict[str, FiniteDifferenceBatch] = {}
        self._gradients_of_J: dict[str, bool] = {}

    def check(
        self, results: Mapping[str, ResultsByCase], runner: Runner, program: Program, limits: Limits
    ) -> ForwardConsistency:
        """Check the gradients against the student's own forward pass if that is wrong.

        `results` are those of functions with wrong numbers, on the diagnostic cases.
        """
        forward = self._forward
        if forward is None or self._exercise.loss_from_outputs is None or forward.name not in results:
            return ForwardConsistency()
        consistent: dict[str, bool] = {}
        for case in self._cases_to_compare(results[forward.name].values()):
            result = results[forward.name][case.id]
            values = comparable_arrays(result.outcome, result.expected)
            found = self._compare(forward, case, values, runner, program, limits)
            consistent |= {name: fits and consistent.get(name, True) for name, fits in found.items()}
            # One case shows that a gradient is not that of J; that it is must hold for every pair of functions.
            if not any(consistent.values()):
                break
        return ForwardConsistency(forward.name, consistent) if consistent else ForwardConsistency()

    def _compare(
        self, forward: Function, case: Case, values: tuple[Array, ...], runner: Runner, program: Program, limits: Limits
    ) -> dict[str, bool]:
        """Return for each gradient with comparable numbers whether it is that of J through the student's forward.

        `values` are the results of the student's forward on this case.
        """
        # The gradients get the results of the student's own forward pass, and J is differentiated through it.
        own_case = replace(case, arrays={**case.arrays, **dict(zip(forward.returns, values, strict=True))})
        differences = self._differences_of(forward, case)
        batches = [Batch(gradient.name, (make_call(gradient, own_case),)) for gradient in self._gradients]
        outcomes = runner.run(program, [differences.batch, *batches], limits).outcomes
        slopes = _slopes_of_J(self._exercise, forward, differences, outcomes[forward.name])
        # If moving the weights makes the forward pass fail, there is no slope to compare with.
        if slopes is None:
            return {}
        consistent = {}
        for gradient in self._gradients:
            name = gradient.wrt or ""
            if arrays := comparable_arrays(outcomes[gradient.name][0], (case.arrays[name],)):
                consistent[gradient.name] = _has_slope(arrays[0], slopes[name])
        return consistent

    def notes(self, found: ForwardConsistency, verdicts: Sequence[FunctionVerdict]) -> Iterator[str]:
        """Yield sentences about gradients that passed all their checks although the forward pass is wrong."""
        if not found.forward:
            return
        right = [
            function.name
            for function, verdict in zip(self._exercise.functions, verdicts, strict=True)
            if function.wrt is not None and all(check.finding.status == "pass" for check in verdict.checks)
        ]
        if len(right) == len(self._gradients):
            yield messages.only_forward_wrong(found.forward)
        if checked := {name: found.consistent[name] for name in right if name in found.consistent}:
            yield messages.consistent_gradients(found.forward, checked)

    def _cases_to_compare(self, results: Iterable[CallResult]) -> list[Case]:
        """Return the largest case for each pair of functions on which the forward pass is wrong, the largest first.

        Without cases of more than MAX_WEIGHTS weights, and those whose derivatives are not those of their functions.
        """
        weights = _weights(self._gradients)
        wrong = [result.case for result in results if has_wrong_numbers(result)]
        small = [case for case in wrong if sum(case.arrays[name].size for name in weights) <= MAX_WEIGHTS]
        largest_by_pair: dict[tuple[str, ...], Case] = {}
        for case in sorted(small, key=lambda case: sum(map(np.size, case.arrays.values())), reverse=True):
            if self._has_gradients_of_J(case):
                largest_by_pair.setdefault(tuple(case.names.values()), case)
        return list(largest_by_pair.values())

    def _has_gradients_of_J(self, case: Case) -> bool:
        if case.id not in self._gradients_of_J:
            references = [(gradient, self._exercise.reference(gradient.name, case)) for gradient in self._gradients]
            fits = (is_gradient(self._exercise, gradient, case, expected) for gradient, expected in references)
            self._gradients_of_J[case.id] = all(fits)
        return self._gradients_of_J[case.id]

    def _differences_of(self, forward: Function, case: Case) -> FiniteDifferenceBatch:
        if case.id not in self._differences:
            moved = tuple(moved for name in _weights(self._gradients) for moved in _perturbations(case, name))
            batch = Batch(forward.name, tuple(make_call(forward, perturbation.case) for perturbation in moved))
            expected = self._exercise.reference(forward.name, case)
            self._differences[case.id] = FiniteDifferenceBatch(moved, batch, expected)
        return self._differences[case.id]


def _weights(gradients: Sequence[Function]) -> list[str]:
    return list(dict.fromkeys(gradient.wrt for gradient in gradients if gradient.wrt))


def _perturbations(case: Case, name: str) -> Iterator[Perturbation]:
    weights = case.arrays[name]
    for step in (STEP, -STEP):
        moved = weights + step * _direction(weights.shape)
        yield Perturbation(name, step, replace(case, arrays={**case.arrays, name: moved}))


def _direction(shape: tuple[int, ...]) -> Array:
    """Return an array whose entries are from 1 to 2, no two of them equal, with alternating signs."""
    entries = np.arange(np.prod(shape, dtype=int))
    return ((1 + entries / max(1, entries.size)) * (-1.0) ** entries).reshape(shape)


def _has_slope(gradient: Array, slope: float) -> bool:
    """Return whether a gradient has this slope in the direction."""
    with np.errstate(all="ignore"):
        difference = abs(float((gradient * _direction(gradient.shape)).sum()) - slope)
    return difference <= TOLERANCE * max(float(np.abs(gradient).max(initial=0.0)), rules.SMALLEST)


def _slopes_of_J(
    exercise: Exercise, forward: Function, differences: FiniteDifferenceBatch, outcomes: Sequence[Outcome]
) -> dict[str, float] | None:
    """Return (J(a + step d) - J(a - step d)) / (2 step) for each array a and its direction d.

    None if a call returned no numbers.
    """
    assert exercise.loss_from_outputs is not None
    slopes = {moved.name: 0.0 for moved in differences.perturbations}
    for moved, outcome in zip(differences.perturbations, outcomes, strict=True):
        values = comparable_arrays(outcome, differences.expected)
        if not values:
            return None
        arrays: Arrays = {**moved.case.arrays, **dict(zip(forward.returns, values, strict=True))}
        with np.errstate(all="ignore"):
            loss = exercise.loss_from_outputs(arrays, moved.case.names)
            # `step` has a sign, so the sum of both terms is their difference.
            slopes[moved.name] += float(loss) / (2 * moved.step)
    return slopes if all(map(np.isfinite, slopes.values())) else None
