"""Records what counts: submitted/, results and the gradebook, a few seconds of attempts in one short transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.classroom.store import StoreError
from autograder.nbgrader.exchange.records import RecordRefused
from autograder.nbgrader.gradebook.direct import RECORDER_ERRORS
from autograder.nbgrader.intake.timestamps import InvalidTimestamp, read_timestamp
from autograder.submission.sanitize import one_line
from autograder.watch.arrivals.inboxes import Arrival
from autograder.watch.disclosure import counting_attempt
from autograder.watch.ledger import Attempt, LedgerError
from autograder.watch.publishing import Publisher
from autograder.watch.setting import Setting, by_assignment
from autograder.watch.watched import WatchedExercise


@dataclass
class Recording:
    """Writes results and gradebook, and notes in the ledger what they hold."""

    setting: Setting
    publisher: Publisher

    def __post_init__(self) -> None:
        self._stale = set(self.setting.exercises)  # assignments whose scores.csv may be old, as after a kill

    def record(self) -> None:
        """Write what is graded and not recorded, each assignment by itself: what stops one stops no other."""
        for assignment, attempts in by_assignment(self.setting.ledger.unrecorded()):
            watched, problems = self.setting.exercises.get(assignment), self.setting.problems
            what = f"results and gradebook of {assignment}"
            if watched and problems.may_try(what):
                with problems.watch(what, StoreError, LedgerError, *RECORDER_ERRORS):
                    self._record(watched, attempts)

    def write_scores(self) -> None:
        """Bring scores.csv up to date, which reads every result."""
        for assignment in sorted(self._stale):
            what = f"scores of {assignment}"
            if self.setting.problems.may_try(what):
                with self.setting.problems.watch(what, StoreError, *RECORDER_ERRORS):
                    self.setting.exercises[assignment].write_scores()
                    self._stale.discard(assignment)

    def _record(self, watched: WatchedExercise, attempts: Sequence[Attempt]) -> None:
        ledger, graded = self.setting.ledger, []
        for student in sorted({attempt.student for attempt in attempts}):
            everything = ledger.of_student(watched.assignment, student)
            due = self.publisher.due_dates(watched.assignment).of(student)
            counting = counting_attempt(watched.policy, everything, due, self.setting.before_duedate)
            if counting and not counting.recorded:
                self._put_into_submitted(watched, counting)
                graded.append((counting, ledger.work(counting)))
        if graded:
            self._stale.add(watched.assignment)
            watched.record(graded, self._warn)
        ledger.note_recorded(attempts)
        for attempt in attempts:
            self.setting.discard(attempt)

    def _put_into_submitted(self, watched: WatchedExercise, attempt: Attempt) -> None:
        """Let submitted/ hold an attempt; a watcher that was killed may have moved it there already."""
        collected = self.setting.collected(attempt)
        if collected.exists():
            watched.install(attempt.student, collected)
            return
        try:
            if read_timestamp(watched.submitted(attempt.student)) == attempt.submitted_at:
                return
        except InvalidTimestamp:
            pass
        try:
            arrival = Arrival(attempt.assignment, attempt.student, attempt.record, attempt.submitted_at)
            self.setting.inbox.collect(arrival, collected)
            watched.install(attempt.student, collected)
        except RecordRefused as reason:  # the report on it is kept all the same
            self._warn(f"{one_line(attempt.student, 80)}: {one_line(attempt.record, 200)} {reason}.")

    def _warn(self, text: str) -> None:
        self.setting.log.write("note", text=text)
