"""The calls that a seed gives: the arguments of every function of a submission, and the results expected of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from autograder.evaluation.evaluate import CallResult
from autograder.exercise.model import Array, Case, Check, Exercise, Function
from autograder.exercise.numerical_gradient import gradient_of_J
from autograder.sandbox.host.program import Batch, Call, Outcome, RecheckResult, RepeatCall

PUBLIC_SEED = 0


@dataclass(frozen=True)
class PlannedCase:
    """A case for one function, and the results that the reference returns on it."""

    exercise: Exercise
    function: Function
    case: Case
    expected: tuple[Array, ...]

    @cached_property
    def numerical_gradient(self) -> Array:
        """The numerical gradient of J with respect to the function's array, computed on first use."""
        return gradient_of_J(self.exercise, self.function, self.case)

    def result(self, outcome: Outcome) -> CallResult:
        """Pair the outcome of the call with what is expected of it."""
        return CallResult(self.case, outcome, self.expected, lambda: self.numerical_gradient)


@dataclass(frozen=True, eq=False)
class CallPlan:
    """The calls of one function: the cases of its checks in order, then four steps that reveal side effects.

    `recheck` reads the first result once more, `repeat_same_args` calls again with the same argument objects, and
    `repeat_fresh_args` with fresh ones. `shuffled`, worth no points, is the first case with the results of the other
    functions in reverse order: a function that recomputes them instead of using its arguments is found out.
    """

    function: Function
    cases: Mapping[str, PlannedCase]
    shuffled: PlannedCase

    @cached_property
    def batch(self) -> Batch:
        """The steps in the form that the sandbox runs; `results` expects their outcomes in this order."""
        first, *others = [make_call(self.function, planned.case) for planned in self.cases.values()]
        # Reading the first result again after all other calls reveals a buffer that is used for every result. Only the
        # first call is watched for changed arguments, because a watched call sends all of them back.
        extra = (RecheckResult(0), RepeatCall(0), first, make_call(self.function, self.shuffled.case))
        return Batch(self.function.name, (replace(first, detect_mutation=True), *others, *extra))

    @property
    def first_case_is_public(self) -> bool:
        """Whether the first case is the same for all students."""
        return not self.first.exercise.checks_of(self.function.name)[0].hidden

    @property
    def first(self) -> PlannedCase:
        """The case of the first call."""
        return next(iter(self.cases.values()))

    def results(self, outcomes: Sequence[Outcome]) -> Mapping[str, CallResult]:
        """Pair the outcomes of all steps with what is expected: by case id, and by name for the last four."""
        extra = dict.fromkeys(("recheck", "repeat_same_args", "repeat_fresh_args"), self.first)
        planned = {**self.cases, **extra, "shuffled": self.shuffled}
        return {name: case.result(outcome) for (name, case), outcome in zip(planned.items(), outcomes, strict=True)}


def make_call(function: Function, case: Case) -> Call:
    """Return the call of a function on a case, with the arrays that the function may see, and no watch on them."""
    return Call(function.seen_arrays(case), function.seen_names(case), detect_mutation=False)


def case_rng(check: Check, case_id: str, seed: int) -> np.random.Generator:
    """Return the random generator of a case, seeded from (seed, case id), so that dropping a case changes no other."""
    digest = hashlib.sha256(case_id.encode()).digest()
    # Public cases are the same for all students, whatever the seed.
    start = seed if check.hidden else PUBLIC_SEED
    return np.random.default_rng([start, int.from_bytes(digest[:8], "big")])


def draw_case(exercise: Exercise, check: Check, case_id: str, seed: int) -> Case:
    """Draw one case of a check."""
    return exercise.draw(case_id, case_rng(check, case_id, seed))


def plan_calls(exercise: Exercise, seed: int) -> tuple[CallPlan, ...]:
    """Return the calls of each function for this seed, with the expected results."""
    generators: dict[str, dict[str, np.random.Generator]] = {function.name: {} for function in exercise.functions}
    for check in exercise.checks:
        generators[check.function] |= {id: case_rng(check, id, seed) for id in check.cases}
    drawn = iter(_draw_with_results(exercise, generators))
    plans = []
    for function in exercise.functions:
        cases = {id: PlannedCase(exercise, function, *next(drawn)) for id in generators[function.name]}
        plans.append(CallPlan(function, cases, _shuffled(exercise, function, next(iter(cases.values())).case)))
    return tuple(plans)


def _shuffled(exercise: Exercise, function: Function, case: Case) -> PlannedCase:
    """Return a case with the results of the other functions in reverse order, and what is expected on it."""
    results = {name for other in exercise.functions if other != function for name in other.returns}
    seen = function.seen_arrays(case)
    reversed_arrays = {name: array[::-1] for name, array in seen.items() if name in results and array.ndim}
    shuffled = replace(case, arrays={**case.arrays, **reversed_arrays})
    return PlannedCase(exercise, function, shuffled, exercise.reference(function.name, shuffled))


def _draw_with_results(
    exercise: Exercise, generators: Mapping[str, Mapping[str, np.random.Generator]]
) -> Sequence[tuple[Case, tuple[Array, ...]]]:
    """Draw the cases, function by function, each with its expected results: in one batch if the exercise can."""
    if exercise.draw_batch is not None:
        return exercise.draw_batch([item for cases in generators.values() for item in cases.items()])
    cases = [(function, exercise.draw(id, rng)) for function, by_id in generators.items() for id, rng in by_id.items()]
    return [(case, exercise.reference(function, case)) for function, case in cases]
