"""IPython's own lines in a notebook cell -> Python, line for line. Looks at characters only; nothing is compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Cell magics whose body runs in the notebook itself; the bodies of all others do not.
_PYTHON_CELL_MAGICS = frozenset(("time", "capture", "prun"))
_CELL_MAGIC = re.compile(r"\s*%%([\w.]+)")
_TIME_STATEMENT = re.compile(r"%time(?:\s+(?P<statement>.*))?$")
_LINE_MAGIC = re.compile(r"%|!|\?")
_HELP_REQUEST = re.compile(r"[%\w.*\[\]\- =]*[\w*\]]\?{1,2}\s*$")
_MAGIC_ASSIGNMENT = re.compile(r"""(?P<target>[^=!%#"'()]*[^=!%#"'()\s])\s*=\s*(?:!|%(?=[A-Za-z_]))""")
_TIME_ASSIGNMENT = re.compile(r"""(?P<target>[^=!%#"'()]*[^=!%#"'()\s])\s*=\s*%time\s+(?P<expression>\S.*)$""")


def non_python_magic(source: str) -> str:
    """The line that takes a notebook cell away from the notebook's own Python, such as "%%bash"; empty without one."""
    for line in filter(str.strip, source.split("\n")):
        magic = _CELL_MAGIC.match(line)
        if magic is None:
            break
        if magic[1] not in _PYTHON_CELL_MAGICS:
            return line.strip()
    return ""


def strip_magics(source: str) -> str:
    """The Python of a notebook cell, on the same lines; empty where the cell is not Python at all.

    Magic, shell and help lines become `pass`, results of magics and of the shell become None. The statement of `%time`
    and the bodies of `%%time`, `%%capture` and `%%prun` stay. A line that continues a bracket, a string or a backslash
    is Python, however it starts.
    """
    if non_python_magic(source):
        return ""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if line.strip() and not _CELL_MAGIC.match(line):
            break
        lines[number] = ""
    scanner, line_continues = Scanner(), False
    for number, line in enumerate(lines):
        if line_continues:
            lines[number] = ""
        elif scanner.at_statement_start:
            lines[number] = _to_python(line)
        if line_continues or lines[number] != line:
            line_continues = line.endswith("\\")
        scanner.feed(lines[number])
    return "\n".join(lines)


def _to_python(line: str) -> str:
    """What stands in the place of a line that starts a statement."""
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    if timed := _TIME_STATEMENT.match(body):
        return indent + (_to_python(timed["statement"] or "") or "pass")
    if timed := _TIME_ASSIGNMENT.match(body):
        return f"{indent}{timed['target']} = {timed['expression']}"
    if _LINE_MAGIC.match(body) or _HELP_REQUEST.match(body):
        return f"{indent}pass"
    if assigned := _MAGIC_ASSIGNMENT.match(body):
        return f"{indent}{assigned['target']} = None"
    return line


@dataclass
class Scanner:
    """Follows brackets, strings and backslashes from line to line."""

    depth: int = 0
    quote: str = ""
    continued: bool = False

    @property
    def at_statement_start(self) -> bool:
        """Whether the next line starts a statement."""
        return not (self.depth or self.quote or self.continued)

    def feed(self, line: str) -> None:
        """Read one line."""
        self.continued = False
        position = 0
        while position < len(line):
            position = self._skip_string_part(line, position) if self.quote else self._skip_code_part(line, position)
        if len(self.quote) == 1 and not self.continued:
            self.quote = ""  # a string of one line ends with it, closed or not

    def _skip_string_part(self, line: str, place: int) -> int:
        if line[place] == "\\":
            self.continued = place + 1 == len(line)
            return place + 2
        if line.startswith(self.quote, place):
            place += len(self.quote)
            self.quote = ""
            return place
        return place + 1

    def _skip_code_part(self, line: str, place: int) -> int:
        char = line[place]
        if char == "#":
            return len(line)
        if char in "\"'":
            self.quote = char * 3 if line.startswith(char * 3, place) else char
            return place + len(self.quote)
        if char in "([{":
            self.depth += 1
        elif char in ")]}":
            self.depth = max(0, self.depth - 1)
        elif char == "\\" and place + 1 == len(line):
            self.continued = True
        return place + 1
