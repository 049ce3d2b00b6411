"""Where submissions arrive and answers go: the exchange of nbgrader. `drop_folder.py` is the other such place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from autograder.nbgrader.exchange.records import (
    SECRET_FILE,
    Record,
    RecordRefused,
    copy_record,
    describe_odd_time,
    page_name,
    parse_record,
    read_secret,
    share_with_group,
)
from autograder.nbgrader.exchange.settings import ExchangeSettings
from autograder.submission.safe_files import UnreadableFileError, write_atomically
from autograder.watch.ledger import Attempt

COMPLETE_MODE = 0o777  # the last thing that `nbgrader submit` does to a record
QUIET_SECONDS = 10.0  # after which a record without those marks counts as complete
_MISSING = "it is not there (release an assignment, which makes it; mount the exchange, or mend c.Exchange.root)"
MAX_PAGES = 20  # notebooks of a submission that get a page


@dataclass(frozen=True)
class Arrival:
    """A submission that is complete; `submitted_at` is the time in its name, in UTC."""

    assignment: str
    student: str
    record: str
    submitted_at: datetime
    odd_time: str = ""
    """What is odd about that time, as the rest of a sentence."""


class Inbox(Protocol):
    """A place where submissions arrive. All methods raise OSError if the place cannot be reached."""

    folders: list[Path]
    deep: bool
    """Whether arrivals change folders within those folders."""

    def arrivals(self, known: Collection[str]) -> Iterator[Arrival]:
        """Yield the submissions that are complete, except for records that are `known`."""

    def is_unfinished(self) -> bool:
        """Return whether something that is not complete yet was seen."""

    def refuse(self, name: str, reason: Exception) -> None:
        """Say once why a submission is not collected, and leave it alone from now on."""

    def collect(self, arrival: Arrival, target: Path) -> list[str]:
        """Copy a submission to the new folder `target`, and return the names of its pages. Raises RecordRefused."""

    def publish(self, attempt: Attempt, page: str, note: str) -> None:
        """Put a page, and a small text beside it, where the student finds them."""


class ExchangeInbox:
    """The exchange of a course: records in its inbound folder, pages in its feedback folder.

    Calls `refuse` with the name of each record that is not collected, and the reason.
    """

    def __init__(
        self, settings: ExchangeSettings, assignments: Collection[str], refuse: Callable[[str, str], None]
    ) -> None:
        self.folders, self.deep = [settings.inbound], False
        self._settings, self._refuse = settings, refuse
        self._assignments = sorted(assignments, key=len, reverse=True)  # of two that fit, the longer one
        self._refused: set[str] = set()
        self._parsed: dict[str, tuple[str, Record] | None] = {}  # by name: reading a time takes long
        self._growing: dict[str, tuple[int, float]] = {}  # when an unfinished record last changed, and was seen to

    def arrivals(self, known: Collection[str]) -> Iterator[Arrival]:
        """Yield the records that nbgrader has finished writing."""
        try:
            names = set(os.listdir(self._settings.inbound))  # noqa: PTH208 - thousands of names, not paths
        except FileNotFoundError as error:
            raise OSError(error.errno, _MISSING, error.filename) from None
        self._growing = {name: since for name, since in self._growing.items() if name in names}
        names.difference_update(known, self._refused)
        self._parsed = {name: self._parsed.get(name) or self._parse(name) for name in names}
        for name, parsed in self._parsed.items():
            if parsed and self._is_complete(name):
                assignment, record = parsed
                odd_time = describe_odd_time(self._settings.inbound, record)
                yield Arrival(assignment, record.student, name, record.submitted_at, odd_time)

    def _parse(self, name: str) -> tuple[str, Record] | None:
        """Return a record and its assignment; None if it belongs to no exercise here, and is then left alone."""
        assignment = next((one for one in self._assignments if f"+{one}+" in name), None)
        if assignment is None:
            self._refused.add(name)  # another assignment's, which is nobody's fault
            return None
        try:
            return assignment, parse_record(name, assignment)
        except RecordRefused as reason:
            self.refuse(name, reason)
            return None

    def is_unfinished(self) -> bool:
        """Return whether a record is being written."""
        return bool(self._growing)

    def refuse(self, name: str, reason: Exception) -> None:
        """Say once why a record is not collected, and leave it alone from now on."""
        self._refused.add(name)
        self._refuse(name, str(reason))

    def collect(self, arrival: Arrival, target: Path) -> list[str]:
        """Copy a record as nbgrader's collect would, and return the names under which Fetch feedback looks for pages.

        Raises RecordRefused for a record that is not what its name says, and OSError if the disk is full.
        """
        record = Record(arrival.record, arrival.student, arrival.submitted_at)
        try:
            copy_record(self._settings.inbound, record, target, self._settings.rules)
        except RecordRefused:
            self._settings.inbound.stat()  # raises OSError where it is the exchange that is gone, and not the record
            raise
        if self._settings.groupshared:
            share_with_group(target)
        try:
            secret = read_secret(target)
        except UnreadableFileError:
            return []
        pages = []
        for notebook in sorted(path.stem for path in target.glob("*.ipynb")):
            with suppress(UnreadableFileError):
                pages.append(page_name(secret, notebook))
        return pages[:MAX_PAGES]

    def publish(self, attempt: Attempt, page: str, note: str) -> None:
        """Write the page for each notebook of the submission: nbgrader shows feedback once all of them have one."""
        folder = self._settings.feedback
        if not folder.is_dir():
            folder.mkdir()
            folder.chmod(0o2771 if self._settings.groupshared else 0o711)
        for name in attempt.pages:
            for suffix, text in ((".txt", note), (".html", page)):
                file = folder / f"{name}{suffix}"
                write_atomically(file, text.encode())
                file.chmod(0o664 if self._settings.groupshared else 0o644)

    def _is_complete(self, name: str) -> bool:
        """Return whether a record is finished: nbgrader opens it to all when it is, or nothing changed for long."""
        folder = self._settings.inbound / name
        try:
            status = folder.lstat()
            with suppress(OSError):
                if status.st_mode & COMPLETE_MODE == COMPLETE_MODE and (folder / SECRET_FILE).lstat().st_size:
                    self._growing.pop(name, None)
                    return True
        except OSError:  # it is gone
            self._growing.pop(name, None)
            return False
        changed, since = self._growing.get(name, (0, 0.0))
        if changed != status.st_mtime_ns:
            self._growing[name] = status.st_mtime_ns, time.monotonic()
        elif time.monotonic() > since + QUIET_SECONDS:
            del self._growing[name]
            return True
        return False
