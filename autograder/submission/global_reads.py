"""Which functions read data that is set outside of them, told from the text alone: nothing is compiled or parsed.

A function that reads a global array or number works as long as that global happens to fit. This is for a note to the
instructor and for no points, so it may overlook something: it looks at names line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

_NAME = r"[^\W\d]\w*"
_ASSIGNED = re.compile(rf"^((?:{_NAME})(?:\s*,\s*{_NAME})*)\s*(?::[^=\n]+)?=(?!=)(?!\s*lambda\b)")
_BOUND = re.compile(
    rf"\b({_NAME})\s*(?::[^=\n]+)?(?:[-+*/@%&|^]|//|\*\*|>>|<<)?=(?!=)|\b(?:as|import|def|class)\s+({_NAME})"
)
_TARGETS = re.compile(r"\bfor\s+(.+?)\s+in\b|^\s*([^=(\[]+?)\s*=(?!=)")
_TEXT = re.compile(r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*')
_LONGEST_CELL, _LONGEST_LINE = 100_000, 300  # characters that are looked at, since some patterns look far ahead


def read_by(function: str, cells: Sequence[str]) -> tuple[str, ...]:
    """The names of data set at the top level of some cell that the last definition of `function` reads, sorted."""
    plain, data = _plain(tuple(cells))
    if not data:
        return ()
    bodies = [body for lines in plain for body in _bodies(function, lines)]
    return tuple(sorted(data & (_used(bodies[-1]) - _bound(bodies[-1])))) if bodies else ()


@lru_cache(maxsize=1)
def _plain(cells: tuple[str, ...]) -> tuple[list[list[str]], set[str]]:
    """The lines of each cell without texts and comments, and the names that are set at the top level of some cell."""
    short = ["\n".join(line[:_LONGEST_LINE] for line in cell[:_LONGEST_CELL].splitlines()) for cell in cells]
    plain = [_TEXT.sub(lambda text: "\n" * text[0].count("\n"), cell).splitlines() for cell in short]
    return plain, {name for lines in plain for line in lines for name in _set_here(line)}


def _set_here(line: str) -> list[str]:
    found = _ASSIGNED.match(line)
    return re.findall(_NAME, found[1]) if found else []


def _bodies(function: str, lines: Sequence[str]) -> Iterator[str]:
    """The text of each definition at the top level: up to the next line that begins at the left, and is no bracket."""
    head = re.compile(rf"def\s+{function}\s*\(")
    for start, line in enumerate(lines):
        if head.match(line):
            end = next(
                (i for i in range(start + 1, len(lines)) if re.match(r"[^\s)\]}]", lines[i])),
                len(lines),
            )
            yield "\n".join(lines[start:end])


def _used(body: str) -> set[str]:
    return set(re.findall(rf"(?<![\w.])({_NAME})(?!\s*=(?!=))", body))


def _bound(body: str) -> set[str]:
    head = body.partition(":\n")[0]
    names = {name for pair in _BOUND.findall(body) for name in pair if name} | set(re.findall(_NAME, head))
    for line in body.splitlines():
        for targets in _TARGETS.findall(line):
            names.update(name for target in targets for name in re.findall(_NAME, target))
    return names
