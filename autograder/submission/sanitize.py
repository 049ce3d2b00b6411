"""Text from students, made safe to quote in a sentence and to show on a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

_MAX_COMBINING_MARKS = 2  # per letter: a pile of them reaches into the lines above
_CI_COMMAND = re.compile(r"(?<=:)(?=:[A-Za-z])|(?<=#)(?=#[A-Za-z\[])")  # ::error::, ##[error] and ##vso[...]


def strip_control_characters(text: str, replacement: str = " ") -> str:
    """Return the text without anything that a terminal or the log of a CI service would obey."""
    harmless = text.isascii() and text.isprintable()  # as nearly all text is
    return _CI_COMMAND.sub(" ", text if harmless else "".join(_printable_characters(text, replacement)))


def one_line(text: str, max_length: int) -> str:
    """Return the text as one line of printable characters, cut to `max_length`."""
    line = " ".join(strip_control_characters(text[: max_length * 4]).split())
    return line if len(line) <= max_length else f"{line[: max_length - 1]}…"


def join_names(names: Sequence[str], max_names: int = 5) -> str:
    """Return names as a part of a sentence: the first few, and how many more there are."""
    shown = [one_line(name, 80) for name in names[:max_names]]
    if len(names) > max_names:
        shown.append(f"{len(names) - max_names} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _printable_characters(text: str, replacement: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        yield character if character.isprintable() and marks <= _MAX_COMBINING_MARKS else replacement
