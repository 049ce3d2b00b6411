"""What the cases that a function gets right have in common, and what its wrong numbers have to do with the right ones.

Numbers may fit by coincidence. So there are several sets of the same cases, with other numbers in each: the student
sees the first set, and a pattern is only named if every set shows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import numpy as np

if __package__:  # as a part of the grader
    from .feedback import Array, CaseResult
    from .rules import CLOSE, EXACT, SMALLEST, error, is_right
else:  # beside the notebook
    from feedback import Array, CaseResult  # type: ignore[import-not-found,no-redef]
    from rules import CLOSE, EXACT, SMALLEST, error, is_right  # type: ignore[import-not-found,no-redef]

Sets = Sequence[Sequence[CaseResult]]
"""The results on all cases, once for each set of numbers."""

FITS = 1e-6  # of a sum of terms: how well numbers must be explained before anything is said


def failing_cases(cases: Sequence[CaseResult]) -> list[CaseResult]:
    """Return the cases with wrong numbers."""
    return [case for case in cases if case.wrong is not None]


def join_words(items: Iterable[object]) -> str:
    """Return items as a part of a sentence: "1, 2 and 3"."""
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# --- Which cases are right --------------------------------------------------------------------------------------------


def right_for(sets: Sets) -> list[str]:
    """Return what tells the cases that are right from those that are wrong, one trait at a time.

    A trait is named by cases that agree in all others: "T = 1 and 2; wrong from T = 3 on", "identity; wrong for tanh".
    A case counts as right if it is right in every set.
    """
    cases = sets[0]
    right = [all(case.right for case in alike) for alike in zip(*sets, strict=True)]
    differences = _differences(tuple(tuple(case.traits.items()) for case in cases))
    best: list[str] = []
    for centre, differ in enumerate(differences):
        if right[centre]:
            continue
        alone = {name for names in differ if len(names) == 1 for name in names}
        groups = (
            (trait, [i for i, names in enumerate(differ) if names <= {trait}])
            for trait in cases[centre].traits
            if trait in alone
        )
        claims = [
            _within(_apart(trait, cases, group, right), trait, group, centre, cases, right) for trait, group in groups
        ]
        best = max(best, [claim for claim in claims if claim], key=len)
    if any(right) and not best:
        claims = [_apart(trait, cases, range(len(cases)), right) for trait in cases[0].traits]
        best = [next(filter(None, claims), f"{sum(right)} of the {len(cases)} cases that were tried")]
    return best or ["none of the cases that were tried"]


@lru_cache(maxsize=8)
def _differences(traits: tuple[tuple[tuple[str, int | str], ...], ...]) -> list[list[set[str]]]:
    """Return in what each case differs from each other one."""
    cases = [dict(items) for items in traits]
    return [[{name for name in one if one[name] != other[name]} for other in cases] for one in cases]


def _within(
    claim: str, trait: str, group: Sequence[int], centre: int, cases: Sequence[CaseResult], right: Sequence[bool]
) -> str:
    """Return a claim about a group of cases, with what they share if other cases would contradict it.

    Nothing if no single trait keeps the group apart from those.
    """
    values = {cases[i].traits[trait] for i in group if right[i]}
    against = [case for i, case in enumerate(cases) if not right[i] and case.traits[trait] in values and case.yours]
    if not claim or not against:
        return claim
    for name, value in sorted(cases[centre].traits.items(), key=lambda item: isinstance(item[1], int)):
        if name != trait and all(case.traits[name] != value for case in against):
            return f"{claim} (in the cases with {value if isinstance(value, str) else f'{name} = {value}'})"
    return ""


def _apart(trait: str, cases: Sequence[CaseResult], group: Sequence[int], is_right: Sequence[bool]) -> str:
    """Return which values of a trait are right, if none of them is also wrong."""
    right = list(dict.fromkeys(cases[i].traits[trait] for i in group if is_right[i]))
    wrong = list(dict.fromkeys(cases[i].traits[trait] for i in group if not is_right[i]))
    if not right or set(right) & set(wrong):
        return ""
    if isinstance(right[0], str):
        otherwise = "otherwise" if len(wrong) >= max(2, len(right)) else f"for {join_words(wrong)}"
        return f"{join_words(right)}; wrong {otherwise}"
    claim = f"{trait} = {join_words(right)}; wrong"
    if len(wrong) > 1 and max(map(int, right)) < min(map(int, wrong)):
        return f"{claim} from {trait} = {min(map(int, wrong))} on"
    return f"{claim} for {trait} = {join_words(wrong)}"


# --- What the numbers look like ---------------------------------------------------------------------------------------


def number_pattern(sets: Sets) -> str:
    """Return what wrong numbers have to do with the expected ones, if that is simple and the same in every case."""
    failing = [case for cases in sets for case in failing_cases(cases)]
    alike = [case for case in failing if case.wrong == failing[0].wrong]
    if all(not case.pair[0].any() for case in alike):
        return "your numbers are all 0"
    square = [case.pair for case in alike if len(case.pair[1]) > 1 and case.pair[1].shape == case.pair[1].shape[::-1]]
    if square and all(is_right(yours.T, expected) for yours, expected in square):
        return "your numbers are those of the transpose"
    return _factor(alike) or _agreed([_equal_numbers(failing_cases(cases)) for cases in sets])


def _agreed(claims: Sequence[str]) -> str:
    """Return a claim if every set makes the same one."""
    return claims[0] if len(set(claims)) == 1 else ""


def _equal_numbers(failing: Sequence[CaseResult]) -> str:
    """Return in which trait two cases differ that have different answers and got the same one."""
    failing = [case for case in failing if case.pair[1].size > 1 and case.pair[0].any()]
    largest = [float(np.abs(case.pair[0]).max()) for case in failing]
    for i, case in enumerate(failing):
        for j, other in enumerate(failing[:i]):
            if not math.isclose(largest[i], largest[j], rel_tol=2 * EXACT):  # decides at once, in nearly all pairs
                continue
            (yours, expected), (before, expected_before) = case.pair, other.pair
            if expected.shape != expected_before.shape or is_right(expected, expected_before):
                continue
            differ = [trait for trait, value in case.traits.items() if other.traits[trait] != value]
            if error(yours, before) <= EXACT and len(differ) == 1:
                values = [result.traits[differ[0]] for result in (other, case)]
                return f"your numbers are the same for {_name(differ[0], values)}{join_words(values)}"
    return ""


def _name(trait: str, values: Sequence[int | str]) -> str:
    return f"{trait} = " if isinstance(values[0], int) else ""


def _factor(failing: Sequence[CaseResult]) -> str:
    """Return by which factor the numbers of all failing cases are off, if it is simple or a size."""
    pairs = [case.pair for case in failing]
    factors = [float(np.vdot(yours, right)) / max(float(np.vdot(right, right)), SMALLEST) for yours, right in pairs]
    fits = (error(yours, by * right) <= FITS for by, (yours, right) in zip(factors, pairs, strict=True) if by)
    if len(pairs) < 2 or not all(factors) or not all(fits):
        return ""
    if max(factors) - min(factors) <= FITS * abs(factors[0]):
        factor = _simple(factors[0])
        if factor == "-1":
            return "your numbers have the wrong sign, in every case that is wrong"
        return f"your numbers are {factor} times the expected ones, in every case that is wrong" if factor else ""
    for name in (name for name, value in failing[0].traits.items() if not isinstance(value, str)):
        sizes = [float(case.traits[name]) for case in failing]
        for sign, words in ((1, ""), (-1, " with the wrong sign")):
            if np.allclose(np.multiply(factors, sign), sizes, rtol=FITS):
                return f"your numbers are {name} times the expected ones{words}, in every case that is wrong"
            if np.allclose(np.multiply(factors, sizes), sign, rtol=FITS):
                return f"your numbers are the expected ones divided by {name}{words}, in every case that is wrong"
    return ""


def _simple(number: float) -> str:
    """Return a number that somebody could have written: small and whole, or one over such a number."""
    for text, value in (*((str(n), float(n)) for n in range(-10, 11)), *((f"1/{n}", 1 / n) for n in range(2, 11))):
        if math.isclose(number, value, rel_tol=FITS, abs_tol=FITS):
            return text
    return ""


# --- Which terms of a sum are there -----------------------------------------------------------------------------------


def terms_pattern(sets: Sets) -> str:
    """Return which terms are missing or counted more than once, by the case with the plainest sum that tells it."""
    first = failing_cases(sets[0])[0]
    for i, case in sorted(enumerate(sets[0]), key=lambda item: len(item[1].sums)):
        if case.wrong is not None and (claim := _agreed([missing_terms(cases[i]) for cases in sets])):
            return claim if case is first else f"{claim} (case: {case.id})"
    return ""


def missing_terms(case: CaseResult) -> str:
    """Return which terms of a sum are there, missing, or counted more than once.

    Nothing unless the numbers are such a sum.
    """
    if case.wrong is None:
        return ""
    yours, _ = case.pair
    for terms in case.sums:
        columns = np.stack([part.ravel() for part in terms.parts.values()], axis=1)
        if np.linalg.matrix_rank(columns) < columns.shape[1]:
            continue
        counts = np.linalg.lstsq(columns, yours.ravel(), rcond=None)[0]
        if error((columns @ counts).reshape(yours.shape), yours) > FITS:
            continue
        times = [_simple(float(count)) for count in counts]
        if all(times) and set(times) != {"1"}:
            claim = _describe_terms(terms.of, dict(zip(terms.parts, times, strict=True)))
            if claim:
                return claim
    return ""


def _describe_terms(of: str, times: Mapping[str, str]) -> str:
    by_count: dict[str, list[str]] = {}
    for name, count in times.items():
        by_count.setdefault(count, []).append(name)
    if len(by_count) == 1:  # a common factor: no term differs from another
        return ""
    gone = by_count.pop("0", [])
    lost = f"; {_the(gone)} {'is' if len(gone) == 1 else 'are'} missing" if gone else ""
    # All that are there are off by one factor: that is a factor of the whole, and no term is counted too often.
    if len(by_count) == 1 and (count := next(iter(by_count))) != "1":
        return f"your {of} is {count} times {_the(by_count[count])}{lost}"
    told = [_counted(count, names) for count, names in sorted(by_count.items(), key=lambda item: item[0] != "1")]
    return f"your {of} {join_words(told)}{lost}"


def _counted(count: str, names: Sequence[str]) -> str:
    if count == "1":
        return f"has {_the(names)}"
    if count == "-1":
        return f"has {_the(names)} with the wrong sign"
    if count.startswith("1/"):
        return f"has {_the(names)} divided by {count[2:]}"
    return f"counts {_the(names)} {'twice' if count == '2' else f'{count} times'}"


def _the(names: Sequence[str]) -> str:
    return f"the term{'s' if len(names) > 1 else ''} {join_words(names)}"


# --- Where the errors of one array are --------------------------------------------------------------------------------


def place_pattern(yours: Array, expected: Array) -> str:
    """Return where an array is right, if that is whole rows or columns, or tells the diagonal from the rest."""
    good = np.abs(yours - expected) <= CLOSE * max(float(np.abs(expected).max()), SMALLEST)
    if not good.any() or good.all():
        return ""
    for kind, by_line in (("row", good), ("column", good.T)):
        whole = [i for i, line in enumerate(by_line) if line.all()]
        none = [i for i, line in enumerate(by_line) if not line.any()]
        if len(whole) + len(none) == len(by_line):
            return f"Right in {_lines(kind, whole)}, wrong in {_lines(kind, none)}"
    diagonal = np.eye(*good.shape) > 0
    if good.shape[0] == good.shape[1] and (not (good ^ diagonal).any() or not (good ^ ~diagonal).any()):
        return f"Right {'on' if good[0, 0] else 'off'} the diagonal only"
    return ""


def _lines(kind: str, numbers: Sequence[int]) -> str:
    return f"{kind}{'s' if len(numbers) > 1 else ''} {join_words(numbers)}"
