"""Text of a script -> its cells: the pieces between its `# %%` lines. Nothing is compiled or run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.submission.cells import CellsError, ParsedCell, check_cell_count, check_code_size, has_code, make_cell
from autograder.submission.magics import Scanner

# The header lines that editors write, and those of notebooks exported by nbconvert.
_CELL_HEADER = re.compile(r"#\s?%%+(?P<title>.*)|# In\[[ \d]*\]:\s*$")
_COMMENT_MARK = re.compile(r"^\s*# ?")
_TEXT_CELL = re.compile(r"\[(?:markdown|md|raw)\]")
# What no words begin with: below a header of text stands code then, as somebody took the `# %%` between them away.
_CODE_LINE = re.compile(r"@\w|(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[(:]|import\s+\w+|from\s+[\w.]+\s+import\b")
MAX_HEADERS = 10_000  # `# %%` lines of a script: five times as many cells as may hold code
_MAX_OPEN_SECTIONS = 8  # sections within which a statement must end or go on that began in another one
_CLAUSE = re.compile(r"(?:elif|else|except|finally)\b")
_COMPOUND = re.compile(rf"(?:async|class|def|for|if|match|try|while|with)\b|{_CLAUSE.pattern}")


@dataclass(frozen=True)
class _Section:
    """Lines of a script from one header to the next, as indices.

    `is_text` if the header says that it is no code, and no line looks like it.
    """

    start: int
    end: int
    is_text: bool


def parse_script(text: str) -> tuple[ParsedCell, ...]:
    """Return the code cells of a script: split at its `# %%` and `# In[1]:` lines, or one cell without such lines.

    A header inside a statement splits nothing. Raises CellsError if it holds too much code.
    """
    check_code_size([text])
    lines = text.split("\n")
    sections = _split_at_headers(lines)
    cells: list[ParsedCell] = []
    next_section = 0
    while next_section < len(sections):
        first = sections[next_section]
        next_section += 1 if first.is_text else 1 + _count_continuations(lines, sections, next_section)
        span = lines[first.start : sections[next_section - 1].end]
        has_header = bool(span and _CELL_HEADER.match(span[0]))
        source = "\n".join(span[has_header:])
        if has_code(source) and not first.is_text:
            cells.append(ParsedCell(source, make_cell(source, first_line=first.start + has_header + 1)))
    check_cell_count(len(cells))
    return tuple(cells)


def parse_text(text: str) -> tuple[str, ...]:
    """Return the text of a script between its headers where no code stands, without comment marks."""
    lines = text.split("\n")
    pieces = []
    for section in _split_at_headers(lines):
        span = lines[section.start : section.end]
        if span and _CELL_HEADER.match(span[0]):
            span = span[1:]
        if section.is_text or not has_code("\n".join(span)):
            pieces.append("\n".join(_COMMENT_MARK.sub("", line, count=1) for line in span).strip())
    return tuple(filter(None, pieces))


def _split_at_headers(lines: Sequence[str]) -> list[_Section]:
    headers = [(i, header["title"] or "") for i, line in enumerate(lines) if (header := _CELL_HEADER.match(line))]
    if len(headers) > MAX_HEADERS:
        raise CellsError(f"has {len(headers)} cells, more than {MAX_HEADERS}: keep those that belong to the exercise")
    if not headers or headers[0][0] > 0:
        headers.insert(0, (0, ""))
    ends = [start for start, _ in headers[1:]] + [len(lines)]
    return [
        _Section(start, end, bool(_TEXT_CELL.search(title)) and not any(map(_CODE_LINE.match, lines[start:end])))
        for (start, title), end in zip(headers, ends, strict=True)
    ]


def _count_continuations(lines: Sequence[str], sections: Sequence[_Section], first: int) -> int:
    """Return how many sections after a section of code belong to it, because a statement goes on in them.

    It does where a bracket or a string is open, or where a block of indented lines goes on. A string that is not closed
    within a few sections is a mistake: it must not swallow all cells after it.
    """
    scanner, statement, count = Scanner(), "", 0
    for number in range(len(sections) - first):
        if number - count >= _MAX_OPEN_SECTIONS:
            break
        section = sections[first + number]
        at_start = scanner.at_statement_start
        section_lines = lines[section.start : section.end]
        code = [] if section.is_text else [line for line in section_lines if _is_code(line)]
        if number and at_start and code and not _continues_block(statement, code[0]):
            break
        if section.is_text and at_start:  # words: whatever quotes they hold open no string
            continue
        for line in section_lines:
            if scanner.at_statement_start and _is_code(line):
                statement = line
            scanner.feed(line)
        if scanner.at_statement_start and (code or not at_start):
            count = number
        if scanner.at_statement_start and not _is_block(statement):
            break
    return count


def _is_code(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#")


def _continues_block(statement: str, line: str) -> bool:
    """Return whether a line can only go on in the block of the statement before it, as no statement starts like that.

    Of that statement, its first line is given: its last one may be a bracket, or the end of a string.
    """
    if statement.lstrip().startswith("@"):
        return True
    return _is_block(statement) and (line[:1].isspace() or bool(_CLAUSE.match(line)))


def _is_block(statement: str) -> bool:
    """Return whether a statement, of which the first line is given, may go on behind its end."""
    return statement[:1].isspace() or statement[:1] == "@" or bool(_COMPOUND.match(statement))
