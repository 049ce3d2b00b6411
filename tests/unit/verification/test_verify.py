"""autograder verify: it finds no problem in rnn_backprop, and every problem planted in a small one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import html5lib
import pytest

from autograder.course import Limits
from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE, TOLERANCE
from autograder.grading import GradingConfig
from autograder.verification import page
from autograder.verification.outcomes import (
    MIN_DIAGNOSED_PERCENT,
    MistakeOutcome,
    VerificationReport,
    summarize_mistake,
    summarize_sample,
)
from autograder.verification.verify import build_samples, correct_variants, verify
from tests.in_process import call, cases_with_expected, exercise, largest_error, load_functions, seeds

ROOT = Path(__file__).parents[3]
EXERCISES = ROOT / "tests" / "exercises"
CONFIG = GradingConfig(Limits(), "E", None, 1)


def autograder(*args: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *map(str, args)]
    env = {**os.environ, "AUTOGRADER_SECRET": "tests", "PYTHONUTF8": "1"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)


# --- rnn_backprop -------------------------------------------------------------------------------------------------


def test_verify_finds_no_problem_in_rnn_backprop_with_every_fifth_mistake():
    sampled = replace(exercise(), mistakes=exercise().mistakes[::5])
    report = verify(sampled, CONFIG, [1], os.cpu_count() or 1, print)
    assert report.problems == ()
    assert report.mutants.living == ()
    html = page.render_html(report)
    assert all(mistake.name in html for mistake in sampled.mistakes)
    assert_self_contained(html)


@pytest.mark.soak
def test_verify_finds_no_problem_in_rnn_backprop(tmp_path):
    page_file = tmp_path / "proof.html"
    done = autograder("verify", "rnn_backprop", "--html", page_file)
    assert done.returncode == 0, done.stdout
    summary = dict(
        re.findall(r"^(reference|stubs|slopes|honest|mistakes|visible|names) +(.*?) *$", done.stdout, re.MULTILINE)
    )
    count = len(exercise().mistakes)
    assert summary["reference"] == "all points"
    assert summary["stubs"] == "no points"
    assert summary["honest"] == f"{len(correct_variants(exercise()))} variants, 0 of them lose points"
    assert summary["mistakes"] == f"{count} of {count} caught (100.0 %)"
    assert summary["visible"] == f"{count} of {count} caught by the checks that students run"
    assert summary["names"].endswith("0 misnamed")
    assert "catch what they must, and cost no honest answer a point" in done.stdout
    html = page_file.read_text(encoding="utf-8")
    for mistake in exercise().mistakes:
        assert mistake.name in done.stdout
        assert mistake.name in html
    assert_self_contained(html)


@pytest.mark.soak
def test_verify_finds_no_problem_with_other_seeds():
    report = verify(exercise(), CONFIG, range(2, 4), os.cpu_count() or 1, print)
    assert report.problems == ()
    assert report.grading_count == 2 * len(build_samples(exercise()))


def test_correct_variants_cover_many_styles():
    texts = {path.stem: path.read_text(encoding="utf-8") for path in correct_variants(exercise())}
    assert len(texts) >= 15
    assert len(set(texts.values())) == len(texts)
    for style in ("einsum", "float32", 'order="F"', "class ", "tensordot", "longdouble", "+=", "tolist", "reshape"):
        assert any(style in text for text in texts.values()), style


def find_losses(seed: int, variants: dict[str, dict[str, object]], worst: dict[str, float]) -> list[str]:
    """Return which variants would lose a point with this seed's cases; `worst` collects their largest errors."""
    losses = []
    for function in exercise().functions:
        for case, expected_values in cases_with_expected(function, seed):
            for name, functions in variants.items():
                arrays = call(functions[function.name], function, case)
                largest = max(largest_error(arrays, expected) for expected in expected_values)
                worst[name] = max(worst.get(name, 0.0), largest)
                if not largest <= LOW_PRECISION_TOLERANCE:
                    losses.append(f"{name}: {largest:.1e} in {case.id} with seed {seed}")
    return losses


def losses_with_seeds(seed_range: range) -> list[str]:
    variants = {path.stem: load_functions(path.read_text(encoding="utf-8")) for path in correct_variants(exercise())}
    worst: dict[str, float] = {}
    losses = [sentence for seed in seed_range for sentence in find_losses(seed, variants, worst)]
    for name, largest in sorted(worst.items(), key=lambda item: item[1]):
        print(f"{name:20} largest error {largest:.1e}")  # shown by pytest -s: the figures of solutions/README.md
    assert all(largest <= TOLERANCE for name, largest in worst.items() if name != "float32")
    return losses


