"""The settings of nbgrader_config.py, read without starting nbgrader; its late penalties, too."""

from __future__ import annotations

import os
import sys
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.paths import jupyter_config_path
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from autograder.nbgrader.config import CONFIG_FILE
from autograder.nbgrader.gradebook.session import GradebookError, default_url

DIRECTORY_STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"
EVERYBODY = "."
"""What nbgrader puts for the student in the folders of source and release."""


@dataclass(frozen=True)
class Settings:
    """What the nbgrader_config.py of the course at `root` sets."""

    root: Path
    config: Config

    @property
    def url(self) -> str:
        """The URL of the gradebook."""
        return str(self.config.CourseDirectory.get("db_url") or default_url(self.root))

    @property
    def course_id(self) -> str:
        """The course's id in the gradebook; perhaps empty."""
        return str(self.config.CourseDirectory.get("course_id") or "")

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """Return the folder of an assignment at a step of nbgrader's, such as "source" or "autograded"."""
        directories = self.config.CourseDirectory
        structure = directories.get("directory_structure") or DIRECTORY_STRUCTURE
        name = directories.get(f"{step}_directory") or step
        return Path(self.root, structure.format(nbgrader_step=name, student_id=student, assignment_id=assignment))

    @property
    def excused(self) -> list[str]:
        """The students whom the settings of the kit's exporters excuse."""
        sections = (self.config.get(name, Config()) for name in ("Exporter", "CanvasExporter", "MoodleExporter"))
        return [str(student) for section in sections for student in section.get("excused") or ()]

    def late_penalty(self, student: str, score: float, seconds_late: float) -> float | None:
        """Return the points that nbgrader's plugin takes off `score` for being late; None for nothing."""
        if not (self.config.get("AssignLatePenalties") or self.config.get("LateSubmissionPlugin")):
            return None
        # A plugin may lie in the folder of the course: nbgrader looks for it there, too.
        if str(self.root) not in sys.path:
            sys.path.insert(0, str(self.root))
        from nbgrader.preprocessors import AssignLatePenalties  # late: nbgrader, 2 s, needed only if somebody is late

        step = AssignLatePenalties(config=self.config)
        step.init_plugin()
        points: float | None = step.plugin_inst.late_submission_penalty(student, score, seconds_late)
        return None if points is None else min(max(points, 0.0), score)


def read_hub_settings(root: Path) -> Settings:
    """Return the settings of the course at `root` over those that nbgrader reads in Jupyter's folders of this machine.

    Raises GradebookError.
    """
    config = machine_config()
    config.merge(read_settings(root).config)
    return Settings(root, config)


def machine_config() -> Config:
    """Return what nbgrader reads in Jupyter's folders, wherever it is started. Raises GradebookError."""
    merged = Config()
    for folder in reversed(jupyter_config_path()):  # the first goes before the others
        file = Path(folder, CONFIG_FILE)
        if file.is_file():
            merged.merge(_load(file))
    return merged


def read_settings(root: Path) -> Settings:
    """Return the settings of the course at `root`, which may have none. Raises GradebookError."""
    try:
        with chdir(root):
            return Settings(root, _load(root / CONFIG_FILE))
    except ConfigFileNotFound:
        return Settings(root, Config())


def _load(file: Path) -> Config:
    """Return the settings in a file. Raises GradebookError, and ConfigFileNotFound without one."""
    try:
        return PyFileConfigLoader(file.name, os.fspath(file.parent)).load_config()
    except ConfigFileNotFound:
        raise
    except Exception as error:  # noqa: BLE001 - the file is a program of the instructor's and may raise anything
        raise GradebookError(f"{file} cannot be read: {type(error).__name__}: {error}.") from None
