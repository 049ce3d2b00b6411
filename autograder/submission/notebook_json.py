"""JSON that a student wrote -> Python objects, in bounded memory."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

# 10 MB of `{},` would become 3 million objects in more than 1 GB. An honest notebook of that size holds fewer than a
# million: nearly all of them are lines of printed output, and the shortest takes some 13 bytes of a saved notebook.
MAX_VALUES = 1_000_000

# What stands before a list, an object or another item of one, strings skipped as the parser of JSON skips them. It also
# matches at the end, so that no search fails and is tried again from each character after.
_NEXT_VALUE = re.compile(r'[^"\[{,]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)[^"\[{,]*+)*+(?:[\[{,]|\Z)', re.DOTALL)


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
