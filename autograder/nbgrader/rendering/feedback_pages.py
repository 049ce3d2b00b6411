"""nbgrader's GenerateFeedback for exercises of this kit: everybody who was graded gets a page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import nbgrader.apps.api
import nbgrader.apps.generatefeedbackapp
from nbgrader.converters import GenerateFeedback
from sqlalchemy.exc import SQLAlchemyError

from autograder.nbgrader.autograding.cell_outputs import CHECK_CELL_PREFIX
from autograder.nbgrader.exercises import is_exercise
from autograder.nbgrader.intake.student_names import matching_folders
from autograder.submission.sanitize import one_line

_ENTRY = re.compile(r'(<li><a href="#(?:comment-)?([\w-]+)">)(Test cell|Written response|Comment)(?=</a>)')
"""An entry of the contents of nbgrader's page. Addresses in a student's own text begin otherwise: they are cleaned."""


def install() -> None:
    """Replace nbgrader's converter by ours where its commands and its formgrader look for it."""
    nbgrader.apps.generatefeedbackapp.GenerateFeedback = KitGenerateFeedback
    nbgrader.apps.api.GenerateFeedback = KitGenerateFeedback


class KitGenerateFeedback(GenerateFeedback):  # type: ignore[misc]  # nbgrader carries no types
    """GenerateFeedback that leaves nobody out: not for an odd name, and not for a notebook that cannot be shown."""

    def __new__(cls, coursedir: Any = None, **settings: Any) -> Any:
        """Return a converter for an exercise, and nbgrader's own for any other assignment."""
        return super().__new__(cls) if is_exercise(coursedir) else GenerateFeedback(coursedir=coursedir, **settings)

    def init_notebooks(self) -> None:
        """List the graded notebooks; nbgrader, which says so if there are none, takes a name with brackets for none."""
        course = self.coursedir
        pattern = self._format_source(course.assignment_id, course.student_id)
        found = {
            str(folder): sorted(folder.glob(f"{course.notebook_id}.ipynb")) for folder in matching_folders(pattern)
        }
        self.assignments = {
            folder: [str(path) for path in notebooks] for folder, notebooks in found.items() if notebooks
        }
        if not self.assignments:
            super().init_notebooks()

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Make the page of a notebook; if nbconvert cannot, one with the checks alone."""
        try:
            super().convert_single_notebook(notebook_filename)
        except SQLAlchemyError:  # the gradebook would fail for the checks, too
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one student the picture only
            path = Path(notebook_filename)
            resources = self.init_single_notebook_resources(notebook_filename)
            reason = f"{type(error).__name__}: {one_line(str(error), 200)}"
            student = one_line(resources["nbgrader"]["student"], 80)
            self.log.warning(
                "%s: the notebook cannot be shown, and the page has the checks alone (%s).", student, reason
            )
            resources["metadata"] = {"name": path.stem}
            page, resources = self.exporter.from_notebook_node(_checks_alone(path), resources=resources)
            self.write_single_notebook(page, resources)

    def write_single_notebook(self, output: str, resources: Any) -> None:
        """Write a page, with the names of functions and questions in its contents."""
        super().write_single_notebook(_ENTRY.sub(_named_entry, output), resources)


def _named_entry(entry: re.Match[str]) -> str:
    name = entry[2].removeprefix(CHECK_CELL_PREFIX)
    labels = {"Test cell": name, "Written response": f"Written response: {name}", "Comment": f"Comment on {name}"}
    return entry[1] + labels[entry[3]]


def _checks_alone(path: Path) -> Any:
    """Return a notebook with the check cells, whose outputs are this kit's own."""
    notebook: Any = nbformat.read(path, as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith(CHECK_CELL_PREFIX)
    ]
    return notebook
