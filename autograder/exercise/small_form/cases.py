"""The cases of an exercise in the small form: an author's `case` and SIZES -> hidden and diagnostic cases."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from autograder.exercise.model import Case

Sizes = Mapping[str, Any]

MOST_DIAGNOSTIC_CASES = 14
MOST_NUMBERS = 400  # of a diagnostic case that is there for comparison: a student looks at it
SEEDS = (0, 1, 2)  # of the diagnostic cases that are shown, and of those that confirm what is said of them


class RoundNumbers(np.random.Generator):
    """A generator whose normal numbers have two digits, so that a case can be worked out by hand."""

    def normal(self, *args: Any, **kwargs: Any) -> Any:
        """Return normal numbers of two significant digits."""
        return _two_digits(super().normal(*args, **kwargs))

    def standard_normal(self, *args: Any, **kwargs: Any) -> Any:
        """Return normal numbers of two significant digits."""
        return _two_digits(super().standard_normal(*args, **kwargs))


def _two_digits(numbers: Any) -> Any:
    rounded = np.vectorize(lambda number: float(f"{number:.2g}"), otypes=[float])(numbers)
    return rounded if np.ndim(rounded) else float(rounded)


@dataclass(frozen=True)
class CaseMaker:
    """What an author says of cases: the function `case`, and `asked`, the sizes to try."""

    case: Callable[..., Mapping[str, Any]]
    asked: Sequence[Sizes]

    @cached_property
    def defaults(self) -> Sizes:
        """The sizes that need not be given, by name."""
        parameters = inspect.signature(self.case).parameters.values()
        return {each.name: each.default for each in parameters if each.default is not each.empty}

    def label(self, sizes: Sizes) -> str:
        """Return sizes as they are written in a call, defaults left out: N=3, balanced=False."""
        return ", ".join(f"{name}={value}" for name, value in self.without_defaults(sizes).items())

    def without_defaults(self, sizes: Sizes) -> Sizes:
        """Return the sizes that are not what they are anyway."""
        return {name: value for name, value in sizes.items() if self.defaults.get(name, ...) != value}

    def filled(self, sizes: Sizes) -> Sizes:
        """Return sizes with those that were not given, in the order of the function."""
        names = list(inspect.signature(self.case).parameters)
        return dict(sorted({**self.defaults, **sizes}.items(), key=lambda item: names.index(item[0])))

    @cached_property
    def sizes(self) -> tuple[Sizes, ...]:
        """All sizes that the author asks for, in full."""
        return tuple(self.filled(sizes) for sizes in self.asked)

    @cached_property
    def distinct(self) -> Sizes:
        """The sizes that differ most from each other, the smallest of several: a mixed-up axis shows there."""

        def rank(sizes: Sizes) -> tuple[int, int]:
            numbers = [value for value in sizes.values() if type(value) is int]
            return -len(set(numbers) - {1}), sum(numbers)

        return min(self.sizes, key=rank)

    def draw(self, id: str, rng: np.random.Generator, sizes: Sizes) -> Case:
        """Return the case of these sizes that a generator gives."""
        traits = {name: _trait(name, value) for name, value in sizes.items()}
        return Case.of(id, self.case(rng, **sizes), _description(self.without_defaults(sizes)), traits)

    def shown(self, sizes: Sizes, seed: int = SEEDS[0]) -> Case:
        """Return the case of these sizes that everybody sees."""
        digest = hashlib.sha256(self.label(sizes).encode()).digest()
        rng = RoundNumbers(np.random.PCG64([seed, int.from_bytes(digest[:8], "big")]))
        return self.draw(f"{self.label(sizes)}, seed={SEEDS[0]}", rng, sizes)


def diagnostic_sets(cases: CaseMaker) -> list[tuple[Case, ...]]:
    """Return the diagnostic cases, the smallest first, and twice the same with other numbers.

    They are the author's sizes, and for comparison those that differ from the most distinct of them in one thing.
    """
    chosen = []
    for sizes in _sizes_to_compare(cases):
        try:
            drawn = [cases.shown(sizes, seed) for seed in SEEDS]
        except Exception:  # noqa: BLE001, S112 - an author's function need not take every combination
            continue
        if sizes in cases.sizes or _count(drawn[0]) <= MOST_NUMBERS:
            chosen.append(drawn)
    chosen = chosen[: max(MOST_DIAGNOSTIC_CASES, len(cases.sizes))]  # those of the author come first
    chosen = sorted(chosen, key=lambda drawn: _count(drawn[0]))
    return [tuple(drawn[i] for drawn in chosen) for i in range(len(SEEDS))]


def _sizes_to_compare(cases: CaseMaker) -> list[Sizes]:
    found = list(cases.sizes)
    for name, value in cases.distinct.items():
        others = dict.fromkeys(sizes[name] for sizes in cases.sizes)
        more = (1, value + 1) if type(value) is int else ()
        for other in (*others, *more):
            sizes = {**cases.distinct, name: other}
            if sizes not in found:
                found.append(sizes)
    return found


def _trait(name: str, value: Any) -> int | str:
    if type(value) is int or isinstance(value, str):
        return value
    return _words(name, value)


def _words(name: str, value: Any) -> str:
    plain = name.replace("_", " ")
    return (plain if value else f"not {plain}") if isinstance(value, bool) else f"{plain} = {value}"


def _description(sizes: Sizes) -> str:
    numbers = [f"{name} = {value}" for name, value in sizes.items() if type(value) is int]
    words = [_words(name, value) for name, value in sizes.items() if type(value) is not int]
    return "; ".join(filter(None, (", ".join(numbers), ", ".join(words))))


def _count(case: Case) -> int:
    return sum(array.size for array in case.arrays.values())
