"""What the parts of a watcher share: the exercises, the place of arrivals, the ledger, the problems and the log."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from hashlib import sha256
from pathlib import Path

from autograder.watch.answers import Moment
from autograder.watch.arrivals.inboxes import Arrival, Inbox
from autograder.watch.events import EventLog
from autograder.watch.ledger import Attempt, Ledger
from autograder.watch.problems import Problems
from autograder.watch.watched import WatchedExercise

COLLECTED_FOLDER = "collected"


@dataclass(frozen=True)
class Setting:
    """What a watcher works with: exercises by assignment, and its own `folder` in that of the course.

    `zone` is where its days begin. `before_duedate` is nbgrader's setting: late work never replaces work that was on
    time.
    """

    exercises: Mapping[str, WatchedExercise]
    inbox: Inbox
    ledger: Ledger
    problems: Problems
    log: EventLog
    folder: Path
    zone: tzinfo
    before_duedate: bool = False

    def now(self) -> Moment:
        """Return the time, in the zone of the course."""
        return Moment.of(time.time(), self.zone)

    def collected(self, attempt: Attempt | Arrival) -> Path:
        """Return the folder of work that was collected, called as it will be in submitted/: reports may quote that."""
        name = sha256(f"{attempt.assignment}/{attempt.record}".encode()).hexdigest()[:24]
        return self.folder / COLLECTED_FOLDER / name / attempt.assignment

    def discard(self, attempt: Attempt) -> None:
        """Remove collected work that is no longer needed."""
        shutil.rmtree(self.collected(attempt).parent, ignore_errors=True)


@dataclass
class Schedule:
    """When something was last done, by the monotonic clock."""

    times: dict[str, float] = field(default_factory=dict)

    def is_due(self, what: str, seconds: float) -> bool:
        """Return whether something was last done so long ago; then it counts as done now."""
        now = time.monotonic()
        if now < self.times.get(what, float("-inf")) + seconds:
            return False
        self.times[what] = now
        return True

    def hurry(self, what: str) -> None:
        """Let something be due at once."""
        self.times.pop(what, None)


def by_assignment(attempts: list[Attempt]) -> Iterator[tuple[str, list[Attempt]]]:
    """Yield each assignment with its attempts."""
    for assignment in sorted({attempt.assignment for attempt in attempts}):
        yield assignment, [attempt for attempt in attempts if attempt.assignment == assignment]
