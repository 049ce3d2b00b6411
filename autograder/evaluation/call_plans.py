"""What each function of a submission is called with, drawn from a seed, and what is expected of it there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from autograder.evaluation.evaluate import CallResult
from autograder.evaluation.numerical_gradient import numerical_gradient
from autograder.exercise.model import Array, Case, Check, Exercise, Function
from autograder.sandbox.host.program import Batch, Call, Outcome, RecheckResult, RepeatCall

PUBLIC_SEED = 0


@dataclass(frozen=True)
class PlannedCase:
    """A case for one function, and the results that are expected there."""

    exercise: Exercise
    function: Function
    case: Case
    expected: tuple[Array, ...]

    @cached_property
    def _numerical_gradient(self) -> Array:
        exercise, case = self.exercise, self.case
        assert self.function.wrt is not None
        return numerical_gradient(
            exercise.objective, case.arrays, case.names, self.function.wrt, exercise.objective_batch
        )

    def numerical_gradient(self) -> Array:
        """Return the numerical gradient of J, computed when it is first asked for."""
        return self._numerical_gradient

    def result(self, outcome: Outcome) -> CallResult:
        """Put an outcome beside what was expected."""
        return CallResult(self.case, outcome, self.expected, self.numerical_gradient)


@dataclass(frozen=True, eq=False)
class CallPlan:
    """The calls of one function: the cases of its checks in order, then four calls that look for side effects.

    `recheck` looks at the first result once more, `repeat_same_args` calls again with the very same arguments, and
    `repeat_fresh_args` with fresh ones. `shuffled`, for no points, is the first case with the results of other
    functions upside down: handed in, and not what the function would compute itself.
    """

    function: Function
    cases: Mapping[str, PlannedCase]
    shuffled: PlannedCase

    @cached_property
    def batch(self) -> Batch:
        """The calls as the sandbox takes them."""
        first, *others = [make_call(self.function, test.case) for test in self.cases.values()]
        extra = (RecheckResult(0), RepeatCall(0), first, make_call(self.function, self.shuffled.case))
        return Batch(self.function.name, (replace(first, detect_mutation=True), *others, *extra))

    @property
    def first_case_is_public(self) -> bool:
        """Whether the first case is the same for everybody."""
        check, *_ = self.first.exercise.checks_of(self.function.name)
        return not check.hidden

    @property
    def first(self) -> PlannedCase:
        """The case of the first call."""
        return next(iter(self.cases.values()))

    def results(self, outcomes: Sequence[Outcome]) -> Mapping[str, CallResult]:
        """Put the outcomes of all calls beside what was expected: by case id, and by name for the calls that follow."""
        extra = dict.fromkeys(("recheck", "repeat_same_args", "repeat_fresh_args"), self.first)
        tests = {**self.cases, **extra, "shuffled": self.shuffled}
        return {name: test.result(outcome) for (name, test), outcome in zip(tests.items(), outcomes, strict=True)}


def make_call(function: Function, case: Case) -> Call:
    """Return the call of a function on a case, with those of its arrays that the function may see, unwatched."""
    arrays = {name: case.arrays[name] for name in function.arrays if name in case.arrays}
    return Call(arrays, case.names, detect_mutation=False)


def case_rng(check: Check, case_id: str, seed: int) -> np.random.Generator:
    """Return the generator that a case is drawn from.

    It is seeded by the seed and the case's own id alone, so that dropping one case changes no other.
    """
    digest = hashlib.sha256(case_id.encode()).digest()
    start = seed if check.hidden else PUBLIC_SEED
    return np.random.default_rng([start, int.from_bytes(digest[:8], "big")])


def draw_case(exercise: Exercise, check: Check, case_id: str, seed: int) -> Case:
    """Draw one case of a check."""
    return exercise.draw(case_id, case_rng(check, case_id, seed))


def plan_calls(exercise: Exercise, seed: int) -> tuple[CallPlan, ...]:
    """Return what the checks call each function with for this seed, and what is expected."""
    generators = {
        function.name: {
            id: case_rng(check, id, seed) for check in exercise.checks_of(function.name) for id in check.cases
        }
        for function in exercise.functions
    }
    drawn = iter(_draw_with_results(exercise, generators))
    plans = []
    for function in exercise.functions:
        cases = {id: PlannedCase(exercise, function, *next(drawn)) for id in generators[function.name]}
        plans.append(CallPlan(function, cases, _shuffled(exercise, function, next(iter(cases.values())).case)))
    return tuple(plans)


def _shuffled(exercise: Exercise, function: Function, case: Case) -> PlannedCase:
    """Return a case in which the results of other functions stand upside down, and what is expected there."""
    results = {name for other in exercise.functions if other != function for name in other.returns}
    handed_in = results & set(function.arrays) & case.arrays.keys()
    shuffled = replace(case, arrays={**case.arrays, **{name: case.arrays[name][::-1] for name in handed_in}})
    return PlannedCase(exercise, function, shuffled, exercise.reference(function.name, shuffled))


def _draw_with_results(
    exercise: Exercise, generators: Mapping[str, Mapping[str, np.random.Generator]]
) -> Sequence[tuple[Case, tuple[Array, ...]]]:
    """Draw the cases, function by function, each with the expected results; all at once where the exercise can."""
    if exercise.draw_batch is not None:
        return exercise.draw_batch([item for cases in generators.values() for item in cases.items()])
    cases = [(function, exercise.draw(id, rng)) for function, by_id in generators.items() for id, rng in by_id.items()]
    return [(case, exercise.reference(function, case)) for function, case in cases]
