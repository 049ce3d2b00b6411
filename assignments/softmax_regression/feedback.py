"""What is said of a function whose numbers are wrong, as data: the cases that were tried, the parts of a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

if __package__:  # as a part of the grader
    from .rules import is_right
else:  # beside the notebook
    from rules import is_right  # type: ignore[import-not-found,no-redef]  # it is found once both are released, into one folder

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ErrorMap:
    """The relative error of each entry of one result on one case, row by row, and the same in a sentence."""

    result: str
    case: str
    errors: tuple[tuple[float, ...], ...]
    sentence: str


@dataclass(frozen=True)
class Feedback:
    """What a student is told of a failing check, in parts, so that every face can lay it out in its own way.

    `symptom` is one plain sentence; `facts` are labelled lines, such as ("smallest failing case", "T = 3, ..."); `hint`
    is what it looks like, if anything; `read` where to read; `replay` how to see it again. None holds markup.
    """

    symptom: str
    facts: tuple[tuple[str, str], ...] = ()
    map: ErrorMap | None = None
    hint: str = ""
    read: str = ""
    replay: str = ""


@dataclass(frozen=True)
class Sum:
    """What the expected result of one case is the sum of: `of` is its name, `parts` the name and array of each term."""

    of: str
    parts: Mapping[str, Array]

    @cached_property
    def columns(self) -> Array:
        """The numbers of the terms, each in a column."""
        return np.stack([part.ravel() for part in self.parts.values()], axis=1)

    @cached_property
    def are_independent(self) -> bool:
        """Return whether no term is a combination of the others, so that they can be counted."""
        return bool(np.linalg.matrix_rank(self.columns) == len(self.parts))


@dataclass(frozen=True)
class CaseResult:
    """One case, what a function made of it, and what it should have.

    `id` is how it is seen again, "N=3, seed=0"; `traits` are numbers and words in which cases differ. `yours`
    holds one array for each of the `results`, or nothing if the function returned none that can be compared;
    `is_slope` says that the slope of J is expected.
    """

    id: str
    about: str
    traits: Mapping[str, int | str]
    results: tuple[str, ...]
    yours: tuple[Array, ...]
    expected: tuple[Array, ...]
    is_slope: bool = False
    sums: tuple[Sum, ...] = ()

    @cached_property
    def wrong(self) -> int | None:
        """The index of the first result that is wrong; None if all are right, and if there is none."""
        pairs = enumerate(zip(self.yours, self.expected, strict=False))  # of nothing, there are no pairs
        return next((i for i, (yours, right) in pairs if not is_right(yours, right)), None)

    @property
    def right(self) -> bool:
        """Return whether there are results and all are right."""
        return bool(self.yours) and self.wrong is None

    @property
    def name(self) -> str:
        """The name of the first result that is wrong."""
        return self.results[self.wrong or 0]

    @property
    def pair(self) -> tuple[Array, Array]:
        """The first result that is wrong, and what is expected in its place."""
        return self.yours[self.wrong or 0], self.expected[self.wrong or 0]
