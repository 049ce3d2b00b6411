"""The source of an exercise, read as text: its cells, and the form in which students get them.

The source is a Python file in percent format. An author types these headers:

    # %% [markdown]                                  narrative
    # %% [markdown] manual="derivation" points=2     an answer in words, graded by hand; the cell above asks for it
    # %% setup                                       the set-up cell, given to students and locked
    # %% solution="forward"                          one function, answered between BEGIN and END SOLUTION
    # %% check="forward"                             the visible check, commented out: # check("forward")
    # %% hints="forward"                             hints for hint("forward"), one a line, commented out as # 1. ...
    # %% teacher                                     never released: how the functions are checked (small_form/)
    # %%                                             other code, released as it is

In the small form, a solution's header may say more: # %% solution="gradient" slope_of="w" points=2.

Grading reads sources too, to tell released cells from a student's own, so this imports the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

SCRIPT_CHECK_CELL = 'if __name__ == "__main__":\n    print(check())'
"""The last cell of the released .py: it checks all functions."""

HEADERS = (
    '# %% [markdown], # %% setup, # %% solution="NAME", # %% hints="NAME", # %% check="NAME", # %% teacher and # %%'
)

CellKind = Literal["markdown", "manual", "setup", "solution", "check", "hints", "teacher", "code"]

MAX_HINTS = 3


class SourceError(Exception):
    """A source that cannot be released: its text is one sentence that says what is wrong, `line` where it begins."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class ExerciseCell:
    """A cell as its author wrote it: `name` is its function or manual answer, `line` the line number of its header.

    `options` is what the header of a solution says besides, such as {"slope_of": "w", "points": "2"}.
    """

    kind: CellKind
    name: str
    points: float
    source: str
    line: int
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReleasedCells:
    """The code of the cells that are released with the exercise, stripped: in the notebook and in the .py."""

    setup_cells: frozenset[str]
    check_cells: frozenset[str]
    stub_cells: frozenset[str]
    hints: Mapping[str, tuple[str, ...]]
    written: Mapping[str, float]


def extract_released_cells(text: str) -> ReleasedCells:
    """Return the code cells of a source as they are released. Raises SourceError."""
    cells = parse_cells(text)
    setup, check, stub = (
        frozenset(student_text(cell) for cell in cells if cell.kind == kind) for kind in ("setup", "check", "solution")
    )
    hints = {cell.name: _parse_hints(cell) for cell in cells if cell.kind == "hints"}
    written = {cell.name: cell.points for cell in cells if cell.kind == "manual"}
    return ReleasedCells(setup, check | {SCRIPT_CHECK_CELL}, stub, hints, written)


def without_written_questions(text: str, cells: Sequence[ExerciseCell]) -> tuple[str, tuple[ExerciseCell, ...]]:
    """Return a source and its cells without the answers that a person grades, and the cells above that ask."""
    above = zip(cells, (*cells[1:], None), strict=True)
    dropped = {
        cell.line
        for cell, following in above
        if cell.kind == "manual" or (cell.kind == "markdown" and following and following.kind == "manual")
    }
    lines = text.splitlines(keepends=True)
    ends = (*(cell.line for cell in cells[1:]), len(lines) + 1)
    kept = [(cell, end) for cell, end in zip(cells, ends, strict=True) if cell.line not in dropped]
    return "".join("".join(lines[cell.line - 1 : end - 1]) for cell, end in kept), tuple(cell for cell, _ in kept)


def with_points_of_questions(text: str, cells: Sequence[ExerciseCell], max_points: float) -> str:
    """Return a source whose written questions say what they count, in the cell above each answer.

    `max_points` are those of the whole exercise.
    """
    lines = text.splitlines(keepends=True)
    for asking, answer in reversed(list(pairwise(cells))):
        if answer.kind == "manual" and asking.kind == "markdown":
            sentence = f"# **It counts {answer.points:g} of {max_points:g} points**, which a person gives."
            at = answer.line - 1
            while not lines[at - 1].strip():
                at -= 1
            lines[at:at] = ["#\n", f"{sentence}\n"]
    return "".join(lines)


def parse_cells(text: str) -> tuple[ExerciseCell, ...]:
    """Return the cells of a source in order. Raises SourceError if a header or a solution is malformed."""
    lines = text.splitlines()
    headers = [number for number, line in enumerate(lines) if line.startswith("# %%")]
    for number, line in enumerate(lines, start=1):
        if re.match(r"#\s*%%", line) and not line.startswith("# %%"):
            raise SourceError(f"A cell header begins with # %%, with one space: {line}", number)
    if not headers or any(line.strip() for line in lines[: headers[0]]):
        raise SourceError("This is not a cell header: a source begins with a line such as # %% [markdown].")
    return tuple(
        _parse_cell(lines[start], start + 1, "\n".join(lines[start + 1 : end]).strip())
        for start, end in zip(headers, [*headers[1:], len(lines)], strict=True)
    )


