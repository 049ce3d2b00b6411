"""Two or three known mistakes in one function: all changes in one text, for proofs about work with several slips."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import cache

from autograder.exercise.model import Mistake
from autograder.feedback.composition import Composer
from tests.in_process import exercise


@cache
def composer(function: str, right: str = "") -> Composer:
    """Return what composes the known mistakes of a function; with `right`, as changes of that right answer alone."""
    mistakes = tuple(mistake for mistake in exercise().mistakes if mistake.function == function)
    return Composer(mistakes, (right,) if right else ())


@cache
def sample_pairs(count: int) -> tuple[Mistake, ...]:
    """Return so many pairs of known mistakes, always the same ones: those that compose, in a shuffled order."""
    composed = (compose(*mistakes) for mistakes in _shuffled(2))
    return tuple(itertools.islice((pair for pair in composed if pair is not None), count))


def sample_made(count: int, size: int = 2) -> Iterator[tuple[tuple[Mistake, ...], Mistake]]:
    """Yield so many sets of known mistakes, always the same ones, each with the function that makes them all."""
    made = ((mistakes, compose(*mistakes)) for mistakes in _shuffled(size))
    return itertools.islice(((mistakes, both) for mistakes, both in made if both is not None), count)


def compose(*mistakes: Mistake) -> Mistake | None:
    """Return a function with all of these mistakes in it, None if some change the same words."""
    composing = composer(mistakes[0].function)
    return composing.compose(*(composing.mistakes.index(mistake) for mistake in mistakes))


def _shuffled(size: int) -> Iterator[tuple[Mistake, ...]]:
    """Yield sets of mistakes in one function, in a random order that is always the same."""
    rng, functions = random.Random(0), [function.name for function in exercise().functions]
    mistakes = {name: [m for m in exercise().mistakes if m.function == name] for name in functions}
    weights = [len(mistakes[name]) ** size for name in functions]
    seen: set[tuple[str, ...]] = set()
    while True:
        [name] = rng.choices(functions, weights)
        chosen = tuple(sorted(rng.sample(mistakes[name], size), key=mistakes[name].index))
        key = (name, *(mistake.name for mistake in chosen))
        if key not in seen:
            seen.add(key)
            yield chosen
