"""The public ladder: functions whose numbers are wrong are tried on small fixed cases, the same for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.cases import call
from autograder.compare import compare
from autograder.exercise import Array, Case, Exercise, Function, Sum
from autograder.golden import is_slope
from autograder.judging import Trial
from autograder.sandbox.jail import Runner
from autograder.sandbox.program import Batch, Limits, Outcome, Program, Returned
from autograder.student.feedback import Rung

Trials = Mapping[str, Trial]
"""What came of one function on the ladder, by the ids of the cases."""


@dataclass(frozen=True)
class Step:
    """What is expected of one function on one case of the ladder; `is_slope` where that is the slope of J."""

    case: Case
    expected: tuple[Array, ...]
    is_slope: bool
    sums: tuple[Sum, ...]


class Ladder:
    """The ladder of an exercise. What is expected on it is computed once, when it is first needed."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._steps: dict[str, tuple[Step, ...]] = {}
        self._batches: dict[str, Batch] = {}

    def climb(
        self, jail: Runner, program: Program, functions: Sequence[Function], limits: Limits
    ) -> Mapping[str, Trials]:
        """Run each of the functions on every case. Nothing without a ladder."""
        if not self._exercise.ladder or not functions:
            return {}
        outcomes = jail.run(program, [self._batch(function) for function in functions], limits).outcomes
        return {function.name: self._trials(function, outcomes[function.name]) for function in functions}

    def rungs(self, function: Function, trials: Trials) -> tuple[Rung, ...]:
        """The trials of one function, as what is told of them is made from."""
        return tuple(
            Rung(
                case=step.case.id,
                about=step.case.about,
                traits=step.case.traits,
                results=tuple(function.returns),
                yours=usable(trials[step.case.id]),
                expected=step.expected,
                is_slope=step.is_slope,
                sums=step.sums,
            )
            for step in self.steps(function)
        )

    def steps(self, function: Function) -> tuple[Step, ...]:
        """What is expected of one function, case by case."""
        if function.name not in self._steps:
            self._steps[function.name] = tuple(self._step(function, case) for case in self._exercise.ladder)
        return self._steps[function.name]

    def _batch(self, function: Function) -> Batch:
        if function.name not in self._batches:
            calls = tuple(call(function, case) for case in self._exercise.ladder)
            self._batches[function.name] = Batch(function.name, calls)
        return self._batches[function.name]

    def _step(self, function: Function, case: Case) -> Step:
        exercise = self._exercise
        expected = exercise.reference(function.name, case)
        return Step(case, expected, is_slope(exercise, function, case, expected), exercise.sums(function.name, case))

    def _trials(self, function: Function, outcomes: Sequence[Outcome]) -> Trials:
        return {
            step.case.id: Trial(step.case, outcome, step.expected)
            for step, outcome in zip(self.steps(function), outcomes, strict=True)
        }


def wrong(trial: Trial) -> bool:
    """Whether a trial gave numbers that can be compared, and wrong ones."""
    values = usable(trial)
    return any(compare(a, b).verdict == "wrong" for a, b in zip(values, trial.expected, strict=False))


def usable(trial: Trial) -> tuple[Array, ...]:
    """The arrays of a trial if all are finite and in the right shapes, else none."""
    if not isinstance(trial.outcome, Returned):
        return ()
    arrays = tuple(value.array for value in trial.outcome.values)
    fine = (
        array.shape == right.shape and bool(np.isfinite(array).all())
        for array, right in zip(arrays, trial.expected, strict=True)
    )
    return arrays if all(fine) else ()
