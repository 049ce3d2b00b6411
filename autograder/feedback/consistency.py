"""A wrong forward pass beside gradients: is each gradient that of J through the student's own forward pass?

Every function is graded by itself, so this is for no points. It tells a gradient that is wrong by itself from one that
follows a wrong forward pass faithfully. The numerical gradients come from central differences, run in the sandbox like
all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograder.course import Limits
from autograder.evaluation.call_plans import make_call
from autograder.evaluation.comparison import compare
from autograder.evaluation.evaluate import CallResult, FunctionVerdict
from autograder.exercise.model import Array, Arrays, Case, Exercise, Function
from autograder.feedback import messages
from autograder.feedback.diagnostic_cases import ResultsByCase, comparable_arrays, has_wrong_numbers
from autograder.sandbox.host.jail import Runner
from autograder.sandbox.host.program import Batch, Outcome, Program
from autograder.student.calls import STEP

MAX_WEIGHTS = 12  # that are moved, so that it stays a matter of a few dozen calls


@dataclass(frozen=True)
class ForwardConsistency:
    """For each gradient that could be tried, whether it is that of J through the student's forward pass.

    `forward` is the name of that function, empty where nothing was tried.
    """

    forward: str = ""
    consistent: Mapping[str, bool] | None = None

    def facts(self, function: Function) -> tuple[tuple[str, str], ...]:
        """Return what feedback says of a gradient that is wrong: labels and texts."""
        consistent = (self.consistent or {}).get(function.name)
        if consistent is None:
            return ()
        return ((f"your own {self.forward}", messages.gradient_consistency(self.forward, consistent)),)


@dataclass(frozen=True)
class Perturbation:
    """A case in which one weight was moved: entry `index` of the array `name`, by `step`."""

    name: str
    index: tuple[int, ...]
    step: float
    case: Case


@dataclass(frozen=True)
class FiniteDifferenceBatch:
    """A case with each weight in turn moved up and down, the calls for these, and the unmoved results expected."""

    perturbations: tuple[Perturbation, ...]
    batch: Batch
    expected: tuple[Array, ...]


class ConsistencyChecker:
    """Checks the gradients of an exercise beside a wrong forward pass. Keeps what is the same for all submissions."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._forward = next((function for function in exercise.functions if function.wrt is None), None)
        self._gradients = [function for function in exercise.functions if function.wrt is not None]
        self._differences: dict[str, FiniteDifferenceBatch] = {}

    def check(
        self, results: Mapping[str, ResultsByCase], runner: Runner, program: Program, limits: Limits
    ) -> ForwardConsistency:
        """Try the gradients on the student's own forward pass where that is wrong; else do nothing.

        `results` are those of functions with wrong numbers, on the diagnostic cases.
        """
        forward = self._forward
        if forward is None or self._exercise.loss_from_outputs is None or forward.name not in results:
            return ForwardConsistency()
        case = _largest_wrong_case(results[forward.name].values(), self._gradients)
        if case is None:
            return ForwardConsistency()
        # The gradients get what the student's own forward pass gave, and J is differentiated through it.
        own_results = dict(zip(forward.returns, comparable_arrays(results[forward.name][case.id]), strict=True))
        own = replace(case, arrays={**case.arrays, **own_results})
        differences = self._differences_of(forward, case)
        batches = [
            differences.batch,
            *(Batch(gradient.name, (make_call(gradient, own),)) for gradient in self._gradients),
        ]
        outcomes = runner.run(program, batches, limits).outcomes
        numerical = _central_differences(self._exercise, forward, differences, outcomes[forward.name])
        if numerical is None:
            return ForwardConsistency()
        consistent = {}
        for gradient in self._gradients:
            expected = numerical[gradient.wrt or ""]
            values = comparable_arrays(CallResult(own, outcomes[gradient.name][0], (expected,)))
            if values:
                consistent[gradient.name] = compare(values[0], expected).verdict != "wrong"
        return ForwardConsistency(forward.name, consistent)

    def notes(self, found: ForwardConsistency, verdicts: Sequence[FunctionVerdict]) -> Iterator[str]:
        """Yield what there is to say of gradients that are right beside a wrong forward pass."""
        if found.consistent is None:
            return
        by_name = dict(zip((function.name for function in self._exercise.functions), verdicts, strict=True))
        gradients = [function.name for function in self._gradients]
        right = [name for name in gradients if all(check.finding.status == "pass" for check in by_name[name].checks)]
        if len(right) == len(gradients):
            yield messages.only_forward_wrong(found.forward)
        tried = {name: found.consistent[name] for name in right if name in found.consistent}
        if tried:
            yield messages.consistent_gradients(found.forward, tried)

    def _differences_of(self, forward: Function, case: Case) -> FiniteDifferenceBatch:
        if case.id not in self._differences:
            moved = tuple(item for name in _weights(self._gradients) for item in _perturbations(case, name))
            batch = Batch(forward.name, tuple(make_call(forward, item.case) for item in moved))
            expected = self._exercise.reference(forward.name, case)
            self._differences[case.id] = FiniteDifferenceBatch(moved, batch, expected)
        return self._differences[case.id]


def _largest_wrong_case(results: Iterable[CallResult], gradients: Sequence[Function]) -> Case | None:
    """Return the largest case with few weights on which the forward pass gave wrong numbers in the right shapes."""
    wrong = [
        result.case
        for result in results
        if sum(result.case.arrays[name].size for name in _weights(gradients)) <= MAX_WEIGHTS
        and has_wrong_numbers(result)
    ]
    return max(wrong, key=lambda case: sum(array.size for array in case.arrays.values()), default=None)


def _weights(gradients: Sequence[Function]) -> list[str]:
    return list(dict.fromkeys(gradient.wrt for gradient in gradients if gradient.wrt))


def _perturbations(case: Case, name: str) -> Iterator[Perturbation]:
    for index in np.ndindex(case.arrays[name].shape):
        for step in (STEP, -STEP):
            array = case.arrays[name].copy()
            array[index] += step
            yield Perturbation(name, index, step, replace(case, arrays={**case.arrays, name: array}))


def _central_differences(
    exercise: Exercise, forward: Function, differences: FiniteDifferenceBatch, outcomes: Sequence[Outcome]
) -> dict[str, Array] | None:
    """Return (J(a + step) - J(a - step)) / (2 step) for each moved array; None where a call gave no numbers."""
    assert exercise.loss_from_outputs is not None
    gradients = {moved.name: np.zeros(moved.case.arrays[moved.name].shape) for moved in differences.perturbations}
    for moved, outcome in zip(differences.perturbations, outcomes, strict=True):
        values = comparable_arrays(CallResult(moved.case, outcome, differences.expected))
        if not values:
            return None
        arrays: Arrays = {**moved.case.arrays, **dict(zip(forward.returns, values, strict=True))}
        with np.errstate(all="ignore"):
            # `step` has a sign, so adding both terms makes their difference.
            gradients[moved.name][moved.index] += exercise.loss_from_outputs(arrays, moved.case.names) / (
                2 * moved.step
            )
    return gradients if all(np.isfinite(array).all() for array in gradients.values()) else None
