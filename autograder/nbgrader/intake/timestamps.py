"""When something was handed in: the timestamp.txt that nbgrader keeps beside a submission, in UTC."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from dateutil import parser, tz  # type: ignore[import-untyped]  # its types would be one more package to lock

from autograder.submission import safe_files

TIMESTAMP_FILE = "timestamp.txt"
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
    """Return the time that nbgrader reads in a text: naive, in UTC. Raises ValueError."""
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        raise ValueError("too long for a time")
    # The zone may stand apart, as in nbgrader's "2026-03-01 10:00:00 UTC", or belong to the time.
    day, clock, *zone = text.split(" ") if text.count(" ") == 2 else (text, "")
    try:
        submitted_at: datetime = parser.parse(f"{day} {clock} {''.join(zone)}", tzinfos=_zone)
        return submitted_at.astimezone(UTC).replace(tzinfo=None) if submitted_at.tzinfo else submitted_at
    except Exception:  # noqa: BLE001 - dateutil answers odd text with nearly any exception
        raise ValueError("no time") from None


def format_timestamp(submitted_at: datetime) -> bytes:
    """Return a timestamp.txt that nbgrader reads without fail, whatever the student's own looked like."""
    return f"{submitted_at.isoformat(sep=' ')} UTC".encode()


def _zone(name: str | None, seconds: int | None) -> object:
    return tz.gettz(name) if name else seconds
