"""From numbers to words: what is told of a function whose numbers are wrong, and how that is laid out.

A function is tried on a ladder of small cases. The first one that it gets wrong is the smallest failing case, and what
the cases that it gets right have in common tells where to look. Nothing here knows how the right answer is made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

if __package__:  # as a part of the grader
    from .rules import CLOSE, EXACT, SMALLEST, error, is_right
else:  # beside the notebook
    from rules import CLOSE, EXACT, SMALLEST, error, is_right  # type: ignore[import-not-found,no-redef]

Array = NDArray[Any]

FITS = 1e-6  # of a sum of terms: how well numbers must be explained before anything is said


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


@dataclass(frozen=True)
class CaseResult:
    """One case of the ladder, what a function made of it, and what it should have.

    `id` is how it is replayed, "T=3, H=2, seed=0"; `traits` are numbers and words in which cases differ. `yours`
    holds one array for each of the `results`, or nothing where the function gave none that can be compared;
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
        """Which result is the first that is wrong; None where all are right, and where there is none."""
        pairs = enumerate(zip(self.yours, self.expected, strict=False))  # of nothing, there are no pairs
        return next((i for i, (yours, right) in pairs if not is_right(yours, right)), None)

    @property
    def right(self) -> bool:
        """Whether there are results and all are right."""
        return bool(self.yours) and self.wrong is None


# --- What is told ---------------------------------------------------------------------------------------------------


def explain(function: str, cases: Sequence[CaseResult], hint: str = "", read: str = "") -> Feedback | None:
    """What is told of a function by its cases, from the smallest up; nothing when none of them shows wrong numbers.

    `hint` is for a case in which no slope is expected, and `read` where the formula stands.
    """
    with np.errstate(all="ignore"):
        return _explain(function, cases, hint, read)


def _explain(function: str, cases: Sequence[CaseResult], hint: str, read: str) -> Feedback | None:
    failing = [case for case in cases if case.wrong is not None]
    if not failing:
        return None
    first = failing[0]
    seen = pattern_of(failing)
    facts = (
        ("smallest failing case", first.about),
        ("relative error", f"{error(*_pair(first)):.1e} (allowed: {CLOSE:.0e})"),
        ("worst entry", worst_entry(first, "expected slope" if first.is_slope else "expected")),
        *(("right for", one) for one in right_for(cases)),
        *([("term by term", told)] if (told := _by_term(failing)) else []),
        *([("to be seen", seen)] if seen else []),
    )
    return Feedback(
        _symptom(first), facts, _map(failing), "" if first.is_slope else hint, read, replay(function, first.id)
    )


def without_slopes(cases: Sequence[CaseResult]) -> tuple[CaseResult, ...]:
    """The cases in which no slope is expected and that are wrong, where this alone makes the difference."""
    failing = [case for case in cases if case.wrong is not None and not case.is_slope]
    twins = [case for case in cases if case.right and case.is_slope]
    apart = [sum(one.traits[name] != other.traits[name] for name in one.traits) for one in failing for other in twins]
    return tuple(failing) if 1 in apart else ()


def replay(function: str, case: str) -> str:
    """How to see one case again: in the notebook, and on a line of its own in a shell; nothing if it has no name."""
    if "=" not in case:
        return ""
    return f'check("{function}", {case})\npython checks.py {function} {case.replace(",", "")}'


def show_case(case: CaseResult, given: Mapping[str, Any]) -> Feedback:
    """One case in full: what goes in, what came out, and what is expected."""
    facts = [(name, _listed(np.asarray(array))) for name, array in given.items()]
    for name, yours, right in zip(case.results, case.yours, case.expected, strict=True):
        facts += [(f"your {name}", _listed(yours)), ("expected", _listed(right))]
    if case.wrong is None:
        return Feedback(f"Right in this case: {_and(case.results)}.", tuple(facts))
    facts.append(("relative error", f"{error(*_pair(case)):.1e} (allowed: {CLOSE:.0e})"))
    return Feedback(_symptom(case), tuple(facts), _map([case]))


