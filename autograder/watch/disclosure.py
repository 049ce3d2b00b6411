"""How much a student is told of an attempt, and which attempt counts: by the policy, the due date and the day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import get_args

from autograder.course import FeedbackLevel, Policy
from autograder.evaluation.report import Report
from autograder.feedback.builder import redact
from autograder.watch.ledger import Attempt

_LEVELS: tuple[FeedbackLevel, ...] = get_args(FeedbackLevel)  # from the least to the most


@dataclass(frozen=True)
class DueDate:
    """When work of one student is due, in UTC, the student's extension added; `at` is None without a due date."""

    at: datetime | None = None

    def has_passed(self, policy: Policy, now: datetime) -> bool:
        """Return whether nobody can hand in on time any more, the grace added."""
        return self.at is not None and now > self.at + timedelta(seconds=policy.grace_seconds)


@dataclass(frozen=True)
class DueDates:
    """When an assignment is due for everybody, naive and in UTC, and the extensions of students."""

    due: datetime | None = None
    extensions: Mapping[str, timedelta] = field(default_factory=dict)

    def of(self, student: str) -> DueDate:
        """Return when a student's work is due."""
        return DueDate(self.due and self.due + self.extensions.get(student, timedelta()))


@dataclass(frozen=True)
class Disclosure:
    """What a page shows of an attempt: feedback up to a level, with or without the hidden checks.

    A page that is `held` shows nothing of the verdict, since all answers of the day were given. One that is not `final`
    will show more.
    """

    held: bool
    level: FeedbackLevel
    hidden: bool
    final: bool

    @property
    def code(self) -> str:
        """The words by which the ledger remembers what a page shows."""
        return "held" if self.held else self.level if self.hidden else f"{self.level}, no hidden checks"


def answers_given(attempts: Sequence[Attempt], day: str) -> int:
    """Return how many answers a student was given on a day."""
    return sum(attempt.answered_on == day for attempt in attempts)


def decide(
    policy: Policy,
    ceiling: FeedbackLevel,
    attempt: Attempt,
    attempts: Sequence[Attempt],
    due: DueDate,
    now: datetime,
    day: str,
) -> Disclosure:
    """Return what the page of an attempt shows now.

    `attempts` are all of the student's, `ceiling` is the most that the course ever tells, `now` is in UTC, and `day` is
    that of the course. The clock of the watcher decides, not the time in the record's name, which the student's own
    process wrote.
    """
    over = due.has_passed(policy, now)
    level = min(policy.after_due if over else policy.before_due, ceiling, key=_LEVELS.index)
    hidden = over or policy.hidden_before_due
    final = over or (hidden and level == min(policy.after_due, ceiling, key=_LEVELS.index))
    answer = Disclosure(held=False, level=level, hidden=hidden, final=final)
    if attempt.answered_on or attempt.status != "graded":  # what cannot be read costs no answer
        return answer
    newer_was_answered = any(other.id > attempt.id and other.answered_on for other in attempts)
    if attempt.disclosed == "held" and newer_was_answered:
        return Disclosure(held=True, level=level, hidden=hidden, final=True)
    waits_for_newer = attempt.disclosed == "held" and attempt.id != attempts[-1].id
    if waits_for_newer or answers_given(attempts, day) >= policy.answers_a_day:
        return Disclosure(held=True, level=level, hidden=hidden, final=False)
    return answer


def disclosed_report(report: Report, disclosure: Disclosure) -> Report:
    """Return what a student may see of a report that holds everything."""
    checks = tuple(redact(check, disclosure.level) for check in report.checks if disclosure.hidden or not check.hidden)
    notes = report.notes if disclosure.level != "none" or report.status != "graded" else ()
    if len(checks) == len(report.checks):
        return replace(report, checks=checks, notes=notes)
    # Points of hidden checks would be told by the sum.
    return replace(
        report,
        checks=checks,
        notes=notes,
        score=round(sum(check.points for check in checks), 6),
        max_score=round(sum(check.max_points for check in checks), 6),
    )


def counting_attempt(policy: Policy, attempts: Sequence[Attempt], due: DueDate, before_duedate: bool) -> Attempt | None:
    """Return the attempt of a student that counts; None if none has a report yet.

    With `before_duedate`, nbgrader's setting, work that is late counts only if nothing was on time.
    """
    graded = [attempt for attempt in attempts if attempt.status]
    verdicts = [attempt for attempt in graded if attempt.status != "grader_error"] or graded
    if before_duedate:
        on_time = [attempt for attempt in verdicts if not due.has_passed(policy, attempt.submitted_at)]
        verdicts = on_time or verdicts
    best = policy.counts == "best"
    return max(verdicts, key=lambda one: (one.score if best else 0, one.submitted_at, one.id), default=None)
