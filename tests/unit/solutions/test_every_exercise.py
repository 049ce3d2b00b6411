"""What proves an exercise, for every exercise that is found: its mistakes, its cases, its claims, its narrative."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from autograder.evaluation.call_plans import PlannedCase, case_rngs, plan_calls
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Array, Case, Exercise, Mistake
from autograder.exercise.numerical_gradient import central_gradient, gradient_of_J, numerical_gradient
from autograder.feedback.diagnosis import MIN_DISTINGUISHING_CASES, SEPARATION, distance
from autograder.student import rules
from autograder.student.explain import claims_about
from autograder.student.feedback import CaseResult
from autograder.student.patterns import failing_cases
from autograder.verification.mutants import try_mutants
from tests.in_process import ROOT, exercises, largest_error, seeds

pytestmark = pytest.mark.parametrize(
    "exercise", exercises(), ids=lambda exercise: str(exercise.folder.relative_to(ROOT))
)
MAX_COINCIDENCES = 0.04  # the share of cases on which a mistake is right with some numbers and wrong with others


@cache
def planned_cases(folder: Path, seed: int) -> dict[str, dict[str, PlannedCase]]:
    """Return the cases of each function for a seed."""
    loaded = next(exercise for exercise in exercises() if exercise.folder == folder)
    return {plan.function.name: dict(plan.cases) for plan in plan_calls(loaded, seed)}


def run(exercise: Exercise, mistake: Mistake, case: Case) -> tuple[Array, ...] | None:
    """Return what a mistake makes of a case, None if it raises."""
    with np.errstate(all="ignore"):
        try:
            return exercise.run_mistake(mistake, case)
        except Exception:  # noqa: BLE001 - a mistake may raise anything
            return None


def error_of(exercise: Exercise, mistake: Mistake, planned: PlannedCase) -> float:
    results = run(exercise, mistake, planned.case)
    return float("inf") if results is None else largest_error(results, planned.expected)


def test_a_mistake_has_one_verdict_whatever_the_seed(exercise: Exercise) -> None:
    """The same slip costs the same. rnn_backprop, with a hundred times as many mistakes, has a test of its own."""
    uneven = []
    for mistake in exercise.mistakes[:: max(1, len(exercise.mistakes) // 30)]:
        for check in exercise.checks_of(mistake.function):
            if check.kind != "contract" and check.role == "points":
                verdicts = {
                    any(
                        error_of(exercise, mistake, planned_cases(exercise.folder, seed)[mistake.function][id])
                        > rules.CLOSE
                        for id in check.cases
                    )
                    for seed in seeds(8)
                }
                uneven += [f"{mistake.name} in {check.id}"] if len(verdicts) > 1 else []
    assert uneven == []


def test_a_case_does_not_depend_on_the_others(exercise: Exercise) -> None:
    """Drawn alone or with all others, in a batch or not, a case is the same to the last bit."""
    for check in exercise.checks:
        [rng] = case_rngs([(check, check.cases[-1], 3)])
        case = exercise.draw(check.cases[-1], rng)
        planned = planned_cases(exercise.folder, 3)[check.function][check.cases[-1]]
        assert case.names == planned.case.names
        for name, array in case.arrays.items():
            np.testing.assert_array_equal(planned.case.arrays[name], array)
        for value, right in zip(planned.expected, exercise.reference(check.function, case), strict=True):
            assert rules.error(value, right) <= 1e-12


def test_batches_are_the_same_as_one_case_after_the_other(exercise: Exercise) -> None:
    """J of a stack of arrays, where there is such a function, has the slopes of J."""
    for function in exercise.functions:
        for check in exercise.checks_of(function.name) if function.wrt else ():
            if check.kind == "slope":
                case = planned_cases(exercise.folder, 1)[function.name][check.cases[0]].case
                together = gradient_of_J(exercise, function, case)
                one_by_one = gradient_of_J(replace(exercise, objective_batch=None), function, case)
                assert rules.error(together, one_by_one) <= 1e-11


def test_complex_steps_and_central_differences_agree(exercise: Exercise) -> None:
    for function in exercise.functions:
        checks = [check for check in exercise.checks_of(function.name) if check.kind == "slope" and function.wrt]
        for check in checks if function.name not in exercise.without_complex_step else ():
            case = planned_cases(exercise.folder, 1)[function.name][check.cases[0]].case
            arguments = (exercise.objective, case.arrays, case.names, function.wrt or "")
            assert rules.error(central_gradient(*arguments), numerical_gradient(*arguments)) <= 1e-7


def test_no_change_of_a_model_answer_goes_unseen(exercise: Exercise) -> None:
    mutants = try_mutants(exercise, 1, seconds=300)
    assert [mutant.difference for mutant in mutants.living] == []
    assert mutants.count("caught") > 5 * len(exercise.functions) - 5


@pytest.mark.soak
def test_no_change_of_a_model_answer_goes_unseen_whatever_the_seed(exercise: Exercise) -> None:
    living = [mutant.difference for seed in seeds(20) for mutant in try_mutants(exercise, seed, seconds=300).living]
    assert living == []


# --- Diagnostic cases -------------------------------------------------------------------------------------------------


def sets_of(exercise: Exercise) -> list[tuple[Case, ...]]:
    return [exercise.diagnostic_cases, *exercise.confirmation_cases]


def result_of(exercise: Exercise, mistake: Mistake, case: Case) -> CaseResult:
    expected, yours = exercise.reference(mistake.function, case), run(exercise, mistake, case)
    usable = yours is not None and largest_error(yours, expected) < float("inf")
    return CaseResult(
        id=case.id,
        about=case.description,
        traits=case.parameters,
        results=tuple(exercise.function(mistake.function).returns),
        yours=(yours or ()) if usable else (),
        expected=expected,
    )


@cache
def results(folder: Path) -> list[tuple[Mistake, list[list[CaseResult]]]]:
    """Return what some thirty of the mistakes of an exercise make of all public cases, set by set."""
    exercise = next(exercise for exercise in exercises() if exercise.folder == folder)
    chosen = exercise.mistakes[:: max(1, len(exercise.mistakes) // 30)]
    return [(m, [[result_of(exercise, m, case) for case in cases] for cases in sets_of(exercise)]) for m in chosen]


def test_few_results_are_right_by_coincidence_of_the_numbers(exercise: Exercise) -> None:
    """What is said of wrong numbers holds in all sets: a coincidence in one silences a claim."""
    by_case = [
        {case.right for case in same}
        for _, sets in results(exercise.folder)
        for same in zip(*sets, strict=True)
        if all(case.yours for case in same)
    ]
    assert sum(len(verdicts) > 1 for verdicts in by_case) <= MAX_COINCIDENCES * len(by_case)


def test_what_is_claimed_by_some_sets_is_true_of_the_last(exercise: Exercise) -> None:
    """A claim is made of all sets; so the last one is fresh to claims that are made of the others."""
    claims = false = 0
    for _, (*others, last) in results(exercise.folder):
        if others and failing_cases(others[0]):
            with np.errstate(all="ignore"):
                made = [claim for claim in claims_about(others) if claim.code != "count"]
                also = {claim.text for claim in claims_about([others[0], *others[1:], last])} if made else set()
            claims += len(made)
            false += sum(claim.text not in also for claim in made)
    assert false <= MAX_COINCIDENCES * claims


def test_terms_add_up_to_the_expected_result(exercise: Exercise) -> None:
    for function, case in itertools.product(exercise.functions, exercise.diagnostic_cases):
        for total in exercise.decompose(function.name, case):
            [expected] = exercise.reference(function.name, case)
            assert rules.error(sum(total.parts.values()), expected) < 1e-8


# --- Known mistakes, and the text -------------------------------------------------------------------------------------


def test_mistakes_show_on_diagnostic_cases_and_differ(exercise: Exercise) -> None:
    chosen = results(exercise.folder) if exercise.diagnostic_cases else []
    for mistake, (shown, *_) in chosen:
        pairs = [(case.yours, case.expected) for case in shown if case.yours]
        count = sum(distance(a, b) > SEPARATION for a, b in pairs)
        # One that shows on hidden cases alone, such as an overflow, gets no name; a single case would be a weak proof.
        assert count == 0 or count >= MIN_DISTINGUISHING_CASES, mistake.name
    chosen = [(mistake, sets) for mistake, sets in chosen if failing_cases(sets[0])]
    for (first, (one, *_)), (second, (other, *_)) in itertools.combinations(chosen, 2):
        if first.function == second.function:
            pairs = [(a.yours, b.yours) for a, b in zip(one, other, strict=True) if a.yours and b.yours]
            assert any(distance(a, b) > SEPARATION for a, b in pairs), f"{first.name} and {second.name}"


def test_hints_give_no_code_away(exercise: Exercise) -> None:
    for mistake in exercise.mistakes:
        assert not re.search(r"np\.|@|\[|\.T\b|lambda|range\(", mistake.hint), mistake.name
        assert mistake.name.replace("_", " ") not in mistake.hint


def references(text: str) -> Iterator[int]:
    """Yield the numbers of all equations that a text refers to."""
    for found in re.finditer(r"equations? ((?:\(\d+\)(?:,| and| to)? ?)+)", text):
        yield from map(int, re.findall(r"\d+", found[1]))


def test_equations_that_are_referred_to_exist(exercise: Exercise) -> None:
    tags = [int(number) for number in re.findall(r"\\tag\{(\d+)\}", exercise.source_text)]
    assert tags == list(range(1, len(tags) + 1))
    texts = [exercise.source_text, *(function.reference_text for function in exercise.functions)]
    texts += [f"equation {mistake.equation}" for mistake in exercise.mistakes if mistake.equation]
    assert {number for text in texts for number in references(text)} <= set(tags)


def test_figures_are_there_and_have_an_alternative_text(exercise: Exercise) -> None:
    for alternative, name in re.findall(r"!\[([^\]]*)\]\((figures/[\w.]+)\)", exercise.source_text):
        assert len(alternative.split()) > 5, name
        assert (exercise.folder / name).is_file()


def test_loading_again_gives_the_same_cases(exercise: Exercise) -> None:
    again = load_exercise(exercise.folder)
    assert [case.id for case in again.diagnostic_cases] == [case.id for case in exercise.diagnostic_cases]
    for case, before in zip(again.diagnostic_cases, exercise.diagnostic_cases, strict=True):
        assert all(np.array_equal(array, before.arrays[name]) for name, array in case.arrays.items())
