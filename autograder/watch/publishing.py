"""Tells students: answers as soon as there is a verdict, receipts while many wait, and more once more may be told."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograder.evaluation.report import Report
from autograder.nbgrader.gradebook.session import GradebookError
from autograder.submission.sanitize import one_line
from autograder.watch.answers import make_answer, make_receipt
from autograder.watch.disclosure import DueDates, decide
from autograder.watch.ledger import Attempt, LedgerError
from autograder.watch.setting import Schedule, Setting

DUE_DATE_SECONDS = 10.0  # for which a due date that was read is believed


@dataclass
class Publisher:
    """Writes pages, and notes in the ledger what they tell."""

    setting: Setting
    schedule: Schedule = field(default_factory=Schedule)
    _due_dates: dict[str, DueDates] = field(default_factory=dict)

    def tell(self, attempt: Attempt, report: Report | None = None) -> None:
        """Bring the page of a graded attempt up to date; `report` is that of the attempt, if it is at hand."""
        self._tell(attempt, self.setting.ledger.of_student(attempt.assignment, attempt.student), report)

    def _tell(self, attempt: Attempt, attempts: Sequence[Attempt], report: Report | None = None) -> bool:
        """Bring a page up to date, given all attempts of its student. Returns whether it was not."""
        setting, ledger = self.setting, self.setting.ledger
        watched, now = setting.exercises[attempt.assignment], setting.now()
        due = self.due_dates(attempt.assignment).of(attempt.student)
        disclosure = decide(watched.policy, watched.course.feedback, attempt, attempts, due, now.utc, now.day)
        if (disclosure.code, disclosure.final) == (attempt.disclosed, attempt.final):
            return False
        report = report or ledger.work(attempt).report
        answer = make_answer(report, disclosure, watched.policy, attempt, attempts, due, now)
        setting.inbox.publish(attempt, answer.page, answer.note)
        seconds = max(time.time() - attempt.arrived_at, 0.0)  # a clock may have been set back
        day = now.day if report.status == "graded" else ""
        ledger.note_answer(
            attempt, disclosure.code, disclosure.final, None if disclosure.held else (day, time.time(), seconds)
        )
        self._log("held" if disclosure.held else "answered", attempt, report, disclosure.code, seconds)
        return True

    def tell_what_is_due(self) -> None:
        """Bring the pages up to date that tell nothing yet or may tell more.

        Raises LedgerError, and the OSError of a page that cannot be written, once all others are.
        """
        failed: OSError | None = None
        by_owner: defaultdict[tuple[str, str], list[Attempt]] = defaultdict(list)
        for attempt in self.setting.ledger.not_final():
            if attempt.assignment in self.setting.exercises:
                by_owner[attempt.assignment, attempt.student].append(attempt)
        for owner, open_attempts in by_owner.items():
            attempts = self.setting.ledger.of_student(*owner)  # once: somebody may have handed in a thousand times
            for attempt in open_attempts:
                try:
                    if self._tell(attempt, attempts):
                        attempts = self.setting.ledger.of_student(*owner)
                except OSError as error:
                    failed = error
        if failed:
            raise failed

    def send_receipt(self, attempt: Attempt, waiting: int, seconds: float) -> None:
        """Tell a student about how long the answer takes. Raises OSError."""
        receipt = make_receipt(attempt, waiting, seconds, self.setting.now())
        self.setting.inbox.publish(attempt, receipt.page, receipt.note)

    def seems_backdated(self, attempt: Attempt) -> bool:
        """Return whether a submission arrived after the due date, and says that it was handed in before.

        The student's own process wrote that time. It counts all the same: this machine may have been down.
        """
        policy = self.setting.exercises[attempt.assignment].policy
        due, arrived_at = self.due_dates(attempt.assignment).of(attempt.student), self.setting.now().utc
        return due.has_passed(policy, arrived_at) and not due.has_passed(policy, attempt.submitted_at)

    def due_dates(self, assignment: str) -> DueDates:
        """Return when an assignment is due, as it was last known; without a gradebook nothing is due."""
        if self.schedule.is_due(f"due date of {assignment}", DUE_DATE_SECONDS):
            with self.setting.problems.watch(f"due date of {assignment}", GradebookError):
                self._due_dates[assignment] = self.setting.exercises[assignment].due_dates()
        return self._due_dates.get(assignment, DueDates())

    def _log(self, event: str, attempt: Attempt, report: Report, disclosed: str, seconds: float) -> None:
        self.setting.log.write(
            event,
            assignment=attempt.assignment,
            student=one_line(attempt.student, 80),
            status=report.status,
            score=f"{report.score:g}/{report.max_score:g}",
            disclosed=disclosed,
            seconds=seconds,
        )


TELLING_ERRORS = (LedgerError,)
"""What answering raises besides OSError: one sentence."""
