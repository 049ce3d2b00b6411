"""Text of a submission -> its cells: a notebook's, or a script's in percent format. Nothing is compiled or run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.submission.magics import non_python_magic, strip_magics

MAX_CELLS = 2000

# Of editors, and of notebooks exported by nbconvert.
_CELL_HEADER = re.compile(r"#\s?%%+(?P<about>.*)|# In\[[ \d]*\]:\s*$")
_TEXT_CELL = re.compile(r"\[(?:markdown|md|raw)\]")


class CellsError(Exception):
    """A file that holds no cells: what is wrong with it, as the end of a sentence that starts with its name."""


@dataclass(frozen=True)
class Cell:
    """Code to run as one piece.

    `label` is what a reader calls it, "code cell 5" in a notebook (of its code cells, from 1) and nothing in a script;
    `first_line` is the line of the file at which it begins (1 in a notebook).
    """

    source: str
    label: str = ""
    first_line: int = 1


@dataclass(frozen=True)
class ParsedCell:
    """A code cell as it was written, and as it is run.

    `is_check` when its metadata say that it is a released check; `non_python_magic` is the line for which nothing of it is run,
    such as "%%writefile a.py".
    """

    original_source: str
    runnable: Cell
    is_check: bool = False
    non_python_magic: str = ""


def parse_script(text: str) -> tuple[ParsedCell, ...]:
    """The code cells of a script: it is split at its `# %%` and `# In[1]:` lines, or is one cell without any.

    A marker counts wherever it stands, for else one unclosed string would swallow all the cells after it.
    """
    lines = text.split("\n")
    starts = [
        (number, marker["about"] or "") for number, line in enumerate(lines) if (marker := _CELL_HEADER.match(line))
    ]
    sections = [(0, "")] if not starts or starts[0][0] else []
    sections += starts
    ends = [number for number, _ in sections[1:]] + [len(lines)]
    cells = []
    for (start, about), end in zip(sections, ends, strict=True):
        source = "\n".join(lines[start:end])
        if not _TEXT_CELL.search(about) and _has_code(source):
            cells.append(ParsedCell(_without_header(source), Cell(source, "", start + 1)))
    return _check_cell_count(cells)


def parse_notebook(text: str) -> tuple[ParsedCell, ...]:
    """The code cells of a notebook, of format 4. Raises CellsError where it is none or is damaged."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):  # a number too long to read is a ValueError as well
        raise CellsError(
            "is not a notebook (not valid JSON): it may be cut short, so download it again and hand it in anew"
        ) from None
    if not isinstance(notebook, dict) or type(notebook.get("nbformat")) is not int:
        raise CellsError("is not a notebook: open it in Jupyter, save it there and hand in that file")
    if notebook["nbformat"] != 4:
        raise CellsError(
            f"is a notebook of format {_format_version(notebook['nbformat'])}, and only format 4 can be read: "
            "open it in JupyterLab, save it there and hand in that file"
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise CellsError("is a notebook without cells: open it in Jupyter, save it there and hand in that file")
    parsed: list[ParsedCell] = []
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict):
            raise _damaged_cell_error(number)
        if cell.get("cell_type") == "code":
            source = _cell_source(cell.get("source"), number)
            runnable = Cell(strip_magics(source), f"code cell {len(parsed) + 1}")
            parsed.append(ParsedCell(source, runnable, _is_check(cell.get("metadata")), non_python_magic(source)))
    return _check_cell_count(parsed)


def normalize_source(source: str) -> str:
    """A cell's source, by which it is told from others: no white space at the ends of lines, no blank lines around."""
    return "\n".join(line.rstrip() for line in source.split("\n")).strip("\n")


def defined_functions(source: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the names for which the text has a `def`."""
    found = set(re.findall(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", source, re.MULTILINE))
    return tuple(name for name in names if name in found)


def _has_code(source: str) -> bool:
    return any(line.strip() and not line.startswith("#") for line in source.split("\n"))


def _without_header(source: str) -> str:
    first, _, rest = source.partition("\n")
    return rest if _CELL_HEADER.match(first) else source


def _cell_source(source: object, number: int) -> str:
    """The text of a cell: notebooks keep it as one string or as a list of lines."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise _damaged_cell_error(number)
    text = source.encode("utf-8", "replace").decode("utf-8")  # JSON can spell halves of characters, files cannot
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_check(metadata: object) -> bool:
    nbgrader_metadata = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if not isinstance(nbgrader_metadata, dict):
        return False
    grade_id = nbgrader_metadata.get("grade_id")
    return isinstance(grade_id, str) and grade_id.startswith("check_") and nbgrader_metadata.get("grade") is True


def _damaged_cell_error(number: int) -> CellsError:
    return CellsError(f"is damaged at cell {number}: open it in Jupyter, save it there and hand in that file")


def _format_version(number: int) -> str:
    return str(number) if 0 <= number < 100 else "unknown"


def _check_cell_count(cells: list[ParsedCell]) -> tuple[ParsedCell, ...]:
    if len(cells) > MAX_CELLS:
        raise CellsError(f"has {len(cells)} code cells, more than {MAX_CELLS}: keep those that belong to the exercise")
    return tuple(cells)