def _listed(array: Array) -> str:
    """Numbers as Python writes them, a line for each row."""
    if array.ndim != 2:
        return str(array.tolist())
    rows = (str([float(f"{x:.6g}") for x in row]) for row in array)
    return "[" + ",\n ".join(rows) + "]"


def _symptom(case: CaseResult) -> str:
    result = case.results[case.wrong or 0]
    return f"{result} is not the slope of J." if case.is_slope else f"{result} does not have the right numbers."


def worst_entry(case: CaseResult, expected: str) -> str:
    """The entry that is farthest off: yours, and what is expected."""
    yours, right = _pair(case)
    at = np.unravel_index(int(np.argmax(np.abs(yours - right))), right.shape)
    place = ", ".join(str(i) for i in at)
    return f"{case.results[case.wrong or 0]}[{place}]: yours {yours[at]:.6g}, {expected} {right[at]:.6g}"


def _pair(case: CaseResult) -> tuple[Array, Array]:
    return case.yours[case.wrong or 0], case.expected[case.wrong or 0]


def _by_term(failing: Sequence[CaseResult]) -> str:
    """Of the case with the plainest sum that tells anything: one of a single step before one of all steps."""
    for case in sorted(failing, key=lambda case: len(case.sums)):
        if told := missing_terms(case):
            return told if case is failing[0] else f"{told} (case: {case.id})"
    return ""


# --- Which cases are right --------------------------------------------------------------------------------------------


def right_for(cases: Sequence[CaseResult]) -> list[str]:
    """What tells the cases that are right from those that are wrong, one trait at a time.

    A trait is told by cases that agree in all others: "T = 1 and 2; wrong from T = 3 on", "identity; wrong for tanh".
    """
    wrong = [case for case in cases if not case.right]
    differences = _differences(tuple(tuple(case.traits.items()) for case in cases))
    best: list[str] = []
    for centre, differ in zip(cases, differences, strict=True):
        if centre.right:
            continue
        alone = {name for names in differ if len(names) == 1 for name in names}
        groups = (
            (one, [case for case, names in zip(cases, differ, strict=True) if names <= {one}])
            for one in centre.traits
            if one in alone
        )
        told = [_within(_apart(trait, group), trait, group, centre, wrong) for trait, group in groups]
        best = max(best, [text for text in told if text], key=len)
    passing = len(cases) - len(wrong)
    if passing and not best:
        telling = (_apart(trait, cases) for trait in cases[0].traits)
        best = [next(filter(None, telling), f"{passing} of the {len(cases)} cases that were tried")]
    return best or ["none of the cases that were tried"]


@lru_cache(maxsize=8)
def _differences(traits: tuple[tuple[tuple[str, int | str], ...], ...]) -> list[list[set[str]]]:
    """In what each case differs from each other one."""
    cases = [dict(one) for one in traits]
    return [[{name for name in one if one[name] != other[name]} for other in cases] for one in cases]


def _within(told: str, trait: str, group: Sequence[CaseResult], centre: CaseResult, wrong: Sequence[CaseResult]) -> str:
    """What is told of a group of cases around one, with what they share where other cases would contradict it.

    Nothing where no single trait keeps the group apart from those.
    """
    right = {case.traits[trait] for case in group if case.right}
    against = [case for case in wrong if case.traits[trait] in right and case.yours]
    if not told or not against:
        return told
    for name, value in sorted(centre.traits.items(), key=lambda item: isinstance(item[1], int)):
        if name != trait and all(case.traits[name] != value for case in against):
            return f"{told} (in the cases with {value if isinstance(value, str) else f'{name} = {value}'})"
    return ""


