"""The cases of a submission: what each function is called with, told by a seed, and what comes back beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from autograder.exercise import Case, Check, Exercise, Function
from autograder.judging import Trial
from autograder.sandbox.program import Again, Batch, Call, Execution, Recall

PUBLIC_SEED = 0


@dataclass(frozen=True)
class Plan:
    """What one function is called with: the cases of its checks, then the calls that look for memory.

    The first step is the first case of the first check. After all cases, `kept` is the first result looked at once
    more, `again` the same call on the very same arguments, and `later` the same case with fresh ones.
    """

    function: Function
    cases: Mapping[str, Case]

    @property
    def batch(self) -> Batch:
        """The steps: cases in order, then kept, again and later."""
        calls = [Call({a: case.arrays[a] for a in self._arrays(case)}, case.names) for case in self.cases.values()]
        return Batch(self.function.name, (*calls, Recall(0), Again(0), calls[0]))

    def _arrays(self, case: Case) -> tuple[str, ...]:
        return tuple(name for name in self.function.arrays if name in case.arrays)

    def trials(self, execution: Execution, exercise: Exercise) -> Mapping[str, Trial]:
        """What came back for each case, beside what was expected; and under `kept`, `again`, `later` for the first."""
        outcomes = execution.outcomes[self.function.name]
        names = (*self.cases, "kept", "again", "later")
        first = next(iter(self.cases.values()))
        return {
            name: Trial(case := self.cases.get(name, first), outcome, exercise.reference(self.function.name, case))
            for name, outcome in zip(names, outcomes, strict=True)
        }


def draw(exercise: Exercise, check: Check, case_id: str, seed: int) -> Case:
    """The case of a check: told by the seed and its own id alone, so that dropping one changes no other."""
    digest = hashlib.sha256(case_id.encode()).digest()
    start = seed if check.hidden else PUBLIC_SEED
    return exercise.draw(case_id, np.random.default_rng([start, int.from_bytes(digest[:8], "big")]))


def plan(exercise: Exercise, function: Function, seed: int) -> Plan:
    """What the checks of one function call it with for this seed."""
    return Plan(
        function,
        {id: draw(exercise, check, id, seed) for check in exercise.checks_of(function.name) for id in check.cases},
    )
