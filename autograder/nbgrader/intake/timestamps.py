"""When something was handed in: the timestamp.txt that nbgrader keeps beside a submission, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from dateutil import parser, tz  # type: ignore[import-untyped]  # its types would be one more package to lock

from autograder.submission import safe_files

TIMESTAMP_FILE = "timestamp.txt"


class InvalidTimestamp(Exception):
    """A timestamp.txt that holds no time."""


def read_timestamp(folder: Path) -> datetime | None:
    """Return the time in a submission's timestamp.txt as nbgrader reads it: naive, in UTC; None without a file.

    Raises InvalidTimestamp.
    """
    if not (folder / TIMESTAMP_FILE).exists():
        return None
    try:
        text = safe_files.read_regular(folder / TIMESTAMP_FILE).decode().strip()
        # The zone may stand apart, as in nbgrader's "2026-03-01 10:00:00 UTC", or belong to the time.
        day, clock, *zone = text.split(" ") if text.count(" ") == 2 else (text, "")
        submitted_at: datetime = parser.parse(f"{day} {clock} {''.join(zone)}", tzinfos=_zone)
    except (safe_files.UnreadableFileError, ValueError, OverflowError):
        raise InvalidTimestamp(f"{TIMESTAMP_FILE} holds no time, so this counts as handed in on time.") from None
    return submitted_at.astimezone(UTC).replace(tzinfo=None) if submitted_at.tzinfo else submitted_at


def _zone(name: str | None, seconds: int | None) -> object:
    return tz.gettz(name) if name else seconds
