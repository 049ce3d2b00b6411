"""Identify the known mistake, or the two of them, whose numbers a submission returns on the diagnostic cases.

A mistake is identified if the submission's numbers are those of the mistake in every case with numbers, if they differ
from a right answer in at least two cases, and if no other mistake fits too. Two mistakes in one function are, if their
numbers together differ as much from those of either, and if no other two fit. Nothing is ever guessed. All students get
the same cases, so the numbers of each mistake are computed once (mistake_numbers.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE, SCALE_FLOOR, TOLERANCE, relative_errors
from autograder.evaluation.planned_cases import CallResult
from autograder.exercise.model import Array, Exercise, Mistake
from autograder.feedback.mistake_numbers import Arrays, MistakeNumbers
from autograder.feedback.pairs import Pair, PairCatalogue
from autograder.sandbox.host.program import Returned

Numbers = Sequence[tuple[CallResult, Arrays]]
"""Calls that returned arrays of the right shapes, and these arrays."""

MIN_DISTINGUISHING_CASES = 2
"""The number of cases in which a mistake must differ from a right answer: in a single one, mistakes may look alike."""

SEPARATION = 1000 * TOLERANCE
SEPARATION_LOW_PRECISION = 10 * LOW_PRECISION_TOLERANCE
"""How far a mistake must be from a right answer, for numbers in full and in low precision."""


class MistakeCatalogue:
    """The known mistakes of an exercise, and their numbers on the diagnostic cases."""

    def __init__(self, exercise: Exercise, pairs: PairCatalogue | None = None) -> None:
        self._exercise = exercise
        self._pairs = pairs or PairCatalogue(exercise)
        self._numbers = MistakeNumbers(exercise)
        self.output_of = self._numbers.output_of
        self._indexes: dict[tuple[str, str], MistakeIndex] = {}

    def identify(
        self,
        function: str,
        results: Mapping[str, CallResult],
        confirmations: Sequence[Mapping[str, CallResult]] = (),
    ) -> tuple[Mistake, ...]:
        """Return the mistake, or the two, that the results of a function on the diagnostic cases show; () if in doubt.

        The numbers must be theirs on the confirmations, too.
        """
        try:
            return self._identify(function, results, confirmations)
        finally:
            self._numbers.save(function)

    def _identify(
        self, function: str, results: Mapping[str, CallResult], confirmations: Sequence[Mapping[str, CallResult]]
    ) -> tuple[Mistake, ...]:
        numbers = [(result, arrays) for result in results.values() if (arrays := _arrays(result)) is not None]
        if not numbers:
            return ()
        others = [(r, arrays) for set_ in confirmations for r in set_.values() if (arrays := _arrays(r)) is not None]
        # The largest case separates most mistakes: an index of it rules out nearly all of them at once.
        numbers.sort(key=lambda pair: sum(array.size for array in pair[0].case.arrays.values()), reverse=True)
        largest, arrays = numbers[0]
        candidates = self._index(function, largest).candidates(arrays)
        # Take the numbers for full precision first. If that identifies no mistake, take them for low precision.
        for tolerance, separation in ((TOLERANCE, SEPARATION), (LOW_PRECISION_TOLERANCE, SEPARATION_LOW_PRECISION)):
            matching = [mistake for mistake in candidates if self._matches(mistake, numbers, tolerance)]
            distinct = [mistake for mistake in matching if self._is_distinct(mistake, numbers, separation)]
            # Several mistakes with the same numbers cannot be told apart: none is identified.
            if len(distinct) == 1:
                return (distinct[0],) if self._matches(distinct[0], others, tolerance) else ()
            if not matching and tolerance == TOLERANCE and (pair := self._identify_pair(function, numbers, others)):
                return pair
        return ()

    def _identify_pair(self, function: str, numbers: Numbers, others: Numbers) -> tuple[Mistake, ...]:
        """Return the only two mistakes that together give these numbers, () if there are none or several."""
        by_case = {result.case.id: arrays for result, arrays in numbers}
        # Hundreds of pairs may be right where this function is. Where it is wrong, nearly all of them differ from it.
        far = distances([arrays for _, arrays in numbers], [result.expected for result, _ in numbers])
        wrong_first = [numbers[i] for i in sorted(range(len(numbers)), key=lambda i: far[i] <= TOLERANCE)]
        found: list[Pair] = []
        for pair in self._pairs.candidates(function, by_case):
            if self._matches(pair.both, [*wrong_first, *others], TOLERANCE):
                found.append(pair)
            if len(found) > 1:
                return ()
        return found[0].parts if found and self._is_distinct_pair(found[0], numbers) else ()

    def _is_distinct_pair(self, pair: Pair, numbers: Numbers) -> bool:
        """Return whether two mistakes together differ in enough cases from a right answer and from each alone."""
        return self._is_distinct(pair.both, numbers, SEPARATION) and all(
            sum(far > SEPARATION for far in self._distances(part, numbers)) >= MIN_DISTINGUISHING_CASES
            for part in pair.parts
        )

    def _matches(self, mistake: Mistake, numbers: Numbers, tolerance: float) -> bool:
        """Return whether the mistake gives these numbers in every case."""
        # Most mistakes differ at once, and need not be run on the other cases.
        parts = (numbers[:1], numbers[1:3], numbers[3:])
        return all(far <= tolerance for part in parts for far in self._distances(mistake, part))

    def _distances(self, mistake: Mistake, numbers: Numbers) -> list[float]:
        return distances([arrays for _, arrays in numbers], [self.output_of(mistake, r.case) for r, _ in numbers])

    def _is_distinct(self, mistake: Mistake, numbers: Numbers, separation: float) -> bool:
        """Return whether the mistake differs from a right answer in enough of the cases."""
        outputs = [self.output_of(mistake, result.case) for result, _ in numbers]
        far = distances(outputs, [result.expected for result, _ in numbers])
        return sum(each > separation for each in far) >= MIN_DISTINGUISHING_CASES

    def _index(self, function: str, result: CallResult) -> MistakeIndex:
        key = (function, result.case.id)
        if key not in self._indexes:
            mistakes = [mistake for mistake in self._exercise.mistakes if mistake.function == function]
            outputs = {mistake: self.output_of(mistake, result.case) for mistake in mistakes}
            self._indexes[key] = MistakeIndex(outputs, result.expected)
        return self._indexes[key]


class MistakeIndex:
    """The numbers of all mistakes on one case, stacked in one array, so that one operation rules most of them out."""

    def __init__(self, outputs: Mapping[Mistake, Arrays | None], expected: Arrays) -> None:
        comparable = {m: arrays for m, arrays in outputs.items() if arrays and _is_comparable(arrays, expected)}
        # Mistakes that cannot be stacked, because of another shape or an infinity, always stay candidates.
        self._others = [mistake for mistake in outputs if mistake not in comparable]
        self._indexed = list(comparable)
        self._numbers = np.array([_flat(arrays) for arrays in comparable.values()])
        self._scales = np.array([_flat(map(_scale, arrays)) for arrays in comparable.values()])

    def candidates(self, arrays: Arrays) -> list[Mistake]:
        """Return the mistakes that may be within LOW_PRECISION_TOLERANCE of these arrays."""
        if not self._indexed:
            return self._others
        with np.errstate(all="ignore"):
            errors = (np.abs(self._numbers - _flat(arrays)) / self._scales).max(axis=1)
        # `not >` instead of `<=` keeps errors that are NaN: those arrays need the exact comparison.
        pairs = zip(self._indexed, errors, strict=True)
        return [*self._others, *(mistake for mistake, error in pairs if not error > 2 * LOW_PRECISION_TOLERANCE)]


def _flat(arrays: Iterable[Array]) -> Array:
    return np.concatenate([array.ravel() for array in arrays])


def _scale(array: Array) -> Array:
    return np.full(array.shape, max(np.abs(array).max(), SCALE_FLOOR))


def _is_comparable(arrays: Arrays, expected: Arrays) -> bool:
    same = [array.shape for array in arrays] == [array.shape for array in expected]
    return same and all(np.isfinite(array).all() for array in arrays)


def distance(arrays: Arrays | None, expected: Arrays | None) -> float:
    """Return the largest relative error among several arrays, infinity if they cannot be compared."""
    [far] = distances([arrays], [expected])
    return far


def distances(results: Sequence[Arrays | None], expected: Sequence[Arrays | None]) -> list[float]:
    """Return the distance of the results of several calls from what is expected of each."""
    far = [float("inf")] * len(results)
    pairs: list[tuple[int, Array, Array]] = []  # with the number of the call
    for number, (arrays, right) in enumerate(zip(results, expected, strict=True)):
        if arrays and right and [a.shape for a in arrays] == [b.shape for b in right]:
            pairs += [(number, a, b) for a, b in zip(arrays, right, strict=True)]
            far[number] = 0.0
    errors = relative_errors([a for _, a, _ in pairs], [b for _, _, b in pairs])
    for error, (number, a, b) in zip(errors, pairs, strict=True):
        # Infinities and NaN have no relative error, but a mistake that gives them is matched by the same ones.
        is_finite = error < float("inf")
        own = error if is_finite else 0.0 if np.array_equal(a, b, equal_nan=True) else float("inf")
        far[number] = max(far[number], own)
    return far


def _arrays(result: CallResult) -> Arrays | None:
    """Return the arrays of a call if they have the right shapes, whatever their values."""
    if not isinstance(result.outcome, Returned):
        return None
    arrays = result.outcome.arrays
    return arrays if [a.shape for a in arrays] == [b.shape for b in result.expected] else None
