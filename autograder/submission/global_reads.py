"""Which functions read data that is set outside of them, judged by the text alone: nothing is compiled or parsed.

A function that reads a global array or number works only as long as that global happens to fit. The result serves a
note to the instructor and costs no points, so it may overlook something: it looks at names, line by line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# What assigns data at the top level (a lambda is a function), what binds names inside a function (augmented assignment,
# keyword arguments, `as`, import, def, class), and the targets of loops and tuple assignments.
# The patterns are possessive or stop at the next place where they may start: on any text they take linear time.
_NAME = r"[^\W\d]\w*+"
_ASSIGNMENT = re.compile(rf"({_NAME}(?:\s*+,\s*+{_NAME})*+)\s*+(?::[^=\n]++)?+=(?!=)(?!\s*+lambda\b)")
_BINDING = re.compile(
    rf"\b({_NAME})\s*+(?::[^=:\n]*+)?+(?:[-+*/@%&|^]|//|\*\*|>>|<<)?=(?!=)|\b(?:as|import|def|class)\s++({_NAME})"
)
_LOOP_TARGETS = re.compile(r"\bfor\b((?:(?!\b(?:for|in)\b).)++)\bin\b")
_ASSIGNED_TARGETS = re.compile(r"([^=(\[]++)=(?!=)")
_STRING_OR_COMMENT = re.compile(
    r'"""[\s\S]*?(?:"""|\Z)|\'\'\'[\s\S]*?(?:\'\'\'|\Z)|"(?:\\.|[^"\\\n])*+"?+|\'(?:\\.|[^\'\\\n])*+\'?+|#[^\n]*+'
)


def global_reads(functions: Sequence[str], cells: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, for each function that reads global data, the sorted names that its last definition reads.

    Global data are the names assigned at the top level of some cell, functions excepted.
    """
    texts = [plain_code(cell) for cell in cells]
    global_names = {name for text in texts for line in text.split("\n") for name in assigned_names(line)}
    reads = {}
    for function in functions if global_names else ():
        if found := [definition for text in texts for definition in definitions(function, text)]:
            names = global_names & (_used_names(found[-1]) - _bound_names(found[-1]))
            if names:
                reads[function] = tuple(sorted(names))
    return reads


def plain_code(cell: str) -> str:
    """Return a cell without strings and comments."""
    return _STRING_OR_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), "\n".join(cell.splitlines()))


def assigned_names(line: str) -> list[str]:
    """Return the names that a line at the top level assigns."""
    assignment = _ASSIGNMENT.match(line)
    return re.findall(_NAME, assignment[1]) if assignment else []


def definitions(function: str, text: str) -> list[str]:
    """Return the definitions at the top level: each ends before a line that starts at the left with no bracket."""
    return re.findall(rf"^def[ \t]+{function}[ \t]*\(.*(?:\n(?![^\s)\]}}]).*)*+", text, re.MULTILINE)


def _used_names(body: str) -> set[str]:
    return set(re.findall(rf"(?<![\w.])({_NAME})(?!\s*+=(?!=))", body))


def _bound_names(body: str) -> set[str]:
    """Return the names that a definition sets itself: its parameters, assignments, imports and loop variables."""
    head = body.partition(":\n")[0]
    names = {name for pair in _BINDING.findall(body) for name in pair if name} | set(re.findall(_NAME, head))
    for line in body.splitlines():
        assigned = _ASSIGNED_TARGETS.match(line)
        for targets in (*_LOOP_TARGETS.findall(line), assigned[1] if assigned else ""):
            names.update(re.findall(_NAME, targets))
    return names
