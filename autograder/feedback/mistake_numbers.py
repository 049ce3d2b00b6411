"""What each known mistake gives on each diagnostic case: computed on first use, and kept in files beside the exercise.

A file holds the numbers of one function, in one array with a row for each mistake. Its name has a digest of all that
they depend on, so nothing is ever wrong for a file that is missing, old or damaged.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from autograder.exercise.cache_folder import cached_file, keep
from autograder.exercise.model import Array, Case, Exercise, Mistake

Arrays = tuple[Array, ...]
Shapes = tuple[tuple[int, ...], ...]

_KEPT_KINDS = "fiu"  # of dtypes: as float64 they are the same numbers


class NumberState(IntEnum):
    """What is known of a mistake on a case."""

    UNKNOWN, COMPUTED, RAISES = range(3)


@dataclass
class NumberTable:
    """The numbers of the mistakes of one function: a row for each of `ids`, and in it the results on each case.

    `shapes` are those of the results, case by case; `states` (mistakes, cases) says which of the numbers are known.
    """

    ids: tuple[str, ...]
    shapes: tuple[Shapes, ...]
    states: npt.NDArray[np.int8]
    numbers: Array
    has_news: bool = False

    def __post_init__(self) -> None:
        self._starts = [0, *itertools.accumulate(sum(_sizes(shapes)) for shapes in self.shapes)]

    @classmethod
    def empty(cls, ids: tuple[str, ...], shapes: tuple[Shapes, ...]) -> NumberTable:
        """Return a table in which nothing is known."""
        count = sum(sum(_sizes(each)) for each in shapes)
        return cls(ids, shapes, np.zeros((len(ids), len(shapes)), np.int8), np.zeros((len(ids), count)))

    def read(self, row: int, case: int) -> Arrays:
        """Return the results of a mistake on a case."""
        parts, start = [], self._starts[case]
        for shape, size in zip(self.shapes[case], _sizes(self.shapes[case]), strict=True):
            parts.append(self.numbers[row, start : start + size].reshape(shape))
            start += size
        return tuple(parts)

    def write(self, row: int, case: int, results: Arrays | None) -> None:
        """Keep the results of a mistake on a case if they fit into the table; None stands for an exception."""
        if results is None:
            self.states[row, case], self.has_news = NumberState.RAISES, True
        elif tuple(r.shape for r in results) == self.shapes[case] and all(r.dtype.kind in _KEPT_KINDS for r in results):
            numbers = np.concatenate([np.ravel(result) for result in results])
            self.numbers[row, self._starts[case] : self._starts[case + 1]] = numbers
            self.states[row, case], self.has_news = NumberState.COMPUTED, True

    def learn(self, other: NumberTable) -> None:
        """Take over what another table knows of the same mistakes."""
        rows = {id: row for row, id in enumerate(other.ids)}
        pairs = [(row, rows[id]) for row, id in enumerate(self.ids) if id in rows]
        for row, theirs in pairs if other.shapes == self.shapes else ():
            new = self.states[row] == NumberState.UNKNOWN
            places = np.repeat(new, np.diff(self._starts))
            self.states[row, new] = other.states[theirs, new]
            self.numbers[row, places] = other.numbers[theirs, places]


class MistakeNumbers:
    """The numbers of the known mistakes of an exercise on its diagnostic cases; `save` keeps what was computed."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._cases = [*exercise.diagnostic_cases, *(case for cases in exercise.confirmation_cases for case in cases)]
        self._positions = {id(case): position for position, case in enumerate(self._cases)}
        self._rows = {
            mistake: row
            for function in exercise.functions
            for row, mistake in enumerate(self._mistakes_of(function.name))
        }
        self._tables: dict[str, NumberTable] = {}
        self._outputs: dict[tuple[Mistake, int], Arrays | None] = {}  # those that were asked for

    def output_of(self, mistake: Mistake, case: Case) -> Arrays | None:
        """Return the arrays that this mistake gives on a diagnostic case, None if it raises an exception there."""
        key = mistake, id(case)
        if key not in self._outputs:
            self._outputs[key] = self._read_or_compute(mistake, case)
        return self._outputs[key]

    def _read_or_compute(self, mistake: Mistake, case: Case) -> Arrays | None:
        row, position = self._rows.get(mistake), self._positions.get(id(case))
        if row is None or position is None:  # two mistakes at once, which no table holds
            return self._compute(mistake, case)
        table = self._table(mistake.function)
        match table.states[row, position]:
            case NumberState.COMPUTED:
                return table.read(row, position)
            case NumberState.RAISES:
                return None
        results = self._compute(mistake, case)
        table.write(row, position, results)
        return results

    def _table(self, function: str) -> NumberTable:
        """Return the table of a function, with what was kept of it."""
        if function not in self._tables:
            ids, kept = tuple(map(_id, self._mistakes_of(function))), _load(self._path(function))
            shapes = kept.shapes if kept else tuple(map(_shapes, self._references(function)))
            self._tables[function] = NumberTable.empty(ids, shapes)
            if kept:
                self._tables[function].learn(kept)
        return self._tables[function]

    def save(self, function: str) -> None:
        """Keep what was computed since the table was read; another process may have kept more meanwhile."""
        table = self._tables.get(function)
        if table is None or not table.has_news:
            return
        path, table.has_news = self._path(function), False
        if kept := _load(path):
            table.learn(kept)
        buffer = io.BytesIO()
        shapes, ids = np.array(json.dumps(table.shapes)), np.array(table.ids, dtype=np.str_)
        np.savez(buffer, ids=ids, shapes=shapes, states=table.states, numbers=table.numbers)
        keep(path, buffer.getvalue())

    def _mistakes_of(self, function: str) -> list[Mistake]:
        return [mistake for mistake in self._exercise.mistakes if mistake.function == function]

    def _references(self, function: str) -> Iterable[Arrays]:
        return (self._exercise.reference(function, case) for case in self._cases)

    def _compute(self, mistake: Mistake, case: Case) -> Arrays | None:
        # a mistake that fails on a case must not cost a student the feedback
        with suppress(Exception), np.errstate(all="ignore"):
            return self._exercise.run_mistake(mistake, case)
        return None

    def _path(self, function: str) -> Path:
        return cached_file(self._exercise.folder, f"numbers-{function}", self._key, ".npz")

    @cached_property
    def _key(self) -> str:
        """A digest of all that the numbers depend on, but for the sources of the mistakes: these are in the ids."""
        digest = hashlib.sha256()
        for path in (Path(__file__), *sorted(self._exercise.folder.glob("*.py"))):
            digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
        for case in self._cases:
            digest.update(repr((sorted(case.names.items()), [(n, a.shape) for n, a in case.arrays.items()])).encode())
            for array in case.arrays.values():
                digest.update(array.tobytes())
        return digest.hexdigest()[:16]


def _load(path: Path) -> NumberTable | None:
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            shapes = tuple(tuple(map(tuple, each)) for each in json.loads(str(file["shapes"])))
            table = NumberTable.empty(tuple(map(str, file["ids"])), shapes)
            table.states[:], table.numbers[:] = file["states"], file["numbers"]
    except Exception:  # noqa: BLE001 - whatever is wrong with a file, the numbers can be computed anew
        return None
    return table


def _id(mistake: Mistake) -> str:
    return f"{mistake.name} {hashlib.sha256(mistake.source.encode()).hexdigest()[:16]}"


def _shapes(arrays: Arrays) -> Shapes:
    return tuple(array.shape for array in arrays)


def _sizes(shapes: Shapes) -> list[int]:
    return [math.prod(shape) for shape in shapes]
