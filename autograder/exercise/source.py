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

SCRIPT_CHECK_CELL = 'if __name__ == "__main__":\n    print(check())'
"""The last cell of the released .py: its check cell for all functions."""

CellKind = Literal["markdown", "manual", "setup", "solution", "check", "hints", "code"]

MAX_HINTS = 3


class SourceError(Exception):
    """A source that cannot be released: one sentence that says what is wrong and where."""


@dataclass(frozen=True)
class ExerciseCell:
    """One cell as its author wrote it: `name` is that of its function or manual answer, `line` that of its header."""

    kind: CellKind
    name: str
    points: float
    source: str
    line: int


@dataclass(frozen=True)
class ReleasedCells:
    """The code of the released cells that are not the student's own, stripped: as in the notebook and the .py."""

    setup_cells: frozenset[str]
    check_cells: frozenset[str]
    stub_cells: frozenset[str]
    hints: Mapping[str, tuple[str, ...]]


def extract_released_cells(text: str) -> ReleasedCells:
    """The code of the cells of a source as they are released. Raises SourceError."""
    by_kind: dict[CellKind, set[str]] = {"setup": set(), "check": {SCRIPT_CHECK_CELL}, "solution": set()}
    parsed = parse_cells(text)
    for cell in parsed:
        by_kind.setdefault(cell.kind, set()).add(student_text(cell))
    hints = {cell.name: _parse_hints(cell) for cell in parsed if cell.kind == "hints"}
    setup, check, solution = (frozenset(by_kind[kind]) for kind in ("setup", "check", "solution"))
    return ReleasedCells(setup, check, solution, hints)


def parse_cells(text: str) -> tuple[ExerciseCell, ...]:
    """The cells of a source in order. Raises SourceError for a header or a solution that is none."""
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    if any(line.strip() for line in lines[: headers[0] if headers else None]):
        raise SourceError("Line 1 is not a cell header: a source begins with a line such as # %% [markdown].")
    return tuple(
        _parse_cell(lines[start], start + 1, "\n".join(lines[start + 1 : end]).strip())
        for start, end in zip(headers, [*headers[1:], len(lines)], strict=True)
    )


def student_text(cell: ExerciseCell) -> str:
    """The text of a cell as students get it: its solution replaced by a stub, its check uncommented."""
    if cell.kind == "check":
        return uncomment(cell.source)
    if cell.kind != "solution":
        return cell.source
    lines, inside = [], False
    for line in cell.source.splitlines():
        if line.strip() == BEGIN:
            lines.append(line[: line.index(BEGIN)] + stub_line(cell.name))
        inside = (inside or line.strip() == BEGIN) and line.strip() != END
        if not inside and line.strip() != END:
            lines.append(line)
    return "\n".join(lines)


def stub_line(function: str) -> str:
    """The line that stands where a solution was."""
    return f'raise NotImplementedError("{stub_text(function)}")'


def stub_text(function: str) -> str:
    """Return the text of the exception that an untouched stub raises, by which the grader knows it again."""
    return f"{function} is not written yet"


def uncomment(source: str) -> str:
    """The code of lines that are commented out."""
    return re.sub(r"^# ?", "", source, flags=re.MULTILINE)


def _parse_hints(cell: ExerciseCell) -> tuple[str, ...]:
    """The hints of a cell, each begun by its number; a line without one goes on with the hint before."""
    hints: list[str] = []
    for line in uncomment(cell.source).splitlines():
        numbered = re.fullmatch(r"(\d+)\. (.+)", line.strip())
        if numbered and int(numbered[1]) == len(hints) + 1:
            hints.append(numbered[2])
        elif numbered or not hints:
            raise SourceError(f"The hints of line {cell.line} must be numbered: # 1. ..., # 2. ..., # 3. ....")
        else:
            hints[-1] += f" {line.strip()}"
    if not 1 <= len(hints) <= MAX_HINTS:
        raise SourceError(f"There must be one to {MAX_HINTS} hints in line {cell.line}, and there are {len(hints)}.")
    return tuple(hints)


def solution_lines(text: str) -> Iterator[str]:
    """The lines between BEGIN and END SOLUTION of every cell, stripped."""
    for region in re.findall(rf"{BEGIN}\n(.*?){END}", text, flags=re.DOTALL):
        yield from (line.removeprefix("# ").strip() for line in region.splitlines() if line.strip("# "))


def _parse_cell(header: str, line: int, source: str) -> ExerciseCell:
    match = re.fullmatch(
        r'# %%(?: (?:(?P<setup>setup)|(?P<what>solution|check|hints)="(?P<function>\w+)"'
        r'|(?P<markdown>\[markdown\])(?: manual="(?P<manual>[\w-]+)" points=(?P<points>\d+(?:\.\d+)?))?))?\s*',
        header,
    )
    if match is None:
        raise SourceError(f"Line {line} is no cell header that a release knows: {header}")
    kind: CellKind = "code"
    if match["markdown"]:
        kind = "manual" if match["manual"] else "markdown"
    elif match["setup"]:
        kind = "setup"
    elif match["what"]:
        kind = match["what"]  # type: ignore[assignment]  # the expression above knows these three
    cell = ExerciseCell(kind, match["function"] or match["manual"] or "", float(match["points"] or 0), source, line)
    _validate_solution(cell)
    return cell


def _validate_solution(cell: ExerciseCell) -> None:
    markers = re.findall(rf"{BEGIN}|{END}", cell.source)
    location = f'the cell "{cell.name}" of line {cell.line}' if cell.name else f"the cell of line {cell.line}"
    if cell.kind not in ("solution", "manual"):
        if markers:
            raise SourceError(f'A solution stands in {location}, whose header is not # %% solution="...".')
        return
    if markers != [BEGIN, END]:
        raise SourceError(
            f"There must be one {BEGIN} and then one {END} in {location}, and there is {markers or 'neither'}."
        )
    if cell.kind == "solution" and not re.search(rf"^def {cell.name}\(", cell.source, flags=re.MULTILINE):
        raise SourceError(f"There is no line `def {cell.name}(` in {location}.")
