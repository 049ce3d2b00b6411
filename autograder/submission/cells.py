"""Text of a submission -> its cells: of a notebook, or of a script in percent format. Nothing is compiled or run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.submission.magics import non_python_magic, strip_magics

MAX_CELLS = 2000

# The header lines that editors write, and those of notebooks exported by nbconvert.
_CELL_HEADER = re.compile(r"#\s?%%+(?P<title>.*)|# In\[[ \d]*\]:\s*$")
_TEXT_CELL = re.compile(r"\[(?:markdown|md|raw)\]")


class CellsError(Exception):
    """A file without readable cells: its text ends a sentence that starts with the file's name."""


@dataclass(frozen=True)
class Cell:
    """Code to run as one piece.

    `label` names it to a reader: "code cell 5" in a notebook (counting code cells from 1), empty in a script.
    `first_line` is the line of the file at which it begins (1 in a notebook).
    """

    source: str
    label: str = ""
    first_line: int = 1


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


def parse_script(text: str) -> tuple[ParsedCell, ...]:
    """Return the code cells of a script: split at its `# %%` and `# In[1]:` lines, or one cell without such lines.

    Raises CellsError if there are too many.
    """
    lines = text.split("\n")
    # A header counts even inside a string: otherwise one unclosed string would swallow all cells after it.
    sections = [(i, header["title"] or "") for i, line in enumerate(lines) if (header := _CELL_HEADER.match(line))]
    if not sections or sections[0][0] > 0:
        sections.insert(0, (0, ""))
    ends = [start for start, _ in sections[1:]] + [len(lines)]
    cells = []
    for (start, title), end in zip(sections, ends, strict=True):
        source = "\n".join(lines[start:end])
        has_code = any(line.strip() and not line.startswith("#") for line in lines[start:end])
        if has_code and not _TEXT_CELL.search(title):
            cells.append(ParsedCell(_without_header(source), Cell(source, "", start + 1)))
    return _check_cell_count(cells)


def parse_notebook(text: str) -> tuple[ParsedCell, ...]:
    """Return the code cells of a notebook of format 4. Raises CellsError if the text is no such notebook or damaged."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):  # a number too long to read is a ValueError as well
        raise CellsError(
            "is not a notebook (not valid JSON): it may be cut short, so download it again and hand it in anew"
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
    cells: list[ParsedCell] = []
    for number, cell in enumerate(notebook["cells"], start=1):
        if not isinstance(cell, dict):
            raise _damaged_cell_error(number)
        if cell.get("cell_type") == "code":
            source = _cell_source(cell.get("source"), number)
            runnable = Cell(strip_magics(source), f"code cell {len(cells) + 1}")
            cells.append(ParsedCell(source, runnable, _is_check(cell.get("metadata")), non_python_magic(source)))
    return _check_cell_count(cells)


def normalize_source(source: str) -> str:
    """Return a cell's source for comparison: without trailing white space and without blank lines around it."""
    return "\n".join(line.rstrip() for line in source.split("\n")).strip("\n")


def defined_functions(source: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the names for which the text has a `def`."""
    defined = set(re.findall(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", source, re.MULTILINE))
    return tuple(name for name in names if name in defined)


def _without_header(source: str) -> str:
    first, _, rest = source.partition("\n")
    return rest if _CELL_HEADER.match(first) else source


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
    return isinstance(flags, dict) and str(flags.get("grade_id")).startswith("check_") and flags.get("grade") is True


def _damaged_cell_error(number: int) -> CellsError:
    return CellsError(f"is damaged at cell {number}: open it in Jupyter, save it there and hand in that file")


def _check_cell_count(cells: list[ParsedCell]) -> tuple[ParsedCell, ...]:
    if len(cells) > MAX_CELLS:
        raise CellsError(f"has {len(cells)} code cells, more than {MAX_CELLS}: keep those that belong to the exercise")
    return tuple(cells)