def test_no_correct_variant_loses_a_point():
    assert losses_with_seeds(range(1, 3)) == []


@pytest.mark.soak
def test_no_correct_variant_loses_a_point_with_any_seed():
    assert losses_with_seeds(seeds(50)) == []


# --- Any exercise: a small one, with problems planted in it -----------------------------------------------------------

SMALL = "logistic_regression"
RIGHT = """import numpy as np


def predict(w, b, X):
    return 1 / (1 + np.exp(-b - np.einsum("nd,d->n", X, w)))


def loss(y_hat, y):
    return -np.log(np.where(y == 1, y_hat, 1 - y_hat)).mean()


def dJ_dw(X, y, y_hat):
    return np.mean((y_hat - y)[:, None] * X, axis=0)
"""


def planted(folder: Path, mistake: str = "", honest: str = RIGHT, wrong: tuple[str, str] = ("", "")) -> Path:
    """Return a course with one exercise: with another known mistake, an honest variant, and `wrong` text replaced."""
    exercise_folder = folder / SMALL
    ignored = shutil.ignore_patterns("__pycache__", ".cache")
    shutil.copytree(EXERCISES / SMALL, exercise_folder, ignore=ignored)
    (folder / "course.toml").write_text('exercises = "."\n', encoding="utf-8")
    source = exercise_folder / f"{SMALL}.py"
    text = source.read_text(encoding="utf-8").replace("MISTAKES = [\n", f"MISTAKES = [\n    {mistake}\n")
    assert wrong[0] in text
    source.write_text(text.replace(*wrong), encoding="utf-8")
    (exercise_folder / "honest").mkdir()
    (exercise_folder / "honest" / "averaged.py").write_text(honest, encoding="utf-8")
    return folder


def test_verify_of_an_exercise_without_known_mistakes():
    done = autograder("verify", "linear_classifier", cwd=EXERCISES)
    assert done.returncode == 0, done.stdout
    assert "0 variants" in done.stdout
    assert re.search(
        r"^next +predict has no known mistakes: .*\nnext +dJ_dW has no known mistakes: ", done.stdout, re.M
    )
    assert done.stdout.endswith(
        "Nothing was proved about known mistakes and honest variants: linear_classifier has none.\n"
    )


def test_verify_grades_the_mistakes_of_another_exercise(tmp_path):
    done = autograder("verify", SMALL, "--seeds", "2", cwd=planted(tmp_path))
    assert done.returncode == 0, done.stdout
    assert re.search(r"^mistakes +3 of 3 caught", done.stdout, re.MULTILINE)
    assert re.search(r"^names +3 named right", done.stdout, re.MULTILINE)
    assert "seeds 1, 2" in done.stdout
    assert done.stdout.endswith(f"The checks of {SMALL} catch what they must, and cost no honest answer a point.\n")


