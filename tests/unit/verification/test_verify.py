"""autograder verify: the checks of rnn_backprop are proved, and what must not be does not go unnoticed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import html5lib
import pytest

from autograder.course import Limits
from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE, TOLERANCE
from autograder.grading import GradingConfig
from autograder.verification import page as faces
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
TOY = ROOT / "tests" / "toy_course"
TERMS = GradingConfig(Limits(), "E", None, 1)


def autograder(*args: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *map(str, args)]
    env = {**os.environ, "AUTOGRADER_SECRET": "tests", "PYTHONUTF8": "1"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)


# --- rnn_backprop -------------------------------------------------------------------------------------------------


def test_the_checks_of_rnn_backprop_are_sharp_and_fair(tmp_path):
    page = tmp_path / "proof.html"
    done = autograder("verify", "rnn_backprop", "--html", page)
    assert done.returncode == 0, done.stdout
    told = dict(re.findall(r"^(reference|stubs|slopes|honest|mistakes|names) +(.*?) *$", done.stdout, re.MULTILINE))
    n = len(exercise().mistakes)
    assert told["reference"] == "all points"
    assert told["stubs"] == "no points"
    assert told["honest"] == f"{len(correct_variants(exercise()))} variants, 0 of them lose points"
    assert told["mistakes"] == f"{n} of {n} caught (100.0 %)"
    assert told["names"].endswith("0 misnamed")
    assert "catch what they must, and harm nobody" in done.stdout
    html = page.read_text(encoding="utf-8")
    for mistake in exercise().mistakes:
        assert mistake.name in done.stdout
        assert mistake.name in html
    assert_stands_alone(html)


@pytest.mark.slow
def test_with_other_numbers_too():
    proof = verify(exercise(), TERMS, range(2, 4), os.cpu_count() or 1, print)
    assert proof.problems == ()
    assert proof.grading_count == 2 * len(build_samples(exercise()))


def test_there_are_honest_variants_of_every_style():
    texts = {path.stem: path.read_text(encoding="utf-8") for path in correct_variants(exercise())}
    assert len(texts) >= 15
    assert len(set(texts.values())) == len(texts)
    for trait in ("einsum", "float32", 'order="F"', "class ", "tensordot", "longdouble", "+=", "tolist", "reshape"):
        assert any(trait in text for text in texts.values()), trait


def lost(seed: int, variants: dict[str, dict[str, object]], worst: dict[str, float]) -> list[str]:
    """The honest variants that would lose a point with this seed's cases; `worst` keeps their largest errors."""
    found = []
    for function in exercise().functions:
        for case, rights in cases_with_expected(function, seed):
            for name, functions in variants.items():
                arrays = call(functions[function.name], function, case)
                largest = max(largest_error(arrays, right) for right in rights)
                worst[name] = max(worst.get(name, 0.0), largest)
                if not largest <= LOW_PRECISION_TOLERANCE:
                    found.append(f"{name}: {largest:.1e} in {case.id} with seed {seed}")
    return found


def loses_with(numbers: range) -> list[str]:
    variants = {path.stem: load_functions(path.read_text(encoding="utf-8")) for path in correct_variants(exercise())}
    worst: dict[str, float] = {}
    found = [sentence for seed in numbers for sentence in lost(seed, variants, worst)]
    for name, largest in sorted(worst.items(), key=lambda item: item[1]):
        print(f"{name:20} largest error {largest:.1e}")  # shown by pytest -s: the figures of solutions/README.md
    assert all(largest <= TOLERANCE for name, largest in worst.items() if name != "float32")
    return found


def test_no_honest_variant_loses_a_point():
    assert loses_with(range(1, 3)) == []


@pytest.mark.slow
def test_no_honest_variant_loses_a_point_whatever_the_seed():
    assert loses_with(seeds(50)) == []


# --- Any exercise: the toy one, with things that must not be ----------------------------------------------------------