def _apart(trait: str, cases: Sequence[CaseResult]) -> str:
    """Which values of a trait are right, where none of them is also wrong."""
    right = list(dict.fromkeys(case.traits[trait] for case in cases if case.right))
    wrong = list(dict.fromkeys(case.traits[trait] for case in cases if not case.right))
    if not right or set(right) & set(wrong):
        return ""
    if isinstance(right[0], str):
        return f"{_and(right)}; wrong {'otherwise' if len(wrong) >= max(2, len(right)) else f'for {_and(wrong)}'}"
    told = f"{trait} = {_and(right)}; wrong"
    if len(wrong) > 1 and max(map(int, right)) < min(map(int, wrong)):
        return f"{told} from {trait} = {min(map(int, wrong))} on"
    return f"{told} for {trait} = {_and(wrong)}"


def _and(items: Iterable[object]) -> str:
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# --- What the numbers look like ---------------------------------------------------------------------------------------


def pattern_of(failing: Sequence[CaseResult]) -> str:
    """What wrong numbers have to do with the expected ones, where that is simple and the same in every case."""
    pairs = [(case, *_pair(case)) for case in failing if case.wrong == failing[0].wrong]
    if all(not yours.any() for _, yours, _ in pairs):
        return "your numbers are all 0"
    square = [(yours, right) for _, yours, right in pairs if len(right) > 1 and right.shape == right.shape[::-1]]
    if square and all(error(yours.T, right) <= CLOSE for yours, right in square):
        return "your numbers are those of the transpose"
    return _times(pairs) or _same(failing)


def _same(failing: Sequence[CaseResult]) -> str:
    """Whether two cases with different answers got the same one."""
    failing = [case for case in failing if _pair(case)[1].size > 1 and _pair(case)[0].any()]
    largest = [float(np.abs(_pair(case)[0]).max()) for case in failing]
    for i, one in enumerate(failing):
        for j, other in enumerate(failing[:i]):
            if not math.isclose(largest[i], largest[j], rel_tol=2 * EXACT):  # told at once, of nearly all
                continue
            (yours, right), (before, expected) = _pair(one), _pair(other)
            if right.shape != expected.shape or error(yours, before) > EXACT or error(right, expected) <= CLOSE:
                continue
            differ = [trait for trait, value in one.traits.items() if other.traits[trait] != value]
            if len(differ) == 1:
                values = [case.traits[differ[0]] for case in (other, one)]
                named = f"{differ[0]} = " if isinstance(values[0], int) else ""
                return f"your numbers are the same for {named}{_and(values)}"
            return "your numbers are the same for different arguments: is something kept from an earlier call?"
    return ""


def _times(pairs: Sequence[tuple[CaseResult, Array, Array]]) -> str:
    factors = [float(np.vdot(yours, right)) / max(float(np.vdot(right, right)), SMALLEST) for _, yours, right in pairs]
    fits = (error(yours, by * right) <= FITS for by, (_, yours, right) in zip(factors, pairs, strict=True) if by)
    if len(pairs) < 2 or not all(factors) or not all(fits):
        return ""
    if max(factors) - min(factors) <= FITS * abs(factors[0]):
        by = _simple(factors[0])
        if by == "-1":
            return "your numbers have the wrong sign, in every case that is wrong"
        return f"your numbers are {by} times the expected ones, in every case that is wrong" if by else ""
    for name in (name for name, value in pairs[0][0].traits.items() if not isinstance(value, str)):
        sizes = [float(case.traits[name]) for case, _, _ in pairs]
        if np.allclose(factors, sizes, rtol=FITS):
            return f"your numbers are {name} times the expected ones, in every case that is wrong"
        if np.allclose(np.multiply(factors, sizes), 1, rtol=FITS):
            return f"your numbers are the expected ones divided by {name}, in every case that is wrong"
    return ""


def _simple(number: float) -> str:
    """A number that somebody could have written: small and whole, or one over such a number."""
    for text, value in (*((str(n), float(n)) for n in range(-10, 11)), *((f"1/{n}", 1 / n) for n in range(2, 11))):
        if math.isclose(number, value, rel_tol=FITS, abs_tol=FITS):
            return text
    return ""


