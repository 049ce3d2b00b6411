"""What the author of an exercise may add next: what verify could not prove, because nothing is there that shows it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE, relative_error
from autograder.exercise.model import Case, Exercise, Mistake
from autograder.verification.mutants import Mutants


def next_steps(exercise: Exercise, mutants: Mutants) -> tuple[str, ...]:
    """Return what to add next, a sentence each."""
    return (*_mistakes_of_every_function(exercise, mutants), *_mistakes_by_sizes(exercise))


def _mistakes_of_every_function(exercise: Exercise, mutants: Mutants) -> Iterator[str]:
    for name in (function.name for function in exercise.functions):
        if not any(mistake.function == name for mistake in exercise.mistakes):
            count = sum((mutant.function, mutant.fate) == (name, "caught") for mutant in mutants.tried)
            yield f"{name} has no known mistakes: the page of --html has {count} changes of it, each as a line to copy"


def _mistakes_by_sizes(exercise: Exercise) -> Iterator[str]:
    cases = exercise.diagnostic_cases
    if cases and exercise.mistakes and not any(_shows_somewhere(exercise, each) for each in exercise.mistakes):
        yield (
            "no mistake is caught by sizes alone: all show in every case, so nothing says whether the sizes are well "
            "chosen; add one that is right where a size is 1, or two are equal"
        )


def _shows_somewhere(exercise: Exercise, mistake: Mistake) -> bool:
    """Return whether a mistake is right in some of the diagnostic cases and wrong in others."""
    return len({_is_right(exercise, mistake, case) for case in exercise.diagnostic_cases}) == 2


def _is_right(exercise: Exercise, mistake: Mistake, case: Case) -> bool:
    expected = exercise.reference(mistake.function, case)
    with np.errstate(all="ignore"):
        try:
            results = exercise.run_mistake(mistake, case)
            pairs = list(zip(results, expected, strict=True))
            same_shapes = all(a.shape == b.shape for a, b in pairs)
            return same_shapes and all(relative_error(a, b) <= LOW_PRECISION_TOLERANCE for a, b in pairs)
        except Exception:  # noqa: BLE001 - a mistake may raise anything
            return False
