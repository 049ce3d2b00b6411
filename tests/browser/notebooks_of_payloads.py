"""Notebooks that try to make a page do something: one for each place in a notebook, with what payloads.toml holds."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

ANSWER, MAX_POINTS = "answer", 9.0
ONE_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
OUTSIDE = "https://outside.test"

_FILE = tomllib.loads((Path(__file__).parent / "payloads.toml").read_text(encoding="utf-8"))
HARMLESS_IN_STOCK = {name for names in _FILE.pop("harmless_in_stock_pages").values() for name in names}


def _filled(name: str, text: str) -> str:
    run = f"ran('{name}')"
    return text.replace("{run}", run).replace("{outside}", f"{OUTSIDE}/{name}").replace("{name}", name)


PAYLOADS = {
    place: {f"{place}_{key}": _filled(f"{place}_{key}", text) for key, text in payloads.items()}
    for place, payloads in _FILE.items()
}
NAMES = PAYLOADS.pop("names")
"""Payloads in the name of a student, which stand in no notebook."""


def answer_cell(source: str) -> Any:
    """Return a cell with an answer in words, which formgrader shows with inputs for points and a comment."""
    question = {"grade_id": ANSWER, "solution": True, "grade": True, "locked": False, "task": False}
    return new_markdown_cell(source, metadata={"nbgrader": {**question, "points": MAX_POINTS, "schema_version": 3}})


def _output_cell(kind: str, content: str, metadata: dict[str, Any] | None = None) -> Any:
    return new_code_cell("1", outputs=[new_output("display_data", data={kind: content}, metadata=metadata or {})])


def _attachment(name: str, text: str) -> Any:
    kind, data = ("image/png", text) if name.endswith("data") else (text, ONE_PIXEL)
    return new_markdown_cell("![plot](attachment:plot)", attachments={"plot": {kind: data}})


def _picture(name: str, text: str) -> Any:
    described = {"image/png": {"width": text}} if name.endswith("width") else {"filenames": {"image/png": text}}
    return _output_cell("image/png", ONE_PIXEL, described)


def _html_output(name: str, text: str) -> Any:
    return _output_cell("text/html", text, {"text/html": {"isolated": True}} if name.endswith("isolated") else None)


def _odd_cell(name: str, text: str) -> Any:
    if name.endswith("tag"):
        return new_code_cell(name, metadata={"tags": [text]})
    cell = answer_cell("text")
    cell.metadata["nbgrader"].update(grade_id=text, points=0, solution=False)
    return cell


CELLS: dict[str, Callable[[str, str], Any]] = {
    "markdown": lambda _, text: new_markdown_cell(text),
    "answer": lambda _, text: answer_cell(text),
    "raw": lambda _, text: new_raw_cell(text),
    "code_source": lambda _, text: new_code_cell(text),
    "terminal_output": lambda _, text: new_code_cell("1", outputs=[new_output("stream", text=text)]),
    "latex_output": lambda _, text: _output_cell("text/latex", text),
    "attachment": _attachment,
    "html_output": _html_output,
    "markdown_output": lambda _, text: _output_cell("text/markdown", text),
    "svg_output": lambda _, text: _output_cell("image/svg+xml", text),
    "javascript_output": lambda _, text: _output_cell("application/javascript", text),
    "output_metadata": _picture,
    "ids_and_metadata": _odd_cell,
}


def notebook_of(place: str) -> Any:
    """Return a notebook with the payloads of a place, each in a cell of its own, and an honest answer at the end."""
    cells = [CELLS[place](name, text) for name, text in PAYLOADS[place].items()]
    if place == "answer":  # one cell has this name, and holds them all
        cells = [answer_cell("\n\n".join(cell.source for cell in cells))]
    else:
        cells.append(answer_cell("Three ways lead from $W$ to $h(3)$."))
    return new_notebook(cells=cells)
