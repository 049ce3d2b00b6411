"""What nbgrader_config.py sets, so that nbgrader's own commands work in the folder of a course."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from autograder.course import CourseError, find_course

SOURCE_FOLDER = "build/source"  # not solutions/: whatever lies beside a source notebook is released
CONFIG_FILE = "nbgrader_config.py"

AUTOGRADE_PREPROCESSORS = (
    "autograder.nbgrader.autograding.preprocessors.RunExternalGrader",  # in place of nbgrader's Execute, which runs a kernel
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
    course = _course_settings()
    c.CourseDirectory.source_directory = SOURCE_FOLDER
    c.CourseDirectory.release_directory = course.get("assignments", "assignments")
    c.Autograde.autograde_preprocessors = list(AUTOGRADE_PREPROCESSORS)
    c.Autograde.exclude_overwriting = {name: [f"{name}.py"] for name in course.get("exercises", ())}
    c.GenerateAssignment.preprocessors = list(GENERATE_PREPROCESSORS)
    c.ExchangeFactory.collect = "autograder.nbgrader.exchange.exchange.Collect"
    c.ExchangeFactory.release_feedback = "autograder.nbgrader.exchange.exchange.ReleaseFeedback"
    c.ZipCollectApp.extractor_plugin = "autograder.nbgrader.exchange.exchange.Extractor"
    c.ZipCollectApp.collector_plugin = "autograder.nbgrader.exchange.exchange.FileCollector"
    c.FileNameCollectorPlugin.valid_ext = [".ipynb", ".py", ".zip"]
    put_alembic_on_path()
    if "nbgrader.apps" in sys.modules:  # not where only the settings are read: importing it takes two seconds
        from autograder.nbgrader.autograding import converters

        converters.install()


def _course_settings() -> dict[str, Any]:
    try:
        course = find_course(Path.cwd())
    except CourseError:
        return {}
    exercises = sorted(path.parent.name for path in course.exercises.glob("*/rubric.py"))
    return {"assignments": os.path.relpath(course.assignments, course.root), "exercises": exercises}


def put_alembic_on_path() -> None:
    """Nbgrader starts a program of this environment by its name, which need not be on the path."""
    programs = str(Path(sys.executable).parent)
    if programs not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, (programs, os.environ.get("PATH"))))
