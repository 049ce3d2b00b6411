"""Reports to be written in every format: the samples of the golden files, and a strategy for hypothesis."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from autograder.evaluation.report import CheckResult, CheckStatus, Note, Report
from autograder.student.feedback import ErrorMap, Feedback

FUNCTIONS = ("forward", "dJ_dW")
ERROR_MAP = ErrorMap("dJ_dW", "T = 3, H = 2", ((0.9, 1e-3), (math.inf, 1e-9)), "3 of 4 entries are wrong.")
FEEDBACK = Feedback(
    symptom="dJ_dW is not the slope of J.",
    facts=(("smallest failing case", "T = 3 steps, H = 2"), ("worst entry", "dJ_dW[1, 0]: yours 0.1, expected 0.2")),
    map=ERROR_MAP,
    hint="Does an error signal flow back from step t+1 to step t?",
    read="equation (4) of the notebook",
    replay='check("dJ_dW", case="T3")',
)
MESSAGE = """dJ_dW is not the slope of J.

  smallest failing case   T = 3 steps, H = 2
  worst entry             dJ_dW[1, 0]: yours 0.1, expected 0.2

Read equation (4) of the notebook."""

# Each piece attacks one reader: a terminal, the log of a CI service, XML, HTML, Markdown, a spreadsheet.
HOSTILE_TEXT = (
    "\x1b[31mred\x1b[0m \x00\x07\b ]]> </script><script>alert(1)</script> <img src=x onerror=alert(1)> &amp;"
    " \u202eevil\n"
    "::error file=a.py,line=1::forged\n##[error]forged\n::set-output name=x::y\r\n"
    "```\n```` `code` | pipe | **bold** @all\n"
    "=cmd|' /C calc'!A0\n{{ 7 * 7 }} ${{ secrets.TOKEN }} %0A::warning::forged \ud800 \uffff"
)


def make_check(
    function: str,
    name: str,
    status: CheckStatus,
    max_points: float,
    message: str = "",
    feedback: Feedback | None = None,
) -> CheckResult:
    """Return a check that gives all of its points or none."""
    points = max_points if status == "pass" else 0.0
    title = {"contract": "Shapes, dtype, inputs left alone", "plain": "The plain case", "slope": "Gradient check"}[name]
    hidden = name != "contract"
    return CheckResult(
        f"{function}.{name}", function, title, status, points, max_points, message, None, hidden, feedback
    )


def make_report(submission: str, checks: tuple[CheckResult, ...], notes: tuple[Note, ...] = ()) -> Report:
    """Return a graded report whose score and maximum are those of its checks."""
    score, max_score = sum(check.points for check in checks), sum(check.max_points for check in checks)
    return Report("bptt", submission, "graded", round(score, 6), round(max_score, 6), 42, "A", notes, checks)


def make_checks(status: CheckStatus, message: str = "") -> tuple[CheckResult, ...]:
    """Return every check with the same status."""
    max_points = {"contract": 0.25, "plain": 0.5, "slope": 1.25}
    return tuple(
        make_check(function, name, status, points, message)
        for function in FUNCTIONS
        for name, points in max_points.items()
    )


PERFECT = make_report("ada", make_checks("pass"))
BLANK = make_report("blank", make_checks("not_attempted", "It is not written yet."))
MIXED = make_report(
    "bob/bptt.py",
    (
        make_check("forward", "contract", "pass", 0.25),
        make_check("forward", "plain", "pass", 0.5),
        make_check(
            "forward", "slope", "timeout", 1.25, "forward did not finish within 2 s: does a loop in it never end?"
        ),
        make_check("dJ_dW", "contract", "pass", 0.25),
        make_check("dJ_dW", "plain", "error", 0.5, "dJ_dW raised IndexError in line 12 (case: T = 1, H = 2)."),
        make_check("dJ_dW", "slope", "fail", 1.25, MESSAGE, FEEDBACK),
    ),
    (Note("student", "bptt (1).py was taken for bptt.py."), Note("instructor", "For instructors only.")),
)
REFUSED = Report(
    "bptt", "carol", "refused", 0.0, 4.0, 0, "A", (Note("student", "bptt.ipynb is no notebook: save it once more."),)
)
FAILED = Report("bptt", "dan", "grader_error", 0.0, 4.0, 0, "A", (Note("instructor", "The grader failed."),))
HOSTILE_FEEDBACK = Feedback(
    HOSTILE_TEXT,
    ((HOSTILE_TEXT, HOSTILE_TEXT),),
    ErrorMap(HOSTILE_TEXT, HOSTILE_TEXT, ((1.0,),), HOSTILE_TEXT),
    HOSTILE_TEXT,
)
HOSTILE_REPORT = make_report(
    f'=HYPERLINK("x") {HOSTILE_TEXT}',
    (
        make_check("forward", "contract", "pass", 0.25),
        make_check("forward", "plain", "fail", 0.5, HOSTILE_TEXT),
        make_check("forward", "slope", "fail", 1.25, HOSTILE_TEXT, HOSTILE_FEEDBACK),
        *make_checks("pass")[3:],
    ),
    (Note("student", HOSTILE_TEXT),),
)
SAMPLES = {"perfect": PERFECT, "mixed": MIXED, "blank": BLANK, "refused": REFUSED, "hostile": HOSTILE_REPORT}
HUGE_REPORT = make_report("huge", make_checks("fail", "a 1 MB message \U0001f4a5<>&\"' " * 40_000))

_texts = st.text(max_size=60) | st.sampled_from([HOSTILE_TEXT, "", "=1+1", "]]>", "a\nb"])
_max_points = (
    st.integers(0, 10_000).map(lambda n: n / 100) | st.integers(0, 10**9).map(lambda n: n / 10**6) | st.just(1 / 3)
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Draw a graded report: any text, points in hundredths or finer, checks that give all, some or none of them."""
    checks = []
    for number in range(draw(st.integers(1, 12))):
        max_points = draw(_max_points)
        status: CheckStatus = draw(st.sampled_from(["pass", "fail", "error", "timeout", "not_attempted"]))
        points = max_points if status == "pass" else draw(st.sampled_from([0.0, 0.0, max_points / 3, max_points / 4]))
        function = f"f{number % 3}"
        checks.append(
            CheckResult(f"{function}.{number}", function, draw(_texts), status, points, max_points, draw(_texts))
        )
    notes = tuple(Note("student", text) for text in draw(st.lists(_texts, max_size=2)))
    return make_report(draw(_texts), tuple(checks), notes)
