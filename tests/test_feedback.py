"""Feedback on wrong work, graded in the sandbox: the known mistakes, the feedback levels, notes to the instructor."""

from __future__ import annotations

import atexit
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from textwrap import indent

import pytest

from autograder.course import FeedbackLevel, Limits
from autograder.evaluation.report import CheckResult, Report
from autograder.exercise.model import Mistake
from autograder.formats import text as text_format
from autograder.formats.pages import feedback_page
from autograder.grading import Grader
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.jail import Jail
from autograder.student.layout import MAX_LINES
from autograder.verification.verify import build_samples, correct_variants
from tests.in_process import exercise
from tests.leaks import assert_no_leaks, report_texts

ROOT = Path(__file__).parents[1]
SUBMISSIONS = ROOT / "tests" / "submissions"
MISTAKES = tuple({mistake.name: mistake for mistake in exercise().mistakes}.values())
"""Each known mistake once, in the first function that has it."""


GRADIENTS = ("dJ_dV", "dJ_dW", "dJ_dU")


@cache
def jail() -> Jail:
    opened = Jail()
    atexit.register(opened.close)
    return opened


@cache
def mistake_texts() -> dict[tuple[str, str], str]:
    return {(s.mistake.name, s.mistake.function): s.text for s in build_samples(exercise()) if s.mistake}


def grade(text: str, folder: Path, level: FeedbackLevel = "full") -> Report:
    file = folder / "rnn_backprop.py"
    file.write_text(text, encoding="utf-8")
    return Grader(exercise(), jail(), Limits(), seed=3, feedback=level).grade(file, "submission")


def grade_mistake(name: str, function: str, folder: Path, level: FeedbackLevel = "full") -> Report:
    return grade(mistake_texts()[name, function], folder, level)


def explained_check(report: Report, function: str) -> CheckResult:
    """Return the check of a function that carries the feedback."""
    return next(check for check in report.checks if check.function == function and check.feedback)


def facts(report: Report, function: str) -> dict[str, str]:
    feedback = explained_check(report, function).feedback
    assert feedback is not None
    return dict(feedback.facts)


@pytest.mark.parametrize(
    "mistake",
    [
        pytest.param(mistake, id=mistake.name, marks=[pytest.mark.soak] if number % 5 else [])
        for number, mistake in enumerate(MISTAKES)
    ],
)
def test_every_known_mistake_is_explained_without_leaks(mistake: Mistake, tmp_path: Path) -> None:
    report = grade_mistake(mistake.name, mistake.function, tmp_path)
    assert_no_leaks(report)
    check = explained_check(report, mistake.function)
    assert check.diagnosis
    assert mistake.hint in check.feedback.hint
    assert mistake.equation in check.feedback.read
    assert mistake.name not in "\n".join(report_texts(report)).replace(" ", "_")
    facts = dict(check.feedback.facts)
    assert facts.keys() >= {"smallest failing case", "relative error", "worst entry"}
    assert "right for" in facts or "wherever it should be more" in facts["pattern"]
    case = re.fullmatch(r"check\(\"\w+\", (.*)\)", check.feedback.replay)
    assert case
    assert case[1] in {case.id for case in exercise().diagnostic_cases}
    assert all(len(line) <= 72 for line in check.message.splitlines())
    for other in report.checks:
        if other.function == mistake.function and other.status == "fail" and other != check:
            assert other.feedback is None  # no feedback is repeated


def test_missing_terms_are_named(tmp_path: Path) -> None:
    report = grade_mistake("current_step_only", "dJ_dW", tmp_path)
    fact_texts = facts(report, "dJ_dW")
    terms = "your dJ(3)/dW has the term k = 3; the terms k = 2 and k = 1 are missing"
    assert fact_texts["term by term"] == f"{terms} (case: T=3, H=3, seed=2)"
    assert fact_texts["smallest failing case"].startswith("T = 2, H = 2, D = 1, K = 2")


@pytest.mark.parametrize(
    ("mistake", "function", "message_part"),
    [
        ("window_of_3", "dJ_dU", "T = 1, 2 and 3; wrong from T = 4 on"),
        ("b_h_forgotten", "forward", "biases 0; wrong for biases not 0"),
        ("h0_not_used", "forward", "h0 = 0; wrong for h0 not 0"),
        ("tanh_slope_hard_coded", "dJ_dW", "tanh; wrong otherwise (in the cases with the usual slopes)"),
        ("W_for_its_transpose", "dJ_dW", "W = 0 and W symmetric; wrong for W not symmetric"),
    ],
)
def test_right_for_fact(mistake: str, function: str, message_part: str, tmp_path: Path) -> None:
    check = explained_check(grade_mistake(mistake, function, tmp_path), function)
    assert ("right for", message_part) in check.feedback.facts


@pytest.mark.parametrize(
    ("mistake", "function", "message_part"),
    [
        ("mean_missing", "dJ_dV", "your numbers are T times the expected ones"),
        ("gradient_of_W_transposed", "dJ_dW", "your numbers are those of the transpose"),
        ("sign_flipped", "dJ_dU", "your numbers have the wrong sign"),
    ],
)
def test_to_be_seen_fact(mistake: str, function: str, message_part: str, tmp_path: Path) -> None:
    assert message_part in facts(grade_mistake(mistake, function, tmp_path), function)["pattern"]


