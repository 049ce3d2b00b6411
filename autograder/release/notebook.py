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

from autograder.exercise.source import ExerciseCell, SourceError, stub_line, uncomment

nbformat: Any = typed_nbformat  # half of its functions carry types, and the checker takes all or none
KERNEL_METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}

_LOCAL_IMAGE = re.compile(
    r"!\[([^\]]*)\]\(([^)\s:]+)\)"
)  # not attachments and not what lies in the web, which have a colon


class InsertStubs(ClearSolutions):  # type: ignore[misc]  # nbgrader carries no types
    """nbgrader's own ClearSolutions, with a stub that says which function is not written yet."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> Any:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        self.code_stub = {"python": stub_line(name)}
        return super().preprocess_cell(cell, resources, cell_index)


def make_source_notebook(text: str, cells: tuple[ExerciseCell, ...], points: Mapping[str, float], folder: Path) -> str:
    """The source notebook, as nbgrader wants it: `points` of each function's check cell, figures out of `folder`.

    Raises SourceError for a figure that is not there.
    """
    jupytext_notebook = jupytext.reads(
        text, fmt={"extension": ".py", "format_name": "percent", "comment_magics": False}
    )
    if len(jupytext_notebook.cells) != len(cells):
        raise SourceError(
            f"The source has {len(cells)} cell headers, and jupytext reads {len(jupytext_notebook.cells)} cells."
        )
    notebook_cells = [
        _make_cell(number, cell, jupytext_cell.source, points, folder)
        for number, (cell, jupytext_cell) in enumerate(zip(cells, jupytext_notebook.cells, strict=True), start=1)
        if cell.kind != "hints"
    ]
    notebook = nbformat.v4.new_notebook(cells=notebook_cells, metadata=KERNEL_METADATA)
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n"


@dataclass(frozen=True)
class GradebookTarget:
    """Where nbgrader notes an assignment: the URL of its database, and its name of the course."""

    url: str
    course: str


def generate_assignment(course: Path, assignment: str, gradebook: GradebookTarget | None = None) -> Path:
    """Run nbgrader's generate_assignment on source/ASSIGNMENT of a course folder: the folder that it released to.

    The assignment is noted in the gradebook, where one is given.
    """
    logger = logging.getLogger("autograder.nbgrader")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False  # its progress is no news; what goes wrong it raises
    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.assignment_id = assignment
    if gradebook:
        config.CourseDirectory.db_url = gradebook.url
        config.CourseDirectory.course_id = gradebook.course
    config.GenerateAssignment.no_database = gradebook is None
    config.SaveCells.enabled = gradebook is not None
    default_preprocessors = GenerateAssignment.preprocessors.default()
    config.GenerateAssignment.preprocessors = [
        InsertStubs if step is ClearSolutions else step for step in default_preprocessors
    ]
    course_directory = CourseDirectory(config=config, log=logger)
    GenerateAssignment(coursedir=course_directory, config=config, log=logger).start()
    release_folder = course / "release" / assignment
    nbformat.validate(nbformat.read(release_folder / f"{assignment}.ipynb", as_version=nbformat.NO_CONVERT))
    return release_folder


def _make_cell(number: int, cell: ExerciseCell, text: str, points: Mapping[str, float], folder: Path) -> Any:
    if cell.kind in ("markdown", "manual"):
        notebook_cell = _make_markdown_cell(text, cell, folder)
    else:
        notebook_cell = nbformat.v4.new_code_cell(uncomment(text) if cell.kind == "check" else text)
    nbgrader_flags: dict[str, tuple[str, dict[str, Any]]] = {
        "setup": ("set_up", {"locked": True}),
        "solution": (cell.name, {"solution": True}),
        "check": (
            f"check_{cell.name}",
            {"grade": True, "locked": True, "points": _without_decimals(points.get(cell.name, 0))},
        ),
        "manual": (cell.name, {"grade": True, "solution": True, "points": _without_decimals(cell.points)}),
    }
    notebook_cell.id = f"cell-{number}"
    if cell.kind in nbgrader_flags:
        notebook_cell.id, flags = nbgrader_flags[cell.kind]
        default_metadata = {
            "schema_version": 3,
            "grade_id": notebook_cell.id,
            "grade": False,
            "solution": False,
            "locked": False,
        }
        notebook_cell.metadata["nbgrader"] = default_metadata | flags
    return notebook_cell


def _make_markdown_cell(text: str, cell: ExerciseCell, folder: Path) -> Any:
    """A markdown cell whose figures are attachments, so that the notebook alone shows them."""
    attachments: dict[str, dict[str, str]] = {}

    def attach(image: re.Match[str]) -> str:
        file = folder / image[2]
        if not file.is_file():
            raise SourceError(f"The cell of line {cell.line} shows {image[2]}, which is not in {folder}.")
        attachments[file.name] = {"image/png": base64.b64encode(file.read_bytes()).decode("ascii")}
        return f"![{' '.join(image[1].split())}](attachment:{file.name})"

    notebook_cell = nbformat.v4.new_markdown_cell(_LOCAL_IMAGE.sub(attach, text))
    if attachments:
        notebook_cell.attachments = attachments
    return notebook_cell


def _without_decimals(points: float) -> float:
    return int(points) if points == int(points) else points
