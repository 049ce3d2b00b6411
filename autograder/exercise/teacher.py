"""What an author may use in a teacher cell: `mistake` and `check`. Both make plain data."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Sizes = Mapping[str, Any]


@dataclass(frozen=True)
class TeacherMistake:
    """A known mistake as an author writes it, and the line of the file where that is."""

    function: str
    name: str
    hint: str
    replace: str
    by: str
    source: str
    equation: str
    line: int


@dataclass(frozen=True)
class TeacherCheck:
    """One more check of a function, and the line of the file where its author asks for it."""

    function: str
    title: str
    sizes: Sequence[Sizes]
    points: float
    line: int


def mistake(
    function: str, name: str, hint: str, *, replace: str = "", by: str = "", source: str = "", equation: str = ""
) -> TeacherMistake:
    """Return a known mistake: the model answer of `function` with the text `replace`, which stands there once, as `by`.

    Or the whole function as it reads with the mistake, in `source`. `hint` is a question for the student that says
    where to look and not what to write. `equation` is the one that is violated, if it is not that of the function.
    """
    return TeacherMistake(function, name, hint, replace, by, source, equation, _line_of_caller())


def check(function: str, title: str, *, sizes: Sequence[Sizes], points: float) -> TeacherCheck:
    """Return one more check of `function`, beside those that all have: its values on hidden cases of `sizes`."""
    return TeacherCheck(function, title, sizes, points, _line_of_caller())


def _line_of_caller() -> int:
    return sys._getframe(2).f_lineno
