"""Which names code binds at its top level, and which modules it imports, judged by the text alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.submission.global_reads import assigned_names, plain_code

# The patterns are possessive, or no part of them takes what the next one does: on any text they take linear time.
_DEFINITION = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)
_STAR_IMPORT = re.compile(r"^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]*\*", re.MULTILINE)
_FROM_IMPORT = re.compile(r"^[ \t]*from[ \t]+(\w++)[\w.]*+[ \t]+import\b", re.MULTILINE)
_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^\n;]+)", re.MULTILINE)


def defined_names(source: str) -> tuple[str, ...]:
    """Return the names of functions, classes and data that a cell defines at its top level."""
    code = plain_code(source)
    data = [name for line in code.split("\n") for name in assigned_names(line)]
    return tuple(dict.fromkeys([*_DEFINITION.findall(code), *data]))


def star_imports(source: str) -> tuple[str, ...]:
    """Return the modules of which a cell imports everything."""
    return tuple(dict.fromkeys(_STAR_IMPORT.findall(plain_code(source))))


def imported_modules(sources: Sequence[str]) -> tuple[str, ...]:
    """Return the modules that cells import anywhere, in order: of `import a.b`, a."""
    found: dict[str, None] = {}
    for code in map(plain_code, sources):
        for names in _IMPORT.findall(code):
            found |= dict.fromkeys(name.split()[0].partition(".")[0] for name in names.split(",") if name.split())
        found |= dict.fromkeys(_FROM_IMPORT.findall(code))
    return tuple(found)
