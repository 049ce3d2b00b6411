"""A folder where something else puts submissions, such as a script of an LMS: laid out as for `autograder class`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from autograder.classroom.discovery import discover_submissions
from autograder.nbgrader.exchange.records import CopyRules, RecordRefused, copy_work
from autograder.nbgrader.intake.timestamps import TIMESTAMP_FILE, format_timestamp
from autograder.submission import safe_files
from autograder.submission.reader import SOURCE_SUFFIXES, list_folder
from autograder.watch.arrivals.inboxes import Arrival
from autograder.watch.ledger import Attempt
from autograder.watch.watched import WatchedExercise

QUIET_SECONDS = 1.0  # for which nothing changes before work counts as complete
MAX_FILES = 1000  # of one submission that are looked at


class FolderInbox:
    """A folder of submissions: whatever is new or has changed arrives; pages go to the feedback folder of the course.

    Calls `refuse` with the name of each submission that is not collected, and the reason.
    """

    def __init__(
        self,
        folder: Path,
        exercises: Mapping[str, WatchedExercise],
        rules: CopyRules,
        refuse: Callable[[str, str], None],
    ) -> None:
        self.folders, self.deep = [folder], True
        self._exercises, self._rules, self._refuse = exercises, rules, refuse
        self._refused: set[str] = set()
        self._changing: dict[str, float] = {}  # when a state of somebody's work was first seen
        self._paths: dict[str, Path] = {}

    def arrivals(self, known: Collection[str]) -> Iterator[Arrival]:
        """Yield work that has not changed for a moment, and that is not `known` in this state."""
        changing = {}
        for assignment, watched in self._exercises.items():
            for entry in discover_submissions(self.folders[0], watched.exercise.name, assignment).entries:
                name = f"{entry.student}+{assignment}"
                try:
                    if not name.isprintable():
                        raise RecordRefused("does not have a name that is text")
                    digest, changed_at = _state(entry.path)
                except RecordRefused as reason:
                    if name not in self._refused:
                        self.refuse(name, reason)
                    continue
                record = f"{name}+{digest}"
                if record in known or record in self._refused:
                    continue
                changing[record] = self._changing.get(record, time.monotonic())
                if time.monotonic() >= changing[record] + QUIET_SECONDS:
                    self._paths[record] = entry.path
                    yield Arrival(assignment, entry.student, record, changed_at)
        self._changing = {record: since for record, since in changing.items() if record not in self._paths}

    def is_unfinished(self) -> bool:
        """Return whether somebody's work has just changed."""
        return bool(self._changing)

    def refuse(self, name: str, reason: Exception) -> None:
        """Say once why a submission is not collected, and leave it alone until it changes."""
        self._refused.add(name)
        self._refuse(name, str(reason))

    def collect(self, arrival: Arrival, target: Path) -> list[str]:
        """Copy a submission: a file alone becomes a folder with that file in it. Raises RecordRefused and OSError."""
        path = self._path_of(arrival)
        if path.is_dir():
            copy_work(path, target, self._rules)
        else:
            name = self._exercises[arrival.assignment].exercise.name
            is_source = path.suffix.lower() in SOURCE_SUFFIXES
            data = _read(path)
            target.mkdir(parents=True)
            (target / (f"{name}{path.suffix.lower()}" if is_source else path.name)).write_bytes(data)
        (target / TIMESTAMP_FILE).write_bytes(format_timestamp(arrival.submitted_at))
        return [arrival.record]

    def publish(self, attempt: Attempt, page: str, note: str) -> None:
        """Write the page where nbgrader has the feedback of a course."""
        watched = self._exercises[attempt.assignment]
        folder = watched.settings.folder("feedback", attempt.student, attempt.assignment)
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, text in ((".txt", note), (".html", page)):
            safe_files.write_atomically(folder / f"{watched.exercise.name}{suffix}", text.encode())

    def _path_of(self, arrival: Arrival) -> Path:
        """Return where a submission lies, also after a restart."""
        if arrival.record not in self._paths:
            name = self._exercises[arrival.assignment].exercise.name
            entries = discover_submissions(self.folders[0], name, arrival.assignment).entries
            return next((one.path for one in entries if one.student == arrival.student), self.folders[0])
        return self._paths[arrival.record]


def _state(path: Path) -> tuple[str, datetime]:
    """Return a digest of the names, sizes and times of a submission's files, and the newest time, in UTC.

    Files count as deep as a submission is looked for; a time that is yet to come is now. Raises RecordRefused.
    """
    digest = sha256()
    try:
        newest = max(path.lstat().st_mtime, 0.0)
        for name in list_folder(path)[:MAX_FILES] if path.is_dir() else ["."]:
            status = (path / name).lstat()
            digest.update(f"{name}/{status.st_size}/{status.st_mtime_ns}\n".encode("utf-8", "replace"))
            newest = max(newest, status.st_mtime)
    except OSError as error:  # such as a folder that may not be opened
        raise RecordRefused(f"cannot be read: {error.strerror}") from None
    return digest.hexdigest()[:16], datetime.fromtimestamp(min(newest, time.time()), UTC).replace(tzinfo=None)


def _read(path: Path) -> bytes:
    try:
        return safe_files.read_regular(path)
    except safe_files.UnreadableFileError as reason:
        raise RecordRefused(str(reason)) from None
