"""What proves an exercise, for every exercise that is found: its mistakes, its cases, its claims, its narrative."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from autograder.evaluation.call_plans import case_rngs, plan_calls
from autograder.evaluation.planned_cases import PlannedCase
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Array, Case, Exercise, Mistake
from autograder.exercise.numerical_gradient import central_gradient, gradient_of_J, numerical_gradient
from autograder.exercise.small_form import cases as small_cases
from autograder.exercise.source import parse_cells
from autograder.feedback.diagnosis import MIN_DISTINGUISHING_CASES, SEPARATION, distance
from autograder.student import rules
from autograder.student.explain import claims_about
from autograder.student.feedback import CaseResult
from autograder.student.patterns import Claim, failing_cases
from autograder.verification.mutants import try_mutants
from autograder.verification.mutations import ending, mutations
from autograder.verification.verify import correct_variants
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


def test_right_answers_of_other_styles_are_right_whatever_the_seed(exercise: Exercise) -> None:
    """test_verify.py asks the same of rnn_backprop, over more seeds."""
    wrong = []
    for path in correct_variants(exercise) if exercise.name != "rnn_backprop" else ():
        for function in exercise.functions:
            answer = Mistake(path.stem, function.name, "", "", path.read_text(encoding="utf-8"))
            errors = [
                error_of(exercise, answer, planned)
                for seed in seeds(8)
                for planned in planned_cases(exercise.folder, seed)[function.name].values()
            ]
            wrong += [f"{path.stem} in {function.name}: {max(errors):.1e}"] if not max(errors) <= rules.CLOSE else []
    assert wrong == []


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


@cache
def many_sets(folder: Path, count: int) -> list[tuple[Case, ...]]:
    """Return the public cases of an exercise with that many different numbers; of one in the full form, as they are."""
    with mock.patch.object(small_cases, "SEEDS", range(count)):
        return sets_of(load_exercise(folder))


def false_claims(exercise: Exercise, mistakes: Sequence[Mistake], draws: int) -> tuple[int, list[str]]:
    """Return how many claims two sets make of mistakes, and those that do not hold in each of the sets after them.

    A claim is made of all sets that are looked at, so a set that is looked at beside the two is fresh to it.
    """
    count, false = 0, []
    for mistake in mistakes:
        sets = [
            [result_of(exercise, mistake, case) for case in cases] for cases in many_sets(exercise.folder, 2 + draws)
        ]
        if len(sets) < 3 or not failing_cases(sets[0]):
            continue
        with np.errstate(all="ignore"):
            by_fresh_set = [claims_about([*sets[:2], fresh]) for fresh in sets[2:]]
            made = {claim.text for claim in claims_about(sets[:3]) if claim.code != "count"}
        count += len(made)
        false += [f"{mistake.name}: {text}" for text in made if not all(holds(text, claims) for claims in by_fresh_set)]
    return count, false


def holds(text: str, claims: Sequence[Claim]) -> bool:
    """Return whether a claim is made again, or a limit that was reached takes the place of all others."""
    return any(claim.text == text or claim.code == "limit" for claim in claims)


def changes_of_answers(exercise: Exercise) -> list[Mistake]:
    """Return what verify changes in the model answers, as mistakes that nobody has listed."""
    cells = [cell for cell in parse_cells(exercise.source_text) if cell.kind == "solution"]
    return [Mistake(m.kind, cell.name, "", "", ending(m.text)) for cell in cells for m in mutations(cell.source)]


def test_claims_hold_with_other_numbers(exercise: Exercise) -> None:
    """tests/test_truth.py asks more of rnn_backprop: whether its claims hold on cases that are drawn otherwise."""
    listed = exercise.mistakes[:: max(1, len(exercise.mistakes) // 10)]
    _, false = false_claims(exercise, [*listed, *changes_of_answers(exercise)[::20]], draws=3)
    assert false == []


@pytest.mark.soak
def test_claims_about_every_change_hold_with_other_numbers(exercise: Exercise) -> None:
    claims, false = false_claims(exercise, changes_of_answers(exercise), draws=len(seeds(20)))
    print(f"{claims} claims, {len(false)} of them false")
    assert len(false) <= claims / 100, "\n".join(false)


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


# --- The engine -------------------------------------------------------------------------------------------------------


@cache
def words_of_the_engine() -> dict[str, set[str]]:
    """Return the words of each file of the engine; its guides show the kit's exercises, and a template is one."""
    files = [path for path in (ROOT / "autograder").rglob("*") if path.suffix not in (".pyc", ".png", ".in")]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.is_file() and path.name != "README.md"}
    return {str(path.relative_to(ROOT)): set(re.findall(r"\w+", text)) for path, text in texts.items()}


def words_of(exercise: Exercise) -> Iterator[str]:
    """Yield the words of an exercise: names of functions, arguments, results, arrays, modules, mistakes."""
    yield from (Path(file).stem for file in (*exercise.support_modules, *exercise.notebook_modules))
    for function in exercise.functions:
        yield from (function.name, *function.arguments, *function.returns)
    yield from (mistake.name for mistake in exercise.mistakes)
    for case in (case for check in exercise.visible_checks for case in check.cases):
        for text in (*case.arrays, *case.names, *case.names.values(), *case.parameters):
            yield from re.findall(r"\w+", text)


def test_the_engine_knows_no_word_of_an_exercise(exercise: Exercise) -> None:
    """Neither its code nor an example in a docstring does; words that are English or numpy's may stand anywhere."""
    looked_up = {word for case in exercise.diagnostic_cases for word in case.names.values() if word.isidentifier()}
    own = {word for word in words_of(exercise) if re.search(r"[A-Z_\d]", word) and len(word) > 1}
    own = {word for word in own | looked_up - {"none", "float"} if word.isidentifier() and not hasattr(np, word)}
    assert {file: found for file, words in words_of_the_engine().items() if (found := own & words)} == {}