def missing_terms(case: CaseResult) -> str:
    """Which terms of a sum are there, missing, or counted more than once; nothing unless the numbers are such a sum."""
    if case.wrong is None:
        return ""
    yours, _ = _pair(case)
    for terms in case.sums:
        columns = np.stack([part.ravel() for part in terms.parts.values()], axis=1)
        if np.linalg.matrix_rank(columns) < columns.shape[1]:
            continue
        counts = np.linalg.lstsq(columns, yours.ravel(), rcond=None)[0]
        if error((columns @ counts).reshape(yours.shape), yours) > FITS:
            continue
        times = [_simple(float(count)) for count in counts]
        if (
            all(times)
            and set(times) != {"1"}
            and (told := _terms(terms.of, dict(zip(terms.parts, times, strict=True))))
        ):
            return told
    return ""


def _terms(of: str, times: Mapping[str, str]) -> str:
    by_count: dict[str, list[str]] = {}
    for name, count in times.items():
        by_count.setdefault(count, []).append(name)
    if len(by_count) == 1:  # a common factor: no term differs from another
        return ""
    gone = by_count.pop("0", [])
    told = [_counted(count, names) for count, names in sorted(by_count.items(), key=lambda item: item[0] != "1")]
    lost = f"; {_the(gone)} {'is' if len(gone) == 1 else 'are'} missing" if gone else ""
    return f"your {of} {_and(told)}{lost}"


def _counted(count: str, names: Sequence[str]) -> str:
    if count == "1":
        return f"has {_the(names)}"
    if count == "-1":
        return f"has {_the(names)} with the wrong sign"
    if count.startswith("1/"):
        return f"has {_the(names)} divided by {count[2:]}"
    return f"counts {_the(names)} {'twice' if count == '2' else f'{count} times'}"


def _the(names: Sequence[str]) -> str:
    return f"the term{'s' if len(names) > 1 else ''} {_and(names)}"


# --- The map ----------------------------------------------------------------------------------------------------------


def _map(failing: Sequence[CaseResult]) -> ErrorMap | None:
    """Of the smallest failing case that has more than one row and column, where a pattern can be seen."""
    case = next((case for case in failing if min(_pair(case)[1].shape, default=0) > 1), failing[0])
    yours, right = _pair(case)
    if right.ndim != 2 or right.size < 2:
        return None
    scale = max(float(np.max(np.abs(right))), SMALLEST)
    errors = np.abs(yours - right) / scale
    result = case.results[case.wrong or 0]
    rows = tuple(tuple(float(entry) for entry in row) for row in errors)
    return ErrorMap(result, case.about, rows, _sentence(result, errors))


def _sentence(result: str, errors: Array) -> str:
    """The map in words."""
    good = errors <= CLOSE
    at = np.unravel_index(int(np.argmax(errors)), errors.shape)
    worst = f"the largest error, {errors[at]:.1g}, is that of {result}[{', '.join(str(i) for i in at)}]"
    if not good.any():
        return f"No entry of {result} is right; {worst}."
    for kind, by_line in (("row", good), ("column", good.T)):
        whole = [i for i, line in enumerate(by_line) if line.all()]
        none = [i for i, line in enumerate(by_line) if not line.any()]
        if len(whole) + len(none) == len(by_line):
            return f"Right in {_lines(kind, whole)}, wrong in {_lines(kind, none)}; {worst}."
    if good.shape[0] == good.shape[1] and (
        np.array_equal(good, d := np.eye(len(good), dtype=bool)) or not (good ^ ~d).any()
    ):
        where = "on the diagonal only" if good[0, 0] else "off the diagonal only"
        return f"Right {where}; {worst}."
    right = int(good.sum())
    return f"{right} of the {good.size} entries {'is' if right == 1 else 'are'} right; {worst}."


def _lines(kind: str, numbers: Sequence[int]) -> str:
    return f"{kind}{'s' if len(numbers) > 1 else ''} {_and(numbers)}"
