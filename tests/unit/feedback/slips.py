"""What several slips in one function are taken for by their numbers, as feedback does it, and whether that is true."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np

from autograder.evaluation.planned_cases import CallResult, PlannedCase
from autograder.exercise.model import Array, Case, Mistake
from autograder.feedback.diagnosis import MistakeCatalogue, distance
from autograder.feedback.pairs import Pair, PairCatalogue
from autograder.sandbox.host.program import FunctionRaised
from autograder.student.rules import CLOSE, EXACT
from tests.in_process import call_result, exercise
from tests.pairs import compose
from tests.truth import draw_fresh

FRESH = 3  # cases of the traits of each diagnostic case

Answer = Callable[[Case], tuple[Array, ...]]


@dataclass
class Taken:
    """What answers with several slips were taken for.

    `other_names` are sets of mistakes that were named in place of the slips made, and give the same numbers on every
    fresh case; `false` those that do not.
    """

    count: int = 0
    both: int = 0  # all slips named, of those with two
    one: int = 0
    other_names: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)

    def add(self, made: Sequence[str], answer: Answer, named: tuple[Mistake, ...]) -> None:
        """Count one answer, in which slips of these names were made."""
        names = {mistake.name for mistake in named}
        self.count += 1
        self.both += len(names) == 2 and names <= set(made)
        self.one += len(names) == 1 and names <= set(made)
        if not names <= set(made):
            kind = self.other_names if _are_equal(answer, named) else self.false
            kind.append(f"{named[0].function}: {' and '.join(made)} taken for {' and '.join(sorted(names))}")

    def __str__(self) -> str:
        return (
            f"{self.count} answers: {self.both} got both questions, {self.one} one of them, "
            f"{len(self.other_names)} others with the same numbers, {len(self.false)} false ones"
        )


def answer_of(mistake: Mistake) -> Answer:
    """Return the function with this mistake."""
    return partial(exercise().run_mistake, mistake)


@cache
def pair_catalogue() -> PairCatalogue:
    return PairCatalogue(exercise())


@dataclass(frozen=True)
class PairsWithout:
    """The pairs of the catalogue without those of one mistake."""

    name: str

    def candidates(self, function: str, numbers: dict[str, Sequence[Array]]) -> Iterator[Pair]:
        for pair in pair_catalogue().candidates(function, numbers):
            if self.name not in [part.name for part in pair.parts]:
                yield pair


@cache
def catalogue(without: str = "") -> MistakeCatalogue:
    """Return the known mistakes; `without` those of one name, as if nobody had thought of it."""
    if not without:
        return MistakeCatalogue(exercise(), pair_catalogue())
    mistakes = tuple(mistake for mistake in exercise().mistakes if mistake.name != without)
    return MistakeCatalogue(replace(exercise(), mistakes=mistakes), PairsWithout(without))


def identify(function: str, answer: Answer, without: str = "") -> tuple[Mistake, ...]:
    """Return the mistakes that an answer is taken for."""
    sets = []
    for cases in (exercise().diagnostic_cases, *exercise().confirmation_cases):
        results = {}
        for case in cases:
            results[case.id] = _call(function, answer, case)
        sets.append(results)
    return catalogue(without).identify(function, sets[0], sets[1:])


def _call(function: str, answer: Answer, case: Case) -> CallResult:
    try:
        with np.errstate(all="ignore"):
            return call_result(exercise().function(function), case, answer(case))
    except Exception as error:  # noqa: BLE001 - several changes together may make code that crashes
        raised = FunctionRaised(type(error).__name__, str(error), "", 1)
        expected = exercise().reference(function, case)
        return CallResult(PlannedCase.of(exercise(), exercise().function(function), case, expected), raised)


def _are_equal(answer: Answer, named: tuple[Mistake, ...]) -> bool:
    """Return whether an answer gives the numbers of these mistakes together on fresh cases of all traits."""
    together = named[0] if len(named) == 1 else compose(*named)
    assert together is not None

    def error(case: Case) -> float:
        with np.errstate(all="ignore"):
            return distance(answer(case), exercise().run_mistake(together, case))

    # Answers in low precision may be as far off there as they are on the cases that named the mistakes.
    tolerance = EXACT if max(map(error, exercise().diagnostic_cases)) <= EXACT else CLOSE
    rng = np.random.default_rng(0)
    return all(error(draw_fresh(case.parameters, rng)) <= tolerance for case in exercise().diagnostic_cases * FRESH)
