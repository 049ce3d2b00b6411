"""From numbers to words: what is said of a function whose numbers are wrong.

It was called on small cases. One of the smallest that it gets wrong is shown in full; what the cases that it gets right
have in common shows where to look (patterns.py). Nothing here knows how the right answer is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

if __package__:  # as a part of the grader
    from . import patterns
    from .feedback import Array, CaseResult, ErrorMap, Feedback
    from .rules import CLOSE, SMALLEST, error
else:  # beside the notebook
    import patterns  # type: ignore[import-not-found,no-redef]  # it is found once both are released, into one folder
    from feedback import Array, CaseResult, ErrorMap, Feedback  # type: ignore[import-not-found,no-redef]  # as patterns
    from rules import CLOSE, SMALLEST, error  # type: ignore[import-not-found,no-redef]  # as patterns


def explain(function: str, sets: patterns.Sets, hint: str = "", read: str = "") -> Feedback | None:
    """Return what is said of a function by its results, from the smallest case up; None if no numbers are wrong.

    The first of the `sets` is shown; nothing is claimed that the others, the same cases with other numbers, do not show
    too. `hint` is for a case in which no slope is expected, and `read` says where the formula stands.
    """
    if not patterns.failing_cases(sets[0]):
        return None
    shown = shown_case(sets[0])
    first = sets[0][shown]
    with np.errstate(all="ignore"):
        facts = (
            ("smallest failing case", first.about),
            ("relative error", f"{error(*first.pair):.2g} (allowed: {CLOSE:g})"),
            ("worst entry", _worst_entry(first)),
            *(_patterns(sets) if _are_complete(sets) else ()),
        )
        return Feedback(
            _symptom(first),
            facts,
            _error_map(sets, shown),
            "" if first.is_slope else hint,
            read,
            replay(function, first.id),
        )


def shown_case(cases: Sequence[CaseResult]) -> int:
    """Return the index of the smallest failing case; of cases with equally many steps, of one with several numbers."""
    failing = [i for i, case in enumerate(cases) if case.wrong is not None]
    steps = next(iter(cases[failing[0]].traits.items()), None)  # the first trait is the main size
    alike = [i for i in failing if next(iter(cases[i].traits.items()), None) == steps]
    return next((i for i in alike if cases[i].pair[1].size > 1), failing[0])


def _are_complete(sets: patterns.Sets) -> bool:
    """Return whether a function returned something in every set wherever it did in the first: it may have been slow."""
    return all(bool(case.yours) == bool(sets[0][i].yours) for cases in sets for i, case in enumerate(cases))


def _patterns(sets: patterns.Sets) -> Iterator[tuple[str, str]]:
    yield from ((_LABELS[claim.code], claim.text) for claim in claims_about(sets))


_LABELS = {"right_for": "right for", "count": "right for", "terms": "term by term"} | dict.fromkeys(
    ("limit", "zeros", "transpose", "factor", "equal_numbers"), "pattern"
)


def claims_about(sets: patterns.Sets) -> list[patterns.Claim]:
    """Return everything that is claimed of wrong numbers beside the map: what all sets show."""
    if limit := patterns.size_limit(sets):
        return [limit]
    return [*patterns.right_for(sets), *filter(None, (patterns.terms_pattern(sets), patterns.number_pattern(sets)))]


def without_slopes(sets: patterns.Sets) -> patterns.Sets:
    """Return the cases in which no slope is expected and that are wrong, if this alone makes the difference.

    Else an empty list.
    """
    cases = sets[0]
    failing = [i for i, case in enumerate(cases) if case.wrong is not None and not case.is_slope]
    twins = [case for case in cases if case.right and case.is_slope]
    apart = [sum(cases[i].traits[name] != twin.traits[name] for name in twin.traits) for i in failing for twin in twins]
    return [[results[i] for i in failing] for results in sets] if 1 in apart else []


def replay(function: str, case: str) -> str:
    """Return how to see one case again; nothing if the case has no such name."""
    return f'check("{function}", {case})' if "=" in case else ""


def show_case(case: CaseResult, given: Mapping[str, Any]) -> Feedback:
    """Return one case in full: what goes in, what came out, and what is expected."""
    facts = [(name, _list_numbers(np.asarray(array))) for name, array in given.items()]
    for name, yours, right in zip(case.results, case.yours, case.expected, strict=True):
        facts += [(f"your {name}", _list_numbers(yours)), ("expected", _list_numbers(right))]
    if case.wrong is None:
        return Feedback(f"Right in this case: {patterns.join_words(case.results)}.", tuple(facts))
    facts.append(("relative error", f"{error(*case.pair):.2g} (allowed: {CLOSE:g})"))
    return Feedback(_symptom(case), tuple(facts), _error_map([[case]], 0))


def _list_numbers(array: Array) -> str:
    """Return numbers as Python writes them, a line for each row."""
    if array.ndim != 2:
        return str(array.tolist())
    rows = (str([float(f"{x:.6g}") for x in row]) for row in array)
    return "[" + ",\n ".join(rows) + "]"


def _symptom(case: CaseResult) -> str:
    return f"{case.name} is not the slope of J." if case.is_slope else f"{case.name} does not have the right numbers."


def _worst_entry(case: CaseResult) -> str:
    """Return the entry that is farthest off: yours, and what is expected."""
    yours, right = case.pair
    at = np.unravel_index(int(np.argmax(np.abs(yours - right))), right.shape)
    place = f"{case.name}[{', '.join(map(str, at))}]" if at else case.name
    return f"{place}: yours {yours[at]:.4g}, expected {right[at]:.4g}"


def _error_map(sets: patterns.Sets, shown: int) -> ErrorMap | None:
    """Return the map of one case; none of a single number."""
    cases = sets[0]
    yours, right = cases[shown].pair
    if right.ndim != 2 or right.size < 2:
        return None
    errors = np.abs(yours - right) / max(float(np.max(np.abs(right))), SMALLEST)
    rows = tuple(tuple(float(entry) for entry in row) for row in errors)
    place = place_claim(sets, shown)
    return ErrorMap(cases[shown].name, cases[shown].about, rows, _sentence(cases[shown].name, errors, place))


def place_claim(sets: patterns.Sets, shown: int) -> patterns.Claim | None:
    """Return where the result of a case is right, if it is right there in all cases of its size."""
    case = sets[0][shown]
    failing = [other for cases in sets for other in patterns.failing_cases(cases) if other.wrong == case.wrong]
    if not all(cases[shown].wrong == case.wrong for cases in sets):
        return None
    alike = [other.pair for other in failing if other.pair[1].shape == case.pair[1].shape]
    first = patterns.place_pattern(*alike[0])
    return first if first and all(patterns.place_pattern(*pair) == first for pair in alike[1:]) else None


def _sentence(result: str, errors: Array, place: patterns.Claim | None) -> str:
    """Return the map in words; `place` says where it is right, if there is a pattern."""
    right = int((errors <= CLOSE).sum())
    if not right:
        return f"No entry of {result} is right."
    if place:
        return f"{place.text}."
    return f"{right} of the {errors.size} entries {'is' if right == 1 else 'are'} right."
