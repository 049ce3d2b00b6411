"""What goes wrong around the watcher: named once, waited for with growing pauses, and named again when it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from autograder.watch.events import EventLog

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds


@dataclass(frozen=True)
class WaitReason:
    """One sentence that says what is wrong, and when to try again, by the monotonic clock."""

    text: str
    since: float
    pause: float
    retry_at: float


@dataclass
class Problems:
    """The problems that there are now, by what cannot be done because of them."""

    log: EventLog
    now: dict[str, WaitReason] = field(default_factory=dict)

    def may_try(self, what: str) -> bool:
        """Return whether something may be done: nothing was wrong with it, or the pause is over."""
        return what not in self.now or time.monotonic() >= self.now[what].retry_at

    def seconds_to_retry(self) -> float:
        """Return how long it is until a pause is over; infinity if none is going on."""
        pauses = (problem.retry_at - time.monotonic() for problem in self.now.values())
        return min((pause for pause in pauses if pause > 0), default=float("inf"))

    @contextmanager
    def watch(self, what: str, *errors: type[Exception]) -> Iterator[None]:
        """Try something: note an error whose text is a sentence, or an OSError, and note when it went well again."""
        try:
            yield
        except OSError as error:
            self.note(what, f"{error.filename or what} cannot be used: {error.strerror or error}.")
        except errors as error:
            self.note(what, str(error))
        else:
            self.clear(what)

    def note(self, what: str, text: str) -> None:
        """Note a problem, and wait twice as long as the last time."""
        before = self.now.get(what)
        pause = min(2 * before.pause, LONGEST_PAUSE) if before else FIRST_PAUSE
        since = before.since if before else time.time()
        self.now[what] = WaitReason(text, since, pause, time.monotonic() + pause)
        if before is None or before.text != text:
            self.log.write("problem", what=what, text=text)

    def clear(self, what: str) -> None:
        """Note that something can be done again."""
        if self.now.pop(what, None):
            self.log.write("solved", what=what)
