"""Reports to be written in every format: five that golden files show, and what hypothesis draws."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from autograder.evaluation.report import CheckResult, CheckStatus, ErrorMap, Feedback, Note, Report

FUNCTIONS = ("forward", "dJ_dW")
MAP = ErrorMap("dJ_dW", "T = 3, H = 2", ((0.9, 1e-3), (math.inf, 1e-9)), "3 of 4 entries are wrong.")
FEEDBACK = Feedback(
    symptom="dJ_dW is not the slope of J.",
    facts=(("smallest failing case", "T = 3 steps, H = 2"), ("worst entry", "dJ_dW[1, 0]: yours 0.1, expected 0.2")),
    map=MAP,
    hint="Does an error signal flow back from step t+1 to step t?",
    read="equation (4) of the notebook",
    replay='check("dJ_dW", case="T3")',
)
MESSAGE = """dJ_dW is not the slope of J.

  smallest failing case   T = 3 steps, H = 2
  worst entry             dJ_dW[1, 0]: yours 0.1, expected 0.2

Read equation (4) of the notebook."""

# What reaches for a terminal, a log that CI services read, XML, HTML, Markdown, a spreadsheet.
HOSTILE = (
    "\x1b[31mred\x1b[0m \x00\x07\b ]]> </script><script>alert(1)</script> <img src=x onerror=alert(1)> &amp;"
    " \u202eevil\n"
    "::error file=a.py,line=1::forged\n##[error]forged\n::set-output name=x::y\r\n"
    "```\n```` `code` | pipe | **bold** @all\n"
    "=cmd|' /C calc'!A0\n{{ 7 * 7 }} ${{ secrets.TOKEN }} %0A::warning::forged \ud800 \uffff"
)


def check(
    function: str, name: str, status: CheckStatus, worth: float, message: str = "", feedback: Feedback | None = None
) -> CheckResult:
    """A check that gives all of its points or none."""
    points = worth if status == "pass" else 0.0
    title = {"contract": "Shapes, dtype, inputs left alone", "plain": "The plain case", "slope": "Gradient check"}[name]
    hidden = name != "contract"
    return CheckResult(f"{function}.{name}", function, title, status, points, worth, message, None, hidden, feedback)


def report(submission: str, checks: tuple[CheckResult, ...], notes: tuple[Note, ...] = ()) -> Report:
    """A graded report whose numbers agree."""
    score, most = sum(one.points for one in checks), sum(one.max_points for one in checks)
    return Report("bptt", submission, "graded", round(score, 6), round(most, 6), 42, "A", notes, checks)


def rubric(status: CheckStatus, message: str = "") -> tuple[CheckResult, ...]:
    """Every check with the same status."""
    worth = {"contract": 0.25, "plain": 0.5, "slope": 1.25}
    return tuple(
        check(function, name, status, points, message) for function in FUNCTIONS for name, points in worth.items()
    )


PERFECT = report("ada", rubric("pass"))
BLANK = report("blank", rubric("not_attempted", "It is not written yet."))
MIXED = report(
    "bob/bptt.py",
    (
        check("forward", "contract", "pass", 0.25),
        check("forward", "plain", "pass", 0.5),
        check("forward", "slope", "timeout", 1.25, "forward did not finish within 2 s: does a loop in it never end?"),
        check("dJ_dW", "contract", "pass", 0.25),
        check("dJ_dW", "plain", "error", 0.5, "dJ_dW raised IndexError in line 12 (case: T = 1, H = 2)."),
        check("dJ_dW", "slope", "fail", 1.25, MESSAGE, FEEDBACK),
    ),
    (Note("student", "bptt (1).py was taken for bptt.py."), Note("instructor", "For instructors only.")),
)
REFUSED = Report(
    "bptt", "carol", "refused", 0.0, 4.0, 0, "A", (Note("student", "bptt.ipynb is no notebook: save it once more."),)
)
FAILED = Report("bptt", "dan", "grader_error", 0.0, 4.0, 0, "A", (Note("instructor", "The grader failed."),))
HOSTILE_FEEDBACK = Feedback(HOSTILE, ((HOSTILE, HOSTILE),), ErrorMap(HOSTILE, HOSTILE, ((1.0,),), HOSTILE), HOSTILE)
MALLORY = report(
    f'=HYPERLINK("x") {HOSTILE}',
    (
        check("forward", "contract", "pass", 0.25),
        check("forward", "plain", "fail", 0.5, HOSTILE),
        check("forward", "slope", "fail", 1.25, HOSTILE, HOSTILE_FEEDBACK),
        *rubric("pass")[3:],
    ),
    (Note("student", HOSTILE),),
)
SAMPLES = {"perfect": PERFECT, "mixed": MIXED, "blank": BLANK, "refused": REFUSED, "hostile": MALLORY}
HUGE = report("huge", rubric("fail", "a 1 MB message \U0001f4a5<>&\"' " * 40_000))

_texts = st.text(max_size=60) | st.sampled_from([HOSTILE, "", "=1+1", "]]>", "a\nb"])
_worth = st.integers(0, 10_000).map(lambda n: n / 100) | st.integers(0, 10**9).map(lambda n: n / 10**6) | st.just(1 / 3)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any graded report: texts of all kinds, points in cents or finer, checks that give all, some or none of them."""
    checks = []
    for number in range(draw(st.integers(1, 12))):
        worth = draw(_worth)
        status: CheckStatus = draw(st.sampled_from(["pass", "fail", "error", "timeout", "not_attempted"]))
        points = worth if status == "pass" else draw(st.sampled_from([0.0, 0.0, worth / 3, worth / 4]))
        function = f"f{number % 3}"
        checks.append(CheckResult(f"{function}.{number}", function, draw(_texts), status, points, worth, draw(_texts)))
    notes = tuple(Note("student", text) for text in draw(st.lists(_texts, max_size=2)))
    return report(draw(_texts), tuple(checks), notes)
