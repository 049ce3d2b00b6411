"""The notebooks of a release: source in percent format -> nbgrader's source notebook -> the student's notebook.

Only a release needs nbgrader and jupytext, so other modules import this one late.
"""

from __future__ import annotations

import base64
import logging
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import jupytext
import nbformat as typed_nbformat
from nbgrader.converters import GenerateAssignment, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearSolutions
from traitlets.config import Config

from autograder.exercise.source import ExerciseCell, SourceError, stub_line, uncomment

nbformat: Any = typed_nbformat  # only half of its functions carry types
KERNEL_METADATA = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}

_LOCAL_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s:]+)\)")  # web addresses have a colon
_ABOVE_FIGURE = "<!-- A figure: Shift+Enter shows it again. -->"
_FIGURE = re.compile(rf"^{_LOCAL_IMAGE.pattern}[ \t]*$", re.MULTILINE)


class NbgraderError(Exception):
    """A failure of nbgrader: its text is the reason, on one line and without a full stop."""


class InsertStubs(ClearSolutions):  # type: ignore[misc]  # nbgrader carries no types
    """nbgrader's ClearSolutions, with a stub that says which function is not written yet."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> Any:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        self.code_stub = {"python": stub_line(name)}
        return super().preprocess_cell(cell, resources, cell_index)


def make_source_notebook(text: str, cells: Sequence[ExerciseCell], points: Mapping[str, float], folder: Path) -> str:
    """Return nbgrader's source notebook: `points` are those of each function's check cell, figures come from `folder`.

    Raises SourceError, for instance if a figure is missing.
    """
    jupytext_notebook = jupytext.reads(
        text, fmt={"extension": ".py", "format_name": "percent", "comment_magics": False}
    )
    # The engine finds cells by their headers, jupytext by its own rules: the two lists are paired below, so they must
    # have the same cells.
    if len(jupytext_notebook.cells) != len(cells):
        raise SourceError(
            f"The source has {len(cells)} cell headers, and jupytext reads {len(jupytext_notebook.cells)} cells."
        )
    notebook_cells = [
        notebook_cell
        for number, (cell, jupytext_cell) in enumerate(zip(cells, jupytext_notebook.cells, strict=True), start=1)
        if cell.kind != "hints"
        for notebook_cell in _make_cells(number, cell, jupytext_cell.source, points, folder)
    ]
    notebook = nbformat.v4.new_notebook(cells=notebook_cells, metadata=KERNEL_METADATA)
    nbformat.validate(notebook)
    return f"{nbformat.writes(notebook)}\n"


@dataclass(frozen=True)
class GradebookTarget:
    """Where nbgrader registers an assignment: the URL of its database, and its name of the course."""

    url: str
    course: str


def generate_assignment(assignment: str, files: Mapping[str, bytes], gradebook: GradebookTarget | None = None) -> str:
    """Run nbgrader's generate_assignment on the source `files` of an assignment, and return its only notebook.

    The assignment is registered in the gradebook, if one is given. Raises NbgraderError.
    """
    with tempfile.TemporaryDirectory() as course:
        source_folder = Path(course, "source", assignment)
        source_folder.mkdir(parents=True)
        for name, content in files.items():
            (source_folder / name).write_bytes(content)
        _run_nbgrader(course, assignment, gradebook)
        [notebook_file] = Path(course, "release", assignment).glob("*.ipynb")
        notebook = notebook_file.read_text(encoding="utf-8")
    nbformat.validate(nbformat.reads(notebook, as_version=nbformat.NO_CONVERT))
    return notebook


def _run_nbgrader(course: str, assignment: str, gradebook: GradebookTarget | None) -> None:
    config = Config()
    config.CourseDirectory.root = course
    config.CourseDirectory.assignment_id = assignment
    if gradebook:
        config.CourseDirectory.db_url = gradebook.url
        config.CourseDirectory.course_id = gradebook.course
    config.GenerateAssignment.no_database = gradebook is None
    config.SaveCells.enabled = gradebook is not None
    config.GenerateAssignment.preprocessors = [
        InsertStubs if step is ClearSolutions else step for step in GenerateAssignment.preprocessors.default()
    ]
    # nbgrader logs what went wrong and then raises an exception without it, so a handler collects the causes.
    causes: list[BaseException] = []
    handler, logger = logging.Handler(), logging.getLogger("autograder.nbgrader")
    handler.emit = lambda record: causes.extend(filter(None, [sys.exception()]))  # type: ignore[method-assign]  # one method is all
    logger.addHandler(handler)
    logger.propagate = False  # otherwise nbgrader's progress messages reach the terminal
    try:
        directory = CourseDirectory(config=config, log=logger)
        GenerateAssignment(coursedir=directory, config=config, log=logger).start()
    except NbGraderException as error:
        cause = causes[0] if causes else error
        raise NbgraderError(" ".join(f"{type(cause).__name__}: {cause}".split()).rstrip(".")) from None
    finally:
        logger.removeHandler(handler)


def _make_cells(number: int, cell: ExerciseCell, text: str, points: Mapping[str, float], folder: Path) -> Iterator[Any]:
    """Yield the cell of the notebook, and those of its figures: between pieces of a text, or before an answer."""
    if cell.kind not in ("markdown", "manual"):
        yield _make_cell(f"cell-{number}", cell, text, points)
        return
    figures = [
        _make_figure_cell(f"cell-{number}-figure-{place}", figure, cell, folder)
        for place, figure in enumerate(_FIGURE.finditer(text), start=1)
    ]
    pieces = [piece.strip("\n") for piece in _FIGURE.sub("\0", text).split("\0")]
    if cell.kind == "manual":
        yield from figures
        yield _make_cell(cell.name, cell, "\n\n".join(filter(None, pieces)), points)
        return
    for place, (piece, figure) in enumerate(zip_longest(pieces, figures)):
        if piece or not figures:
            yield _make_cell(f"cell-{number}-{place + 1}" if place else f"cell-{number}", cell, piece, points)
        if figure:
            yield figure


def _make_figure_cell(cell_id: str, figure: re.Match[str], cell: ExerciseCell, folder: Path) -> Any:
    """Return a cell that shows one figure in any editor, since its address holds the picture.

    Students may not edit it. JupyterLab shows its twenty thousand letters all the same after a double click, and above
    them how to get the picture back.
    """
    file = folder / figure[2]
    if not file.is_file():
        raise SourceError(f"The cell of line {cell.line} shows {figure[2]}, which is not in {folder}.")
    data = base64.b64encode(file.read_bytes()).decode("ascii")
    source = f"{_ABOVE_FIGURE}\n![{' '.join(figure[1].split())}](data:image/png;base64,{data})"
    return nbformat.v4.new_markdown_cell(source, id=cell_id, metadata={"editable": False})


def _make_cell(cell_id: str, cell: ExerciseCell, text: str, points: Mapping[str, float]) -> Any:
    if cell.kind in ("markdown", "manual"):
        if image := _LOCAL_IMAGE.search(text):
            raise SourceError(
                f"The cell of line {cell.line} shows {image[2]} within a line: give it a line of its own."
            )
        notebook_cell = nbformat.v4.new_markdown_cell(text)
    else:
        notebook_cell = nbformat.v4.new_code_cell(uncomment(text) if cell.kind == "check" else text)
    check_points = _without_decimals(points.get(cell.name, 0))
    nbgrader_cells: dict[str, tuple[str, dict[str, Any]]] = {
        "setup": ("set_up", {"locked": True}),
        "solution": (cell.name, {"solution": True}),
        "check": (f"check_{cell.name}", {"grade": True, "locked": True, "points": check_points}),
        "manual": (cell.name, {"grade": True, "solution": True, "points": _without_decimals(cell.points)}),
    }
    notebook_cell.id = cell_id
    if cell.kind in nbgrader_cells:
        notebook_cell.id, flags = nbgrader_cells[cell.kind]
        defaults = {
            "schema_version": 3,
            "grade_id": notebook_cell.id,
            "grade": False,
            "solution": False,
            "locked": False,
        }
        notebook_cell.metadata["nbgrader"] = defaults | flags
    return notebook_cell


def _without_decimals(points: float) -> float:
    return int(points) if points == int(points) else points
