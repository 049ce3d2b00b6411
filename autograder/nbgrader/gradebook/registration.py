"""An assignment registered in the gradebook, as nbgrader's own generate_assignment registers it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

from autograder.nbgrader.config import put_alembic_on_path
from autograder.nbgrader.gradebook.settings import read_settings
from autograder.release.build import ReleaseError


def register_assignment(root: Path, name: str, source: Mapping[str, bytes]) -> None:
    """Register the assignment `name`, with the files of its `source`, in the gradebook of the course at `root`.

    Raises GradebookError, or ReleaseError if nbgrader refuses, as when cells change that already have points.
    """
    from autograder.release import notebook  # late: nbgrader and jupytext, 4 s

    settings = read_settings(root)
    put_alembic_on_path()
    gradebook = notebook.GradebookTarget(settings.url, settings.course_id)
    with chdir(root):
        try:
            notebook.generate_assignment(name, source, gradebook)
        except notebook.NbgraderError as error:
            raise ReleaseError(f"The gradebook cannot take {name}: {error}.") from None