def test_a_change_that_no_check_catches_is_counted_and_the_exit_code_is_0(tmp_path):
    """Checked on a single example alone, nobody sees what the gradient is divided by."""
    folder = tmp_path / "linear_classifier"
    shutil.copytree(EXERCISES / folder.name, folder, ignore=shutil.ignore_patterns("__pycache__", ".cache"))
    (tmp_path / "course.toml").write_text('exercises = "."\n', encoding="utf-8")
    rubric = (folder / "rubric.py").read_text(encoding="utf-8")
    for right, wrong in (
        ('gradient", 1, ("small", "large")', 'gradient", 1, ("one",)'),
        ('("slope",), ', '("one",), '),
    ):
        assert rubric.count(right) == 1
        rubric = rubric.replace(right, wrong)
    (folder / "rubric.py").write_text(rubric, encoding="utf-8")
    done = autograder("verify", folder.name, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("No check catches this change:") == 1
    assert ", 1 caught by no check" in done.stdout
    assert done.stdout.endswith("miss a change of the model answers: add cases that show them.\n")


HARMLESS = 'mistake("dJ_dw", "harmless", "Which?", replace="len(y)", by="y.size"),'
SPILLS = (
    'mistake("dJ_dw", "spills", "Which?", source="def dJ_dw(X, y, z): return X.sum(0)\\ndef loss(a, b): return a"),'
)
TWIN = 'mistake("dJ_dw", "twin", "Which?", replace="X.T @ (y_hat - y) / len(y)", by="(y_hat - y) @ X"),'


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        (
            {"mistake": HARMLESS},
            ["harmless in dJ_dw survives: it costs no point with seed 1.", "mistakes 3 of 4 caught"],
        ),
        ({"mistake": SPILLS}, ["spills in dJ_dw costs points in loss too."]),
        (
            {"mistake": TWIN},
            ["Only 2 of 4 mistakes are named right, and 95 % must be. Not so: twin in dJ_dw, mean_forgotten in dJ_dw."],
        ),
        ({"honest": RIGHT.replace("np.mean(", "np.sum(")}, ["The honest variant averaged loses points with seed 1:"]),
        (
            {"honest": RIGHT.replace("def predict", "def predicted")},
            ["fails a check that students run: predict, Shape"],
        ),
        (
            {"wrong": (" / len(y)\n", " / len(y) * 1.0001\n")},
            ["The reference's dJ_dw is off the measured slope of J by 1.0e-04."],
        ),
    ],
    ids=["survives", "spills", "nameless", "honest", "honest in visible checks", "reference"],
)
def test_verify_names_each_problem_and_exits_with_1(change, sentences, tmp_path):
    done = autograder("verify", SMALL, cwd=planted(tmp_path, **change))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for sentence in sentences:
        assert sentence in re.sub(" +", " ", done.stdout)


def test_verify_refuses_an_honest_answer_that_proves_nothing(tmp_path):
    done = autograder("verify", SMALL, cwd=planted(tmp_path, honest="import numpy as np\n1 / 0"))
    assert done.returncode == 1
    assert "The honest answer averaged does not run: ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr


def test_verify_says_in_one_sentence_that_a_page_cannot_be_written(tmp_path):
    done = autograder("verify", "linear_classifier", "--html", tmp_path / "not" / "there.html", cwd=EXERCISES)
    assert done.returncode == 1
    assert "there.html cannot be written" in done.stderr


# --- Verdicts -> outcomes ---------------------------------------------------------------------------------------------

MISTAKE = next(mistake for mistake in exercise().mistakes if mistake.function == "dJ_dV")


def make_verdict(diagnoses: dict[str, str | None], status: str = "graded"):
    """Return a verdict in which the checks in `diagnoses` fail, each with its diagnosis."""
    checks = [
        {
            "id": check.id,
            "function": check.function,
            "status": "fail" if check.id in diagnoses else "pass",
            "points": 0.0 if check.id in diagnoses else check.points,
            "max_points": check.points,
            "diagnosis": diagnoses.get(check.id),
        }
        for check in exercise().checks
    ]
    return {"status": status, "score": 0.0, "notes": [], "checks": checks if status == "graded" else []}


def test_summarize_mistake_caught_and_diagnosed():
    outcome = summarize_mistake(
        exercise(), MISTAKE, {1: make_verdict({"dJ_dV.plain": MISTAKE.name, "dJ_dV.contract": None})}, (3,)
    )
    assert outcome == MistakeOutcome(MISTAKE, {"dJ_dV.contract": 1, "dJ_dV.plain": 1}, (), (), {MISTAKE.name: 1}, (3,))
    assert list(outcome.problems()) == []
    assert outcome.is_diagnosed_correctly
    assert outcome.sole_check is None


def test_summarize_mistake_caught_by_one_check():
    outcome = summarize_mistake(
        exercise(),
        MISTAKE,
        {1: make_verdict({"dJ_dV.large": MISTAKE.name}), 2: make_verdict({"dJ_dV.large": None})},
        (),
    )
    assert outcome.sole_check == "dJ_dV.large"
    assert outcome.diagnoses == {MISTAKE.name: 1, None: 1}
    assert not outcome.is_diagnosed_correctly
    assert list(outcome.problems()) == []


def test_summarize_mistake_misdiagnosed():
    outcome = summarize_mistake(exercise(), MISTAKE, {1: make_verdict({"dJ_dV.plain": "another"})}, ())
    assert list(outcome.problems()) == [f"{MISTAKE.name} in dJ_dV is misnamed: it is called another."]


def test_summarize_mistake_undetected_with_one_seed():
    outcome = summarize_mistake(
        exercise(), MISTAKE, {1: make_verdict({"dJ_dV.plain": MISTAKE.name}), 2: make_verdict({})}, ()
    )
    assert list(outcome.problems()) == [f"{MISTAKE.name} in dJ_dV survives: it costs no point with seed 2."]


