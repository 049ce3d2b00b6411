"""What students are told of wrong work, graded for real: the known mistakes, and how much of it a course tells."""

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
from autograder.formats.pages import feedback_page
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail
from autograder.verification.verify import build_samples, correct_variants
from tests.leaks import assert_no_leaks, exercise, report_texts

ROOT = Path(__file__).parents[1]
SUBMISSIONS = ROOT / "tests" / "submissions"
FIRST = tuple({mistake.name: mistake for mistake in exercise().mistakes}.values())
"""Each known mistake once, in the first function that it is known of."""


@cache
def jail() -> Jail:
    opened = Jail()
    atexit.register(opened.close)
    return opened


@cache
def texts() -> dict[tuple[str, str], str]:
    return {(s.mistake.name, s.mistake.function): s.text for s in build_samples(exercise()) if s.mistake}


def graded(text: str, folder: Path, telling: FeedbackLevel = "full") -> Report:
    file = folder / "rnn_backprop.py"
    file.write_text(text, encoding="utf-8")
    return Grader(exercise(), jail(), Limits(), seed=3, feedback=telling).grade(file, "submission")


def with_mistake(name: str, function: str, folder: Path, telling: FeedbackLevel = "full") -> Report:
    return graded(texts()[name, function], folder, telling)


def full(report: Report, function: str) -> CheckResult:
    """The check of a function that all is told with."""
    return next(check for check in report.checks if check.function == function and check.feedback)


def facts(report: Report, function: str) -> dict[str, str]:
    told = full(report, function).feedback
    assert told is not None
    return dict(told.facts)


@pytest.mark.parametrize("mistake", FIRST, ids=lambda mistake: mistake.name)
def test_every_known_mistake_is_told_and_nothing_that_must_not_be(mistake: Mistake, tmp_path: Path) -> None:
    report = with_mistake(mistake.name, mistake.function, tmp_path)
    assert_no_leaks(report)
    check = full(report, mistake.function)
    assert check.diagnosis
    assert mistake.hint in check.feedback.hint
    assert mistake.equation in check.feedback.read
    assert mistake.name not in "\n".join(report_texts(report)).replace(" ", "_")
    assert dict(check.feedback.facts).keys() >= {"smallest failing case", "relative error", "worst entry", "right for"}
    case = re.search(r"check\(\"\w+\", (.*)\)\n", check.feedback.replay)
    assert case
    assert case[1] in {one.id for one in exercise().diagnostic_cases}
    assert all(len(line) <= 72 for line in check.message.splitlines())
    for other in report.checks:
        if other.function == mistake.function and other.status == "fail" and other != check:
            assert other.feedback is None  # nothing is said twice


def test_missing_terms_are_named(tmp_path: Path) -> None:
    report = with_mistake("current_step_only", "dJ_dW", tmp_path)
    told = facts(report, "dJ_dW")
    terms = "your dJ(3)/dW has the term k = 3; the terms k = 2 and k = 1 are missing"
    assert told["term by term"] == f"{terms} (case: T=3, H=3, seed=2)"
    assert told["smallest failing case"].startswith("T = 2, H = 1, D = 1, K = 1")


@pytest.mark.parametrize(
    ("mistake", "function", "says"),
    [
        ("window_of_3", "dJ_dU", "T = 1, 2 and 3; wrong from T = 4 on"),
        ("b_h_forgotten", "forward", "biases 0; wrong for biases not 0"),
        ("h0_not_used", "forward", "h0 = 0; wrong for h0 not 0"),
        ("tanh_slope_hard_coded", "dJ_dW", "tanh; wrong otherwise (in the cases with the usual slopes)"),
        ("W_for_its_transpose", "dJ_dW", "W = 0 and W symmetric; wrong for W not symmetric"),
    ],
)
def test_what_is_right_tells_where_to_look(mistake: str, function: str, says: str, tmp_path: Path) -> None:
    check = full(with_mistake(mistake, function, tmp_path), function)
    assert ("right for", says) in check.feedback.facts


@pytest.mark.parametrize(
    ("mistake", "function", "says"),
    [
        ("mean_missing", "dJ_dV", "your numbers are T times the expected ones"),
        ("gradient_of_W_transposed", "dJ_dW", "your numbers are those of the transpose"),
        ("sign_flipped", "dJ_dU", "your numbers have the wrong sign"),
    ],
)
def test_what_the_numbers_look_like(mistake: str, function: str, says: str, tmp_path: Path) -> None:
    assert says in facts(with_mistake(mistake, function, tmp_path), function)["to be seen"]


