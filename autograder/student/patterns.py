"""What the cases that a function gets right have in common, and what its wrong numbers have to do with the right ones.

Numbers may fit by coincidence. So there are several sets of the same cases, with other numbers in each: the student
sees the first set, and a pattern is only named if every set shows it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np

if __package__:  # as a part of the grader
    from .feedback import Array, CaseResult
    from .rules import CLOSE, EXACT, SMALLEST, error, is_right
else:  # beside the notebook
    from feedback import Array, CaseResult  # type: ignore[import-not-found,no-redef]  # it is found once both are released, into one folder
    from rules import CLOSE, EXACT, SMALLEST, error, is_right  # type: ignore[import-not-found,no-redef]  # as above

Sets = Sequence[Sequence[CaseResult]]
"""The results on all cases, once for each set of numbers."""

FITS = 1e-6  # of a sum of terms: how well numbers must be explained before anything is said

MIN_CUT_CASES = 4  # whose numbers reach the same size and should be larger, before it is taken for a limit


@dataclass(frozen=True)
class Claim:
    """Something that all sets show: what kind of claim it is, the values that make it one, and the same in words."""

    code: Literal["limit", "right_for", "count", "zeros", "transpose", "factor", "equal_numbers", "terms", "place"]
    fields: Mapping[str, Any]
    text: str


def failing_cases(cases: Sequence[CaseResult]) -> list[CaseResult]:
    """Return the cases with wrong numbers."""
    return [case for case in cases if case.wrong is not None]


def join_words(items: Iterable[object]) -> str:
    """Return items as a part of a sentence: "1, 2 and 3"."""
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def size_limit(sets: Sets) -> Claim | None:
    """Return which limit the numbers of several wrong cases have reached, as clipping makes them.

    Where it is reached depends on the size of the numbers, and on nothing else that cases have in common.
    """
    pairs = [case.pair for cases in sets for case in failing_cases(cases)]
    for words, size_of in (("the largest of your numbers", _largest), ("the norm of your numbers", _norm)):
        sizes = [float(f"{size_of(yours):.9g}") for yours, _ in pairs]
        limit = max(sizes, default=0.0)
        if sizes.count(limit) < MIN_CUT_CASES:
            continue
        cut = sum(size == limit < size_of(expected) for size, (_, expected) in zip(sizes, pairs, strict=True))
        if cut >= MIN_CUT_CASES and math.isclose(limit, float(f"{limit:.2g}"), rel_tol=FITS):
            fields = {"norm": size_of is _norm, "limit": limit}
            return Claim("limit", fields, f"{words} is {limit:g} wherever it should be more")
    return None


def _largest(array: Array) -> float:
    return float(np.abs(array).max(initial=0.0))


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array))


# --- Which cases are right --------------------------------------------------------------------------------------------


def right_for(sets: Sets) -> list[Claim]:
    """Return what tells the cases that are right from those that are wrong, one trait at a time.

    A trait is named by cases that agree in all others: "T = 1 and 2; wrong from T = 3 on", "identity; wrong for tanh".
    A case counts as right if it is right in every set.
    """
    cases = sets[0]
    right = [all(case.right for case in alike) for alike in zip(*sets, strict=True)]
    differences = _differences(tuple(tuple(case.traits.items()) for case in cases))
    best: list[Claim] = []
    for centre, differ in enumerate(differences):
        if right[centre]:
            continue
        alone = {name for names in differ if len(names) == 1 for name in names}
        groups = (
            (trait, [i for i, names in enumerate(differ) if names <= {trait}])
            for trait in cases[centre].traits
            if trait in alone
        )
        claims = [_within(_apart(trait, cases, group, right), group, centre, cases, right) for trait, group in groups]
        best = max(best, [claim for claim in claims if claim], key=len)
    if best:
        return best
    if not any(right):
        return [Claim("count", {"right": 0}, "none of the cases that were tried")]
    claims = [_apart(trait, cases, range(len(cases)), right) for trait in cases[0].traits]
    count = Claim("count", {"right": sum(right)}, f"{sum(right)} of the {len(cases)} cases that were tried")
    return [next(filter(None, claims), count)]


@lru_cache(maxsize=8)
def _differences(traits: tuple[tuple[tuple[str, int | str], ...], ...]) -> list[list[set[str]]]:
    """Return in what each case differs from each other one."""
    cases = [dict(items) for items in traits]
    return [[{name for name in one if one[name] != other[name]} for other in cases] for one in cases]


def _within(
    claim: Claim | None, group: Sequence[int], centre: int, cases: Sequence[CaseResult], right: Sequence[bool]
) -> Claim | None:
    """Return a claim about a group of cases, with what they share if other cases would contradict it.

    None if no single trait keeps the group apart from those.
    """
    if claim is None:
        return None
    trait, traits = claim.fields["trait"], cases[centre].traits
    claim = replace(claim, fields={**claim.fields, "traits": traits})
    values = {cases[i].traits[trait] for i in group if right[i]}
    against = [case for i, case in enumerate(cases) if not right[i] and case.traits[trait] in values and case.yours]
    if not against:
        return claim
    for name, value in sorted(traits.items(), key=lambda item: isinstance(item[1], int)):
        if name != trait and all(case.traits[name] != value for case in against):
            shared = value if isinstance(value, str) else f"{name} = {value}"
            return replace(claim, text=f"{claim.text} (in the cases with {shared})")
    return None


def _apart(trait: str, cases: Sequence[CaseResult], group: Sequence[int], is_right: Sequence[bool]) -> Claim | None:
    """Return which values of a trait are right, if none of them is also wrong."""
    right = list(dict.fromkeys(cases[i].traits[trait] for i in group if is_right[i]))
    wrong = list(dict.fromkeys(cases[i].traits[trait] for i in group if not is_right[i]))
    if not right or set(right) & set(wrong):
        return None
    fields = {"trait": trait, "right": tuple(right), "wrong": tuple(wrong)}
    if isinstance(right[0], str):
        otherwise = "otherwise" if len(wrong) >= max(2, len(right)) else f"for {join_words(wrong)}"
        return Claim("right_for", fields, f"{join_words(right)}; wrong {otherwise}")
    text = f"{trait} = {join_words(right)}; wrong"
    if len(wrong) > 1 and max(map(int, right)) < min(map(int, wrong)):
        return Claim("right_for", fields, f"{text} from {trait} = {min(map(int, wrong))} on")
    return Claim("right_for", fields, f"{text} for {trait} = {join_words(wrong)}")


# --- What the numbers look like ---------------------------------------------------------------------------------------


def number_pattern(sets: Sets) -> Claim | None:
    """Return what wrong numbers have to do with the expected ones, if that is simple and the same in every case."""
    failing = [case for cases in sets for case in failing_cases(cases)]
    alike = [case for case in failing if case.wrong == failing[0].wrong]
    if all(not case.pair[0].any() for case in alike):
        return Claim("zeros", {}, "your numbers are all 0")
    square = [case.pair for case in alike if case.pair[1].size > 1 and case.pair[1].shape == case.pair[1].shape[::-1]]
    if square and all(is_right(yours.T, expected) for yours, expected in square):
        return Claim("transpose", {}, "your numbers are those of the transpose")
    return _factor(alike) or _agreed(_equal_numbers(failing_cases(cases)) for cases in sets)


def _agreed(claims: Iterable[Claim | None]) -> Claim | None:
    """Return a claim if every set makes the same one; those of later sets are only asked for if the first makes one."""
    remaining = iter(claims)
    first = next(remaining)
    return first if first and all(claim is not None and claim.text == first.text for claim in remaining) else None


def _equal_numbers(failing: Sequence[CaseResult]) -> Claim | None:
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
                text = f"your numbers are the same for {_name(differ[0], values)}{join_words(values)}"
                return Claim("equal_numbers", {"cases": (other.id, case.id)}, text)
    return None


def _name(trait: str, values: Sequence[int | str]) -> str:
    return f"{trait} = " if isinstance(values[0], int) else ""


def _factor(failing: Sequence[CaseResult]) -> Claim | None:
    """Return by which factor the numbers of all failing cases are off, if it is simple or a size."""
    pairs = [case.pair for case in failing]
    factors = [float(np.vdot(yours, right)) / max(float(np.vdot(right, right)), SMALLEST) for yours, right in pairs]
    fits = (error(yours, by * right) <= FITS for by, (yours, right) in zip(factors, pairs, strict=True) if by)
    if len(pairs) < 2 or not all(factors) or not all(fits):
        return None
    if max(factors) - min(factors) <= FITS * abs(factors[0]):
        factor = _simple(factors[0])
        words = "have the wrong sign" if factor == "-1" else f"are {factor} times the expected ones"
        return _factor_claim(words, "", 1.0, factors[0]) if factor else None
    for name in (name for name, value in failing[0].traits.items() if not isinstance(value, str)):
        sizes = [float(case.traits[name]) for case in failing]
        for sign, words in ((1.0, ""), (-1.0, " with the wrong sign")):
            if np.allclose(np.multiply(factors, sign), sizes, rtol=FITS):
                return _factor_claim(f"are {name} times the expected ones{words}", name, 1.0, sign)
            if np.allclose(np.multiply(factors, sizes), sign, rtol=FITS):
                return _factor_claim(f"are the expected ones divided by {name}{words}", name, -1.0, sign)
    return None


def _factor_claim(words: str, trait: str, power: float, times: float) -> Claim:
    """Return the claim that numbers are `times` the expected ones, and a power of a trait if one is named."""
    fields = {"trait": trait, "power": power, "times": times}
    return Claim("factor", fields, f"your numbers {words}, in every case that is wrong")


def _simple(number: float) -> str:
    """Return a number that somebody could have written: small and whole, or one over such a number."""
    for text, value in (*((str(n), float(n)) for n in range(-10, 11)), *((f"1/{n}", 1 / n) for n in range(2, 11))):
        if math.isclose(number, value, rel_tol=FITS, abs_tol=FITS):
            return text
    return ""


# --- Which terms of a sum are there -----------------------------------------------------------------------------------


def terms_pattern(sets: Sets) -> Claim | None:
    """Return which terms are missing or counted more than once, by the case with the plainest sum that tells it."""
    first = failing_cases(sets[0])[0]
    for i, case in sorted(enumerate(sets[0]), key=lambda item: len(item[1].sums)):
        if case.wrong is not None and (claim := _agreed(missing_terms(cases[i]) for cases in sets)):
            return claim if case is first else replace(claim, text=f"{claim.text} (case: {case.id})")
    return None


def missing_terms(case: CaseResult) -> Claim | None:
    """Return which terms of a sum are there, missing, or counted more than once; None if the numbers are no sum."""
    if case.wrong is None:
        return None
    yours, _ = case.pair
    for terms in case.sums:
        if not terms.are_independent:
            continue
        columns = terms.columns
        counts = np.linalg.lstsq(columns, yours.ravel(), rcond=None)[0]
        if error((columns @ counts).reshape(yours.shape), yours) > FITS:
            continue
        times = [_simple(float(count)) for count in counts]
        if all(times) and (text := _describe_terms(terms.of, dict(zip(terms.parts, times, strict=True)))):
            by_part = dict(zip(terms.parts, map(float, counts), strict=True))
            return Claim("terms", {"case": case.id, "counts": by_part}, text)
    return None


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
    phrases = [_counted(count, names) for count, names in sorted(by_count.items(), key=lambda item: item[0] != "1")]
    return f"your {of} {join_words(phrases)}{lost}"


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


def place_pattern(yours: Array, expected: Array) -> Claim | None:
    """Return where an array is right, if that is whole rows or columns, or tells the diagonal from the rest."""
    good = np.abs(yours - expected) <= CLOSE * max(float(np.abs(expected).max()), SMALLEST)
    if not good.any() or good.all():
        return None
    for kind, by_line in (("row", good), ("column", good.T)):
        whole = [i for i, line in enumerate(by_line) if line.all()]
        none = [i for i, line in enumerate(by_line) if not line.any()]
        if len(whole) + len(none) == len(by_line):
            text = f"Right in {_lines(kind, whole)}, wrong in {_lines(kind, none)}"
            return Claim("place", {"kind": kind, "right": tuple(whole)}, text)
    diagonal = np.eye(*good.shape) > 0
    if good.shape[0] == good.shape[1] and (not (good ^ diagonal).any() or not (good ^ ~diagonal).any()):
        where = "on" if good[0, 0] else "off"
        return Claim("place", {"kind": where, "right": ()}, f"Right {where} the diagonal only")
    return None


def _lines(kind: str, numbers: Sequence[int]) -> str:
    return f"{kind}{'s' if len(numbers) > 1 else ''} {join_words(numbers)}"
