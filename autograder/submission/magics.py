"""IPython's own syntax in a notebook cell -> Python, line for line. Looks at characters only; nothing is compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Cell magics whose body runs in the notebook itself; the bodies of all others do not.
_PYTHON_CELL_MAGICS = frozenset(("time", "capture", "prun"))
_CELL_MAGIC = re.compile(r"\s*%%([\w.]+)")
# The patterns see what students write, so they are possessive: none of them takes back a character to try again.
_TIMED = re.compile(r"(?:%time(?:\s++|\Z))++")  # one %time may time another
_LINE_MAGIC = re.compile(r"%|!|\?")
_HELP_REQUEST = re.compile(r"[%\w.*\[\]\- =]++(?<=[\w*\]])\?{1,2}+\s*+\Z")
_ASSIGNED_MAGIC = re.compile(r"!|%[A-Za-z_]")
_NO_TARGET = re.compile(r"""[!%#"'()]""")  # before the equals sign of an assignment that may be one of a magic

# What changes the state of a scanner in code (after no quote) and in a string (after its opening quote).
_TOKENS = {
    "": re.compile(r"""'''|\"\"\"|['"()\[\]{}]|\\\Z|#.*"""),
    **{quote: re.compile(rf"\\.|\\\Z|{quote}") for quote in ("'", '"', "'''", '"""')},
}


def non_python_magic(source: str) -> str:
    """Return the line, such as "%%bash", that keeps a notebook cell from being run as Python; empty without one."""
    for line in filter(str.strip, source.split("\n")):
        magic = _CELL_MAGIC.match(line)
        if magic is None:
            break
        if magic[1] not in _PYTHON_CELL_MAGICS:
            return line.strip()
    return ""


def strip_magics(source: str) -> str:
    """Return the Python of a notebook cell, every statement on its old line; empty if the cell is not Python at all.

    Magic, shell and help lines become `pass`; a variable assigned from a magic or the shell becomes None. The statement
    of `%time` and the bodies of `%%time`, `%%capture` and `%%prun` stay. A line that continues a bracket, a string or
    a backslash is Python, whatever it starts with.
    """
    if non_python_magic(source):
        return ""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if line.strip() and not _CELL_MAGIC.match(line):
            break
        lines[number] = ""
    # A replaced line may end with a backslash: what it continues is no Python either, and is blanked with it. The
    # scanner reads the replacement, so that an apostrophe in a shell command does not open a string.
    scanner, blank_next = Scanner(), False
    for number, line in enumerate(lines):
        if blank_next:
            lines[number] = ""
        elif scanner.at_statement_start:
            lines[number] = _to_python(line)
        if blank_next or lines[number] != line:
            blank_next = line.endswith("\\")
        scanner.feed(lines[number])
    return "\n".join(lines)


def _to_python(line: str) -> str:
    """Return the Python that replaces a line at which a statement starts."""
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    statement = _without_time(body)
    if body and (not statement or _LINE_MAGIC.match(statement) or _HELP_REQUEST.match(statement)):
        return f"{indent}pass"
    target, equals, value = statement.partition("=")
    value = value.lstrip()
    if equals and target.strip() and not _NO_TARGET.search(target) and _ASSIGNED_MAGIC.match(value):
        expression = _without_time(value)
        return f"{indent}{target.rstrip()} = {expression if expression not in ('', value) else None}"
    return line if statement is body else indent + statement


def _without_time(code: str) -> str:
    """Return the statement or expression that `%time` times; the code itself if it is not timed."""
    timed = _TIMED.match(code)
    return code[timed.end() :] if timed else code


@dataclass
class Scanner:
    """Tracks open brackets, open strings and trailing backslashes from line to line."""

    depth: int = 0
    quote: str = ""
    continued: bool = False

    @property
    def at_statement_start(self) -> bool:
        """Return whether the next line starts a statement."""
        return not (self.depth or self.quote or self.continued)

    def feed(self, line: str) -> None:
        """Read one line."""
        self.continued = False
        position = 0
        while token := _TOKENS[self.quote].search(line, position):
            position = token.end()
            match token[0]:
                case "\\":  # only the last character of a line: _TOKENS skips every other backslash
                    self.continued = True
                case "'" | '"' | "'''" | '"""' as quote:
                    self.quote = "" if self.quote else quote
                case "(" | "[" | "{":
                    self.depth += 1
                case ")" | "]" | "}":
                    self.depth = max(0, self.depth - 1)
        if len(self.quote) == 1 and not self.continued:
            self.quote = ""  # a string of one line ends with it, closed or not