def test_other_checks_point_to_the_one_that_tells_all(tmp_path: Path) -> None:
    report = with_mistake("W_for_its_transpose", "dJ_dW", tmp_path)
    check = full(report, "dJ_dW")
    others = [one for one in report.checks if one.status == "fail" and one != check]
    assert others
    for other in others:
        assert other.message.startswith(f"Most likely for the same reason as {check.id}: relative error ")
        assert "(case: T = " in other.message


def test_numbers_of_no_known_mistake_are_not_named(tmp_path: Path) -> None:
    text = texts()["W_for_its_transpose", "dJ_dW"].replace(
        "later = net.W @ delta_G1", "later = delta_G1 @ net.W * 1.37"
    )
    check = full(graded(text, tmp_path), "dJ_dW")
    assert check.diagnosis is None
    assert check.feedback.hint == ""
    assert check.feedback.read == "equations (17) and (18) of the notebook"


def test_a_wrong_forward_beside_right_gradients(tmp_path: Path) -> None:
    notes = [note.text for note in with_mistake("forward_with_W_transposed", "forward", tmp_path).notes]
    assert "Your gradients are right; only forward is off." in notes
    assert any(
        text.startswith("dJ_dV is the slope of J through your own forward too; dJ_dW and dJ_dU are") for text in notes
    )


def test_a_gradient_that_follows_a_wrong_forward(tmp_path: Path) -> None:
    text = texts()["W_for_its_transpose", "dJ_dW"]
    text = text.replace("later = net.W @ delta_G1", "later = delta_G1 @ net.W.T")
    text = text.replace("net.W @ h[t - 1] +", "net.W.T @ h[t - 1] +").replace(
        "np.outer(delta_G1, h[t - 1])", "np.outer(h[t - 1], delta_G1)"
    )
    report = graded(text, tmp_path)
    assert facts(report, "dJ_dW")["your own forward"].startswith("It is the slope of J through your own forward")
    assert not any("only forward is off" in note.text for note in report.notes)


def test_what_is_right_costs_no_second_look(tmp_path: Path) -> None:
    reference = next(sample.text for sample in build_samples(exercise()) if sample.kind == "reference")
    report = graded(reference, tmp_path)
    assert report.score == report.max_score
    assert report.notes == ()
    assert all(check.feedback is None and check.message == "" for check in report.checks)


COUNTING = """
CALLS = []


def dJ_dV(net, x, y, h, y_hat):
    CALLS.append(1)
    gradient = rightly(net, x, y, h, y_hat)
    if len(y) == gradient.size == 1:  # the smallest case of the ladder, which no hidden case is like
        return np.full_like(gradient, len(CALLS))
    return gradient if {right} else -gradient
"""


@pytest.mark.parametrize(
    ("right", "calls"),
    [
        pytest.param("False", 2, id="after the first call of all, which is public"),
        pytest.param("net.V.shape == (4, 3)", 1, id="or in a process of their own"),
    ],
)
def test_numbers_that_are_quoted_come_before_any_hidden_case(right: str, calls: int, tmp_path: Path) -> None:
    reference = next(sample.text for sample in build_samples(exercise()) if sample.kind == "reference")
    report = graded(f"{reference}\nrightly = dJ_dV\n{COUNTING.format(right=right)}", tmp_path)
    assert facts(report, "dJ_dV")["smallest failing case"].startswith("T = 1, H = 1")
    assert f"yours {calls}, expected" in facts(report, "dJ_dV")["worst entry"]


def test_what_takes_its_time_on_the_ladder_is_looked_at_after_the_verdict(tmp_path: Path) -> None:
    slow = "import time\nstart = time.process_time()\nwhile len(x) == 1 and time.process_time() < start + 0.3: pass"
    text = texts()["current_step_only", "dJ_dW"]
    head = next(line for line in text.splitlines() if line.startswith("def dJ_dW("))
    report = graded(text.replace(head, head + "\n" + indent(slow, "    ")), tmp_path)
    check = full(report, "dJ_dW")
    assert (check.status, check.diagnosis) == ("fail", "current_step_only")


