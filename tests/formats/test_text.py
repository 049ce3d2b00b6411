"""A report in a terminal: a statement that checks share is printed once, and lines break in good places."""

from __future__ import annotations

from dataclasses import replace

from autograder.evaluation.report import CheckResult
from autograder.formats import markdown, text
from autograder.formats.pages import feedback_page
from autograder.student.layout import MAX_LINES
from tests.formats import samples

FIRST = samples.make_check("dJ_dW", "contract", "fail", 1.0, "dJ_dW is not the slope of J.\n\n  read  equation (4)")
CASE = f"T = 3, H = 2, D = 2; tanh, {'and so on ' * 9}"
SAME = "Most likely for the same reason as dJ_dW.contract"


def same_reason(name: str, detail: str) -> CheckResult:
    check = samples.make_check("dJ_dW", name, "fail", 1.0, f"{SAME}: {detail}")
    return replace(check, statement=SAME, detail=detail)


REPORT = samples.make_report(
    "ada",
    (
        FIRST,
        same_reason("plain", f"relative error 1e-01 (case: {CASE})."),
        same_reason("slope", "relative error 2e-01 (case: T = 5)."),
    ),
    samples.MIXED.notes,
)


def test_a_shared_statement_is_printed_once() -> None:
    shown = text.render([REPORT])
    assert "  Most likely for the same reason as dJ_dW.contract: dJ_dW.plain, dJ_dW.slope.\n" in shown
    assert max(map(len, shown.splitlines())) <= text.WIDTH


def test_a_long_message_is_cut_at_the_limit_and_markdown_shows_all_of_it() -> None:
    lines = [f"line {number}" for number in range(MAX_LINES * 2)]
    report = samples.make_report("ada", (replace(FIRST, message="\n".join(lines)),))
    shown = text.render([report])
    assert "see --format markdown" in shown
    assert shown.count("  line ") < MAX_LINES
    assert "\n".join(lines) in markdown.render([report])


def test_wrap_does_not_break_an_assignment() -> None:
    for width in range(30, 60):
        lines = text._wrap("relative error 1e-01 (case: T = 3, H = 2, D = 2, K = 4; tanh)", width)
        assert len(lines) > 1
        assert not any(line.endswith((" =", " T", " H", " D", " K")) or line.startswith("=") for line in lines)


def test_blank_lines_separate_messages_and_notes() -> None:
    shown = text.render([REPORT])
    assert "equation (4)\n\n  Most likely" in shown
    assert "dJ_dW.slope.\n\nNote: " in shown
    assert shown.endswith("For instructors only.\n")
    assert text.render([replace(REPORT, notes=())]).endswith("dJ_dW.slope.\n")


def test_notes_for_instructors_are_on_no_page_for_students() -> None:
    assert "For instructors only" in text.render([REPORT])
    assert "For instructors only" not in feedback_page.render_page([REPORT])
