"""The cases of a submission: what each function is called with, told by a seed, and what comes back beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from autograder.exercise import Array, Case, Check, Exercise, Function
from autograder.judging import Judged, Trial
from autograder.sandbox.program import Again, Batch, Call, CellProblem, Outcome, Recall
from autograder.slopes import slope

PUBLIC_SEED = 0


@dataclass(frozen=True)
class Posed:
    """A case for one function, and what it is to give there."""

    exercise: Exercise
    function: Function
    case: Case
    expected: tuple[Array, ...]

    @cached_property
    def _slope(self) -> Array:
        exercise, case = self.exercise, self.case
        assert self.function.slope_of is not None
        return slope(exercise.objective, case.arrays, case.names, self.function.slope_of, exercise.objectives)

    def slope(self) -> Array:
        """The slope of J, measured when it is first asked for."""
        return self._slope


@dataclass(frozen=True, eq=False)
class Plan:
    """What one function is called with: the cases of its checks, then the calls that look for memory.

    The first step is the first case of the first check. After all cases, `kept` is the first result looked at once
    more, `again` the same call on the very same arguments, and `later` the same case with fresh ones. `turned`, for no
    points, is that case with the results of other functions upside down: handed in, and not what they should be.

    `judged` are verdicts on what came back before: a class with one seed for all returns few different numbers.
    """

    function: Function
    cases: Mapping[str, Posed]
    turned: Posed
    judged: dict[tuple[tuple[Outcome, ...], tuple[CellProblem, ...]], Judged] = field(default_factory=dict)

    @cached_property
    def batch(self) -> Batch:
        """The steps: cases in order, then kept, again and later, and turned."""
        first, *others = [call(self.function, posed.case) for posed in self.cases.values()]
        later = (Recall(0), Again(0), first, call(self.function, self.turned.case))
        return Batch(self.function.name, (replace(first, watched=True), *others, *later))

    @property
    def starts_in_public(self) -> bool:
        """Whether the first case is the same for everybody."""
        check, *_ = self.first.exercise.checks_of(self.function.name)
        return not check.hidden

    @property
    def first(self) -> Posed:
        """The case of the first call."""
        return next(iter(self.cases.values()))

    def first_trial(self, outcome: Outcome) -> Trial:
        """What came back for the first call."""
        return Trial(self.first.case, outcome, self.first.expected, self.first.slope)

    def trials(self, outcomes: Sequence[Outcome]) -> Mapping[str, Trial]:
        """What came back for each case, beside what was expected, and for each of the calls that follow."""
        first = self.first
        asked = {**self.cases, "kept": first, "again": first, "later": first, "turned": self.turned}
        return {
            name: Trial(posed.case, outcome, posed.expected, posed.slope)
            for (name, posed), outcome in zip(asked.items(), outcomes, strict=True)
        }


def call(function: Function, case: Case) -> Call:
    """The call of a function on a case, not watched: it sees what its `arrays` say."""
    seen = {name: case.arrays[name] for name in function.arrays if name in case.arrays}
    return Call(seen, case.names, watched=False)


def generator(check: Check, case_id: str, seed: int) -> np.random.Generator:
    """What a case is drawn from: told by the seed and its own id alone, so that dropping one changes no other."""
    digest = hashlib.sha256(case_id.encode()).digest()
    start = seed if check.hidden else PUBLIC_SEED
    return np.random.default_rng([start, int.from_bytes(digest[:8], "big")])


def draw(exercise: Exercise, check: Check, case_id: str, seed: int) -> Case:
    """One case of a check."""
    return exercise.draw(case_id, generator(check, case_id, seed))


def plan(exercise: Exercise, seed: int) -> tuple[Plan, ...]:
    """What the checks call each function with for this seed, and what is expected."""
    asked = {
        function.name: {
            id: generator(check, id, seed) for check in exercise.checks_of(function.name) for id in check.cases
        }
        for function in exercise.functions
    }
    posed = iter(_posed(exercise, asked))
    plans = []
    for function in exercise.functions:
        cases = {id: Posed(exercise, function, *next(posed)) for id in asked[function.name]}
        plans.append(Plan(function, cases, _turned(exercise, function, next(iter(cases.values())).case)))
    return tuple(plans)


def _turned(exercise: Exercise, function: Function, case: Case) -> Posed:
    """A case in which what other functions gave stands upside down, and what is to be made of that."""
    given = {name for other in exercise.functions if other != function for name in other.returns}
    seen = given & set(function.arrays) & case.arrays.keys()
    turned = replace(case, arrays={**case.arrays, **{name: case.arrays[name][::-1] for name in seen}})
    return Posed(exercise, function, turned, exercise.reference(function.name, turned))


def _posed(
    exercise: Exercise, asked: Mapping[str, Mapping[str, np.random.Generator]]
) -> Sequence[tuple[Case, tuple[Array, ...]]]:
    """The cases asked for, function by function, each beside its answer."""
    if exercise.pose is not None:
        return exercise.pose([item for cases in asked.values() for item in cases.items()])
    cases = [(function, exercise.draw(id, rng)) for function, cases in asked.items() for id, rng in cases.items()]
    return [(case, exercise.reference(function, case)) for function, case in cases]