CATALOGUE = """

from autograder.exercise.model import Mistake


def _ladder(number: int) -> Case:
    size = ("contract", "small", "large")[number]
    drawn = draw(size, np.random.default_rng(number))
    return Case(f"case {number}", drawn.arrays, drawn.names, drawn.description)


def _entry(name: str, function: str, arguments: str, body: str, more: str = "") -> Mistake:
    source = f"def {function}({arguments}):\\n    return {body}\\n{more}"
    return Mistake(name, function, "Which?", "(1)", source)


DIAGNOSTIC_CASES = tuple(_ladder(number) for number in range(3))
MISTAKES = (
    _entry("mean_missing", "dJ_dW", "m, x, y, y_hat", "(y_hat - y).T @ x"),
    _entry("bias_lost", "predict", "m, x", "np.array([softmax(m.W @ row) for row in x])"),
    EXTRA
)
"""
RIGHT = """import numpy as np
from model import softmax


def predict(model, x):
    return np.stack([softmax(a) for a in x @ model.W.T + model.b])


def dJ_dW(model, x, y, y_hat):
    return np.einsum("nk,nd->kd", y_hat - y, x) / len(x)
"""


def toy_course(folder: Path, extra: str = "", honest: str = RIGHT, wrong: tuple[str, str] = ("", "")) -> Path:
    """A copy of the toy course with known mistakes, an honest variant, and something wrong in its source."""
    shutil.copytree(TOY, folder, dirs_exist_ok=True)
    own = folder / "solutions" / "softmax_regression"
    rubric = (own / "rubric.py").read_text(encoding="utf-8") + CATALOGUE.replace("EXTRA", extra)
    (own / "rubric.py").write_text(rubric, encoding="utf-8")
    (own / "honest").mkdir()
    (own / "honest" / "stacked.py").write_text(honest, encoding="utf-8")
    text = (own / "softmax_regression.py").read_text(encoding="utf-8")
    assert wrong[0] in text
    (own / "softmax_regression.py").write_text(text.replace(*wrong), encoding="utf-8")
    return folder


def test_an_exercise_without_a_catalogue_is_proved_as_far_as_that_goes():
    done = autograder("verify", "softmax_regression", cwd=TOY)
    assert done.returncode == 0, done.stdout
    assert "0 variants" in done.stdout
    assert "mistakes" not in done.stdout


def test_another_exercise_brings_its_own_catalogue(tmp_path):
    done = autograder("verify", "softmax_regression", "--seeds", "2", cwd=toy_course(tmp_path))
    assert done.returncode == 0, done.stdout
    assert re.search(r"^mistakes +2 of 2 caught", done.stdout, re.MULTILINE)
    assert re.search(r"^names +2 named right", done.stdout, re.MULTILINE)
    assert "seeds 1, 2" in done.stdout


HARMLESS = '_entry("harmless", "dJ_dW", "m, x, y, y_hat", "(y_hat - y).T @ (x / len(x))"),'
SPILLS = '_entry("spills", "dJ_dW", "m, x, y, y_hat", "x.T @ x", "def predict(m, x):\\n    return x"),'
TWIN = '_entry("twin", "dJ_dW", "m, x, y, y_hat", "((y_hat - y) * len(x)).T @ x / len(x)"),'


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"extra": HARMLESS},
            ["harmless in dJ_dW survives: it costs no point with seed 1.", "mistakes 2 of 3 caught"],
        ),
        ({"extra": SPILLS}, ["spills in dJ_dW costs points in predict too."]),
        ({"extra": TWIN}, ["Only 1 of 3 mistakes are named right, and 95 % must be."]),
        ({"honest": RIGHT.replace("/ len(x)", "/ 4")}, ["The honest variant stacked loses points with seed 1:"]),
        ({"honest": "import numpy as np\n\x00"}, ["The honest variant stacked"]),
        (
            {"wrong": ("@ x / n", "@ x / n * 1.0001")},
            ["The reference's dJ_dW is off the measured slope of J by 1.0e-04."],
        ),
    ],
    ids=["survives", "spills", "nameless", "honest", "unreadable", "reference"],
)
def test_what_must_not_be_is_told_and_is_1(change, says, tmp_path):
    done = autograder("verify", "softmax_regression", cwd=toy_course(tmp_path, **change))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for sentence in says:
        assert sentence in re.sub(" +", " ", done.stdout)


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path):
    done = autograder("verify", "softmax_regression", "--html", tmp_path / "not" / "there.html", cwd=TOY)
    assert done.returncode == 1
    assert "there.html cannot be written" in done.stderr


# --- Verdicts -> rows ---------------------------------------------------------------------------------------------

MISTAKE = next(one for one in exercise().mistakes if one.function == "dJ_dV")


