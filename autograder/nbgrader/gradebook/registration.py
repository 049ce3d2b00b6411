"""An assignment noted in the gradebook, as nbgrader's own generate_assignment notes it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

from autograder.nbgrader.config import put_alembic_on_path
from autograder.nbgrader.gradebook.settings import read_settings
from autograder.release.build import translate_nbgrader_errors, write_files


def register_assignment(root: Path, name: str, source: Mapping[str, bytes]) -> None:
    """Note the assignment `name` in the gradebook of the course at `root`, from the files of its `source`.

    Raises ReleaseError, as where cells were added or taken away and somebody has points for the old ones, and
    GradebookError.
    """
    from autograder.release import notebook  # only here: nbgrader takes two seconds to import

    settings = read_settings(root)
    put_alembic_on_path()
    with tempfile.TemporaryDirectory() as course, chdir(root):
        write_files(source, Path(course, "source", name))
        with translate_nbgrader_errors(f"The gradebook cannot take {name}"):
            notebook.generate_assignment(Path(course), name, notebook.GradebookTarget(settings.url, settings.course))
