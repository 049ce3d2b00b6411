"""The calls that a seed gives: the arguments of every function of a submission, and the results expected of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice

import numpy as np

from autograder.evaluation.planned_cases import CallResult, PlannedCase, PlannedStack
from autograder.evaluation.random_generators import generators
from autograder.exercise.model import Case, Check, Exercise, Function
from autograder.sandbox.host.program import Batch, Outcome, RecheckResult, RepeatCall, Step

PUBLIC_SEED = 0


@dataclass(frozen=True, eq=False)
class CallPlan:
    """The calls of one function: the cases of its checks in order, then four steps that reveal side effects.

    `recheck` reads the first result once more, `repeat_same_args` calls again with the same argument objects, and
    `repeat_fresh_args` with fresh ones. `shuffled`, worth no points, is the first case with the results of the other
    functions in reverse order: a function that recomputes them instead of using its arguments is found out.
    `is_shared` says whether several submissions have this seed.
    """

    function: Function
    cases: Mapping[str, PlannedCase]
    shuffled: PlannedCase
    is_shared: bool = True

    @cached_property
    def batch(self) -> Batch:
        """The steps in the form that the sandbox runs; `results` expects their outcomes in this order."""
        first, *others = self.cases.values()
        # Reading the first result again after all other calls reveals a buffer that is used for every result. Only the
        # first call is watched for changed arguments, because a watched call sends all of them back.
        calls: list[Step] = [first.watched_call, *(planned.call for planned in others)]
        calls += [RecheckResult(0), RepeatCall(0), first.call, self.shuffled.call]
        return Batch(self.function.name, tuple(calls), self.is_shared)

    @property
    def first_case_is_public(self) -> bool:
        """Return whether the first case is the same for all students."""
        return not self.first.stack.exercise.checks_of(self.function.name)[0].hidden

    @property
    def first(self) -> PlannedCase:
        """The case of the first call."""
        return next(iter(self.cases.values()))

    def results(self, outcomes: Sequence[Outcome]) -> Mapping[str, CallResult]:
        """Pair the outcomes of all steps with what is expected: by case id, and by name for the last four."""
        extra = dict.fromkeys(("recheck", "repeat_same_args", "repeat_fresh_args"), self.first)
        planned = {**self.cases, **extra, "shuffled": self.shuffled}
        return {
            name: CallResult(case, outcome) for (name, case), outcome in zip(planned.items(), outcomes, strict=True)
        }


def case_rngs(requests: Sequence[tuple[Check, str, int]]) -> list[np.random.Generator]:
    """Return the random generator of each case, from its check, id and the seed: np.random.default_rng([seed, id]).

    The id is a number of 64 bits. So dropping a case changes no other.
    """
    # Public cases are the same for all students, whatever the seed.
    return generators([(seed if check.hidden else PUBLIC_SEED, _id_number(id)) for check, id, seed in requests])


@lru_cache(1000)  # the ids of an exercise
def _id_number(case_id: str) -> int:
    return int.from_bytes(hashlib.sha256(case_id.encode()).digest()[:8], "big")


def draw_case(exercise: Exercise, check: Check, case_id: str, seed: int) -> Case:
    """Draw one case of a check."""
    [rng] = case_rngs([(check, case_id, seed)])
    return exercise.draw(case_id, rng)


Planned = dict[tuple[str, str], PlannedCase]
"""Planned cases by the names of their functions and their ids."""


class CallPlanner:
    """Plans the calls of an exercise, for several seeds at once: their cases are drawn and solved together.

    What is the same for all seeds is made once: the public cases, among them the first of each function.
    `is_shared` says whether several submissions have the same seed.
    """

    def __init__(self, exercise: Exercise, is_shared: bool = True) -> None:
        self._exercise, self._is_shared = exercise, is_shared

    def plan(self, seeds: Sequence[int]) -> list[tuple[CallPlan, ...]]:
        """Return for each seed the calls of each function, with the expected results."""
        hidden = [check for check in self._exercise.checks if check.hidden]
        drawn = [self._public | cases for cases in self._draw(hidden, seeds)]
        return [tuple(self._plan_of(function, cases) for function in self._exercise.functions) for cases in drawn]

    def _plan_of(self, function: Function, drawn: Planned) -> CallPlan:
        ids = [id for check in self._exercise.checks_of(function.name) for id in check.cases]
        cases = {id: drawn[function.name, id] for id in ids}
        return CallPlan(function, cases, self._shuffled[function.name], self._is_shared)

    @cached_property
    def _public(self) -> Planned:
        [cases] = self._draw([check for check in self._exercise.checks if not check.hidden], [PUBLIC_SEED])
        return cases

    @cached_property
    def _shuffled(self) -> Mapping[str, PlannedCase]:
        """For each function its first case, with the results of the other functions in reverse order."""
        exercise, shuffled = self._exercise, {}
        for function in exercise.functions:
            case = self._public[function.name, exercise.checks_of(function.name)[0].cases[0]].case
            results = {name for other in exercise.functions if other != function for name in other.returns}
            visible = function.visible_arrays(case)
            reversed_arrays = {name: array[::-1] for name, array in visible.items() if name in results and array.ndim}
            case = replace(case, arrays={**case.arrays, **reversed_arrays})
            shuffled[function.name] = _plan_alone(exercise, function, case)
        return shuffled

    def _draw(self, checks: Sequence[Check], seeds: Sequence[int]) -> list[Planned]:
        """Draw the cases of some checks for each seed: by function and case id, each with its expected results."""
        # A case that several checks of a function share is drawn once.
        owners = {(check.function, id): check for check in checks for id in check.cases}
        rngs = iter(case_rngs([(check, id, seed) for (_, id), check in owners.items() for seed in seeds]))
        requests = [(function, id, list(islice(rngs, len(seeds)))) for function, id in owners]
        planned: list[Planned] = [{} for _ in seeds]
        for key, cases in zip(owners, _draw_with_results(self._exercise, requests), strict=True):
            for drawn, case in zip(planned, cases, strict=True):
                drawn[key] = case
        return planned


def plan_calls(exercise: Exercise, seed: int) -> tuple[CallPlan, ...]:
    """Return the calls of each function for one seed, with the expected results."""
    [plans] = CallPlanner(exercise).plan([seed])
    return plans


def _draw_with_results(
    exercise: Exercise, requests: Sequence[tuple[str, str, Sequence[np.random.Generator]]]
) -> Iterator[list[PlannedCase]]:
    """Draw for each (function, case id, generators) a case from each generator: all at once if the exercise can."""
    if exercise.draw_batch is None:
        for name, id, rngs in requests:
            yield [_plan_alone(exercise, exercise.function(name), exercise.draw(id, rng)) for rng in rngs]
        return
    stacks = exercise.draw_batch([(id, rngs) for _, id, rngs in requests])
    for (name, _, _), cases in zip(requests, stacks, strict=True):
        stack = PlannedStack(exercise, exercise.function(name), cases)
        yield [PlannedCase(stack, row, expected) for row, expected in enumerate(cases.expected_by_case())]


def _plan_alone(exercise: Exercise, function: Function, case: Case) -> PlannedCase:
    return PlannedCase.of(exercise, function, case, exercise.reference(function.name, case))
