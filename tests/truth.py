"""Is what feedback claims true? Claims about wrong functions, checked on cases that the feedback code has not seen.

Cases with given traits are drawn here from scratch: nothing of the exercise's own drawing is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from autograder.exercise.model import Array, Case, Function
from autograder.student.explain import claims_about as claims_of_sets
from autograder.student.explain import place_claim, shown_case
from autograder.student.feedback import CaseResult
from autograder.student.patterns import Claim, failing_cases
from autograder.student.rules import CLOSE, is_right
from tests.in_process import exercise
from tests.pairs import sample_pairs

Answer = Callable[[Case], tuple[Array, ...]]
"""A right or wrong function of one student: from a case to results."""

DRAWS = 20  # fresh cases for each claim
LONGEST = 9  # steps: shorter cases are the first steps of a long one, so that only T differs


@cache
def expected_results(function: str) -> list[list[CaseResult]]:
    """Return the expected results of a function on all public cases, set by set."""
    sets = (exercise().diagnostic_cases, *exercise().confirmation_cases)
    return [[_result(function, case, ()) for case in cases] for cases in sets]


def claims_about(function: str, answer: Answer) -> list[Claim]:
    """Return everything that feedback claims of a function with wrong numbers; nothing if none are wrong."""
    cases = (exercise().diagnostic_cases, *exercise().confirmation_cases)
    sets = [
        [_with_answer(result, answer, case) for result, case in zip(results, cases_of_set, strict=True)]
        for results, cases_of_set in zip(expected_results(function), cases, strict=True)
    ]
    if not failing_cases(sets[0]):
        return []
    with np.errstate(all="ignore"):
        claims = claims_of_sets(sets)
        shown = shown_case(sets[0])
        place = place_claim(sets, shown) if sets[0][shown].pair[1].ndim == 2 else None
        if place:
            fields = {**place.fields, "case": sets[0][shown].id, "result": sets[0][shown].wrong}
            claims.append(replace(place, fields=fields))
        traits = [case.traits for case in failing_cases(sets[0])]
    return [Claim(c.code, {"failing": traits, **c.fields}, c.text) for c in claims if c.code != "count"]


def is_true(function: str, answer: Answer, claim: Claim, rng: np.random.Generator) -> bool:
    """Return whether a claim holds on fresh cases."""
    with np.errstate(all="ignore"):
        return bool(_HOLDS[claim.code](function, answer, claim.fields, claim.text, rng))


# --- Fresh cases ------------------------------------------------------------------------------------------------------


def draw_fresh(traits: Mapping[str, Any], rng: np.random.Generator) -> Case:
    """Draw a case with these traits, with numbers of any decimals."""

    def numbers(*shape: int, low: float = 0.3, high: float = 1.2) -> Array:
        return rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape)

    T, H, D, K = (int(traits[size]) for size in "THDK")
    g2, _, loss = str(traits["output"]).partition(" with ")
    shapes = {"U": (H, D), "W": (H, H), "V": (K, H), "b_h": (H,), "b_y": (K,), "h0": (H,), "x": (LONGEST, D)}
    arrays = {name: numbers(*shape) for name, shape in shapes.items()}
    if traits["W"] == "W symmetric":
        arrays["W"] = np.triu(arrays["W"]) + np.triu(arrays["W"], 1).T
    if traits["W"] == "W = 0":
        arrays["W"] *= 0
    if traits["h0"] == "h0 = 0":
        arrays["h0"] *= 0
    if traits["biases"] == "biases 0":
        arrays |= {name: 0 * arrays[name] for name in ("b_h", "b_y")}
    if traits["inputs"] == "h0 alone not 0":
        arrays["U"] *= 0
    if traits["inputs"] == "one-hot inputs":
        arrays["x"] = np.eye(D)[np.arange(LONGEST) % D]
    y = {
        "cross_entropy": np.eye(K)[rng.integers(0, K, LONGEST)],
        "binary_cross_entropy": rng.integers(0, 2, (LONGEST, K)).astype(float),
        "squared_error": numbers(LONGEST, K),
    }[loss]
    arrays["y"] = 1000 * y if traits["targets"] == "large targets" else y
    if traits["slopes"] != "the usual slopes":
        factors = {"G_g1": H, "G_g2": K, "G_loss": K}
        arrays |= {name: np.eye(size) + numbers(size, size, low=0.1, high=0.6) for name, size in factors.items()}
    arrays |= {name: arrays[name][:T] for name in ("x", "y")}
    names = {"g1": str(traits["g1"]), "g2": g2, "loss": loss}
    arrays["h"], arrays["y_hat"] = exercise().reference("forward", Case("", arrays, names))
    if traits["targets"] == "a loss at t = 3 only":
        arrays["y"] = np.where(np.arange(1, T + 1)[:, None] == 3, arrays["y"], arrays["y_hat"])
    return Case("fresh", arrays, names, "", traits)


def fresh_results(
    function: str, answer: Answer, traits: Mapping[str, Any], rng: np.random.Generator, draws: int = DRAWS
) -> Iterator[CaseResult]:
    """Yield what an answer makes of fresh cases with these traits, if it returns numbers there."""
    for _ in range(draws):
        case = draw_fresh(traits, rng)
        result = _with_answer(_result(function, case, ()), answer, case)
        if result.yours:
            yield result


def _result(function: str, case: Case, yours: tuple[Array, ...]) -> CaseResult:
    found: Function = exercise().function(function)
    return CaseResult(
        id=case.id,
        about=case.description,
        traits=case.parameters,
        results=tuple(found.returns),
        yours=yours,
        expected=exercise().reference(function, case),
        sums=exercise().decompose(function, case),
    )


def _with_answer(result: CaseResult, answer: Answer, case: Case) -> CaseResult:
    try:
        yours = answer(case)
    except Exception:  # noqa: BLE001 - a wrong function may raise anything
        yours = ()
    pairs = zip(yours, result.expected, strict=False)
    usable = len(yours) == len(result.expected) and all(a.shape == b.shape and np.isfinite(a).all() for a, b in pairs)
    fields = {name: getattr(result, name) for name in ("id", "about", "traits", "results", "expected", "sums")}
    return CaseResult(**fields, yours=yours if usable else ())


# --- What each kind of claim says -------------------------------------------------------------------------------------

Fields = Mapping[str, Any]


def _right_for_holds(function: str, answer: Answer, fields: Fields, _: str, rng: np.random.Generator) -> bool:
    trait = fields["trait"]
    shown = [case.parameters for case in exercise().diagnostic_cases]
    centres = [fields["traits"]] if "traits" in fields else shown

    def results(value: object) -> Iterator[CaseResult]:
        # Only traits that some case has: one-hot inputs, for example, need H = D.
        traits = [t for t in ({**centre, trait: value} for centre in centres) if t in shown]
        for traits_of_case in traits:
            yield from fresh_results(function, answer, traits_of_case, rng)

    return all(result.right for value in fields["right"] for result in results(value)) and not any(
        (found := list(results(value))) and all(result.right for result in found) for value in fields["wrong"]
    )


def _of_failing(function: str, answer: Answer, fields: Fields, rng: np.random.Generator) -> Iterator[CaseResult]:
    """Yield wrong results on fresh cases like those that failed, a few of each."""
    for traits in fields["failing"]:
        results = fresh_results(function, answer, traits, rng, draws=4)
        yield from (result for result in results if result.wrong is not None)


def _factor_holds(function: str, answer: Answer, fields: Fields, _: str, rng: np.random.Generator) -> bool:
    def factor(result: CaseResult) -> float:
        size = float(result.traits[fields["trait"]]) if fields["trait"] else 1.0
        return float(fields["times"] * size ** fields["power"])

    results = _of_failing(function, answer, fields, rng)
    return all(is_right(result.pair[0], factor(result) * result.pair[1]) for result in results)


def _equal_numbers_hold(function: str, answer: Answer, fields: Fields, _: str, rng: np.random.Generator) -> bool:
    traits = [next(c.parameters for c in exercise().diagnostic_cases if c.id == id) for id in fields["cases"]]
    for seed in rng.integers(0, 2**31, DRAWS):
        one, other = (list(fresh_results(function, answer, t, np.random.default_rng(seed), 1)) for t in traits)
        if one and other and not is_right(one[0].pair[0], other[0].pair[0]):
            return False
    return True


def _terms_hold(function: str, answer: Answer, fields: Fields, _: str, rng: np.random.Generator) -> bool:
    traits = next(c.parameters for c in exercise().diagnostic_cases if c.id == fields["case"])
    for result in fresh_results(function, answer, traits, rng):
        parts = next(terms.parts for terms in result.sums if terms.parts.keys() == fields["counts"].keys())
        if not is_right(result.pair[0], sum(fields["counts"][name] * part for name, part in parts.items())):
            return False
    return True


def _place_holds(function: str, answer: Answer, fields: Fields, _: str, rng: np.random.Generator) -> bool:
    traits = next(c.parameters for c in exercise().diagnostic_cases if c.id == fields["case"])
    pairs = [
        (result.yours[fields["result"]], result.expected[fields["result"]])
        for result in fresh_results(function, answer, traits, rng)
    ]
    errors = [np.abs(yours - expected) / np.abs(expected).max() for yours, expected in pairs]
    good = np.array(errors) <= CLOSE
    if fields["kind"] in ("on", "off"):
        diagonal = np.eye(good.shape[1]) > 0
        named = diagonal if fields["kind"] == "on" else ~diagonal
        return bool(good[:, named].all() and not good[:, ~named].all())
    lines = good if fields["kind"] == "row" else good.swapaxes(1, 2)
    others = [line for line in range(lines.shape[1]) if line not in fields["right"]]
    return bool(lines[:, list(fields["right"])].all() and not lines[:, others].all(axis=(0, 2)).any())


def _limit_holds(function: str, answer: Answer, fields: Fields, _: str, rng: np.random.Generator) -> bool:
    measure = np.linalg.norm if fields["norm"] else np.max
    results = _of_failing(function, answer, fields, rng)
    return all(measure(np.abs(result.pair[0])) <= fields["limit"] * (1 + 1e-6) for result in results)


_HOLDS: Mapping[str, Callable[..., bool]] = {
    "limit": _limit_holds,
    "right_for": _right_for_holds,
    "factor": _factor_holds,
    "zeros": lambda *args: all(not result.pair[0].any() for result in _of_failing(*args[:3], args[4])),
    "transpose": lambda *args: all(
        is_right(result.pair[0].T, result.pair[1])
        for result in _of_failing(*args[:3], args[4])
        if result.pair[1].shape == result.pair[1].shape[::-1]
    ),
    "equal_numbers": _equal_numbers_hold,
    "terms": _terms_hold,
    "place": _place_holds,
}


# --- Whose claims are checked -----------------------------------------------------------------------------------------

_CHANGED_INPUTS: Sequence[Callable[[dict[str, Array]], dict[str, Array]]] = (
    lambda arrays: {"W": arrays["W"].T},
    lambda arrays: {"h": np.roll(arrays["h"], 1, axis=0)},
    lambda arrays: {"x": arrays["x"][::-1]},
    lambda arrays: {"y": np.roll(arrays["y"], 1, axis=0)},
    lambda arrays: {"y_hat": arrays["y_hat"][::-1]},
    lambda arrays: {"h": np.concatenate([0 * arrays["h"][:1], arrays["h"][1:]])},
    lambda arrays: {"V": 2 * arrays["V"]},
    lambda arrays: {"W": np.diag(np.diag(arrays["W"]))},
    lambda arrays: {"h0": 0 * arrays["h0"]},
    lambda arrays: {"b_h": 0 * arrays["b_h"]},
    lambda arrays: {"x": arrays["x"] - arrays["x"].mean()},
)


def corrupted(function: str, rng: np.random.Generator) -> Answer:
    """Return a right answer with a few random changes: of what goes in, of what comes out, or for some sizes alone."""
    change_inputs = [_CHANGED_INPUTS[i] for i in rng.integers(len(_CHANGED_INPUTS), size=rng.integers(0, 2))]
    kinds, seed = rng.integers(6, size=rng.integers(1, 3)), int(rng.integers(2**31))

    def answer(case: Case) -> tuple[Array, ...]:
        arrays = dict(case.arrays)
        for change in change_inputs:
            arrays |= change(arrays)
        results = exercise().reference(function, Case(case.id, arrays, case.names))
        for kind in kinds:
            results = tuple(_corrupt(int(kind), array, len(case.arrays["x"]), seed) for array in results)
        return results

    return answer


def _corrupt(kind: int, array: Array, T: int, seed: int) -> Array:
    numbers = np.random.default_rng(seed)  # the same changes in every case
    factor, row, column = numbers.choice([-1.0, 0.5, 2.0, 3.0, 1.37]), numbers.integers(3), numbers.integers(3)
    array = array.copy()
    match kind:
        case 0:
            return array * factor
        case 1:
            array[row % len(array)] *= factor
        case 2:
            array[..., column % array.shape[-1]] = 0
        case 3:
            array.flat[(row + 3 * column) % array.size] += factor
        case 4:
            return array[::-1].copy() if row < T else array
        case 5:
            return array * (T if factor > 0 else 1 / T)
    return array


def answers(count: int, seed: int) -> list[tuple[str, str, Answer]]:
    """Return known mistakes, pairs of them, and corruptions of right answers: `count` of each, or all mistakes."""
    rng, mistakes = np.random.default_rng(seed), exercise().mistakes
    chosen = [mistakes[i] for i in rng.permutation(len(mistakes))[:count]]
    known = [(m.function, m.name, partial(exercise().run_mistake, m)) for m in (*chosen, *sample_pairs(count))]
    functions = [function.name for function in exercise().functions]
    names = [functions[i] for i in rng.integers(len(functions), size=count)]
    return [*known, *((name, f"corruption {i}", corrupted(name, rng)) for i, name in enumerate(names))]


def count_false(answers: Sequence[tuple[str, str, Answer]], seed: int) -> tuple[int, list[str]]:
    """Return how many claims are made about (function, name, answer), and the false ones in words."""
    rng, count, false = np.random.default_rng(seed), 0, []
    for function, name, answer in answers:
        for claim in claims_about(function, answer):
            count += 1
            if not is_true(function, answer, claim, rng):
                false.append(f"{function} {name}: {claim.code}: {claim.text}")
    return count, false
