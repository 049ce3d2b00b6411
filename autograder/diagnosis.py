"""Naming a mistake: the known one whose numbers a submission returns on the ladder, or none at all.

Everybody is looked at on the same ladder of public cases, so what a mistake gives there is computed once, when it is
first asked for: naming costs a class next to nothing. A mistake is named when the submission's numbers are its numbers
wherever there are any, and when two cases at least tell it apart from a right answer. Nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from autograder.compare import COARSE, EXACT, compare
from autograder.exercise import Array, Case, Exercise, Mistake
from autograder.judging import Trial
from autograder.sandbox.program import Returned

Arrays = tuple[Array, ...]

NEEDED = 2
"""On so many cases a mistake must differ from a right answer: on a single one, different mistakes may look alike."""

APART = 1000 * EXACT
CLEARLY_APART = 10 * COARSE
"""So far a mistake must stand from a right answer: for numbers in full precision, and for those in low precision."""


class Catalogue:
    """The known mistakes of an exercise, with what each gives on the ladder as far as that was asked for."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._known: dict[tuple[str, str, str], Arrays | None] = {}
        self._off: dict[tuple[str, str, str], float] = {}

    def named(self, function: str, trials: Mapping[str, Trial]) -> Mistake | None:
        """The mistake that the trials of one function on cases of the ladder, by their ids, show; None when unsure."""
        there = [(trial, arrays) for trial in trials.values() if (arrays := _numbers(trial)) is not None]
        there.sort(key=lambda one: distance(one[1], one[0].expected) <= COARSE)  # wrong ones rule most mistakes out

        @cache
        def off(mistake: Mistake, at: int) -> float:
            trial, arrays = there[at]
            return distance(arrays, self.gives(mistake, trial.case))

        for tolerance, apart in ((EXACT, APART), (COARSE, CLEARLY_APART)):
            left = [mistake for mistake in self._exercise.mistakes if mistake.function == function]
            for at in range(len(there)):
                left = [one for one in left if off(one, at) <= tolerance]
            left = [one for one in left if self._told_apart(one, (trial for trial, _ in there), apart) >= NEEDED]
            if len(left) == 1:
                return left[0]
        return None

    def gives(self, mistake: Mistake, case: Case) -> Arrays | None:
        """What somebody who makes this mistake returns on a case of the ladder; None where that is no result."""
        key = (mistake.function, mistake.name, case.id)
        if key not in self._known:
            self._known[key] = self._compute(mistake, case)
        return self._known[key]

    def _compute(self, mistake: Mistake, case: Case) -> Arrays | None:
        try:
            with np.errstate(all="ignore"):
                return self._exercise.mistaken(mistake, case)
        except Exception:  # noqa: BLE001 - an entry that fails on a case must not cost a student the verdict
            return None

    def _told_apart(self, mistake: Mistake, trials: Iterable[Trial], apart: float) -> int:
        return sum(self._off_from_right(mistake, trial) > apart for trial in trials)

    def _off_from_right(self, mistake: Mistake, trial: Trial) -> float:
        key = (mistake.function, mistake.name, trial.case.id)
        if key not in self._off:
            self._off[key] = distance(self.gives(mistake, trial.case), trial.expected)
        return self._off[key]


def distance(arrays: Arrays | None, expected: Arrays | None) -> float:
    """The largest relative error among several arrays; infinite where they cannot be compared."""
    if arrays is None or expected is None or [a.shape for a in arrays] != [b.shape for b in expected]:
        return float("inf")
    if not all(np.isfinite(array).all() for array in (*arrays, *expected)):
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(arrays, expected, strict=True))
        return 0.0 if same else float("inf")
    return max(compare(a, b).error for a, b in zip(arrays, expected, strict=True))


def _numbers(trial: Trial) -> Arrays | None:
    """The arrays of a trial if they are as many as wanted, in the right shapes; they may hold anything."""
    if not isinstance(trial.outcome, Returned):
        return None
    arrays = tuple(value.array for value in trial.outcome.values)
    return arrays if [a.shape for a in arrays] == [b.shape for b in trial.expected] else None
