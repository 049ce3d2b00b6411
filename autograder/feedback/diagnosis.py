"""Naming a mistake: the known one whose numbers a submission returns on the diagnostic cases, or none at all.

Everybody's work is run on the same public cases, so what a mistake gives there is computed once, when it is first asked
for: naming costs a class next to nothing. A mistake is named when the submission's numbers are its numbers wherever
there are any, and when at least two cases tell it apart from a right answer. Nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE, SCALE_FLOOR, TOLERANCE, relative_error
from autograder.evaluation.evaluate import CallResult
from autograder.exercise.model import Array, Case, Exercise, Mistake
from autograder.sandbox.host.program import Returned

Arrays = tuple[Array, ...]

MIN_DISTINGUISHING_CASES = 2
"""On so many cases a mistake must differ from a right answer: on a single one, different mistakes may look alike."""

SEPARATION = 1000 * TOLERANCE
SEPARATION_LOW_PRECISION = 10 * LOW_PRECISION_TOLERANCE
"""How far a mistake must be from a right answer, for numbers in full precision and for those in low precision."""


class MistakeCatalogue:
    """The known mistakes of an exercise, with what each gives on the diagnostic cases as far as that was asked for."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._outputs: dict[tuple[str, str, str], Arrays | None] = {}
        self._indexes: dict[tuple[str, str], MistakeIndex] = {}
        self._from_right: dict[tuple[str, str, str], float] = {}

    def identify(self, function: str, results: Mapping[str, CallResult]) -> Mistake | None:
        """Return the mistake that the results of one function on the diagnostic cases show; None when unsure."""
        numbers = [(result, arrays) for result in results.values() if (arrays := _arrays(result)) is not None]
        if not numbers:
            return None
        # The case with the most numbers tells most mistakes apart: an index of it rules out nearly all of them at once.
        numbers.sort(key=_input_size, reverse=True)
        result, arrays = numbers[0]
        candidates = self._index(function, result).candidates(arrays)
        # First as numbers in full precision; then, where that names none, as numbers in low precision.
        for tolerance, separation in ((TOLERANCE, SEPARATION), (LOW_PRECISION_TOLERANCE, SEPARATION_LOW_PRECISION)):
            matching = self._matching(candidates, numbers, tolerance)
            distinct = [mistake for mistake in matching if self._is_distinct(mistake, numbers, separation)]
            if len(distinct) == 1:  # several that give the same numbers are not told apart: none is named
                return distinct[0]
        return None

    def _matching(
        self, mistakes: Sequence[Mistake], numbers: Sequence[tuple[CallResult, Arrays]], tolerance: float
    ) -> Sequence[Mistake]:
        """Return the mistakes that give these numbers in every case."""
        for result, arrays in numbers:
            mistakes = [one for one in mistakes if distance(arrays, self.output_of(one, result.case)) <= tolerance]
        return mistakes

    def _is_distinct(self, mistake: Mistake, numbers: Sequence[tuple[CallResult, Arrays]], separation: float) -> bool:
        """Whether enough of the cases tell the mistake from a right answer."""
        far = sum(self._distance_from_right(mistake, result) > separation for result, _ in numbers)
        return far >= MIN_DISTINGUISHING_CASES

    def _index(self, function: str, result: CallResult) -> MistakeIndex:
        key = (function, result.case.id)
        if key not in self._indexes:
            mistakes = [mistake for mistake in self._exercise.mistakes if mistake.function == function]
            outputs = {mistake: self.output_of(mistake, result.case) for mistake in mistakes}
            self._indexes[key] = MistakeIndex(outputs, result.expected)
        return self._indexes[key]

    def output_of(self, mistake: Mistake, case: Case) -> Arrays | None:
        """Return what somebody who makes this mistake gets on a diagnostic case; None where that is no result."""
        key = (mistake.function, mistake.name, case.id)
        if key not in self._outputs:
            self._outputs[key] = self._compute(mistake, case)
        return self._outputs[key]

    def _compute(self, mistake: Mistake, case: Case) -> Arrays | None:
        try:
            with np.errstate(all="ignore"):
                return self._exercise.run_mistake(mistake, case)
        except Exception:  # noqa: BLE001 - an entry that fails on a case must not cost a student the verdict
            return None

    def _distance_from_right(self, mistake: Mistake, result: CallResult) -> float:
        key = (mistake.function, mistake.name, result.case.id)
        if key not in self._from_right:
            self._from_right[key] = distance(self.output_of(mistake, result.case), result.expected)
        return self._from_right[key]


class MistakeIndex:
    """What each mistake in a function gives on one case, in one array, so that most are ruled out by one operation."""

    def __init__(self, outputs: Mapping[Mistake, Arrays | None], expected: Arrays) -> None:
        comparable = {
            mistake: arrays
            for mistake, arrays in outputs.items()
            if arrays is not None and _is_comparable(arrays, expected)
        }
        self._others = [mistake for mistake in outputs if mistake not in comparable]
        self._indexed = list(comparable)
        self._numbers = np.array([_flat(arrays) for arrays in comparable.values()])
        self._scales = np.array([_flat(map(_scale, arrays)) for arrays in comparable.values()])

    def candidates(self, arrays: Arrays) -> list[Mistake]:
        """Return the mistakes to look at more closely; none of the others is within COARSE of these arrays."""
        if not self._indexed:
            return self._others
        with np.errstate(all="ignore"):
            errors = (np.abs(self._numbers - _flat(arrays)) / self._scales).max(axis=1)
        # `not >` and not `<=`: what cannot be compared, NaN, is looked at more closely.
        near = [
            mistake
            for mistake, error in zip(self._indexed, errors, strict=True)
            if not error > 2 * LOW_PRECISION_TOLERANCE
        ]
        return [*self._others, *near]


def _flat(arrays: Iterable[Array]) -> Array:
    return np.concatenate([array.ravel() for array in arrays])


def _scale(array: Array) -> Array:
    return np.full(array.shape, max(np.abs(array).max(), SCALE_FLOOR))


def _is_comparable(arrays: Arrays, expected: Arrays) -> bool:
    same = [array.shape for array in arrays] == [array.shape for array in expected]
    return same and all(np.isfinite(array).all() for array in arrays)


def distance(arrays: Arrays | None, expected: Arrays | None) -> float:
    """Return the largest relative error among several arrays; infinity where they cannot be compared."""
    if arrays is None or expected is None or len(arrays) != len(expected):
        return float("inf")
    with np.errstate(all="ignore"):
        return max(_error(array, right) for array, right in zip(arrays, expected, strict=True))


def _error(array: Array, expected: Array) -> float:
    """Return the relative error of an array that may have any shape and hold anything."""
    if array.shape != expected.shape:
        return float("inf")
    error = relative_error(array, expected)
    if error < float("inf"):
        return error
    return 0.0 if np.array_equal(array, expected, equal_nan=True) else float("inf")


def _input_size(numbers: tuple[CallResult, Arrays]) -> int:
    return sum(array.size for array in numbers[0].case.arrays.values())


def _arrays(result: CallResult) -> Arrays | None:
    """Return the arrays of a call if they are as many as wanted, in the right shapes; they may hold anything."""
    if not isinstance(result.outcome, Returned):
        return None
    arrays = tuple(value.array for value in result.outcome.values)
    return arrays if [a.shape for a in arrays] == [b.shape for b in result.expected] else None
