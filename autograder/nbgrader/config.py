"""What an nbgrader_config.py sets, so that nbgrader's own commands work in the folder of a course."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from autograder.course import CourseError, find_course

SOURCE_FOLDER = "build/source"  # not solutions/: whatever lies beside a source notebook is released
CONFIG_FILE = "nbgrader_config.py"

AUTOGRADE_PREPROCESSORS = (
    # in place of nbgrader's Execute, which runs a kernel
    "autograder.nbgrader.autograding.preprocessors.RunExternalGrader",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "autograder.nbgrader.autograding.preprocessors.RequireManualGrading",
    "nbgrader.preprocessors.AssignLatePenalties",  # and no second CheckCellMetadata: nothing here changes metadata
)
GENERATE_PREPROCESSORS = (
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "autograder.release.notebook.InsertStubs",  # in place of ClearSolutions: a stub names its function
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
)


def configure(c: Any) -> None:
    """Set up `c`, the settings object of an nbgrader_config.py, for the course of the current folder."""
    release_folder, exercises = _course_folders()
    c.CourseDirectory.source_directory = SOURCE_FOLDER
    c.CourseDirectory.release_directory = release_folder
    c.Autograde.autograde_preprocessors = list(AUTOGRADE_PREPROCESSORS)
    c.Autograde.exclude_overwriting = {name: [f"{name}.py"] for name in exercises}
    c.GenerateAssignment.preprocessors = list(GENERATE_PREPROCESSORS)
    c.ExchangeFactory.collect = "autograder.nbgrader.exchange.exchange.Collect"
    c.ExchangeFactory.release_feedback = "autograder.nbgrader.exchange.exchange.ReleaseFeedback"
    c.ZipCollectApp.extractor_plugin = "autograder.nbgrader.exchange.zip_collect.Extractor"
    c.ZipCollectApp.collector_plugin = "autograder.nbgrader.exchange.zip_collect.FileCollector"
    c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".py", ".zip"]
    c.GenerateFeedback.exporter_class = "autograder.nbgrader.rendering.exporter.CleaningExporter"
    put_alembic_on_path()
    if "nbgrader.apps" in sys.modules:  # only if nbgrader is running: somebody may just read the settings
        from traitlets.config import Application  # late: as nbgrader itself, 2 s

        from autograder.nbgrader.autograding import converters
        from autograder.nbgrader.log import make_harmless
        from autograder.nbgrader.rendering import formgrader

        converters.install()
        formgrader.install()
        if Application.initialized():  # the command that reads these settings
            make_harmless(Application.instance().log)


def _course_folders() -> tuple[str, list[str]]:
    """Return the folder of released assignments, relative to the course, and the names of the exercises."""
    try:
        course = find_course(Path.cwd())
    except CourseError:
        return "assignments", []
    exercises = sorted(path.parent.name for path in course.exercises.glob("*/rubric.py"))
    return os.path.relpath(course.assignments, course.root), exercises


def put_alembic_on_path() -> None:
    """Put the programs of this environment on the path: nbgrader starts alembic by its name alone."""
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, (programs, os.environ.get("PATH"))))
