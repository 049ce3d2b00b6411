"""Our steps in nbgrader's list for autograding: the first replaces its kernel, the second follows its own scores."""

from __future__ import annotations

from typing import Any

from nbformat import from_dict
from nbgrader.api import Gradebook
from nbgrader.preprocessors import AssignLatePenalties, NbGraderPreprocessor

from autograder.nbgrader.autograding.cell_outputs import CHECK_CELL_PREFIX, fill_check_cells


class RunExternalGrader(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader carries no types
    """Writes the engine's verdict into the grade cells. No cell of the notebook is run."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        # What the student's own kernel printed must not pass for a verdict.
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        fill_check_cells(nb.cells, _converter(self).report_for(resources["nbgrader"]["student"]))
        return from_dict(nb), resources


class RequireManualGrading(NbGraderPreprocessor):  # type: ignore[misc]  # untyped base
    """Marks work that cannot be graded: every cell waits for a person.

    Refused work has 0 automatic points, work on which the grader failed has none. Points given by hand stay.
    """

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        names = resources["nbgrader"]
        if _converter(self).needs_manual_grade(names["student"]):
            failed = _converter(self).report_for(names["student"]).status == "grader_error"
            with Gradebook(names["db_url"]) as gradebook:
                notebook = gradebook.find_submission_notebook(names["notebook"], names["assignment"], names["student"])
                for grade in notebook.grades:
                    if failed and grade.name.startswith(CHECK_CELL_PREFIX):
                        grade.auto_score = None
                    grade.needs_manual_grade = True
                gradebook.db.commit()
        return nb, resources


class AssignPenaltiesAfterGrace(AssignLatePenalties):  # type: ignore[misc]  # untyped base
    """Takes off points for late work as the course's plugin says, and none within the grace of its policy."""

    def init_plugin(self) -> None:
        super().init_plugin()
        penalty, grace = self.plugin_inst.late_submission_penalty, _converter(self).grace_seconds
        self.plugin_inst.late_submission_penalty = lambda student, score, seconds_late: (
            penalty(student, score, seconds_late) if seconds_late > grace else None
        )


def _converter(step: NbGraderPreprocessor) -> Any:
    """Return the command that the step belongs to. It keeps the grader, since nbgrader builds the steps per student."""
    return step.parent.parent
