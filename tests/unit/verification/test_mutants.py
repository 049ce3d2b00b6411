"""Mutants: what is changed in a text, that every text still ends, and which checks catch what is wrong."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.exercise.source import parse_cells
from autograder.verification import page
from autograder.verification.mutants import Mutants, try_mutants
from autograder.verification.mutations import ending, mutations
from autograder.verification.outcomes import VerificationReport
from tests.in_process import exercise

ROOT = Path(__file__).parents[3]


def changes(body: str) -> dict[str, set[str]]:
    """Return what becomes of a line, by kind."""
    by_kind: dict[str, set[str]] = {}
    for mutation in mutations(f"def f(a, b, t):\n    {body}\n"):
        assert mutation.before == body
        by_kind.setdefault(mutation.kind, set()).add(mutation.after)
    return by_kind


@pytest.mark.parametrize(
    ("body", "kind", "results"),
    [
        ("z = a + b * t", "a sign", {"z = a - b * t"}),
        ("z = a + b * t", "a term", {"z = a", "z = b * t"}),
        ("z = a + b * t", "a factor", {"z = a + b", "z = a + t"}),
        ("z = (a + b) * t", "a factor", {"z = a + b", "z = t"}),
        ("z = a ** (b + t)", "a term", {"z = a ** (b)", "z = a ** (t)"}),
        ("z = -a", "a sign", {"z = a"}),
        ("z = a @ b", "* for @", {"z = a * b"}),
        ("z = a @ (b - t)", "the order of a product", {"z = (b - t) @ a"}),
        ("z = a.T", "a transpose", {"z = a"}),
        ("z = a @ b", "a transpose", {"z = a.T @ b", "z = a @ b.T"}),
        ("z = a[t - 1]", "an index by one", {"z = a[t]", "z = a[t - 2]"}),
        ("z = a[t]", "an index by one", {"z = a[t + 1]", "z = a[t - 1]"}),
        ("z = a[-1]", "an index by one", {"z = a[0]", "z = a[-2]"}),
        ("z = a[1:]", "an index by one", {"z = a[:]", "z = a[:-1]", "z = a[2:]", "z = a[0:]"}),
        ("z = a[:, 0]", "an index by one", {"z = a[:, 1]", "z = a[:, -1]"}),
        ("z = a['W']", "an index by one", set()),
        ("z = range(a)", "a loop's end", {"z = range(a + 1)", "z = range(a - 1)", "z = range(1, a)"}),
        ("z = a.sum(axis=0)", "sum for mean", {"z = a.mean(axis=0)"}),
        ("z = a.sum(axis=0)", "a row for a column", {"z = a.sum(axis=1)"}),
        ("z = a if t else b", "a branch", {"z = a", "z = b"}),
        ("z = a > b", "a comparison", {"z = a < b"}),
        ("z = np.tanh(a)", "a function", {"z = a"}),
        ("a += b", "a forgotten update", {"pass", "a = b"}),
        ("a[t] = b", "a forgotten update", {"pass"}),
        ("return a, b", "swapped results", {"return (b, a)"}),
        ("return a", "a sign", {"return -a"}),
    ],
)
def test_each_kind_of_change(body: str, kind: str, results: set[str]) -> None:
    assert changes(body).get(kind, set()) == results


def test_every_mutant_of_the_model_answers_is_another_program() -> None:
    text = (exercise().folder / "rnn_backprop.py").read_text(encoding="utf-8")
    answers = [cell.source for cell in parse_cells(text) if cell.kind == "solution"]
    mutants = [mutation.text for answer in answers for mutation in mutations(answer)]
    trees = {ast.dump(ast.parse(mutant)) for mutant in mutants}
    assert len(mutants) > 100
    assert len(trees) > 0.9 * len(mutants)  # the same change may be written in two ways
    assert trees.isdisjoint(ast.dump(ast.parse(answer)) for answer in answers)


def test_a_docstring_is_left_alone() -> None:
    assert list(mutations('def f(a):\n    """a + b"""\n    return\n')) == []


def test_a_loop_that_would_never_end_ends() -> None:
    namespace: dict[str, object] = {}
    exec(ending("def f(n):\n    while n > 0:\n        pass\n    return n"), namespace)
    assert namespace["f"](1) == 1  # a function


def test_a_loop_that_ends_does_what_it_did() -> None:
    namespace: dict[str, object] = {}
    exec(ending("def f(n):\n    k = 0\n    while n > 1:\n        n, k = n // 2, k + 1\n    return k"), namespace)
    assert namespace["f"](1000) == 9  # a function


@pytest.fixture(scope="module")
def classifier() -> Exercise:
    return load_exercise(ROOT / "tests" / "exercises" / "linear_classifier")


def test_all_changes_of_a_small_exercise_are_caught_or_the_same(classifier: Exercise) -> None:
    mutants = try_mutants(classifier, 1)
    assert mutants.living == ()
    assert mutants.untried == 0
    assert mutants.count("caught") > 10
    by_contract = [mutant for mutant in mutants.tried if "dJ_dW.contract" in mutant.caught_by]
    assert "a transpose" in {mutant.mutation.kind for mutant in by_contract}  # the shape is wrong
    assert "a sign" not in {mutant.mutation.kind for mutant in by_contract}


def test_a_change_that_no_check_catches_lives_and_is_shown(classifier: Exercise) -> None:
    """With checks of a single example alone, the mean over all of them goes unseen."""
    checks = tuple(
        replace(check, cases=("one",)) if check.function == "dJ_dW" else check for check in classifier.checks
    )
    mutants = try_mutants(replace(classifier, checks=checks), 1)
    [living] = [mutant for mutant in mutants.living if mutant.mutation.kind == "a factor"]
    source = (classifier.folder / "linear_classifier.py").read_text(encoding="utf-8").splitlines()
    assert source[living.line - 1].strip() == "return (y_hat - y).T @ x / n"
    where, before, after = living.difference
    assert where == f"dJ_dW, line {living.line}: a factor"
    assert before == "- return (y_hat - y).T @ x / n"
    assert after == "+ return (y_hat - y).T @ x"
    report = VerificationReport("classifier", checks, (), (), (), {}, (1,), "A", 0, 0.0, mutants=Mutants((living,)))
    text = page.render_text(report)
    assert "\n".join(["No check catches this change:", *living.difference]) in text
    assert "The checks of classifier miss a change of the model answers" in text
    assert "return (y_hat - y).T @ x / n" in page.render_html(report)
    replacement = "replace='return (y_hat - y).T @ x / n', by='return (y_hat - y).T @ x'"
    assert living.as_mistake == f'mistake("dJ_dW", "NAME", "A QUESTION?", {replacement}),'


def test_changes_without_time_are_counted(classifier: Exercise) -> None:
    mutants = try_mutants(classifier, 1, seconds=0)
    assert mutants.tried == ()
    assert mutants.untried > 10
