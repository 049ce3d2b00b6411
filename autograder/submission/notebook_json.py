"""JSON that a student wrote -> the part of it that is work -> Python objects, in bounded memory and linear time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from autograder.submission.safe_files import UnreadableFileError, check_size, open_regular

# 10 MB of `{},` would become 3 million objects in more than 1 GB. Honest code and text is a few thousand values,
# and at most one for each line: a quarter of a million takes a tenth of a second.
MAX_VALUES = 250_000
MAX_RAW_BYTES = 100_000_000  # of a file, outputs included: what nbgrader's exchange takes of a student
MAX_QUOTES = 20_000_000  # in a file: leaving out 100 MB of outputs takes a second or less, but not of empty strings
MAX_BRACKETS = 500_000  # in what is left out: each takes a step of Python
_CLEAR_OUTPUTS = (
    "clear the outputs of the notebook (in Jupyter: Edit, Clear Outputs of All Cells), save it and hand it in again"
)

# Keys of a notebook whose values are no work that is graded. Widgets are outputs, kept in the notebook's metadata.
OUTPUTS = ("outputs", "widgets")
OUTPUTS_AND_PICTURES = (*OUTPUTS, "attachments")

# What stands before a list, an object or another item of one, strings skipped as the parser of JSON skips them. It also
# matches at the end, so that no search fails and is tried again from each character after.
_NEXT_VALUE = re.compile(r'[^"\[{,]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)[^"\[{,]*+)*+(?:[\[{,]|\Z)', re.DOTALL)

_CHUNK = 1 << 20
_STRING_REST = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_TO_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+([\[\]{}]?)', re.DOTALL)


class TooManyValuesError(ValueError):
    """A text that may be JSON, of more lists, objects and items of them than are read."""


def load_json(text: str) -> Any:
    """Return what a JSON text holds.

    Raises ValueError if it is no JSON or nested too deep, TooManyValuesError if it is of more than MAX_VALUES values.
    """
    check_value_count(text)
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None


def check_value_count(text: str) -> None:
    """Raise TooManyValuesError if a text, or what can be read of it, holds more than MAX_VALUES values."""
    if next(islice(_NEXT_VALUE.finditer(text), MAX_VALUES, None), None):
        raise TooManyValuesError(f"more than {MAX_VALUES} values")


@dataclass(frozen=True)
class Content:
    """What was read of a file, and how many bytes had to be read for it."""

    data: bytes
    raw_size: int


def read_content(
    file: BinaryIO, suffix: str, max_bytes: int, left_out: Sequence[str] = OUTPUTS_AND_PICTURES
) -> Content:
    """Read a file to its end; of a notebook, `[]` takes the place of each list or object under a key in `left_out`.

    Raises UnreadableFileError if more than `max_bytes` are left, or if the file is larger than MAX_RAW_BYTES.
    """
    source = _Source(file)
    parts, size = [], 0
    is_notebook = suffix.lower() == ".ipynb"
    for part in _parts_without(source, left_out, max_bytes) if is_notebook else _all_parts(source):
        parts.append(part)
        size += len(part)
        check_size(size, max_bytes)
    return Content(b"".join(parts), source.raw_size)


def read_file(path: Path, max_bytes: int, left_out: Sequence[str] = OUTPUTS_AND_PICTURES) -> Content:
    """Return the content of a regular file, as `read_content` does. Raises UnreadableFileError."""
    with open_regular(path) as file:
        return read_content(file, path.suffix, max_bytes, left_out)


@dataclass
class _Source:
    """A file that is read piece by piece: `buffer` from `position` on is not used up yet."""

    file: BinaryIO
    buffer: bytes = b""
    position: int = 0
    raw_size: int = 0
    brackets: int = 0
    quotes: int = 0

    def match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes]:
        """Move behind what a pattern matches; it is one that matches any text."""
        match = pattern.match(self.buffer, self.position)
        assert match is not None
        self.position = match.end()
        return match

    def extend(self) -> bool:
        """Read on, and return whether there was more. What has to be kept for it is doubled: no byte is seen often."""
        rest = self.buffer[self.position :]
        more = self.file.read(max(_CHUNK, len(rest)))
        self.buffer, self.position = rest + more, 0
        self.raw_size += len(more)
        if self.raw_size > MAX_RAW_BYTES:
            raise UnreadableFileError(f"is larger than {MAX_RAW_BYTES // 1_000_000} MB: {_CLEAR_OUTPUTS}")
        self.quotes += more.count(b'"')
        if self.quotes > MAX_QUOTES:
            raise UnreadableFileError(f"holds more than {MAX_QUOTES} quotation marks: {_CLEAR_OUTPUTS}")
        return bool(more)

    def count_brackets(self, number: int) -> None:
        """Count brackets in what is left out. Raises UnreadableFileError if there are more than MAX_BRACKETS."""
        self.brackets += number
        if self.brackets > MAX_BRACKETS:
            raise UnreadableFileError(f"holds outputs of more than {MAX_BRACKETS} brackets: {_CLEAR_OUTPUTS}")


def _all_parts(source: _Source) -> Iterator[bytes]:
    while source.extend():
        yield source.buffer
        source.position = len(source.buffer)


def _parts_without(source: _Source, left_out: Sequence[str], max_bytes: int) -> Iterator[bytes]:
    """Yield a JSON text without the values of some keys; one that is damaged or cut short stays so."""
    key = rb'"(?:%s)"\s*+' % b"|".join(name.encode() for name in left_out)
    # Whole strings, and what stands around them, up to a key of a list or an object, or what may become one.
    kept = re.compile(rb'[^"]*+(?:(?!%s(?:\Z|:\s*+(?:\Z|[\[{])))"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"]*+)*+' % key, re.DOTALL)
    before_value = re.compile(rb"(?:%s:\s*+(?=[\[{]))?" % key)
    while True:
        start = source.position
        source.match(kept)
        end = source.position
        if source.match(before_value)[0]:
            yield source.buffer[start : source.position] + b"[]"
            source.count_brackets(4)  # as many steps as that takes
            _skip_value(source)
        else:
            yield source.buffer[start:end]
            check_size(len(source.buffer) - end, max_bytes)  # a string that has not ended yet
            if not source.extend():
                yield source.buffer
                return


def _skip_value(source: _Source) -> None:
    """Move behind the list or object at which the source stands, or to the end of a text that is cut short in it."""
    depth = 0
    in_string = False
    while True:
        match = source.match(_STRING_REST if in_string else _TO_BRACKET)
        if not in_string and match[1]:
            source.count_brackets(1)
            depth += 1 if match[1] in b"[{" else -1
            if depth == 0:
                return
        elif source.buffer.startswith(b'"', source.position):
            in_string = not in_string
            source.position += 1
        elif not source.extend():
            return
