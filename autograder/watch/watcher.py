"""The watcher's loop: what arrives is collected, graded in turn, told to its student, and recorded.

Every step can be taken again, and the ledger is written after each, so a watcher that was killed goes on where it was.
What stands in the way of a step is a problem: named, and tried again with growing pauses, while all others go on.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from autograder.classroom.cache_keys import compute_submission_key
from autograder.classroom.discovery import SubmissionEntry
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.store import SerializedResult
from autograder.classroom.tasks import Task
from autograder.evaluation.report_codec import read_report
from autograder.nbgrader.exchange.records import RecordRefused
from autograder.submission.sanitize import one_line
from autograder.watch.arrivals.inboxes import Arrival
from autograder.watch.arrivals.notify import Notifier
from autograder.watch.ledger import Attempt, GradedWork, LedgerError
from autograder.watch.publishing import TELLING_ERRORS, Publisher
from autograder.watch.recording import Recording
from autograder.watch.setting import COLLECTED_FOLDER, Schedule, Setting
from autograder.watch.status import Status, percentile, write_status
from autograder.watch.turns import MAX_A_DAY, Owner, in_turn, next_to_collect

SCAN_SECONDS = 10.0  # behind the notifier, for file systems that tell of no change
UNFINISHED_SECONDS = 1.0  # between looks at a record that is being written
RECORD_SECONDS = 5.0  # between writes of results and gradebook while there is more to grade
STATUS_SECONDS = 1.0  # between writes of the status while there is something to do
SWEEP_SECONDS = 30.0  # between looks for pages that may tell more, for changed exercises and for a clock that jumped
ARRIVALS_AT_ONCE = 25  # collected before the workers are looked after
DAY_SECONDS = 24 * 3600.0
RECEIPTS_FROM = 20  # waiting submissions, from which students are told how long it takes
CLOCK_JUMP_SECONDS = 5.0
PACE_OF_LAST = 10  # results over which the pace is averaged, roughly

ARRIVE, LEDGER, TELL, STATUS = "arrivals", "ledger", "feedback", "status file"
"""What problems are about."""


@dataclass
class Watcher:
    """Serves a course until the process is ended, or `once`. Calls `show` with its status whenever that is written."""

    setting: Setting
    workers: LocalWorkers
    notifier: Notifier
    show: Callable[[Status], None] = lambda _: None
    schedule: Schedule = field(default_factory=Schedule)

    def __post_init__(self) -> None:
        self._publisher = Publisher(self.setting)
        self._recording = Recording(self.setting, self._publisher)
        self._known: set[str] = set()
        self._waiting: list[Attempt] = []
        self._graded_now: dict[tuple[str, str], Attempt] = {}  # by assignment and student: one at a time of each
        self._has_more = False
        self._changed: set[str] = set()
        self._eager: set[Owner] = set()
        self._started_at = time.time()
        self._clock = time.time() - time.monotonic()
        self._seconds_each = 0.1  # that a submission takes while many wait, as it was lately
        self._last_result_at: float | None = None  # by the monotonic clock, while many wait

    def run(self, once: bool = False) -> None:
        """Go on where the last watcher was, then serve; `once` returns when nothing waits that can be done now.

        Raises IsolationError if student code cannot be isolated as well as required, and LedgerError at the start.
        """
        self._take_up()
        while True:
            self._look()
            for result in self.workers.run(self._tasks(), self._tick):
                self._take_result(result)
            self._recording.record()
            self._recording.write_scores()
            self._sweep()
            if self._has_more:
                continue
            self.schedule.hurry("status")
            self._write_status()
            if once:
                return
            self.notifier.wait(self._idle_seconds())

    def _take_up(self) -> None:
        ledger = self.setting.ledger
        ledger.regrade_failed()
        self._known = ledger.records()
        self._waiting = in_turn(one for one in ledger.waiting() if one.assignment in self.setting.exercises)
        needed = {self.setting.collected(one).parent for one in (*self._waiting, *ledger.unrecorded())}
        folder = self.setting.folder / COLLECTED_FOLDER
        folder.mkdir(exist_ok=True)
        for path in folder.iterdir():
            if path not in needed:  # its watcher was killed before it was noted
                shutil.rmtree(path, ignore_errors=True)
        self.setting.log.write("started", exercises=",".join(self.setting.exercises), waiting=len(self._waiting))

    # --- What arrives ---------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Collect what has arrived, some of it if there is much."""
        self._has_more = False
        if not (self.setting.problems.may_try(ARRIVE) and self.setting.problems.may_try(LEDGER)):
            return
        with self.setting.problems.watch(ARRIVE, LedgerError):
            arrivals = list(self.setting.inbox.arrivals(self._known))
            chosen, is_more_left = next_to_collect(arrivals, self._waiting, self._too_eager() if arrivals else ())
            for arrival in chosen[:ARRIVALS_AT_ONCE]:
                self._collect(arrival)
            self._has_more = is_more_left or len(chosen) > ARRIVALS_AT_ONCE

    def _too_eager(self) -> set[Owner]:
        """Return who has handed in so much that the rest has to wait, and name those who are new among them."""
        counts = self.setting.ledger.arrivals_since(time.time() - DAY_SECONDS)
        eager = {owner for owner, count in counts.items() if count >= MAX_A_DAY}
        for assignment, student in sorted(eager - self._eager):
            text = f"{MAX_A_DAY} submissions within 24 hours: the others are collected later."
            self.setting.log.write("too_many", assignment=assignment, student=one_line(student, 80), text=text)
        self._eager = eager
        return eager

    def _collect(self, arrival: Arrival) -> None:
        setting, target = self.setting, self.setting.collected(arrival)
        shutil.rmtree(target.parent, ignore_errors=True)
        try:
            pages = setting.inbox.collect(arrival, target)
        except RecordRefused as reason:
            setting.inbox.refuse(arrival.record, reason)
            return
        owner = arrival.assignment, arrival.student
        foreign = [page for page in pages if setting.ledger.owner_of_page(page) not in (None, owner)]
        attempt = setting.ledger.add(
            arrival.assignment,
            arrival.student,
            arrival.record,
            arrival.submitted_at,
            time.time(),
            [page for page in pages if page not in foreign],
        )
        self._known.add(arrival.record)
        self._waiting = in_turn((*self._waiting, attempt))
        student = one_line(arrival.student, 80)
        setting.log.write("arrived", assignment=arrival.assignment, student=student, waiting=len(self._waiting))
        if arrival.odd_time:
            setting.log.write("odd_time", student=student, text=f"The submission {arrival.odd_time}.")
        if foreign or not pages:
            setting.log.write("no_page", student=student, reason="another's secret" if foreign else "no secret")
        if len(self._waiting) >= RECEIPTS_FROM:
            waiting = len(self._waiting)
            with setting.problems.watch(TELL):
                self._publisher.send_receipt(attempt, waiting, waiting * self._seconds_each)

    # --- What is graded -------------------------------------------------------------------------------------------

    def _tasks(self) -> Iterator[Task]:
        """Return an iterator that goes on whenever something waits, unlike a generator, which ends for good."""
        return iter(_Tasks(self))

    def next_task(self) -> Task | None:
        """Return the next submission in turn, of a student who has none being graded."""
        if not self.setting.problems.may_try(LEDGER):
            return None
        for place, attempt in enumerate(self._waiting):
            owner = attempt.assignment, attempt.student
            if owner in self._graded_now:
                continue
            path = self.setting.collected(attempt)
            if not path.exists() and not self._collect_again(attempt):
                continue
            watched = self.setting.exercises[attempt.assignment]
            del self._waiting[place]
            self._graded_now[owner] = attempt
            entry = SubmissionEntry(attempt.student, path.parent, path.name)
            return Task(entry, compute_submission_key(entry, watched.class_key), watched.exercise.name)
        return None

    def _collect_again(self, attempt: Attempt) -> bool:
        """Collect work that somebody removed; whether it can be graded: if its record is gone, the report says so."""
        arrival = Arrival(attempt.assignment, attempt.student, attempt.record, attempt.submitted_at)
        with self.setting.problems.watch(ARRIVE), suppress(RecordRefused):
            self.setting.inbox.collect(arrival, self.setting.collected(attempt))
        return ARRIVE not in self.setting.problems.now

    def _take_result(self, result: SerializedResult) -> None:
        """Keep a report, then tell it."""
        document = json.loads(result.json_bytes)
        work = GradedWork(read_report(document), document["key"], document["seconds"])
        assignment = next(
            name for name, one in self.setting.exercises.items() if one.exercise.name == work.report.exercise
        )
        attempt = self._graded_now.pop((assignment, result.student))
        self._measure_pace()
        problems = self.setting.problems
        with problems.watch(LEDGER, LedgerError):
            graded = self.setting.ledger.grade(attempt, work)
            with problems.watch(TELL, *TELLING_ERRORS):
                self._publisher.tell(graded, work.report)
        if LEDGER in problems.now:
            self._waiting = in_turn((*self._waiting, attempt))

    def _measure_pace(self) -> None:
        now = time.monotonic()
        if self._last_result_at is not None:
            self._seconds_each += (now - self._last_result_at - self._seconds_each) / PACE_OF_LAST
        self._last_result_at = now if self._waiting else None

    # --- What is done in between ----------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Look after everything else while submissions are being graded."""
        if self.notifier.wait(0) or self._has_more or self.schedule.is_due("scan", self._scan_seconds()):
            self._look()
        if self.schedule.is_due("record", RECORD_SECONDS):
            self._recording.record()
        self._sweep()
        self._write_status()

    def _sweep(self) -> None:
        problems = self.setting.problems
        retry = TELL in problems.now and problems.may_try(TELL)
        if retry or self.schedule.is_due("sweep", SWEEP_SECONDS):
            with problems.watch(TELL, *TELLING_ERRORS):
                self._publisher.tell_what_is_due()
        if self.schedule.is_due("upkeep", SWEEP_SECONDS):
            self.notifier.refresh()
            self._name_changes()

    def _name_changes(self) -> None:
        log = self.setting.log
        clock = time.time() - time.monotonic()
        if abs(clock - self._clock) > CLOCK_JUMP_SECONDS:
            log.write("clock_jumped", seconds=clock - self._clock)
        self._clock = clock
        changed = {name for name, watched in self.setting.exercises.items() if watched.has_changed()}
        for name in sorted(changed - self._changed):
            log.write("exercise_changed", assignment=name, text="Restart the watcher to use it.")
        self._changed = changed

    def _scan_seconds(self) -> float:
        return UNFINISHED_SECONDS if self.setting.inbox.is_unfinished() else SCAN_SECONDS

    def _idle_seconds(self) -> float:
        retry = max(self.setting.problems.seconds_to_retry(), 0.05)
        return min(self._scan_seconds(), retry)

    def status(self) -> Status:
        """Return how the watcher is doing. Raises LedgerError."""
        seconds = self.setting.ledger.seconds_to_answer(time.time() - 3600)
        return Status(
            process=os.getpid(),
            written_at=time.time(),
            started_at=self._started_at,
            waiting=len(self._waiting),
            in_progress=len(self._graded_now),
            answered_in_last_hour=len(seconds),
            median_seconds=percentile(seconds, 0.5),
            p99_seconds=percentile(seconds, 0.99),
            problems={what: problem.text for what, problem in self.setting.problems.now.items()},
            changed=sorted(self._changed),
        )

    def _write_status(self) -> None:
        if self.schedule.is_due("status", STATUS_SECONDS):
            with self.setting.problems.watch(STATUS, LedgerError):
                self.show(status := self.status())
                write_status(self.setting.folder, status)


@dataclass(frozen=True)
class _Tasks:
    """The tasks of a watcher: it has none now, and may have some later."""

    watcher: Watcher

    def __iter__(self) -> Iterator[Task]:
        return self

    def __next__(self) -> Task:
        task = self.watcher.next_task()
        if task is None:
            raise StopIteration
        return task
