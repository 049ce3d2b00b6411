"""Every two known mistakes in one function, and their numbers on one diagnostic case: which two may have been made?

The numbers of all pairs are computed once, when a function is wrong in a way that no single mistake explains, and kept
in a folder beside the exercise, by the content of all that they depend on. They only propose pairs, which are then run
on every case, so nothing is ever wrong for a file that is missing, old or damaged.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autograder.evaluation.comparison import SCALE_FLOOR, TOLERANCE
from autograder.exercise.cache_folder import cached_file, keep
from autograder.exercise.model import Array, Case, Exercise, Mistake
from autograder.feedback import composition
from autograder.feedback.composition import Composer


@dataclass(frozen=True)
class Pair:
    """Two known mistakes, and the function with both of them in it."""

    parts: tuple[Mistake, Mistake]
    both: Mistake


@dataclass(frozen=True)
class PairNumbers:
    """The positions (n, 2) of the mistakes of each pair, and the numbers (n, k) that it gives on one case."""

    positions: npt.NDArray[np.int64]
    numbers: Array

    def near(self, numbers: Array) -> list[tuple[int, int]]:
        """Return the pairs that may give these numbers (k,)."""
        scales = np.maximum(np.abs(self.numbers).max(axis=1, initial=0), SCALE_FLOOR)
        with np.errstate(all="ignore"):
            errors = np.abs(self.numbers - numbers).max(axis=1, initial=0)
        return [(int(i), int(j)) for i, j in self.positions[errors <= 10 * TOLERANCE * scales]]


@dataclass
class PairCatalogue:
    """The pairs of known mistakes of an exercise; those of a function are computed, or read, on first use."""

    exercise: Exercise
    _composers: dict[str, Composer] = field(default_factory=dict)
    _numbers: dict[str, PairNumbers] = field(default_factory=dict)

    def candidates(self, function: str, numbers: Mapping[str, Sequence[Array]]) -> Iterator[Pair]:
        """Yield the pairs that may have given these arrays, by the id of the case: those that do on one case."""
        composer = self._composer(function)
        if len(composer.mistakes) < 2:
            return
        case = self._index_case(function)
        if case.id not in numbers:
            return
        if function not in self._numbers:
            self._numbers[function] = self._load_or_compute(function, case)
        for first, second in self._numbers[function].near(_flat(numbers[case.id])):
            both = composer.compose(first, second)
            assert both is not None
            yield Pair((composer.mistakes[first], composer.mistakes[second]), both)

    def _composer(self, function: str) -> Composer:
        if function not in self._composers:
            mistakes = [m for m in self.exercise.mistakes if m.function == function and m.right]
            self._composers[function] = Composer(mistakes)
        return self._composers[function]

    def _index_case(self, function: str) -> Case:
        """Return the case with the most numbers in its result, the smallest of several."""
        return max(
            self.exercise.diagnostic_cases,
            key=lambda case: sum(array.size for array in self.exercise.reference(function, case)),
        )

    def _load_or_compute(self, function: str, case: Case) -> PairNumbers:
        path = cached_file(self.exercise.folder, f"pairs-{function}", self._key(function, case), ".npz")
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                return PairNumbers(file["positions"], file["numbers"])
        except Exception:  # noqa: BLE001 - whatever is wrong with a file, the numbers can be computed anew
            computed = self._compute(function, case)
            _store(path, computed)
            return computed

    def _compute(self, function: str, case: Case) -> PairNumbers:
        composer, size = self._composer(function), len(_flat(self.exercise.reference(function, case)))
        positions, rows = [], []
        for pair in composer.pairs():
            both = composer.compose(*pair)
            assert both is not None
            try:
                with np.errstate(all="ignore"):
                    row = _flat(self.exercise.run_mistake(both, case))
            except Exception:  # noqa: BLE001, S112 - two changes together may make code that crashes
                continue
            if len(row) == size and np.isfinite(row).all():
                positions.append(pair)
                rows.append(row)
        return PairNumbers(np.array(positions, dtype=np.int64).reshape(-1, 2), np.array(rows).reshape(-1, size))

    def _key(self, function: str, case: Case) -> str:
        """Return a digest of all that the numbers depend on."""
        digest = hashlib.sha256()
        mistakes = [(m.name, m.source, m.right) for m in self._composer(function).mistakes]
        arrays = [(name, array.shape, array.tobytes()) for name, array in sorted(case.arrays.items())]
        digest.update(repr((mistakes, arrays, sorted(case.names.items()))).encode())
        code = [Path(__file__), Path(composition.__file__), *sorted(self.exercise.folder.glob("*.py"))]
        for path in code:
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def _store(path: Path, numbers: PairNumbers) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, positions=numbers.positions, numbers=numbers.numbers)
    keep(path, buffer.getvalue())


def _flat(arrays: Sequence[Array]) -> Array:
    return np.concatenate([np.ravel(array) for array in arrays])
