"""An assignment registered in the gradebook, as nbgrader's own generate_assignment registers it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

from autograder.nbgrader.config import put_alembic_on_path
from autograder.release.build import ReleaseError


def register_assignment(root: Path, url: str, course_id: str, assignment: str, source: Mapping[str, bytes]) -> None:
    """Register an assignment, with the files of its `source`, in the gradebook at `url` of the course at `root`.

    Raises ReleaseError if nbgrader refuses, as when cells change that already have points.
    """
    from autograder.release import notebook  # late: nbgrader and jupytext, 4 s

    put_alembic_on_path()
    with chdir(root):
        try:
            notebook.generate_assignment(assignment, source, notebook.GradebookTarget(url, course_id))
        except notebook.NbgraderError as error:
            raise ReleaseError(f"The gradebook cannot take {assignment}: {error}.") from None
