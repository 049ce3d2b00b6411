"""What stands in nbgrader's list of steps for autograding: one in place of its kernel, one after its own scores."""

from __future__ import annotations

from typing import Any

from nbformat import from_dict
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade

from autograder.nbgrader.autograding.cell_outputs import CHECK_CELL_PREFIX, check_cell_outputs


class RunExternalGrader(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader carries no types
    """Grades the submission with the engine, and writes the verdict into the grade cells. Nothing is run here."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        report = _converter(self).report_for(resources["nbgrader"]["student"])
        first = True
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            if cell.cell_type == "code" and is_grade(cell):
                cell_metadata = cell.metadata["nbgrader"]
                function = cell_metadata["grade_id"].removeprefix(CHECK_CELL_PREFIX)
                cell.outputs = from_dict(check_cell_outputs(report, function, float(cell_metadata["points"]), first))
                first = False
        return nb, resources


class RequireManualGrading(NbGraderPreprocessor):  # type: ignore[misc]  # untyped base
    """What nbgrader's own steps do not reach: work that cannot be graded has 0 points and waits for a person."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        names = resources["nbgrader"]
        if _converter(self).needs_manual_grade(names["student"]):
            with Gradebook(names["db_url"]) as gradebook:
                require_manual_grade(gradebook, names["notebook"], names["assignment"], names["student"])
        return nb, resources


def require_manual_grade(gradebook: Any, notebook: str, assignment: str, student: str) -> None:
    """Mark every cell of a submission, with 0 points where the grader gave none; points given by hand stay."""
    for grade in gradebook.find_submission_notebook(notebook, assignment, student).grades:
        grade.auto_score = grade.auto_score or 0.0
        grade.needs_manual_grade = True
    gradebook.db.commit()


def _converter(step: NbGraderPreprocessor) -> Any:
    """The command that this step belongs to: it keeps the grader, since every step is made anew for everybody."""
    return step.parent.parent