def test_summarize_mistake_with_other_points_for_another_seed():
    both, one = {"dJ_dV.large": None, "dJ_dV.plain": None}, {"dJ_dV.large": None}
    outcome = summarize_mistake(exercise(), MISTAKE, {1: make_verdict(both), 2: make_verdict(one)}, ())
    assert [problem.partition(": ")[0] for problem in outcome.problems()] == [
        f"{MISTAKE.name} in dJ_dV gets other points with other seeds"
    ]


def test_a_missing_verdict_is_a_problem():
    missing_verdict = make_verdict({}, "grader_error")
    assert list(summarize_mistake(exercise(), MISTAKE, {1: missing_verdict}, ()).problems()) != []
    assert summarize_sample(exercise(), "honest", "x", {1: missing_verdict}, ()).problems != ()
    assert summarize_sample(exercise(), "stubs", "stubs", {1: make_verdict({})}, ()).problems != ()


def make_report(*outcomes: MistakeOutcome) -> VerificationReport:
    return VerificationReport(
        "rnn_backprop", exercise().checks, exercise().visible_checks, outcomes, (), {}, (1, 2), "A", len(outcomes), 1.0
    )


def test_catches_counts_mistakes_that_no_other_check_caught():
    caught_by_one = MistakeOutcome(MISTAKE, {"dJ_dV.large": 2}, (), (), {MISTAKE.name: 2})
    caught_by_two = MistakeOutcome(MISTAKE, {"dJ_dV.large": 2, "dJ_dV.plain": 1}, (), (), {MISTAKE.name: 2})
    catches = make_report(caught_by_one, caught_by_two).catches
    assert (catches["dJ_dV.large"], catches["dJ_dV.plain"]) == ((2, 1), (1, 0))


def test_a_few_mistakes_may_stay_undiagnosed():
    diagnosed = MistakeOutcome(MISTAKE, {"dJ_dV.large": 1}, (), (), {MISTAKE.name: 1})
    undiagnosed = MistakeOutcome(MISTAKE, {"dJ_dV.large": 1}, (), (), {None: 1})
    enough = MIN_DIAGNOSED_PERCENT * [diagnosed]
    assert make_report(*enough, *(100 - MIN_DIAGNOSED_PERCENT) * [undiagnosed]).problems == ()
    assert len(make_report(*enough, *(101 - MIN_DIAGNOSED_PERCENT) * [undiagnosed]).problems) == 1


def test_a_mistake_that_cannot_be_made_is_a_problem():
    left_out = "The known mistake V_transposed of dJ_dV is left out."
    assert replace(make_report(), mistake_problems=(left_out,)).problems == (left_out,)


# --- The page -----------------------------------------------------------------------------------------------------


def assert_self_contained(html: str) -> None:
    html5lib.HTMLParser(strict=True).parse(html)
    assert not re.search(r"<script|https?:|src=|url\(|@import", html)
    assert "default-src 'none'" in html


def test_render_html_shows_problems_and_escapes_markup():
    hostile_mistake = SimpleNamespace(name="<b>", function="dJ_dV", hint="<i>?", equation="(1)", source="")
    outcome = MistakeOutcome(hostile_mistake, {"dJ_dV.large": 1}, (2,), (), {"<u>": 1, None: 1})  # reads like one
    html = page.render_html(make_report(outcome))
    assert_self_contained(html)
    assert "survives" in html
    assert not re.search(r"<b>|<i>|<u>", html)
    assert "1/2" in html


def test_kill_matrix_has_a_cell_for_each_check():
    outcome = MistakeOutcome(MISTAKE, {"dJ_dV.large": 2, "dJ_dV.plain": 1}, (), (), {MISTAKE.name: 2}, (3,))
    page_tree = html5lib.parse(page.render_html(make_report(outcome)), namespaceHTMLElements=False)
    (matrix,) = [table for table in page_tree.iter("table") if table.get("class") == "matrix"]
    head, row = (["".join(cell.itertext()) for cell in line] for line in matrix.iter("tr"))
    cells = dict(zip(head, row, strict=True))
    assert (cells["mistake"], cells["large"], cells["plain"], cells["slope"]) == (MISTAKE.name, "x", "1/2", ".")
    assert cells["named"] == "right"
    assert MISTAKE.equation in cells["what the student is asked"]
