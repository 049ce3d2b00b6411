"""Notebooks as JSON types: whatever a file holds becomes a list of cells that the rest of the program can rely on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Any
from urllib.parse import unquote

from autograder.submission.cells import MAX_CELLS

CellDict = dict[str, Any]
"""A cell with an id, a cell type, a source in one string, and metadata; perhaps with attachments."""

NotebookDict = dict[str, Any]
CELL_TYPES = ("code", "markdown", "raw")

_MAX_LINK_LENGTH = 1000  # of the name of a file, in which each character may have become three
_ATTACHMENT_LINK = re.compile(r"\battachment:([^\s<>()\[\]\"']+)")


def decode_text(data: bytes) -> str:
    """Return the text of a file with plain newlines; bytes that are not UTF-8 are replaced."""
    return _plain_newlines(data.decode("utf-8-sig", "replace"))


def parse_cells(notebook: Any) -> list[CellDict]:
    """Return the cells of anything that came out of JSON, as far as they are cells; not many more than are shown."""
    if not isinstance(notebook, dict):
        return []
    cells, sheets = notebook.get("cells"), notebook.get("worksheets")
    if cells is None and isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):  # formats before 4
        cells = sheets[0].get("cells")
    found = (_clean_cell(cell) for cell in cells if isinstance(cell, dict)) if isinstance(cells, list) else ()
    return list(islice(found, MAX_CELLS + 1))  # one more tells that there are too many


def code_cell(source: str) -> CellDict:
    """Return a code cell of a script's source."""
    return {"id": "", "cell_type": "code", "metadata": {}, "source": source.strip("\n")}


def markdown_cell(source: str) -> CellDict:
    """Return a markdown cell."""
    return {"id": "", "cell_type": "markdown", "metadata": {}, "source": source}


def strip_cell(cell: CellDict) -> CellDict:
    """Return the cell without metadata and outputs."""
    stripped: CellDict = {key: cell[key] for key in ("id", "cell_type", "source", "attachments") if key in cell}
    if cell["cell_type"] == "code":
        stripped |= {"execution_count": None, "outputs": []}
    return stripped | {"metadata": {}}


def grade_id(cell: CellDict) -> str:
    """Return the name by which nbgrader knows the cell; empty for an ordinary cell."""
    nbgrader_metadata = cell["metadata"].get("nbgrader")
    name = nbgrader_metadata.get("grade_id") if isinstance(nbgrader_metadata, dict) else None
    return name if isinstance(name, str) else ""


def named_cells(notebook: NotebookDict) -> dict[str, CellDict]:
    """Return the cells that nbgrader knows, by name."""
    return {name: cell for cell in notebook["cells"] if (name := grade_id(cell))}


def attachments_of(cells: Iterable[CellDict]) -> dict[str, Any]:
    """Return all attachments of cells, by name."""
    return {name: bundle for cell in cells for name, bundle in cell.get("attachments", {}).items()}


def restore_attachments(cell: CellDict, released: dict[str, Any]) -> CellDict:
    """Return the cell with those of the `released` attachments that its text shows and that it lacks."""
    own = cell.get("attachments", {})
    links = _ATTACHMENT_LINK.findall(cell["source"]) if cell["cell_type"] == "markdown" else ()
    shown = (unquote(link) for link in links if len(link) <= _MAX_LINK_LENGTH)
    lost = {name: released[name] for name in shown if name in released and name not in own}
    return cell | {"attachments": {**own, **lost}} if lost else cell


def _plain_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _clean_cell(cell: dict[str, Any]) -> CellDict:
    source = cell.get("source", cell.get("input", ""))  # "input" in formats before 4
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    source = source if isinstance(source, str) else ""
    cleaned: CellDict = {
        "id": cell.get("id") if isinstance(cell.get("id"), str) else "",
        "cell_type": cell.get("cell_type") if cell.get("cell_type") in CELL_TYPES else "code",
        "metadata": cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {},
        # JSON may hold half of a surrogate pair, which no UTF-8 file can
        "source": _plain_newlines(source.encode("utf-8", "replace").decode()),
    }
    attachments = cell.get("attachments")
    if cleaned["cell_type"] != "code" and _are_attachments(attachments):
        cleaned["attachments"] = attachments
    return cleaned


def _are_attachments(attachments: object) -> bool:
    """Check the form that nbformat requires: by file name, texts by MIME type."""
    return isinstance(attachments, dict) and all(
        isinstance(bundle, dict)
        and bundle
        and all(isinstance(data, str) and (mime + data).isascii() for mime, data in bundle.items())
        for bundle in attachments.values()
    )
