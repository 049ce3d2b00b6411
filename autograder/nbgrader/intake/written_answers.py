"""Answers in words, which a person grades: what a student wrote is shown, wherever it stands.

nbgrader gives 0 points by itself to an answer whose cell is as it was handed out. So it stays like that only where the
student wrote nothing; in all other cases the cell says what is wrong, and a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from autograder.nbgrader.intake.notebooks import CellDict, grade_id, strip_cell
from autograder.submission.cells import has_code

STUB = "YOUR ANSWER HERE"  # nbgrader's, in the cells that it hands out
MAX_QUOTED = 5_000  # characters

MISSING = "This cell was missing from what was handed in."
LEFT_BLANK = "Nothing was written in this cell."

PICTURE = "*(a picture, shown in its own cell)*"
_PICTURE_IN_TEXT = re.compile(r"!\[[^\[\]]*\]\(data:[^()]*\)")
_ADDRESS = re.compile(r"(?<=\])\([^()]*\)")
_MARKUP = re.compile(r"<[^<>]*>")  # such as the badge that a notebook's host adds


def is_written_answer(cell: CellDict) -> bool:
    """Return whether a named cell of the release is for an answer in words."""
    flags = cell["metadata"]["nbgrader"]
    return bool(flags["grade"] and flags["solution"])


def own_text(cells: Iterable[CellDict], released: Iterable[CellDict]) -> str:
    """Return what students wrote into cells without code: all lines that no cell of the release has."""
    released_lines = _lines_of(released)
    texts = (_own_lines(cell, released_lines) for cell in cells)
    return "\n\n".join(text for text in texts if text)


def own_text_cells(cells: Iterable[CellDict], released: Collection[CellDict]) -> list[CellDict]:
    """Return the answers in words among cells, and the others without code that hold text of the student's own."""
    answers = {name for cell in released if (name := grade_id(cell)) and is_written_answer(cell)}
    released_lines = _lines_of(released)
    return [cell for cell in cells if grade_id(cell) in answers or _own_lines(cell, released_lines)]


def as_answer(cell: CellDict) -> CellDict:
    """Return a cell as Markdown, whatever kind it had become."""
    return strip_cell(cell | {"cell_type": "markdown"})


def quote_own_text(prompt: str, problem: str, text: str) -> str:
    """Return the source of an answer's cell that shows `text` from elsewhere, below the prompt and the problem."""
    found = "What follows is other text that was handed in:" if text else "No other text was handed in."
    cut = "\n\n*It goes on in the other cells.*" if len(text) > MAX_QUOTED else ""
    return f"{prompt.removesuffix(STUB).rstrip()}\n\n*{problem} {found}*\n\n{text[:MAX_QUOTED]}{cut}".rstrip()


def _lines_of(cells: Iterable[CellDict]) -> set[str]:
    return {_comparable(line) for cell in cells for line in cell["source"].split("\n")} - {""}


def _comparable(line: str) -> str:
    """Return a line without addresses: of a picture, they differ between releases and editors."""
    return _ADDRESS.sub("", line).strip()


def _own_lines(cell: CellDict, released_lines: set[str]) -> str:
    """Return a cell's text without the lines that were handed out; empty if that holds code, or no word."""
    if cell["cell_type"] == "code" and has_code(cell["source"]):
        return ""
    lines = (line.rstrip() for line in cell["source"].split("\n") if _comparable(line) not in released_lines)
    text = _PICTURE_IN_TEXT.sub(PICTURE, "\n".join(lines))
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n")[: MAX_QUOTED + 1]
    return text if any(map(str.isalnum, _MARKUP.sub("", text))) else ""
