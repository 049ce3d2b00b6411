"""Which functions read data that is set outside of them, told from the text alone: nothing is compiled or parsed.

A function that reads a global array or number works as long as that global happens to fit. This is for a note to the
instructor and for no points, so it may overlook something: it looks at names line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

_NAME = r"[^\W\d]\w*"
_ASSIGNMENT = re.compile(rf"^((?:{_NAME})(?:\s*,\s*{_NAME})*)\s*(?::[^=\n]+)?=(?!=)(?!\s*lambda\b)")
_BINDING = re.compile(
    rf"\b({_NAME})\s*(?::[^=\n]+)?(?:[-+*/@%&|^]|//|\*\*|>>|<<)?=(?!=)|\b(?:as|import|def|class)\s+({_NAME})"
)
_TARGETS = re.compile(r"\bfor\s+(.+?)\s+in\b|^\s*([^=(\[]+?)\s*=(?!=)")
_STRING_OR_COMMENT = re.compile(
    r'"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#[^\n]*'
)
_MAX_CELL_CHARACTERS, _MAX_LINE_CHARACTERS = (
    100_000,
    300,
)  # characters that are looked at, since some patterns look far ahead


def globals_read_by(function: str, cells: Sequence[str]) -> tuple[str, ...]:
    """The names of data set at the top level of some cell that the last definition of `function` reads, sorted."""
    cell_lines, global_names = _lines_and_globals(tuple(cells))
    if not global_names:
        return ()
    definitions = [body for lines in cell_lines for body in _definitions(function, lines)]
    return (
        tuple(sorted(global_names & (_used_names(definitions[-1]) - _bound_names(definitions[-1]))))
        if definitions
        else ()
    )


@lru_cache(maxsize=1)
def _lines_and_globals(cells: tuple[str, ...]) -> tuple[list[list[str]], set[str]]:
    """The lines of each cell without texts and comments, and the names that are set at the top level of some cell."""
    truncated_cells = [
        "\n".join(line[:_MAX_LINE_CHARACTERS] for line in cell[:_MAX_CELL_CHARACTERS].splitlines()) for cell in cells
    ]
    cell_lines = [
        _STRING_OR_COMMENT.sub(lambda text: "\n" * text[0].count("\n"), cell).splitlines() for cell in truncated_cells
    ]
    return cell_lines, {name for lines in cell_lines for line in lines for name in _assigned_names(line)}


def _assigned_names(line: str) -> list[str]:
    found = _ASSIGNMENT.match(line)
    return re.findall(_NAME, found[1]) if found else []


def _definitions(function: str, lines: Sequence[str]) -> Iterator[str]:
    """The text of each definition at the top level: up to the next line that begins at the left, and is no bracket."""
    head = re.compile(rf"def\s+{function}\s*\(")
    for start, line in enumerate(lines):
        if head.match(line):
            end = next(
                (i for i in range(start + 1, len(lines)) if re.match(r"[^\s)\]}]", lines[i])),
                len(lines),
            )
            yield "\n".join(lines[start:end])


def _used_names(body: str) -> set[str]:
    return set(re.findall(rf"(?<![\w.])({_NAME})(?!\s*=(?!=))", body))


def _bound_names(body: str) -> set[str]:
    head = body.partition(":\n")[0]
    names = {name for pair in _BINDING.findall(body) for name in pair if name} | set(re.findall(_NAME, head))
    for line in body.splitlines():
        for targets in _TARGETS.findall(line):
            names.update(name for target in targets for name in re.findall(_NAME, target))
    return names
