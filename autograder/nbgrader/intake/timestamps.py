"""When something was handed in: the timestamp.txt that nbgrader keeps beside a submission, in UTC."""

from __future__ import annotations

import os
import re
import warnings
from datetime import datetime
from pathlib import Path

from dateutil.parser import UnknownTimezoneWarning  # type: ignore[import-untyped]  # one more package to lock

from autograder.submission import safe_files

TIMESTAMP_FILE = "timestamp.txt"
_OFFSET = re.compile(r" ([+-]\d\d:?\d\d)$")
_MAX_LENGTH = 100  # characters: dateutil takes longer, the longer a text is, even for one that holds no time


class InvalidTimestamp(Exception):
    """A timestamp.txt that holds no time."""


def read_timestamp(folder: Path) -> datetime | None:
    """Return the time in a submission's timestamp.txt as nbgrader reads it: naive, in UTC; None without a file.

    Raises InvalidTimestamp.
    """
    if not os.path.exists(folder / TIMESTAMP_FILE):  # noqa: PTH110 - unlike Path's, it raises nothing
        return None
    try:
        return parse_timestamp(safe_files.read_regular(folder / TIMESTAMP_FILE).decode())
    except (safe_files.UnreadableFileError, ValueError):
        raise InvalidTimestamp(f"{TIMESTAMP_FILE} holds no time, so this counts as handed in on time.") from None


def parse_timestamp(text: str) -> datetime:
    """Return the time that nbgrader reads in a text: naive, in UTC. Raises ValueError.

    One thing is read better: an offset that stands apart, such as +0100, is of hours and minutes, not of 100 seconds.
    """
    # late: nbgrader, 390 ms, which a class without such files does without
    from nbgrader.utils import parse_utc

    text = text.strip()
    # The name of a zone is also a path: one that leads elsewhere would open a file of this machine.
    if len(text) > _MAX_LENGTH or " /" in text or ".." in text:
        raise ValueError("no time")
    try:
        with warnings.catch_warnings(action="ignore", category=UnknownTimezoneWarning):
            submitted_at: datetime = parse_utc(_OFFSET.sub(r"\1", text))
    except Exception:  # noqa: BLE001 - dateutil answers odd text with nearly any exception
        raise ValueError("no time") from None
    return submitted_at


def format_timestamp(submitted_at: datetime) -> bytes:
    """Return a timestamp.txt that nbgrader reads without fail, whatever the student's own looked like."""
    return f"{submitted_at.isoformat(sep=' ')} UTC".encode()
