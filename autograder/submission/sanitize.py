"""Text that others made, made fit to be read in a sentence and shown on a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

_MOST_MARKS = 2  # on one letter: piles of them reach into the lines above
_COMMAND = re.compile(r"(?<=:)(?=:[A-Za-z])|(?<=#)(?=#\[)")  # ::error:: and ##[error], which CI services obey


def visible(text: str, instead: str = " ") -> str:
    """The text with nothing in it that a terminal or the log of a CI service would obey."""
    harmless = text.isascii() and text.isprintable()  # as nearly all text is
    return _COMMAND.sub(" ", text if harmless else "".join(_visible(text, instead)))


def plain(text: str, longest: int) -> str:
    """One line of printable characters, cut where it is longer than `longest`."""
    line = " ".join(visible(text[: longest * 4]).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def listing(names: Sequence[str], most: int = 5) -> str:
    """File names in a sentence: the first few, and how many more."""
    shown = [plain(name, 80) for name in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _visible(text: str, instead: str) -> Iterator[str]:
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        yield character if character.isprintable() and marks <= _MOST_MARKS else instead
