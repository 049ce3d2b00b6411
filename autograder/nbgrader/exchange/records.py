"""Records of nbgrader's exchange: folders that students' own processes made, where anybody may write.

A record is copied only if it is what `nbgrader submit` makes: regular files, each with one name, all of one owner, who
is the student that the record's name says. Everything is opened once, relative to the folder that was looked at,
without following a link, and what was opened is what is copied: nothing can be put in its place meanwhile.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path

from nbgrader.utils import notebook_hash

from autograder.nbgrader.intake.timestamps import TIMESTAMP_FILE, format_timestamp, parse_timestamp
from autograder.submission import safe_files
from autograder.submission.reader import MAX_ENTRIES
from autograder.submission.sanitize import one_line

if sys.platform != "win32":  # nor does nbgrader's exchange run there
    import pwd

MAX_DEPTH = 20  # folders in folders
SECRET_FILE = "submission_secret.txt"
MAX_SECRET_LENGTH = 1000  # characters; nbgrader writes 128
CLOCK_TOLERANCE = timedelta(minutes=5)  # between the clock of a student's server and that of the exchange
_FOLDER_FLAGS = sum(getattr(os, flag, 0) for flag in ("O_DIRECTORY", "O_NOFOLLOW"))


class RecordRefused(Exception):
    """A record that is not collected: its text, which ends a sentence that starts with the record's name, says why."""


@dataclass(frozen=True)
class Record:
    """A folder of the exchange, named STUDENT+ASSIGNMENT+TIME+RANDOM."""

    name: str
    student: str
    submitted_at: datetime


@dataclass(frozen=True)
class CopyRules:
    """What of a record is copied: the settings of nbgrader's CourseDirectory, and whether the owner is checked."""

    ignore: Sequence[str]
    include: Sequence[str]
    max_file_bytes: int
    max_bytes: int
    check_owner: bool

    def leaves_out(self, name: str, status: os.stat_result) -> bool:
        """Return whether a file or folder is one that nbgrader does not copy."""
        if any(fnmatch(name, pattern) for pattern in self.ignore):
            return True
        if stat.S_ISDIR(status.st_mode):
            return False
        return status.st_size > self.max_file_bytes or not any(fnmatch(name, pattern) for pattern in self.include)


def parse_record(name: str, assignment: str) -> Record:
    """Return what a record's name says. Raises RecordRefused."""
    # The student's name may hold a plus. What is random may be missing.
    match = re.fullmatch(rf"(.+)\+{re.escape(assignment)}\+([^+]+)(?:\+[^+]*)?", name)
    if not match:
        raise RecordRefused(f"is not called STUDENT+{assignment}+TIME, as nbgrader calls what is handed in")
    student, time = match.groups()
    if student.startswith(".") or not student.isprintable():
        raise RecordRefused("does not begin with the name of a student")
    if not name.isprintable():  # half a character, perhaps: neither a database nor a digest takes it
        raise RecordRefused("does not have a name that is text")
    try:
        return Record(name, student, parse_timestamp(time))
    except ValueError:
        raise RecordRefused("holds no time in its name") from None


def copy_record(inbound: Path, record: Record, target: Path, rules: CopyRules) -> str:
    """Copy a record's files to the new folder `target`, which is removed again if the record is refused.

    Returns the name of its owner: the student, or the account that collects, which may hand in for anybody.
    Raises RecordRefused, and OSError if the disk is full.
    """
    with (
        _new_folder(target),
        _open_folder(inbound) as parent,
        _open_folder(record.name, parent) as folder,
    ):
        owner = os.fstat(folder).st_uid
        owner_name = _name_of(owner)
        if rules.check_owner and owner_name != record.student and owner != os.geteuid():
            raise RecordRefused(
                f"claims to be from {one_line(record.student, 80)}, and belongs to {owner_name} "
                "(where all students share one account, set c.ExchangeCollect.check_owner = False)"
            )
        _RecordCopy(rules, owner, rules.max_bytes, MAX_ENTRIES).copy_folder(folder, target, Path())
        # nbgrader compares this file with the times in names, and the one in the record may say anything.
        (target / TIMESTAMP_FILE).write_bytes(format_timestamp(record.submitted_at))
    return owner_name


def copy_work(path: Path, target: Path, rules: CopyRules) -> None:
    """Copy a folder of somebody's work to the new folder `target`, as carefully as a record, whoever owns it.

    Raises RecordRefused, and OSError if the disk is full.
    """
    with _new_folder(target), _open_folder(path) as folder:
        owner = os.fstat(folder).st_uid
        _RecordCopy(rules, owner, rules.max_bytes, MAX_ENTRIES).copy_folder(folder, target, Path())


