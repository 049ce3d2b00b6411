"""A wrong forward pass beside gradients: is each gradient the slope of J through the student's own forward pass?

Every function is graded by itself, so this is for no points. It tells a gradient that is wrong by itself from one that
follows a wrong forward faithfully. The slopes are measured by central differences, in the jail like all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograder import messages
from autograder.cases import call
from autograder.compare import compare
from autograder.exercise import Array, Arrays, Case, Exercise, Function
from autograder.judging import Judged, Trial
from autograder.ladder import Trials, usable, wrong
from autograder.sandbox.jail import Runner
from autograder.sandbox.program import Batch, Limits, Outcome, Program
from autograder.student.calls import STEP

MOST = 12  # weights that are moved, so that it stays a matter of a few dozen calls


@dataclass(frozen=True)
class Own:
    """What was found: for each gradient that could be tried, whether it fits the student's own forward pass."""

    forward: str = ""
    fits: Mapping[str, bool] | None = None

    def facts(self, function: Function) -> tuple[tuple[str, str], ...]:
        """What is told of a gradient that is wrong."""
        fits = (self.fits or {}).get(function.name)
        return () if fits is None else ((f"your own {self.forward}", messages.own_forward(self.forward, fits)),)


@dataclass(frozen=True)
class Moves:
    """A case with each weight in turn moved up and down: the name, the place, how far, and the case; and these calls.

    `expected` is what the forward pass gives where nothing is moved.
    """

    moved: tuple[tuple[str, tuple[int, ...], float, Case], ...]
    batch: Batch
    expected: tuple[Array, ...]


class OwnForward:
    """Looks at the gradients of an exercise beside a wrong forward pass. What is the same for all is kept."""

    def __init__(self, exercise: Exercise) -> None:
        self._exercise = exercise
        self._forward = next((function for function in exercise.functions if function.slope_of is None), None)
        self._gradients = [function for function in exercise.functions if function.slope_of is not None]
        self._moves: dict[str, Moves] = {}

    def look(self, climbed: Mapping[str, Trials], jail: Runner, program: Program, limits: Limits) -> Own:
        """Try the gradients on the student's own forward pass where that is wrong; nothing where it cannot be done."""
        forward = self._forward
        if forward is None or self._exercise.loss is None or forward.name not in climbed:
            return Own()
        case = _case(climbed[forward.name].values(), self._gradients)
        if case is None:
            return Own()
        moves = self._moves_of(forward, case)
        own = replace(case, arrays={**case.arrays, **_results(forward, climbed[forward.name][case.id])})
        batches = [moves.batch, *(Batch(one.name, (call(one, own),)) for one in self._gradients)]
        outcomes = jail.run(program, batches, limits).outcomes
        slopes = _slopes(self._exercise, forward, moves, outcomes[forward.name])
        if slopes is None:
            return Own()
        fits = {
            gradient.name: compare(values[0], slopes[gradient.slope_of or ""]).verdict != "wrong"
            for gradient in self._gradients
            if (values := usable(Trial(own, outcomes[gradient.name][0], (slopes[gradient.slope_of or ""],))))
        }
        return Own(forward.name, fits)

    def notes(self, own: Own, judged: Sequence[Judged]) -> Iterator[str]:
        """What is said of gradients that are right beside a wrong forward pass."""
        if own.fits is None:
            return
        results = {one.name: what.results for one, what in zip(self._exercise.functions, judged, strict=True)}
        gradients = [one.name for one in self._gradients]
        right = [name for name in gradients if all(result.status == "pass" for result in results[name])]
        if len(right) == len(gradients):
            yield messages.only_forward(own.forward)
        told = {name: own.fits[name] for name in right if name in own.fits}
        if told:
            yield messages.through_own_forward(own.forward, told)

    def _moves_of(self, forward: Function, case: Case) -> Moves:
        if case.id not in self._moves:
            moved = tuple((name, *one) for name in _weights(self._gradients) for one in _moved(case, name))
            batch = Batch(forward.name, tuple(call(forward, one) for _, _, _, one in moved))
            self._moves[case.id] = Moves(moved, batch, self._exercise.reference(forward.name, case))
        return self._moves[case.id]


def _case(trials: Iterable[Trial], gradients: Sequence[Function]) -> Case | None:
    """The largest case with few weights on which the forward pass is wrong, with numbers in the right shapes."""
    fit = [
        trial.case
        for trial in trials
        if sum(trial.case.arrays[name].size for name in _weights(gradients)) <= MOST and wrong(trial)
    ]
    return max(fit, key=lambda case: sum(array.size for array in case.arrays.values()), default=None)


def _weights(gradients: Sequence[Function]) -> list[str]:
    return list(dict.fromkeys(gradient.slope_of for gradient in gradients if gradient.slope_of))


def _results(forward: Function, trial: Trial) -> Arrays:
    return dict(zip(forward.returns, usable(trial), strict=True))


def _moved(case: Case, name: str) -> Iterator[tuple[tuple[int, ...], float, Case]]:
    """The case with each weight in turn moved up and down."""
    for place in np.ndindex(case.arrays[name].shape):
        for way in (STEP, -STEP):
            array = case.arrays[name].copy()
            array[place] += way
            yield place, way, replace(case, arrays={**case.arrays, name: array})


def _slopes(
    exercise: Exercise, forward: Function, moves: Moves, outcomes: Sequence[Outcome]
) -> dict[str, Array] | None:
    """The measured slopes of J by each moved array; nothing where a call gave no numbers."""
    assert exercise.loss is not None
    slopes = {name: np.zeros(one.arrays[name].shape) for name, _, _, one in moves.moved}
    for (name, place, way, one), outcome in zip(moves.moved, outcomes, strict=True):
        values = usable(Trial(one, outcome, moves.expected))
        if not values:
            return None
        arrays = {**one.arrays, **dict(zip(forward.returns, values, strict=True))}
        with np.errstate(all="ignore"):
            slopes[name][place] += exercise.loss(arrays, one.names) / (2 * way)
    return slopes if all(np.isfinite(array).all() for array in slopes.values()) else None
