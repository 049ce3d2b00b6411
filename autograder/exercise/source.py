"""Reading the source of an exercise as text: its cells, and the code of those that are released.

The source is a percent-format Python file. The headers that an author types:

    # %% [markdown]                                  narrative
    # %% [markdown] manual="derivation" points=2     an answer in words, graded by hand
    # %% setup                                       the set-up cell, given to students and locked
    # %% solution="forward"                          one function, answered between BEGIN and END SOLUTION
    # %% check="forward"                             the visible check, commented out: # check("forward")
    # %% hints="forward"                             hints for hint("forward"), one a line, commented out as # 1. ...
    # %%                                             other code, released as it is

Grading reads sources too, to know released cells from a student's own, so this needs nothing but the standard library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

SCRIPT_END = 'if __name__ == "__main__":\n    print(check())'
"""The last cell of the released .py: its check cell for all functions."""

Kind = Literal["markdown", "manual", "setup", "solution", "check", "hints", "code"]

MOST_HINTS = 3


class SourceError(Exception):
    """A source that cannot be released: one sentence that says what is wrong and where."""


@dataclass(frozen=True)
class Cell:
    """One cell as its author wrote it: `name` is that of its function or manual answer, `line` that of its header."""

    kind: Kind
    name: str
    points: float
    source: str
    line: int


@dataclass(frozen=True)
class SourceCells:
    """The code of the released cells that are not the student's own, stripped: as in the notebook and the .py."""

    set_up: frozenset[str]
    check_cells: frozenset[str]
    stub_cells: frozenset[str]
    hints: Mapping[str, tuple[str, ...]]


def source_cells(text: str) -> SourceCells:
    """The code of the cells of a source as they are released. Raises SourceError."""
    by_kind: dict[Kind, set[str]] = {"setup": set(), "check": {SCRIPT_END}, "solution": set()}
    read = cells(text)
    for cell in read:
        by_kind.setdefault(cell.kind, set()).add(released(cell))
    hints = {cell.name: _hints(cell) for cell in read if cell.kind == "hints"}
    setup, check, solution = (frozenset(by_kind[kind]) for kind in ("setup", "check", "solution"))
    return SourceCells(setup, check, solution, hints)


def cells(text: str) -> tuple[Cell, ...]:
    """The cells of a source in order. Raises SourceError for a header or a solution that is none."""
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    if any(line.strip() for line in lines[: headers[0] if headers else None]):
        raise SourceError("Line 1 is not a cell header: a source begins with a line such as # %% [markdown].")
    return tuple(
        _cell(lines[start], start + 1, "\n".join(lines[start + 1 : end]).strip())
        for start, end in zip(headers, [*headers[1:], len(lines)], strict=True)
    )


def released(cell: Cell) -> str:
    """The text of a cell as students get it: its solution replaced by a stub, its check uncommented."""
    if cell.kind == "check":
        return uncommented(cell.source)
    if cell.kind != "solution":
        return cell.source
    lines, inside = [], False
    for line in cell.source.splitlines():
        if line.strip() == BEGIN:
            lines.append(line[: line.index(BEGIN)] + stub(cell.name))
        inside = (inside or line.strip() == BEGIN) and line.strip() != END
        if not inside and line.strip() != END:
            lines.append(line)
    return "\n".join(lines)


def stub(function: str) -> str:
    """The line that stands where a solution was."""
    return f'raise NotImplementedError("{stub_text(function)}")'


def stub_text(function: str) -> str:
    """Return the text of the exception that an untouched stub raises, by which the grader knows it again."""
    return f"{function} is not written yet"


def uncommented(source: str) -> str:
    """The code of lines that are commented out."""
    return re.sub(r"^# ?", "", source, flags=re.MULTILINE)


def _hints(cell: Cell) -> tuple[str, ...]:
    """The hints of a cell, each begun by its number; a line without one goes on with the hint before."""
    hints: list[str] = []
    for line in uncommented(cell.source).splitlines():
        begun = re.fullmatch(r"(\d+)\. (.+)", line.strip())
        if begun and int(begun[1]) == len(hints) + 1:
            hints.append(begun[2])
        elif begun or not hints:
            raise SourceError(f"The hints of line {cell.line} must be numbered: # 1. ..., # 2. ..., # 3. ....")
        else:
            hints[-1] += f" {line.strip()}"
    if not 1 <= len(hints) <= MOST_HINTS:
        raise SourceError(f"There must be one to {MOST_HINTS} hints in line {cell.line}, and there are {len(hints)}.")
    return tuple(hints)


def solution_lines(text: str) -> Iterator[str]:
    """The lines between BEGIN and END SOLUTION of every cell, stripped."""
    for region in re.findall(rf"{BEGIN}\n(.*?){END}", text, flags=re.DOTALL):
        yield from (line.removeprefix("# ").strip() for line in region.splitlines() if line.strip("# "))


def _cell(header: str, line: int, source: str) -> Cell:
    told = re.fullmatch(
        r'# %%(?: (?:(?P<setup>setup)|(?P<what>solution|check|hints)="(?P<function>\w+)"'
        r'|(?P<markdown>\[markdown\])(?: manual="(?P<manual>[\w-]+)" points=(?P<points>\d+(?:\.\d+)?))?))?\s*',
        header,
    )
    if told is None:
        raise SourceError(f"Line {line} is no cell header that a release knows: {header}")
    kind: Kind = "code"
    if told["markdown"]:
        kind = "manual" if told["manual"] else "markdown"
    elif told["setup"]:
        kind = "setup"
    elif told["what"]:
        kind = told["what"]  # type: ignore[assignment]  # the expression above knows these three
    cell = Cell(kind, told["function"] or told["manual"] or "", float(told["points"] or 0), source, line)
    _look_at_solution(cell)
    return cell


def _look_at_solution(cell: Cell) -> None:
    marks = re.findall(rf"{BEGIN}|{END}", cell.source)
    where = f'the cell "{cell.name}" of line {cell.line}' if cell.name else f"the cell of line {cell.line}"
    if cell.kind not in ("solution", "manual"):
        if marks:
            raise SourceError(f'A solution stands in {where}, whose header is not # %% solution="...".')
        return
    if marks != [BEGIN, END]:
        raise SourceError(
            f"There must be one {BEGIN} and then one {END} in {where}, and there is {marks or 'neither'}."
        )
    if cell.kind == "solution" and not re.search(rf"^def {cell.name}\(", cell.source, flags=re.MULTILINE):
        raise SourceError(f"There is no line `def {cell.name}(` in {where}.")