def test_other_checks_point_to_the_explained_one(tmp_path: Path) -> None:
    report = grade_mistake("W_for_its_transpose", "dJ_dW", tmp_path)
    check = explained_check(report, "dJ_dW")
    others = [other for other in report.checks if other.status == "fail" and other != check]
    assert others
    for other in others:
        assert other.message.startswith(f"Most likely for the same reason as {check.id}: relative error ")
        assert "(case: T = " in other.message


def test_unknown_mistakes_get_no_name(tmp_path: Path) -> None:
    text = mistake_texts()["W_for_its_transpose", "dJ_dW"].replace(
        "later = net.W @ delta_G1", "later = delta_G1 @ net.W * 1.37"
    )
    check = explained_check(grade(text, tmp_path), "dJ_dW")
    assert check.diagnosis is None
    assert check.feedback.hint == ""
    assert check.feedback.read == "equations (17) and (18) of the notebook"


def test_notes_on_right_gradients_with_a_wrong_forward(tmp_path: Path) -> None:
    notes = [note.text for note in grade_mistake("forward_with_W_transposed", "forward", tmp_path).notes]
    assert "Your gradients are right; only forward is off." in notes
    assert any(
        text.startswith("dJ_dV is the slope of J through your own forward too; dJ_dW and dJ_dU are") for text in notes
    )


def test_fact_on_a_gradient_consistent_with_a_wrong_forward(tmp_path: Path) -> None:
    text = mistake_texts()["W_for_its_transpose", "dJ_dW"]
    text = text.replace("later = net.W @ delta_G1", "later = delta_G1 @ net.W.T")
    text = text.replace("net.W @ h[t - 1] +", "net.W.T @ h[t - 1] +").replace(
        "np.outer(delta_G1, h[t - 1])", "np.outer(h[t - 1], delta_G1)"
    )
    report = grade(text, tmp_path)
    assert facts(report, "dJ_dW")["your own forward"].startswith("It is the slope of J through your own forward")
    assert not any("only forward is off" in note.text for note in report.notes)


def test_right_work_gets_no_feedback(tmp_path: Path) -> None:
    reference = next(sample.text for sample in build_samples(exercise()) if sample.kind == "reference")
    report = grade(reference, tmp_path)
    assert report.score == report.max_score
    assert report.notes == ()
    assert all(check.feedback is None and check.message == "" for check in report.checks)


COUNTING = """
CALLS = []


def dJ_dV(net, x, y, h, y_hat):
    CALLS.append(1)
    gradient = rightly(net, x, y, h, y_hat)
    if gradient.shape == (2, 2) and len(y) == 1:  # the smallest diagnostic case with a map; no hidden case is like it
        return np.full_like(gradient, len(CALLS))
    return gradient if {right} else -gradient
"""


@pytest.mark.parametrize(
    ("right", "calls"),
    [
        pytest.param("False", 5, id="after the first call of all, which is public"),
        pytest.param("net.V.shape == (3, 4)", 4, id="or in a process of their own"),
    ],
)
def test_quoted_numbers_come_before_any_hidden_case(right: str, calls: int, tmp_path: Path) -> None:
    reference = next(sample.text for sample in build_samples(exercise()) if sample.kind == "reference")
    report = grade(f"{reference}\nrightly = dJ_dV\n{COUNTING.format(right=right)}", tmp_path)
    assert facts(report, "dJ_dV")["smallest failing case"].startswith("T = 1, H = 2")
    assert f"yours {calls}, expected" in facts(report, "dJ_dV")["worst entry"]


def test_slow_diagnostic_cases_are_run_after_the_verdict(tmp_path: Path) -> None:
    slow = "import time\nstart = time.process_time()\nwhile len(x) == 1 and time.process_time() < start + 0.3: pass"
    text = mistake_texts()["current_step_only", "dJ_dW"]
    head = next(line for line in text.splitlines() if line.startswith("def dJ_dW("))
    report = grade(text.replace(head, head + "\n" + indent(slow, "    ")), tmp_path)
    check = explained_check(report, "dJ_dW")
    assert (check.status, check.diagnosis) == ("fail", "current_step_only")


class TestFeedbackLevels:
    def report(self, level: FeedbackLevel, folder: Path) -> Report:
        return grade_mistake("current_step_only", "dJ_dW", folder, level)

    def test_points_and_diagnoses_do_not_depend_on_the_level(self, tmp_path: Path) -> None:
        reports = [self.report(level, tmp_path) for level in ("none", "symptom", "hint", "full")]
        assert len({(r.score, *((c.status, c.points, c.diagnosis) for c in r.checks)) for r in reports}) == 1

    def test_level_none(self, tmp_path: Path) -> None:
        report = self.report("none", tmp_path)
        assert [check.message for check in report.checks if check.message] == []
        assert report.notes == ()

    def test_level_symptom(self, tmp_path: Path) -> None:
        report = self.report("symptom", tmp_path)
        assert explained_check(report, "dJ_dW").message == "dJ_dW is not the slope of J."
        assert not any("relative error" in check.message for check in report.checks)

    def test_level_hint(self, tmp_path: Path) -> None:
        message = explained_check(self.report("hint", tmp_path), "dJ_dW").message
        assert "Your numbers equal those of a common mistake." in message.replace("\n", " ")
        assert "equation (17) of the notebook" in message
        assert "worst entry" not in message
        assert "check(" not in message


