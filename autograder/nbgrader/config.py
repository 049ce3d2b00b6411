"""What the nbgrader_config.py of a course asks for: that nbgrader's own commands grade its exercises with this kit."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from autograder.course import CourseError, read_course

CONFIG_FILE = "nbgrader_config.py"


def configure(c: Any, file: str = CONFIG_FILE) -> None:
    """Let nbgrader's commands and formgrader work on the exercises of a course; other assignments stay nbgrader's.

    `c` is the settings object of the nbgrader_config.py at `file`: what it holds already stays as it is. May raise
    anything that an import raises; nbgrader and `c` are then as they were.
    """
    put_alembic_on_path()
    if "nbgrader.apps" in sys.modules:  # only if nbgrader is running: somebody may just read the settings
        # late: as nbgrader itself, 2 s
        from traitlets.config import Application

        from autograder.nbgrader.autograding import converters
        from autograder.nbgrader.exchange import exchange, zip_collect
        from autograder.nbgrader.log import make_harmless
        from autograder.nbgrader.rendering import exporter, feedback_pages, formgrader

        for module in (converters, exchange, zip_collect, feedback_pages, formgrader):
            module.install()
        if Application.initialized():  # the command that reads these settings
            make_harmless(Application.instance().log)
        c.GenerateFeedback.setdefault("exporter_class", f"{exporter.__name__}.CleaningExporter")
    root = Path(c.CourseDirectory.get("root") or Path(file).absolute().parent)
    c.CourseDirectory.setdefault("release_directory", _release_folder(root))


def _release_folder(root: Path) -> str:
    """Return the folder of released assignments, relative to the course at `root`."""
    try:
        return os.path.relpath(read_course(root).assignments, root)
    except CourseError:  # the exercises' own commands say what is wrong
        return "assignments"


def put_alembic_on_path() -> None:
    """Put the programs of this environment on the path: nbgrader starts alembic by its name alone."""
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, (programs, os.environ.get("PATH"))))
