"""The known mistakes: what they must satisfy to prove the checks and to name students' mistakes."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from autograder.course import Limits
from autograder.evaluation.call_plans import draw_case
from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE
from autograder.exercise import source
from autograder.feedback.diagnosis import MIN_DISTINGUISHING_CASES, SEPARATION, MistakeCatalogue, distance
from autograder.grading import Grader
from autograder.release.build import build_release
from autograder.sandbox.host.jail import Jail
from autograder.verification.verify import build_samples
from tests.in_process import cases_with_expected, exercise, largest_error, seeds

MISTAKES = exercise().mistakes
CATALOGUE = MistakeCatalogue(exercise())
SOURCE = (exercise().folder / "rnn_backprop.py").read_text(encoding="utf-8")
SAMPLES = Path(__file__).parents[2] / "submissions" / "mistakes"
MISTAKE_PARAMETERS = [pytest.param(mistake, id=f"{mistake.function}-{mistake.name}") for mistake in MISTAKES]


def test_every_function_has_many_mistakes():
    assert len({mistake.name for mistake in MISTAKES}) >= 60
    for function in exercise().functions:
        assert sum(mistake.function == function.name for mistake in MISTAKES) >= 25


def test_mistakes_of_a_function_have_different_names():
    keys = [(mistake.function, mistake.name) for mistake in MISTAKES]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("mistake", MISTAKE_PARAMETERS)
def test_a_mistake_is_well_formed(mistake):
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]+", mistake.name)
    assert re.fullmatch(r"\(\d+\)", mistake.equation)
    assert f"\\tag{{{mistake.equation[1:-1]}}}" in SOURCE
    assert re.fullmatch(r"[A-Z][^.!?\n]{15,}[?]", mistake.hint.replace("...", "")), "the hint is one question"
    assert [node.name for node in ast.parse(mistake.source).body] == [mistake.function]


@pytest.mark.parametrize("mistake", MISTAKE_PARAMETERS)
def test_a_hint_gives_no_code_away(mistake):
    assert not re.search(r"net\.|np\.|@|\[t|\.T\b|lambda|range|=(?! t| 1| 2)", mistake.hint)
    assert mistake.name.replace("_", " ") not in mistake.hint
    assert all(line not in mistake.hint for line in source.solution_lines(SOURCE) if len(line) > 4)


@pytest.mark.parametrize("mistake", MISTAKE_PARAMETERS)
def test_a_mistake_shows_on_diagnostic_cases(mistake):
    distinguishing = 0
    for case in exercise().diagnostic_cases:
        expected, wrong = exercise().reference(mistake.function, case), CATALOGUE.output_of(mistake, case)
        assert wrong is not None, case.id
        assert [a.shape for a in wrong] == [b.shape for b in expected], case.id
        distinguishing += distance(wrong, expected) > SEPARATION
    assert distinguishing >= MIN_DISTINGUISHING_CASES


@pytest.mark.parametrize("function", [function.name for function in exercise().functions])
def test_mistakes_of_a_function_give_different_numbers(function):
    mistakes = [mistake for mistake in MISTAKES if mistake.function == function]
    for first, second in itertools.combinations(mistakes, 2):
        differs = (
            distance(CATALOGUE.output_of(first, case), CATALOGUE.output_of(second, case)) > SEPARATION
            for case in exercise().diagnostic_cases
        )
        assert any(differs), f"{first.name} and {second.name} give the same numbers: keep one of them"


@pytest.mark.parametrize("function", exercise().functions, ids=lambda function: function.name)
def test_the_double_sum_that_mistakes_are_made_from_has_every_function(function):
    text = (exercise().folder / "honest" / "double_sum.py").read_text(encoding="utf-8")
    assert f"def {function.name}(" in text  # test_verify.py grades it, like every honest variant


# --- The released files -------------------------------------------------------------------------------------------


def test_no_mistake_is_released():
    released = b"\n".join(build_release(exercise()).student_files.values()).decode(errors="replace")
    for mistake in MISTAKES:
        assert mistake.name not in released
        assert mistake.hint not in released
    private_names = {path.name for path in exercise().folder.glob("*.py")} | {"honest", "MISTAKES", "autograder"}
    for private in private_names - {"rnn_backprop.py", "network.py", "learning.py"}:
        assert not re.search(rf"\b{re.escape(private)}\b", released), private


def test_no_line_of_a_mistake_or_an_honest_variant_is_released():
    released = {
        line.strip()
        for text in build_release(exercise()).student_files.values()
        for line in text.decode(errors="replace").splitlines()
    }
    honest = "\n".join(path.read_text(encoding="utf-8") for path in (exercise().folder / "honest").glob("*.py"))
    written = "\n".join([honest, *(mistake.source for mistake in MISTAKES)])
    lines = {line.strip() for line in written.splitlines() if "net." in line}
    assert lines
    assert lines & released == set()


# --- Samples ------------------------------------------------------------------------------------------------------

NO_NUMBERS = {  # samples that numbers cannot identify: crashes, state between calls, changed inputs
    *("accumulator_not_reset", "global_accumulator", "h0_changed", "h_changed", "name_of_a_cell_that_failed"),
    *("name_of_a_deleted_cell", "names_under_main", "net_changed", "outputs_counted_as_steps"),
    *("returned_buffer_reused", "returned_buffer_reused_in_forward", "size_of_D_for_H", "sizes_of_the_example"),
    *("stale_cache", "stale_cache_in_forward", "steps_of_the_example", "y_hat_changed"),
}
SAME_NUMBERS = {  # samples whose numbers are those of a mistake, or several, of another name
    "W_for_its_transpose_in_the_product": {"W_for_its_transpose"},
    "g2_over_all_steps": {"g2_forgotten"},
    "last_loss_only_dJ_dV": {"last_loss_only"},
    "wraps_around_in_all": {"wraps_around_in_all", "state_of_the_step_before", "slope_of_the_step_before"},
}


@pytest.mark.parametrize("folder", sorted(SAMPLES.iterdir()), ids=lambda folder: folder.name)
def test_a_sample_is_diagnosed_by_the_name_of_its_folder(folder, grader):
    report = grader.grade(folder, folder.name)
    names = {check.diagnosis for check in report.checks if check.diagnosis}
    if folder.name in NO_NUMBERS:
        assert names == set()
    else:
        assert names == SAME_NUMBERS.get(folder.name, {folder.name})
        functions_that_lost_points = {check.function for check in report.checks if check.points < check.max_points}
        assert functions_that_lost_points == {check.function for check in report.checks if check.diagnosis}


@pytest.fixture(scope="module")
def grader():
    with Jail() as jail:
        yield Grader(exercise(), jail, Limits(cpu_seconds=0.5, load_cpu_seconds=2), seed=1)


def report_text(report) -> str:
    """Return everything that a report says, feedback included."""
    parts = [note.text for note in report.notes] + [check.message for check in report.checks]
    return "\n".join(parts + [repr(check.feedback) for check in report.checks])


@pytest.mark.parametrize("step", [6, pytest.param(1, marks=pytest.mark.soak)])
def test_no_message_gives_anything_away(grader, tmp_path, step):
    lines = [line for line in source.solution_lines(SOURCE) if len(line) >= 8]
    hidden = set()
    for function in exercise().functions:
        for check in (check for check in exercise().checks_of(function.name) if check.hidden):
            for case in (draw_case(exercise(), check, case_id, 1) for case_id in check.cases):
                for array in exercise().reference(function.name, case):
                    hidden |= {f"{number:.6g}" for number in np.ravel(array)}
    hidden = {number for number in hidden if len(number.lstrip("-0.")) >= 5}
    for sample in build_samples(exercise())[::step]:
        path = tmp_path / "rnn_backprop.py"
        path.write_text(sample.text, encoding="utf-8")
        text = report_text(grader.grade(path, sample.name))
        assert [line for line in lines if line in text] == []
        assert "Traceback" not in text
        assert str(exercise().folder) not in text
        numbers = set(re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text))
        assert numbers & hidden == set(), sample.name


# --- Many seeds ---------------------------------------------------------------------------------------------------


def survivors(seed: int) -> list[str]:
    """Return the mistakes that no value and no slope of this seed's cases reveals."""
    missed = []
    for function in exercise().functions:
        cases = list(cases_with_expected(function, seed))
        for mistake in (mistake for mistake in MISTAKES if mistake.function == function.name):
            with np.errstate(all="ignore"):
                wrong = (
                    largest_error(exercise().run_mistake(mistake, case), right) > LOW_PRECISION_TOLERANCE
                    for case, (right, *_) in cases
                )
                if not any(wrong):
                    missed.append(f"{mistake.name} in {function.name} with seed {seed}")
    return missed


def test_every_mistake_is_caught():
    assert survivors(1) == []


@pytest.mark.soak
def test_every_mistake_is_caught_whatever_the_seed():
    assert [survivor for seed in seeds(200) for survivor in survivors(seed)] == []
