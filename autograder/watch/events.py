"""The log: one line an event, a time and a word first, then fields; nothing in it can pass for another line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from autograder.submission.sanitize import one_line

MAX_LENGTH = 400  # characters of a value


@dataclass(frozen=True)
class EventLog:
    """Writes events with `write_line`, which gets one line without its end."""

    write_line: Callable[[str], None]

    def write(self, event: str, **fields: object) -> None:
        """Write an event: values that are not one plain word stand in quotes, and students' names are harmless text."""
        time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.write_line(" ".join((time, event, *(f"{name}={_value(value)}" for name, value in fields.items()))))


def _value(value: object) -> str:
    text = one_line(f"{value:.3g}" if isinstance(value, float) else str(value), MAX_LENGTH)
    is_word = text.isascii() and text and not set(text) & set(' "=\\')
    return text if is_word else json.dumps(text, ensure_ascii=False)
