"""Which functions still hold the line of their stub beside code of their own, judged by the text alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Literal

from autograder.submission.global_reads import definitions, plain_code

OwnCode = Literal["above", "below"]

_STUB_LINE = re.compile(r"raise[ \t]+NotImplementedError\b")
_NO_CODE = ("", "pass", "...")


def left_stub_lines(functions: Sequence[str], cells: Sequence[str], released: Iterable[str] = ()) -> dict[str, OwnCode]:
    """Return, for each function whose last definition raises NotImplementedError, where its own code stands.

    "below" if any of it does, since that is never run. Functions without code of their own, beside that of the
    `released` stubs, are left out, and so are those that raise inside another statement, on a condition.
    """
    texts, stubs = [plain_code(cell) for cell in cells], frozenset(released)
    left = {}
    for function in functions:
        if found := _definitions(function, texts):
            own_code = _own_code(found[-1], _lines_of_stubs(function, stubs))
            if own_code is not None:
                left[function] = own_code
    return left


@lru_cache(100)  # the functions of a few exercises
def _lines_of_stubs(function: str, released: frozenset[str]) -> frozenset[str]:
    stubs = _definitions(function, map(plain_code, released))
    return frozenset(line.strip() for stub in stubs for line in stub.split("\n"))


def is_unwritten(function: str, cell: str) -> bool:
    """Return whether all that a cell defines of a function is a stub, of whatever release: its line, or no code."""
    bodies = [definition.partition(":\n")[2] for definition in definitions(function, plain_code(cell))]
    return bool(bodies) and all(body and not _code_besides_stub_lines(body) for body in bodies)


def _code_besides_stub_lines(body: str) -> list[str]:
    lines = [line.strip() for line in body.split("\n")]
    return [line for line in lines if line not in _NO_CODE and not _STUB_LINE.match(line)]


def _definitions(function: str, texts: Iterable[str]) -> list[str]:
    return [definition for text in texts for definition in definitions(function, text)]


def _own_code(definition: str, given: Collection[str]) -> OwnCode | None:
    _, _, body = definition.partition(":\n")
    lines = [line for line in body.split("\n") if line.strip() not in _NO_CODE]
    indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    is_stub = [bool(_STUB_LINE.match(line, indent)) for line in lines]
    own = [i for i, line in enumerate(lines) if not is_stub[i] and line.strip() not in given]
    if not own or not any(is_stub):
        return None
    return "below" if own[-1] > is_stub.index(True) else "above"