def test_the_page_shows_all_feedback(tmp_path: Path) -> None:
    check = explained_check(grade_mistake("current_step_only", "dJ_dW", tmp_path), "dJ_dW")
    output = feedback_page.render_function([check])
    for label, text in check.feedback.facts:
        assert label in output
        assert text.replace('"', "&#34;") in output
    assert check.feedback.map.sentence in output


@pytest.mark.parametrize(
    ("level", "message_part", "never"),
    [("symptom", "is not the slope of J", "common mistake"), ("full", "common mistake", "Traceback")],
)
def test_the_command_takes_the_level(level: str, message_part: str, never: str, tmp_path: Path) -> None:
    file = tmp_path / "rnn_backprop.py"
    file.write_text(mistake_texts()["current_step_only", "dJ_dW"], encoding="utf-8")
    command = [sys.executable, "-m", "autograder", "grade", "rnn_backprop", file, "--seed", "1", "--feedback", level]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert message_part in output
    assert never not in output


class TestNotesForTheInstructor:
    def notes(self, report: Report) -> list[str]:
        assert report.status == "graded"
        return [note.text for note in report.notes if note.audience == "instructor"]

    @pytest.mark.parametrize(
        ("sample", "sentence"),
        [("central_differences", "looks measured rather"), ("complex_step", "has derivatives of its own, written out")],
    )
    def test_gradients_that_do_not_follow_what_is_handed_in_are_reported(self, sample: str, sentence: str) -> None:
        report = Grader(exercise(), jail(), Limits(), seed=3).grade(SUBMISSIONS / "measured" / sample, sample)
        notes = self.notes(report)
        assert len(notes) == 3
        assert all(text.startswith(f"{name} {sentence}") for name, text in zip(GRADIENTS, notes, strict=True))

    def test_ignored_arguments_are_reported(self, tmp_path: Path) -> None:
        reference = next(sample.text for sample in build_samples(exercise()) if sample.kind == "reference")
        text = reference.replace(
            "    dV = np.zeros_like(net.V)", "    h, y_hat = forward(net, x, h[0])\n    dV = np.zeros_like(net.V)"
        )
        report = grade(text, tmp_path)
        assert report.score == report.max_score  # for no points
        assert [text.partition(":")[0] for text in self.notes(report)] == ["dJ_dV does not use all that is handed in"]

    def test_global_reads_are_reported(self, tmp_path: Path) -> None:
        reference = next(sample.text for sample in build_samples(exercise()) if sample.kind == "reference")
        text = reference.replace("dW = np.zeros_like(net.W)", "dW = np.zeros_like(net.W) + extra").replace(
            "def dJ_dW", "extra = 0.0\n\ndef dJ_dW"
        )
        assert self.notes(grade(text, tmp_path)) == [
            "dJ_dW reads extra, set outside of it: if that is data, it may not fit the arguments."
        ]

    @pytest.mark.parametrize("variant", correct_variants(exercise()), ids=lambda path: path.stem)
    def test_correct_variants_get_no_remark(self, variant: Path, tmp_path: Path) -> None:
        report = grade(variant.read_text(encoding="utf-8"), tmp_path)
        assert not [text for text in self.notes(report) if "measured" in text or "handed in:" in text]


def test_graders_of_one_exercise_may_share_their_caches(tmp_path: Path) -> None:
    caches = {"plan_cache": BoundedCache(1), "verdict_cache": BoundedCache(100), "feedback_cache": BoundedCache(100)}
    file = tmp_path / "rnn_backprop.py"
    file.write_text(mistake_texts()["window_of_3", "dJ_dU"], encoding="utf-8")
    reports = [Grader(exercise(), jail(), Limits(), seed=3, **caches).grade(file, "submission") for _ in range(2)]
    assert reports[0] == reports[1]
    assert [len(cache) for cache in caches.values()] == [1, len(exercise().functions), 1]


@pytest.mark.parametrize("mistake", MISTAKES[::12], ids=lambda mistake: mistake.name)
def test_a_function_takes_few_lines_in_a_terminal(mistake: Mistake, tmp_path: Path) -> None:
    shown = text_format.render([grade_mistake(mistake.name, mistake.function, tmp_path)])
    _, _, messages = shown.partition(f"\n\n{mistake.function}.")
    about_function = messages.partition("\n\nKnown mistake: ")[0]
    assert 0 < len(about_function.splitlines()) <= MAX_LINES
    assert "see it again" in about_function