def student_text(cell: ExerciseCell) -> str:
    """Return the text of a cell as students get it: its solution replaced by a stub, its check uncommented."""
    if cell.kind == "check":
        return uncomment(cell.source)
    if cell.kind != "solution":
        return cell.source
    lines, in_solution = [], False
    for line in cell.source.splitlines():
        if line.strip() == BEGIN:
            in_solution = True
            lines.append(line.rstrip().replace(BEGIN, stub_line(cell.name)))
        elif line.strip() == END:
            in_solution = False
        elif not in_solution:
            lines.append(line)
    return "\n".join(lines)


def stub_line(function: str) -> str:
    """Return the line that replaces a solution."""
    return f'raise NotImplementedError("{stub_text(function)}")'


def stub_text(function: str) -> str:
    """Return the text of the exception that an untouched stub raises; the grader recognizes the stub by it."""
    return f"{function} is not written yet"


def uncomment(source: str) -> str:
    """Return the code in lines that are commented out."""
    return re.sub(r"^# ?", "", source, flags=re.MULTILINE)


def _parse_hints(cell: ExerciseCell) -> tuple[str, ...]:
    """Return the hints of a cell. A number starts a hint; a line without a number continues the hint before it."""
    hints: list[str] = []
    for line in uncomment(cell.source).splitlines():
        numbered = re.fullmatch(r"(\d+)\. (.+)", line.strip())
        if numbered and int(numbered[1]) == len(hints) + 1:
            hints.append(numbered[2])
        elif numbered or not hints:
            raise SourceError("The hints must be numbered: # 1. ..., # 2. ..., # 3. ....", cell.line)
        else:
            hints[-1] += f" {line.strip()}"
    if not 1 <= len(hints) <= MAX_HINTS:
        raise SourceError(f"There must be one to {MAX_HINTS} hints, and there are {len(hints)}.", cell.line)
    return tuple(hints)


def solution_lines(text: str) -> Iterator[str]:
    """Yield the lines between BEGIN and END SOLUTION of all cells, stripped; blank lines are left out."""
    for region in re.findall(rf"{BEGIN}\n(.*?){END}", text, flags=re.DOTALL):
        yield from (line.removeprefix("# ").strip() for line in region.splitlines() if line.strip("# "))


def _parse_cell(header: str, line: int, source: str) -> ExerciseCell:
    match = re.fullmatch(
        r'# %%(?: (?:(?P<word>setup|teacher)|(?P<tag>check|hints)="(?P<function>\w+)"'
        r'|solution="(?P<solution>\w+)"(?P<options>(?: \w+=(?:"[^"]*"|[^\s"]+))*)'
        r'|(?P<markdown>\[markdown\])(?: manual="(?P<manual>[\w-]+)" points=(?P<points>\d+(?:\.\d+)?))?))?\s*',
        header,
    )
    if match is None:
        raise SourceError(f"This is not a cell header that a release knows: {header}; there are {HEADERS}.", line)
    text_kind = "manual" if match["manual"] else "markdown" if match["markdown"] else "code"
    code_kind = "solution" if match["solution"] else match["word"] or match["tag"]
    kind: CellKind = code_kind or text_kind  # type: ignore[assignment]  # the pattern knows them
    name = match["function"] or match["solution"] or match["manual"] or ""
    options = {key: value.strip('"') for key, value in re.findall(r'(\w+)=("[^"]*"|\S+)', match["options"] or "")}
    cell = ExerciseCell(kind, name, float(match["points"] or 0), source, line, options)
    _validate_solution(cell)
    return cell


def _validate_solution(cell: ExerciseCell) -> None:
    markers = re.findall(rf"{BEGIN}|{END}", cell.source)
    location = f'the cell "{cell.name}"' if cell.name else "this cell"
    if cell.kind not in ("solution", "manual"):
        if markers:
            raise SourceError(f'A solution stands in {location}, whose header is not # %% solution="...".', cell.line)
        return
    if markers != [BEGIN, END]:
        count = markers or "neither"
        raise SourceError(
            f"There must be one {BEGIN} and then one {END} in {location}, and there is {count}.", cell.line
        )
    if cell.kind == "solution" and not re.search(rf"^def {cell.name}\(", cell.source, flags=re.MULTILINE):
        raise SourceError(f"There is no line `def {cell.name}(` in {location}.", cell.line)
