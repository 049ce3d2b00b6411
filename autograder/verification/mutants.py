"""Mutants: model answers with one change each, which nobody had to write. Which check of the rubric catches which?

Everything runs in this process: it is the instructor's own code, and its loops end. Mutants that give the same numbers
as the answer wherever they were tried are no mistakes; of the others, each that no check catches shows a gap.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from autograder.evaluation.call_plans import plan_calls
from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE, relative_error
from autograder.evaluation.planned_cases import PlannedCase
from autograder.exercise import source
from autograder.exercise.model import Array, Check, Exercise, Function, Mistake
from autograder.verification.mutations import Mutation, ending, mutations

MAX_SECONDS = 20.0  # for all mutants of an exercise: those that are left then are counted as not tried
OTHER_SEEDS = (2, 3, 4)  # whose cases show whether a mutant that no check catches is a mistake at all
SAME = 1e-10  # the largest relative error of numbers that are the same up to rounding


@dataclass(frozen=True)
class Mutant:
    """A mutation of a function; `line` counts in the source of the exercise.

    `fate`: "caught" by the checks `caught_by`; "same" numbers as the answer wherever it was tried; or it "lives".
    """

    function: str
    mutation: Mutation
    line: int
    fate: Literal["caught", "same", "lives"]
    caught_by: tuple[str, ...] = ()

    @property
    def difference(self) -> tuple[str, str, str]:
        """Where it is and what kind of change, the line before, and the line after."""
        where = f"{self.function}, line {self.line}: {self.mutation.kind}"
        return where, f"- {self.mutation.before}", f"+ {self.mutation.after}"

    @property
    def as_mistake(self) -> str:
        """The line with which an author makes it a known mistake; only its name and its question are to be written."""
        change = f"replace={self.mutation.before!r}, by={self.mutation.after!r}"
        return f'mistake("{self.function}", "NAME", "A QUESTION?", {change}),'


@dataclass(frozen=True)
class Mutants:
    """All mutants of an exercise that were tried, and how many there was no time for."""

    tried: tuple[Mutant, ...] = ()
    untried: int = 0

    @property
    def living(self) -> tuple[Mutant, ...]:
        """The mutants that no check catches although their numbers are wrong somewhere."""
        return tuple(mutant for mutant in self.tried if mutant.fate == "lives")

    def count(self, fate: str) -> int:
        """Return how many mutants met this fate."""
        return sum(mutant.fate == fate for mutant in self.tried)


def try_mutants(exercise: Exercise, seed: int, seconds: float = MAX_SECONDS) -> Mutants:
    """Try every mutant of every model answer on the cases of a seed, for so many seconds."""
    deadline = time.monotonic() + seconds
    file = (exercise.folder / f"{exercise.name}.py").read_text(encoding="utf-8")
    tried: list[Mutant] = []
    untried = 0
    for cell in source.parse_cells(exercise.source_text):
        if cell.kind != "solution":
            continue
        trial = _Trial(exercise, exercise.function(cell.name), seed)
        first_line = file[: file.index(cell.source)].count("\n")
        for mutation in mutations(cell.source):
            if time.monotonic() > deadline:
                untried += 1
            else:
                fate, caught_by = trial.fate_of(mutation)
                tried.append(Mutant(cell.name, mutation, first_line + mutation.line, fate, caught_by))
    return Mutants(tuple(tried), untried)


class _Trial:
    """The cases on which the mutants of one function are tried."""

    def __init__(self, exercise: Exercise, function: Function, seed: int) -> None:
        self._exercise = exercise
        self._function = function
        self._cases = self._planned(seed)
        self._others: list[PlannedCase] | None = None  # drawn when a mutant first needs them

    def fate_of(self, mutation: Mutation) -> tuple[Literal["caught", "same", "lives"], tuple[str, ...]]:
        name = self._function.name
        mutant = Mistake(mutation.kind, name, "", "", ending(mutation.text))
        checks = [check for check in self._exercise.checks_of(name) if check.role != "note"]
        caught_by = tuple(check.id for check in checks if self._catches(check, mutant))
        if caught_by:
            return "caught", caught_by
        if self._others is None:
            self._others = list(self._other_cases())
        errors = (self._error(mutant, planned, planned.expected) for planned in (*self._cases.values(), *self._others))
        return ("same" if all(error <= SAME for error in errors) else "lives"), ()

    def _catches(self, check: Check, mutant: Mistake) -> bool:
        """Return whether a check fails for a mutant: a contract if nothing can be compared or inputs are changed."""
        limit = np.inf if check.kind == "contract" else LOW_PRECISION_TOLERANCE
        for id in check.cases:
            planned = self._cases[id]
            expected = (planned.numerical_gradient,) if check.kind == "slope" else planned.expected
            error = self._error(mutant, planned, expected)
            if error > limit or np.isnan(error):
                return True
        return False

    def _error(self, mutant: Mistake, planned: PlannedCase, expected: Sequence[Array]) -> float:
        """Return the largest relative error; NaN if the mutant raises, or returns nothing that can be compared."""
        arrays = {name: array.copy() for name, array in planned.case.arrays.items()}
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                results = self._exercise.run_mistake(mutant, replace(planned.case, arrays=arrays))
                comparable = [
                    a.shape == b.shape and bool(np.isfinite(a).all()) for a, b in zip(results, expected, strict=True)
                ]
            except Exception:  # noqa: BLE001 - a mutant may raise anything
                return float("nan")
            if not all(comparable) or any(not np.array_equal(arrays[n], a) for n, a in planned.case.arrays.items()):
                return float("nan")
            return max(relative_error(a, b) for a, b in zip(results, expected, strict=True))

    def _planned(self, seed: int) -> dict[str, PlannedCase]:
        return {
            id: case
            for plan in plan_calls(self._exercise, seed)
            if plan.function == self._function
            for id, case in plan.cases.items()
        }

    def _other_cases(self) -> Iterator[PlannedCase]:
        """Yield cases beside those of the checks: of other seeds, and the public ones."""
        exercise, name = self._exercise, self._function.name
        for seed in OTHER_SEEDS:
            yield from self._planned(seed).values()
        visible = [check.cases for check in exercise.visible_checks if check.function == name]
        for case in (case for cases in (*visible, *exercise.confirmation_cases) for case in cases):
            yield PlannedCase.of(exercise, self._function, case, exercise.reference(name, case))