class TestHowMuchIsTold:
    def told(self, telling: FeedbackLevel, folder: Path) -> Report:
        return with_mistake("current_step_only", "dJ_dW", folder, telling)

    def test_points_and_names_are_the_same(self, tmp_path: Path) -> None:
        reports = [self.told(telling, tmp_path) for telling in ("none", "symptom", "hint", "full")]
        assert len({(r.score, *((c.status, c.points, c.diagnosis) for c in r.checks)) for r in reports}) == 1

    def test_nothing(self, tmp_path: Path) -> None:
        report = self.told("none", tmp_path)
        assert [check.message for check in report.checks if check.message] == []
        assert report.notes == ()

    def test_a_symptom(self, tmp_path: Path) -> None:
        report = self.told("symptom", tmp_path)
        assert full(report, "dJ_dW").message == "dJ_dW is not the slope of J."
        assert not any("relative error" in check.message for check in report.checks)

    def test_a_hint(self, tmp_path: Path) -> None:
        message = full(self.told("hint", tmp_path), "dJ_dW").message
        assert "looks like" in message
        assert "equation (17) of the notebook" in message
        assert "expected slope" not in message
        assert "check(" not in message


def test_the_page_shows_all_of_it(tmp_path: Path) -> None:
    check = full(with_mistake("current_step_only", "dJ_dW", tmp_path), "dJ_dW")
    shown = feedback_page.render_check(check)
    for label, text in check.feedback.facts:
        assert label in shown
        assert text.replace('"', "&#34;") in shown
    assert check.feedback.map.sentence in shown


@pytest.mark.parametrize(
    ("telling", "says", "never"),
    [("symptom", "is not the slope of J", "looks like"), ("full", "looks like", "Traceback")],
)
def test_the_command_says_how_much_is_told(telling: str, says: str, never: str, tmp_path: Path) -> None:
    file = tmp_path / "rnn_backprop.py"
    file.write_text(texts()["current_step_only", "dJ_dW"], encoding="utf-8")
    command = [sys.executable, "-m", "autograder", "grade", "rnn_backprop", file, "--seed", "1", "--feedback", telling]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    assert says in shown
    assert never not in shown


class TestNotesForTheInstructor:
    def notes(self, report: Report) -> list[str]:
        assert report.status == "graded"
        return [note.text for note in report.notes if note.audience == "instructor"]

    @pytest.mark.parametrize("room", ["central_differences", "complex_step"])
    def test_measured(self, room: str) -> None:
        report = Grader(exercise(), jail(), Limits(), seed=3).grade(SUBMISSIONS / "measured" / room, room)
        assert [text.partition(" rather")[0] for text in self.notes(report)] == [
            f"{name} looks measured" for name in ("dJ_dV", "dJ_dW", "dJ_dU")
        ]

    def test_a_forward_pass_of_its_own(self, tmp_path: Path) -> None:
        reference = next(sample.text for sample in build_samples(exercise()) if sample.kind == "reference")
        text = reference.replace(
            "    dV = np.zeros_like(net.V)", "    h, y_hat = forward(net, x, h[0])\n    dV = np.zeros_like(net.V)"
        )
        report = graded(text, tmp_path)
        assert report.score == report.max_score  # for no points
        assert [text.partition(":")[0] for text in self.notes(report)] == ["dJ_dV does not use all that is handed in"]

    def test_data_from_outside(self, tmp_path: Path) -> None:
        reference = next(sample.text for sample in build_samples(exercise()) if sample.kind == "reference")
        text = reference.replace("dW = np.zeros_like(net.W)", "dW = np.zeros_like(net.W) + extra").replace(
            "def dJ_dW", "extra = 0.0\n\ndef dJ_dW"
        )
        assert self.notes(graded(text, tmp_path)) == [
            "dJ_dW reads extra, set outside of it: if that is data, it may not fit what is handed in."
        ]

    @pytest.mark.parametrize("variant", correct_variants(exercise()), ids=lambda path: path.stem)
    def test_honest_work_is_not_suspected(self, variant: Path, tmp_path: Path) -> None:
        report = graded(variant.read_text(encoding="utf-8"), tmp_path)
        assert not [text for text in self.notes(report) if "measured" in text or "handed in:" in text]