def describe_odd_time(inbound: Path, record: Record) -> str:
    """Return what is odd about the time in a record's name, as the rest of a sentence; empty if nothing is.

    The student's own process chose that name, and can set every time of its files but one: when a folder was last
    changed (ctime) is said by the clock of the machine that keeps the exchange.
    """
    try:
        seconds = (inbound / record.name).lstat().st_ctime
    except OSError:
        return ""
    changed_at = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None, microsecond=0)
    if abs(changed_at - record.submitted_at) <= CLOCK_TOLERANCE:
        return ""
    return (
        f"says that it was handed in at {record.submitted_at:%Y-%m-%d %H:%M:%S} UTC, "
        f"and was last changed at {changed_at} UTC by the clock of the exchange"
    )


def read_secret(folder: Path) -> str:
    """Return the secret of a submission, which the student's own process wrote. Raises UnreadableFileError."""
    try:
        secret = safe_files.read_regular(folder / SECRET_FILE).decode()
    except UnicodeDecodeError:
        raise safe_files.UnreadableFileError("is not text") from None
    if not secret or len(secret) > MAX_SECRET_LENGTH:
        raise safe_files.UnreadableFileError("is empty, or too long")
    return secret


def page_name(secret: str, notebook: str) -> str:
    """Return under which name, which nobody can guess, nbgrader looks for the page of a notebook.

    Raises UnreadableFileError for the name of a file that is no text.
    """
    try:
        return str(notebook_hash(secret=secret, notebook_id=notebook))
    except UnicodeEncodeError:
        raise safe_files.UnreadableFileError("has a name that is no text") from None


def share_with_group(folder: Path) -> None:
    """Let the group write a folder and all that is in it, as nbgrader's groupshared does."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & 0o777 | (0o2770 if path.is_dir() else 0o660))


@dataclass
class _RecordCopy:
    """A copy being made: how much more it may hold."""

    rules: CopyRules
    owner: int
    bytes_left: int
    entries_left: int

    def copy_folder(self, folder: int, target: Path, path: Path) -> None:
        """Copy what lies in an open folder; `path` is where that lies in the record."""
        if len(path.parts) > MAX_DEPTH:
            raise RecordRefused(f"holds more than {MAX_DEPTH} folders inside each other")
        for name in self._names(folder):
            status = _status(name, folder)
            if self.rules.leaves_out(name, status) or path / name == Path(TIMESTAMP_FILE):
                continue
            if stat.S_ISDIR(status.st_mode):
                (target / name).mkdir()
                with _open_folder(name, folder) as inner:
                    self._check_owner(os.fstat(inner), path / name)
                    self.copy_folder(inner, target / name, path / name)
            else:
                (target / name).write_bytes(self._read_file(name, folder, path / name))

    def _names(self, folder: int) -> list[str]:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, self.entries_left + 1)]
        self.entries_left -= len(names)
        if self.entries_left < 0:
            raise RecordRefused(f"holds more than {MAX_ENTRIES} files")
        return sorted(names)

    def _read_file(self, name: str, folder: int, path: Path) -> bytes:
        try:
            with safe_files.open_regular(Path(name), folder) as file:
                status = os.fstat(file.fileno())
                self._check_owner(status, path)
                if status.st_nlink > 1:
                    raise RecordRefused(
                        f"holds {one_line(str(path), 200)}, which is a file with several names (hard links)"
                    )
                data = file.read(self.bytes_left + 1)
        except safe_files.UnreadableFileError as reason:
            raise RecordRefused(f"holds {one_line(str(path), 200)}, which {reason}") from None
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            raise RecordRefused(f"holds more than {self.rules.max_bytes // 1_000_000} MB")
        return data

    def _check_owner(self, status: os.stat_result, path: Path) -> None:
        if status.st_uid != self.owner:
            raise RecordRefused(f"holds {one_line(str(path), 200)}, which belongs to {_name_of(status.st_uid)}")


def _status(name: str, folder: int) -> os.stat_result:
    try:
        return os.lstat(name, dir_fd=folder)
    except OSError as error:
        raise RecordRefused(f"holds {one_line(name, 80)}, which cannot be read: {error.strerror}") from None


@contextmanager
def _new_folder(target: Path) -> Iterator[None]:
    """Make a folder for a copy, and remove it again if what is copied is refused, or cannot be written there."""
    target.mkdir(parents=True)
    try:
        yield
    except BaseException as error:
        shutil.rmtree(target)
        if isinstance(error, OSError) and not safe_files.is_disk_full(error):  # such as a path that is too long
            raise RecordRefused(f"cannot be copied: {error.strerror}") from None
        raise


@contextmanager
def _open_folder(name: str | Path, parent: int | None = None) -> Iterator[int]:
    try:
        descriptor = os.open(name, os.O_RDONLY | _FOLDER_FLAGS, dir_fd=parent)
    except OSError as error:
        raise RecordRefused(
            f"cannot be read, because {one_line(str(name), 80)} is not an open folder: {error.strerror}"
        ) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
