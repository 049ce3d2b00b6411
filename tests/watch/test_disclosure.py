"""How much is told, which attempt counts and who is graded next."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest
from markupsafe import escape

from autograder.course import FeedbackLevel, Limits, Policy
from autograder.evaluation.report import Report
from autograder.formats.pages import feedback_page
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail
from autograder.watch.disclosure import (
    _LEVELS,
    Disclosure,
    DueDate,
    DueDates,
    counting_attempt,
    decide,
    disclosed_report,
)
from autograder.watch.ledger import Attempt
from autograder.watch.turns import in_turn
from tests.courses import ROOT
from tests.in_process import exercise
from tests.leaks import assert_no_leaks
from tests.watch.conftest import make_report
from tests.watch.exchange import WRONG

DUE = datetime(2026, 3, 1, 12)
BEFORE, AFTER = DUE - timedelta(minutes=1), DUE + timedelta(minutes=1)
DUE_DATE = DueDate(DUE)
TODAY = "2026-03-01"


def attempt(number: int = 1, student: str = "ada", **fields: object) -> Attempt:
    values = {"status": "graded", "score": 1.0, **fields}
    submitted = DUE - timedelta(hours=24 - number)
    return Attempt(number, "hw", student, f"r{number}", submitted, 100.0 + number, (), **values)


def tell(policy: Policy, one: Attempt, *others: Attempt, now: datetime = BEFORE, due: DueDate = DUE_DATE) -> Disclosure:
    everything = sorted((one, *others), key=lambda each: each.id)
    return decide(policy, "full", one, everything, due, now, TODAY)


def test_less_is_told_before_the_due_date_than_after() -> None:
    policy = Policy(before_due="symptom", after_due="full", hidden_before_due=False)
    assert tell(policy, attempt()).code == "symptom, no hidden checks"
    assert tell(policy, attempt(), now=AFTER).code == "full"
    assert [tell(policy, attempt(), now=now).final for now in (BEFORE, AFTER)] == [False, True]


def test_without_a_due_date_it_is_never_over() -> None:
    assert tell(Policy(before_due="hint"), attempt(), now=AFTER, due=DueDate()).code == "hint"


def test_an_extension_and_the_grace_move_what_is_told() -> None:
    dates = DueDates(DUE, {"eve": timedelta(hours=1)})
    policy = Policy(grace_minutes=5)
    assert tell(policy, attempt(), now=AFTER, due=dates.of("ada")).code == "hint"  # within the grace
    later = DUE + timedelta(minutes=6)
    assert tell(policy, attempt(), now=later, due=dates.of("ada")).code == "full"
    assert tell(policy, attempt(student="eve"), now=later, due=dates.of("eve")).code == "hint"


def test_a_time_in_the_name_of_a_record_does_not_decide_what_is_told() -> None:
    forged = replace(attempt(), submitted_at=DUE + timedelta(days=9))
    assert tell(Policy(), forged).code == "hint"


def test_no_more_is_told_than_the_course_allows() -> None:
    policy = Policy(before_due="full", after_due="full")
    disclosure = decide(policy, "symptom", attempt(), [attempt()], DueDate(DUE), BEFORE, TODAY)
    assert (disclosure.code, disclosure.final) == ("symptom", True)


def test_over_the_limit_a_submission_is_held_and_told_the_next_day() -> None:
    policy = Policy(answers_a_day=1)
    answered, second = attempt(1, answered_on=TODAY, disclosed="hint"), attempt(2)
    assert tell(policy, second, answered).held
    held = replace(second, disclosed="held")
    yesterday = replace(answered, answered_on="2026-02-28")
    assert tell(policy, held, answered).held
    assert not tell(policy, held, yesterday).held


def test_of_held_attempts_the_newest_alone_is_told_the_next_day() -> None:
    first, second = attempt(1, disclosed="held"), attempt(2, disclosed="held")
    assert tell(Policy(), first, second) == Disclosure(held=True, level="hint", hidden=True, final=False)
    answered = replace(second, answered_on=TODAY, disclosed="hint")
    assert tell(Policy(), first, answered) == Disclosure(held=True, level="hint", hidden=True, final=True)
    assert not tell(Policy(), second, first).held


def test_work_that_cannot_be_read_costs_no_answer() -> None:
    policy = Policy(answers_a_day=1)
    assert not tell(policy, attempt(2, status="refused"), attempt(1, answered_on=TODAY)).held


def test_what_was_answered_stays_answered() -> None:
    policy = Policy(answers_a_day=1)
    assert not tell(policy, attempt(1, answered_on=TODAY), attempt(2, answered_on=TODAY)).held


# --- The report as it is told -----------------------------------------------------------------------------------------


def test_hidden_checks_are_left_out_and_their_points_with_them() -> None:
    disclosed = disclosed_report(
        make_report(points=2.0), Disclosure(held=False, level="full", hidden=False, final=False)
    )
    assert [check.id for check in disclosed.checks] == ["forward.contract"]
    assert (disclosed.score, disclosed.max_score) == (1, 1)


@pytest.mark.parametrize(
    ("level", "message"), [("none", ""), ("symptom", "The sum is off."), ("full", "The sum is off.")]
)
def test_a_report_is_told_up_to_a_level(level: str, message: str) -> None:
    disclosed = disclosed_report(make_report(), Disclosure(held=False, level=level, hidden=True, final=False))
    assert disclosed.checks[1].message == message
    assert disclosed.score == 1


@pytest.fixture(scope="module")
def wrong_work() -> Report:
    """The report on work with wrong numbers, with all that the course ever tells."""
    with Jail() as jail:
        return Grader(exercise(), jail, Limits(), seed=3).grade(ROOT / "tests" / "submissions" / WRONG, "ada")


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize("level", get_args(FeedbackLevel))
def test_nothing_leaks_at_any_level(wrong_work: Report, level: FeedbackLevel, hidden: bool) -> None:
    disclosed = disclosed_report(wrong_work, Disclosure(held=False, level=level, hidden=hidden, final=False))
    assert_no_leaks(disclosed)
    page = feedback_page.render_page([disclosed])
    left_out = [check for check in wrong_work.checks if check.hidden and not hidden]
    assert [check.id for check in left_out if check.id in page or check.title in page] == []
    explained = [check.feedback for check in wrong_work.checks if check.feedback]
    assert explained
    for feedback in explained:
        facts = [fact for _, fact in feedback.facts]
        texts = {"symptom": [feedback.symptom], "hint": [feedback.hint], "full": facts}
        more = [text for name in _LEVELS[_LEVELS.index(level) + 1 :] for text in texts[name] if len(text) > 20]
        assert [text for text in more if str(escape(text)) in page] == []


# --- Which attempt counts ---------------------------------------------------------------------------------------------


def test_the_newest_or_the_best_attempt_counts() -> None:
    attempts = [attempt(1, score=2.0), attempt(2, score=3.0), attempt(3, score=3.0), attempt(4, score=1.0)]
    chosen = [counting_attempt(Policy(counts=counts), attempts, DueDate(), False) for counts in ("last", "best")]
    assert [one.id for one in chosen if one] == [4, 3]


def test_no_verdict_replaces_none() -> None:
    attempts = [attempt(1), attempt(2, status="grader_error", score=0.0), attempt(3, status="")]
    chosen = counting_attempt(Policy(), attempts, DueDate(), False)
    assert chosen is not None
    assert chosen.id == 1
    assert counting_attempt(Policy(), attempts[2:], DueDate(), False) is None


def test_late_work_counts_as_nbgrader_is_set() -> None:
    attempts = [attempt(1), replace(attempt(2), submitted_at=AFTER)]
    chosen = [counting_attempt(Policy(), attempts, DueDate(DUE), before) for before in (False, True)]
    assert [one.id for one in chosen if one] == [2, 1]
    graced = counting_attempt(Policy(grace_minutes=2), attempts, DueDate(DUE), True)
    assert graced is not None
    assert graced.id == 2


# --- Turns ------------------------------------------------------------------------------------------------------------


def test_everybodys_newest_comes_before_anybodys_second() -> None:
    waiting = [attempt(n, student) for n, student in enumerate(("ada", "ada", "bob", "ada", "eve"), 1)]
    assert [(one.student, one.id) for one in in_turn(waiting)] == [
        ("bob", 3),
        ("ada", 4),
        ("eve", 5),
        ("ada", 2),
        ("ada", 1),
    ]
