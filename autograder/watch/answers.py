"""The page that a student fetches, and the small text beside it: the verdict as far as it is told, and what comes next.

Every sentence about an attempt is made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from autograder.course import Policy
from autograder.evaluation.report import Report
from autograder.formats import fields
from autograder.formats.pages import feedback_page
from autograder.watch.disclosure import Disclosure, DueDate, answers_given, disclosed_report
from autograder.watch.ledger import Attempt


@dataclass(frozen=True)
class Answer:
    """A page, and the small text beside it."""

    page: str
    note: str


@dataclass(frozen=True)
class Moment:
    """A time, in the zone of the course: how it is written, which day it is, and when the next one begins."""

    at: datetime

    @classmethod
    def of(cls, seconds: float, zone: tzinfo) -> Moment:
        """Return the moment so many seconds after the epoch."""
        return cls(datetime.fromtimestamp(seconds, zone))

    def zoned(self, seconds: float) -> Moment:
        """Return the moment so many seconds after the epoch, in the zone of this one."""
        return Moment(datetime.fromtimestamp(seconds, self.at.tzinfo))

    @property
    def utc(self) -> datetime:
        """The time in UTC, naive, as nbgrader keeps times."""
        return self.at.astimezone(UTC).replace(tzinfo=None)

    @property
    def day(self) -> str:
        """The day, such as 2026-11-29."""
        return self.at.date().isoformat()

    @property
    def text(self) -> str:
        """The time to the second, with its zone."""
        return self.at.strftime("%Y-%m-%d %H:%M:%S %Z")

    @property
    def next_day(self) -> str:
        """When the next day begins."""
        midnight = datetime.combine(self.at.date() + timedelta(days=1), time(), self.at.tzinfo)
        return midnight.strftime("%Y-%m-%d %H:%M %Z")


def make_answer(
    report: Report,
    disclosure: Disclosure,
    policy: Policy,
    attempt: Attempt,
    attempts: Sequence[Attempt],
    due: DueDate,
    now: Moment,
) -> Answer:
    """Return what a student gets for an attempt; `attempts` are all of the student's, this one among them."""
    number = 1 + [one.id for one in attempts].index(attempt.id)
    lines = [f"Attempt {number}, received {now.zoned(attempt.arrived_at).text}, answered {now.text}."]
    if disclosure.held:
        return _notice(
            attempt.student, [lines[0].partition(", answered")[0] + ".", *_why_held(disclosure, policy, now)]
        )
    others = [one for one in attempts if one.id != attempt.id]
    counts_today = report.status == "graded" and attempt.answered_on in ("", now.day)
    lines.append(_answers_left(policy.answers_a_day - answers_given(others, now.day) - counts_today, policy, now))
    if report.status == "grader_error":
        lines.append("The grader failed, which is not your fault: your instructor can see it.")
    elif policy.counts == "best":
        lines.append("Of all your attempts, the one with the most points counts.")
    else:
        lines.append("Your last attempt counts.")
    if not disclosure.final and due.at is not None:
        hidden = "" if disclosure.hidden else "Hidden checks and their points are not shown. "
        lines.append(f"{hidden}After the due date, this page may say more: fetch feedback again then.")
    disclosed = disclosed_report(report, disclosure)
    note = _as_text([*lines, fields.headline(disclosed)])
    return Answer(feedback_page.render_page([disclosed], about=lines), note)


def make_receipt(attempt: Attempt, waiting: int, seconds: float, now: Moment) -> Answer:
    """Return what a student gets at once where many hand in at the same time."""
    received = f"Received {now.zoned(attempt.arrived_at).text}; {waiting} submissions wait."
    when = f"The answer will be here in about {max(round(seconds), 1)} s: fetch feedback again then."
    return _notice(attempt.student, [received, when])


def _why_held(disclosure: Disclosure, policy: Policy, now: Moment) -> list[str]:
    if disclosure.final:
        return ["It is kept, and a later attempt of yours was answered instead."]
    number = "one answer" if policy.answers_a_day == 1 else f"{policy.answers_a_day} answers"
    return [
        f"It is kept, and it counts like any other. You get {number} a day, and today's are used up: this attempt, or "
        f"a later one of yours, is answered from {now.next_day} on."
    ]


def _answers_left(left: int, policy: Policy, now: Moment) -> str:
    if left > 0:
        return f"Answers left today: {left} of {policy.answers_a_day}."
    return f"Answers left today: none of {policy.answers_a_day}; the next comes from {now.next_day} on."


def _notice(title: str, lines: Sequence[str]) -> Answer:
    return Answer(feedback_page.render_notice(title, lines), _as_text(lines))


def _as_text(lines: Sequence[str]) -> str:
    return "".join(f"{fields.sanitize_multiline(line)}\n" for line in lines)
