"""The notebook of a release: a source in percent format -> nbgrader's source notebook -> the student's notebook.

Only a release needs nbgrader and jupytext, so only `release.py` imports this, and only while it builds.
"""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jupytext
import nbformat as typed_nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearSolutions
from traitlets.config import Config

from autograder.exercise.source import Cell, SourceError, stub, uncommented

nbformat: Any = typed_nbformat  # half of its functions carry types, and the checker takes all or none
KERNEL = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}

_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s:]+)\)")  # not attachments and not what lies in the web, which have a colon


class Stubs(ClearSolutions):  # type: ignore[misc]  # nbgrader carries no types
    """nbgrader's own ClearSolutions, with a stub that says which function is not written yet."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> Any:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        self.code_stub = {"python": stub(name)}
        return super().preprocess_cell(cell, resources, cell_index)


def source_notebook(text: str, cells: tuple[Cell, ...], points: Mapping[str, float], folder: Path) -> str:
    """The source notebook, as nbgrader wants it: `points` of each function's check cell, figures out of `folder`.

    Raises SourceError for a figure that is not there.
    """
    read = jupytext.reads(text, fmt={"extension": ".py", "format_name": "percent", "comment_magics": False})
    if len(read.cells) != len(cells):
        raise SourceError(f"The source has {len(cells)} cell headers, and jupytext reads {len(read.cells)} cells.")
    made = [
        _cell(number, cell, jupytext_cell.source, points, folder)
        for number, (cell, jupytext_cell) in enumerate(zip(cells, read.cells, strict=True), start=1)
        if cell.kind != "hints"
    ]
    notebook = nbformat.v4.new_notebook(cells=made, metadata=KERNEL)
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n"


@dataclass(frozen=True)
class Gradebook:
    """Where nbgrader notes an assignment: the URL of its database, and its name of the course."""

    url: str
    course: str


def generate_assignment(course: Path, assignment: str, gradebook: Gradebook | None = None) -> Path:
    """Run nbgrader's generate_assignment on source/ASSIGNMENT of a course folder: the folder that it released to.

    The assignment is noted in the gradebook, where one is given.
    """
    quiet = logging.getLogger("autograder.nbgrader")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False  # its progress is no news; what goes wrong it raises
    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.assignment_id = assignment
    if gradebook:
        config.CourseDirectory.db_url = gradebook.url
        config.CourseDirectory.course_id = gradebook.course
    config.GenerateAssignment.no_database = gradebook is None
    config.SaveCells.enabled = gradebook is not None
    stock = GenerateAssignment.preprocessors.default()
    config.GenerateAssignment.preprocessors = [Stubs if step is ClearSolutions else step for step in stock]
    directory = CourseDirectory(config=config, log=quiet)
    GenerateAssignment(coursedir=directory, config=config, log=quiet).start()
    released = course / "release" / assignment
    nbformat.validate(nbformat.read(released / f"{assignment}.ipynb", as_version=nbformat.NO_CONVERT))
    return released


def _cell(number: int, cell: Cell, text: str, points: Mapping[str, float], folder: Path) -> Any:
    if cell.kind in ("markdown", "manual"):
        made = _markdown(text, cell, folder)
    else:
        made = nbformat.v4.new_code_cell(uncommented(text) if cell.kind == "check" else text)
    graded: dict[str, tuple[str, dict[str, Any]]] = {
        "setup": ("set_up", {"locked": True}),
        "solution": (cell.name, {"solution": True}),
        "check": (f"check_{cell.name}", {"grade": True, "locked": True, "points": _short(points.get(cell.name, 0))}),
        "manual": (cell.name, {"grade": True, "solution": True, "points": _short(cell.points)}),
    }
    made.id = f"cell-{number}"
    if cell.kind in graded:
        made.id, flags = graded[cell.kind]
        usual = {"schema_version": 3, "grade_id": made.id, "grade": False, "solution": False, "locked": False}
        made.metadata["nbgrader"] = usual | flags
    return made


def _markdown(text: str, cell: Cell, folder: Path) -> Any:
    """A markdown cell whose figures are attachments, so that the notebook alone shows them."""
    attachments: dict[str, dict[str, str]] = {}

    def attach(image: re.Match[str]) -> str:
        file = folder / image[2]
        if not file.is_file():
            raise SourceError(f"The cell of line {cell.line} shows {image[2]}, which is not in {folder}.")
        attachments[file.name] = {"image/png": base64.b64encode(file.read_bytes()).decode("ascii")}
        return f"![{' '.join(image[1].split())}](attachment:{file.name})"

    made = nbformat.v4.new_markdown_cell(_IMAGE.sub(attach, text))
    if attachments:
        made.attachments = attachments
    return made


def _short(points: float) -> float:
    return int(points) if points == int(points) else points
