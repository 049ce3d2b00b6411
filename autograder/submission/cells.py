"""Text of a notebook -> its code cells, and what cells of notebooks and scripts share. Nothing is compiled or run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.submission.magics import non_python_magic, strip_magics
from autograder.submission.notebook_json import TooManyValuesError, load_json

MAX_CELLS = 2000
# Of the code that one person wrote: it is gone through line by line several times, so a file may hold 10 MB of output,
# but not of code.
MAX_CODE_CHARACTERS = 1_000_000
MAX_CODE_LINES = 50_000


class CellsError(Exception):
    """A file without readable cells: its text ends a sentence that starts with the file's name."""


@dataclass(frozen=True)
class Cell:
    """Code to run as one piece.

    Only `source` is sent to the process that runs it; the other fields say where it stands, and stay on this side.
    `label` names it to a reader: "code cell 5" in a notebook (counting code cells from 1), empty in a script.
    `first_line` is the line of the cell, or of the script, at which `source` begins.
    """

    source: str
    label: str = ""
    first_line: int = 1

    def line_of(self, line: int | None) -> int | None:
        """Return the line of the cell or script that a line of `source` is."""
        return None if line is None else line + self.first_line - 1


@dataclass(frozen=True)
class ParsedCell:
    """A code cell as it was written, and as it is run.

    `is_check` is set if its metadata mark it as a released check. `non_python_magic` is the line, such as
    "%%writefile a.py", that keeps the whole cell from being run as Python.
    """

    original_source: str
    runnable: Cell
    is_check: bool = False
    non_python_magic: str = ""


def parse_notebook(text: str) -> tuple[ParsedCell, ...]:
    """Return the code cells of a notebook of format 4. Raises CellsError if the text is no such notebook or damaged."""
    try:
        notebook = load_json(text)
    except TooManyValuesError as error:
        raise CellsError(f"holds {error}, outputs not counted: keep what belongs to the exercise") from None
    except ValueError:  # a number too long to read is one as well
        raise CellsError(
            "is not a notebook (not valid JSON): it may be cut short, so download it again and hand it in again"
        ) from None
    if not isinstance(notebook, dict) or type(notebook.get("nbformat")) is not int:
        raise CellsError("is not a notebook: open it in Jupyter, save it there and hand in that file")
    if (version := notebook["nbformat"]) != 4:
        raise CellsError(
            f"is a notebook of format {version if 0 <= version < 100 else 'unknown'}, and only format 4 can be read: "
            "open it in JupyterLab, save it there and hand in that file"
        )
    if not isinstance(notebook.get("cells"), list):
        raise CellsError("is a notebook without cells: open it in Jupyter, save it there and hand in that file")
    code_cells: list[tuple[str, object]] = []
    for number, cell in enumerate(notebook["cells"], start=1):
        if not isinstance(cell, dict):
            raise _damaged_cell_error(number)
        if cell.get("cell_type") == "code":
            code_cells.append((_cell_source(cell.get("source"), number), cell.get("metadata")))
    check_cell_count(len(code_cells))
    check_code_size([source for source, _ in code_cells])
    return tuple(
        ParsedCell(
            source,
            make_cell(strip_magics(source), f"code cell {number}"),
            _is_check(metadata),
            non_python_magic(source),
        )
        for number, (source, metadata) in enumerate(code_cells, start=1)
    )


def check_cell_count(count: int) -> None:
    """Raise CellsError if there are more than MAX_CELLS code cells."""
    if count > MAX_CELLS:
        raise CellsError(f"has {count} code cells, more than {MAX_CELLS}: keep those that belong to the exercise")


def check_code_size(sources: Sequence[str]) -> None:
    """Raise CellsError if code is longer than MAX_CODE_CHARACTERS or MAX_CODE_LINES."""
    for unit, size, limit in (
        ("characters", sum(map(len, sources)), MAX_CODE_CHARACTERS),
        ("lines", sum(source.count("\n") + 1 for source in sources), MAX_CODE_LINES),
    ):
        if size > limit:
            raise CellsError(f"has {size} {unit} of code, more than {limit}: keep what belongs to the exercise")


def make_cell(source: str, label: str = "", first_line: int = 1) -> Cell:
    """Return a cell to run, without blank lines around it.

    They are no code, and how many there are depends on whether a notebook or a script holds it. A backslash at its end
    continues a statement in one of them, so it always gets an empty one: without it, Python reads none of the cell.
    """
    lines = source.split("\n")
    code = [i for i, line in enumerate(lines) if line.strip()]
    if not code:
        return Cell("", label, first_line)
    text = "\n".join(lines[code[0] : code[-1] + 1])
    return Cell(f"{text}\n\n" if text.endswith("\\") else text, label, first_line + code[0])


def has_code(source: str) -> bool:
    """Return whether a cell holds anything to run: a line that is neither blank nor a comment."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in source.split("\n"))


def normalize_source(source: str) -> str:
    """Return a cell's source for comparison: without trailing white space and without blank lines around it."""
    return "\n".join(line.rstrip() for line in source.split("\n")).strip("\n")


def defined_functions(source: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the names for which the text has a `def`."""
    defined = set(re.findall(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", source, re.MULTILINE))
    return tuple(name for name in names if name in defined)


def _cell_source(source: object, number: int) -> str:
    """Return the text of a cell, which a notebook keeps as one string or as a list of lines."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise _damaged_cell_error(number)
    text = source.encode("utf-8", "replace").decode("utf-8")  # JSON can spell half a character; a file cannot hold it
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_check(metadata: object) -> bool:
    flags = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if not isinstance(flags, dict):
        return False
    name = flags.get("grade_id")
    return isinstance(name, str) and name.startswith("check_") and flags.get("grade") is True


def _damaged_cell_error(number: int) -> CellsError:
    return CellsError(f"is damaged at cell {number}: open it in Jupyter, save it there and hand in that file")