def verdict(wrong: dict[str, str | None], status: str = "graded"):
    """A verdict in which some checks fail, each with a diagnosis."""
    checks = [
        {
            "id": check.id,
            "function": check.function,
            "status": "fail" if check.id in wrong else "pass",
            "points": 0.0 if check.id in wrong else check.points,
            "max_points": check.points,
            "diagnosis": wrong.get(check.id),
        }
        for check in exercise().checks
    ]
    return {"status": status, "score": 0.0, "notes": [], "checks": checks if status == "graded" else []}


def test_a_mistake_that_is_caught_and_named():
    row = summarize_mistake(exercise(), MISTAKE, {1: verdict({"dJ_dV.plain": MISTAKE.name, "dJ_dV.contract": None})})
    assert row == MistakeOutcome(MISTAKE, {"dJ_dV.contract": 1, "dJ_dV.plain": 1}, (), (), {MISTAKE.name: 1})
    assert list(row.problems()) == []
    assert row.is_diagnosed_correctly
    assert row.sole_check is None


def test_a_mistake_that_one_check_alone_catches():
    row = summarize_mistake(
        exercise(), MISTAKE, {1: verdict({"dJ_dV.large": MISTAKE.name}), 2: verdict({"dJ_dV.large": None})}
    )
    assert row.sole_check == "dJ_dV.large"
    assert row.diagnoses == {MISTAKE.name: 1, None: 1}
    assert not row.is_diagnosed_correctly
    assert list(row.problems()) == []


def test_a_mistake_with_another_ones_name():
    row = summarize_mistake(exercise(), MISTAKE, {1: verdict({"dJ_dV.plain": "another"})})
    assert list(row.problems()) == [f"{MISTAKE.name} in dJ_dV is misnamed: it is called another."]


def test_a_mistake_that_one_of_two_seeds_does_not_show():
    row = summarize_mistake(exercise(), MISTAKE, {1: verdict({"dJ_dV.plain": MISTAKE.name}), 2: verdict({})})
    assert list(row.problems()) == [f"{MISTAKE.name} in dJ_dV survives: it costs no point with seed 2."]


def test_no_verdict_is_no_proof():
    nothing = verdict({}, "grader_error")
    assert list(summarize_mistake(exercise(), MISTAKE, {1: nothing}).problems()) != []
    assert summarize_sample("honest", "x", {1: nothing}).problems != ()
    assert summarize_sample("stubs", "stubs", {1: verdict({})}).problems != ()


def proof_of(*rows: MistakeOutcome) -> VerificationReport:
    return VerificationReport("rnn_backprop", exercise().checks, rows, (), {}, (1, 2), "A", len(rows), 1.0)


def test_the_only_one_is_counted():
    alone = MistakeOutcome(MISTAKE, {"dJ_dV.large": 2}, (), (), {MISTAKE.name: 2})
    both = MistakeOutcome(MISTAKE, {"dJ_dV.large": 2, "dJ_dV.plain": 1}, (), (), {MISTAKE.name: 2})
    catches = proof_of(alone, both).catches
    assert (catches["dJ_dV.large"], catches["dJ_dV.plain"]) == ((2, 1), (1, 0))


def test_a_few_may_stay_without_a_name():
    named = MistakeOutcome(MISTAKE, {"dJ_dV.large": 1}, (), (), {MISTAKE.name: 1})
    nameless = MistakeOutcome(MISTAKE, {"dJ_dV.large": 1}, (), (), {None: 1})
    enough = MIN_DIAGNOSED_PERCENT * [named]
    assert proof_of(*enough, *(100 - MIN_DIAGNOSED_PERCENT) * [nameless]).problems == ()
    assert len(proof_of(*enough, *(101 - MIN_DIAGNOSED_PERCENT) * [nameless]).problems) == 1


# --- The page -----------------------------------------------------------------------------------------------------


def assert_stands_alone(html: str) -> None:
    html5lib.HTMLParser(strict=True).parse(html)
    assert not re.search(r"<script|https?:|src=|url\(|@import", html)
    assert "default-src 'none'" in html


def test_the_page_says_what_must_not_be_and_takes_no_markup():
    odd = SimpleNamespace(name="<b>", function="dJ_dV", hint="<i>?", equation="(1)", source="")
    row = MistakeOutcome(odd, {"dJ_dV.large": 1}, (2,), (), {"<u>": 1, None: 1})  # type: ignore[arg-type]  # reads like one
    html = faces.render_html(proof_of(row))
    assert_stands_alone(html)
    assert "survives" in html
    assert not re.search(r"<b>|<i>|<u>", html)
    assert "1/2" in html
