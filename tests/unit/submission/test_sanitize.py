"""Whatever a student's code, file or folder is called and says: a report shows it, and nothing obeys it."""

from __future__ import annotations

import io
import json
import re

import hypothesis.strategies as st
import pytest
from hypothesis import given
from rich.console import Console

from autograder.course import Limits
from autograder.evaluation.findings import Finding
from autograder.evaluation.report import CheckResult, Note, Report
from autograder.feedback import messages
from autograder.formats import FORMATS, text
from autograder.sandbox.host.program import CellProblem
from autograder.submission.sanitize import join_names, one_line, strip_control_characters

HOSTILE = {
    "clears the screen": "a\x1b[2J\x1b[Hb",
    "sets the title": "a\x1b]0;root\x07b",
    "8-bit escapes": "a\x9b31mb\x90q\x9c",
    "moves back": "wrong\b\b\b\b\bright\r\x7f",
    "lines": "a\nb\r\nc\x0bd\x0ce\x85f\u2028g\u2029h",
    "null": "a\0b",
    "right to left": "a\u202egnorw\u202c\u2066b\u2069\u200f",
    "invisible": "a\u200b\u2060\ufeff\u00ad\U000e0041b",
    "private and unassigned": "a\ue000\U000f0000\uffff\U000ffffeb",
    "halves of characters": "a\udcffb\ud83d",
    "a pile of marks": "a" + "\u0300\u0489\u20dd" * 40 + "b",
    "workflow commands": "::error::x\n::set-output name=a::b ##[error]c ::stop-commands::d",
    "workflow commands after white space": " " * 97 + "::error file=a::b",
    "ends of XML and HTML": "]]></system-out><script>alert(1)</script><!-- --><b>",
    "markup": "[bold red]x[/] [link=file:///etc/passwd]y[/link] :skull:",
    "formulas": "=cmd|'/c calc'!A1\t+1-1@SUM(1)",
    "JSON": '", "score": 10, "x": "\\',
    "huge": "x" * 1_000_000,
    "huge and invisible": "\u200b" * 1_000_000 + "x",
    "wide": "\U0001f480" * 500,
}


def hostile_report(told: str) -> Report:
    """A report with a text everywhere a submission may have a hand in it, as `messages` lets it in."""
    problem = CellProblem("", 3, "ValueError", told, ("f",))
    where = {"function": "f", "arguments": ("x",), "cell": "", "line": 3, "case": "a case"}
    raised = messages.sentence(Finding("error", "raised", {**where, "error": "ValueError", "text": told})).text
    notes = (
        Note("student", messages.cell_problem(problem, Limits())),
        Note("student", f"{join_names([told, told])} beside it did not count."),
        Note("instructor", messages.quote(told)),
    )
    check = CheckResult("f.a", "f", "A check", "error", 0.0, 1.0, raised)
    return Report("ex", told[:5000], "graded", 0.0, 1.0, 1, "A", notes, (check,))


def assert_harmless(shown: str) -> None:
    """Nothing in it is obeyed by a terminal or by a service that reads its lines."""
    for line in shown.split("\n"):
        assert line.isprintable()
        assert not re.match(r"\s*::[a-z]", line)
        assert not re.search(r"[\u0300-\u036f\u0489\u20dd]{3}", line)


@pytest.mark.parametrize("told", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    ("form", "count"),
    [(name, count) for name, one in FORMATS.items() for count in (1, 3) if one.scope != "one" or count == 1],
)
def test_every_format_shows_it_harmlessly(told, form, count):
    report = hostile_report(told)
    refused = Report("ex", told[:5000], "refused", 0.0, 1.0, 1, "A", report.notes)
    shown = FORMATS[form].render([report, refused, report][:count])
    for line in shown.split("\n"):
        assert line.isprintable()
    shown.encode("utf-8")
    if form == "text":
        assert_harmless(shown)
        assert "##[" not in shown
    elif form != "github":  # whose lines are commands, with all text in them escaped
        assert not re.search(r"(?m)^\s*(::[a-z]|##\[)", shown)
    if form == "json":
        read = json.loads(shown)
        assert (read if count == 1 else read[0])["submission"] == told[:5000]


@pytest.mark.parametrize("told", HOSTILE.values(), ids=HOSTILE)
def test_a_terminal_is_sent_no_escapes_but_our_own(told):
    out = io.StringIO()
    text.print_reports(
        [hostile_report(told)], Console(file=out, force_terminal=True, color_system="standard", width=100)
    )
    assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()))


@pytest.mark.parametrize("told", HOSTILE.values(), ids=HOSTILE)
def test_every_sentence_is_one_line_and_not_too_long(told):
    report = hostile_report(told)
    for sentence in [*(note.text for note in report.notes), *(check.message for check in report.checks)]:
        assert_harmless(sentence)
        assert "\n" not in sentence
        assert len(sentence) < 600


@given(st.text(st.characters(), max_size=300), st.integers(1, 100))
def test_plain_text_is_printable_and_short(told, longest):
    shown = one_line(told, longest)
    assert shown.isprintable()
    assert len(shown) <= longest
    assert one_line(shown, longest) == shown


@given(st.text(st.characters(), max_size=100))
def test_what_was_visible_stays(told):
    letters = [c for c in told if c.isalnum()]
    assert [c for c in strip_control_characters(told) if c.isalnum()] == letters


@pytest.mark.parametrize(
    "told", ["x[::2]", "ä € 漢字 🎉", "e\u0301", "हिन्दी", "don't [do] <this>", "C:\\Users", "f: g"]
)
def test_honest_text_is_left_alone(told):
    assert one_line(told, 100) == told


def test_lines_stay_lines_and_a_known_mistake_is_named_for_the_instructor() -> None:
    told = {"message": "dW is wrong.\n\n  case  T = 3", "diagnosis": "h0_dropped"}
    checks = tuple(CheckResult(f"{name}.a", name, "A check", "fail", 0.0, 1.0, **told) for name in ("f", "g"))
    shown = text.render([Report("ex", "ada", "graded", 0.0, 2.0, 1, "A", (), checks)])
    assert "f.a, g.a\n  dW is wrong.\n\n    case  T = 3\n" in shown
    assert "Known mistake: h0_dropped in f, g\n" in shown


def test_notes_say_whom_they_are_for() -> None:
    notes = (Note("student", "Look."), Note("instructor", "Look closely."))
    shown = text.render([Report("ex", "ada", "graded", 0.0, 2.0, 1, "A", notes, ())])
    assert "Note: Look.\nNote for the instructor: Look closely.\n" in shown
