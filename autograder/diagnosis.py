"""Naming a mistake: the known one whose numbers a submission returns on the ladder, or none at all.

Everybody is looked at on the same ladder of public cases, so what a mistake gives there is computed once, when it is
first asked for: naming costs a class next to nothing. A mistake is named when the submission's numbers are its numbers
wherever there are any, and when two cases at least tell it apart from a right answer. Nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from autograder.compare import COARSE, EXACT, SMALLEST_SCALE
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
        self._pages: dict[tuple[str, str], Page] = {}
        self._off: dict[tuple[str, str, str], float] = {}

    def named(self, function: str, trials: Mapping[str, Trial]) -> Mistake | None:
        """The mistake that the trials of one function on cases of the ladder, by their ids, show; None when unsure."""
        there = [(trial, arrays) for trial in trials.values() if (arrays := _numbers(trial)) is not None]
        if not there:
            return None
        there.sort(key=_numbers_in, reverse=True)
        trial, arrays = there[0]
        near = self._page(function, trial).near(arrays)

        @cache
        def off(mistake: Mistake, at: int) -> float:
            trial, arrays = there[at]
            return distance(arrays, self.gives(mistake, trial.case))

        for tolerance, apart in ((EXACT, APART), (COARSE, CLEARLY_APART)):
            left = near
            for at in range(len(there)):
                left = [one for one in left if off(one, at) <= tolerance]
            left = [one for one in left if self._told_apart(one, (trial for trial, _ in there), apart) >= NEEDED]
            if len(left) == 1:
                return left[0]
        return None

    def _page(self, function: str, trial: Trial) -> Page:
        key = (function, trial.case.id)
        if key not in self._pages:
            mistakes = [mistake for mistake in self._exercise.mistakes if mistake.function == function]
            self._pages[key] = Page({one: self.gives(one, trial.case) for one in mistakes}, trial.expected)
        return self._pages[key]

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


class Page:
    """What each mistake in a function gives on one case, side by side, so that most are ruled out at a glance."""

    def __init__(self, given: Mapping[Mistake, Arrays | None], expected: Arrays) -> None:
        lines = {one: arrays for one, arrays in given.items() if arrays is not None and _comparable(arrays, expected)}
        self._others = [one for one in given if one not in lines]
        self._listed = list(lines)
        self._numbers = np.array([_in_line(arrays) for arrays in lines.values()])
        scales = [[np.full(a.shape, max(np.abs(a).max(), SMALLEST_SCALE)) for a in arrays] for arrays in lines.values()]
        self._scales = np.array([_in_line(one) for one in scales])

    def near(self, arrays: Arrays) -> list[Mistake]:
        """The mistakes to look at more closely; none of the others is within COARSE of these arrays."""
        if not self._listed:
            return self._others
        with np.errstate(all="ignore"):
            off = (np.abs(self._numbers - _in_line(arrays)) / self._scales).max(axis=1)
        return [*self._others, *(one for one, far in zip(self._listed, off, strict=True) if not far > 2 * COARSE)]


def _in_line(arrays: Iterable[Array]) -> Array:
    return np.concatenate([array.ravel() for array in arrays])


def _comparable(arrays: Arrays, expected: Arrays) -> bool:
    same = [array.shape for array in arrays] == [array.shape for array in expected]
    return same and all(np.isfinite(array).all() for array in arrays)


def distance(arrays: Arrays | None, expected: Arrays | None) -> float:
    """The largest relative error among several arrays; infinite where they cannot be compared."""
    if arrays is None or expected is None or len(arrays) != len(expected):
        return float("inf")
    with np.errstate(all="ignore"):
        return max(_error(one, right) for one, right in zip(arrays, expected, strict=True))


def _error(array: Array, expected: Array) -> float:
    """As `compare` has it, and more quickly, for arrays that may hold anything."""
    if array.shape != expected.shape:
        return float("inf")
    error = float(np.abs(array - expected).max()) / max(float(np.abs(expected).max()), SMALLEST_SCALE)
    if error < float("inf"):
        return error
    return 0.0 if np.array_equal(array, expected, equal_nan=True) else float("inf")


def _numbers_in(one: tuple[Trial, Arrays]) -> int:
    """How many numbers its case has: the more, the more mistakes it tells apart."""
    return sum(array.size for array in one[0].case.arrays.values())


def _numbers(trial: Trial) -> Arrays | None:
    """The arrays of a trial if they are as many as wanted, in the right shapes; they may hold anything."""
    if not isinstance(trial.outcome, Returned):
        return None
    arrays = tuple(value.array for value in trial.outcome.values)
    return arrays if [a.shape for a in arrays] == [b.shape for b in trial.expected] else None
