"""Hostile text in names and messages of a submission: reports show it, and nothing obeys it."""

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


def make_hostile_report(hostile_text: str) -> Report:
    """Return a report with a text in every place that a submission can influence."""
    problem = CellProblem("", 3, "ValueError", hostile_text, ("f",))
    fields = {"function": "f", "arguments": ("x",), "cell": "", "line": 3, "case": "a case"}
    raised = messages.sentence(Finding("error", "raised", {**fields, "error": "ValueError", "text": hostile_text})).text
    notes = (
        Note("student", messages.cell_problem(problem, Limits())),
        Note("student", f"{join_names([hostile_text, hostile_text])} beside it did not count."),
        Note("instructor", messages.quote(hostile_text)),
    )
    check = CheckResult("f.a", "f", "A check", "error", 0.0, 1.0, raised)
    return Report("ex", hostile_text[:5000], "graded", 0.0, 1.0, 1, "A", notes, (check,))


def assert_harmless(rendered: str) -> None:
    """Check that neither a terminal nor a CI service obeys anything in the text."""
    for line in rendered.split("\n"):
        assert line.isprintable()
        assert not re.match(r"\s*::[a-z]", line)
        assert not re.search(r"[\u0300-\u036f\u0489\u20dd]{3}", line)


@pytest.mark.parametrize("hostile_text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    ("form", "count"),
    [(name, count) for name, entry in FORMATS.items() for count in (1, 3) if entry.scope != "one" or count == 1],
)
def test_every_format_renders_hostile_text_harmlessly(hostile_text, form, count):
    report = make_hostile_report(hostile_text)
    refused = Report("ex", hostile_text[:5000], "refused", 0.0, 1.0, 1, "A", report.notes)
    rendered = FORMATS[form].render([report, refused, report][:count])
    for line in rendered.split("\n"):
        assert line.isprintable()
    rendered.encode("utf-8")
    if form == "text":
        assert_harmless(rendered)
        assert "##[" not in rendered
    elif form != "github":  # whose lines are commands, with all text in them escaped
        assert not re.search(r"(?m)^\s*(::[a-z]|##\[)", rendered)
    if form == "json":
        read = json.loads(rendered)
        assert (read if count == 1 else read[0])["submission"] == hostile_text[:5000]


@pytest.mark.parametrize("hostile_text", HOSTILE.values(), ids=HOSTILE)
def test_a_terminal_gets_no_escapes_of_the_submission(hostile_text):
    out = io.StringIO()
    text.print_reports(
        [make_hostile_report(hostile_text)], Console(file=out, force_terminal=True, color_system="standard", width=100)
    )
    assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()))


@pytest.mark.parametrize("hostile_text", HOSTILE.values(), ids=HOSTILE)
def test_every_sentence_is_one_line_and_not_too_long(hostile_text):
    report = make_hostile_report(hostile_text)
    for sentence in [*(note.text for note in report.notes), *(check.message for check in report.checks)]:
        assert_harmless(sentence)
        assert "\n" not in sentence
        assert len(sentence) < 600


@given(st.text(st.characters(), max_size=300), st.integers(1, 100))
def test_one_line_is_printable_and_short(hostile_text, max_length):
    rendered = one_line(hostile_text, max_length)
    assert rendered.isprintable()
    assert len(rendered) <= max_length
    assert one_line(rendered, max_length) == rendered


@given(st.text(st.characters(), max_size=100))
def test_letters_and_digits_are_kept(hostile_text):
    letters = [c for c in hostile_text if c.isalnum()]
    assert [c for c in strip_control_characters(hostile_text) if c.isalnum()] == letters


@pytest.mark.parametrize(
    "hostile_text", ["x[::2]", "ä € 漢字 🎉", "e\u0301", "हिन्दी", "don't [do] <this>", "C:\\Users", "f: g"]
)
def test_ordinary_text_is_unchanged(hostile_text):
    assert one_line(hostile_text, 100) == hostile_text


def test_messages_keep_their_lines_and_a_known_mistake_is_named() -> None:
    fields = {"message": "dW is wrong.\n\n  case  T = 3", "diagnosis": "h0_dropped"}
    checks = tuple(CheckResult(f"{name}.a", name, "A check", "fail", 0.0, 1.0, **fields) for name in ("f", "g"))
    rendered = text.render([Report("ex", "ada", "graded", 0.0, 2.0, 1, "A", (), checks)])
    assert "f.a, g.a\n  dW is wrong.\n\n    case  T = 3\n" in rendered
    assert "Known mistake: h0_dropped in f, g\n" in rendered


def test_notes_name_their_audience() -> None:
    notes = (Note("student", "Look."), Note("instructor", "Look closely."))
    rendered = text.render([Report("ex", "ada", "graded", 0.0, 2.0, 1, "A", notes, ())])
    assert "Note: Look.\nNote for the instructor: Look closely.\n" in rendered
