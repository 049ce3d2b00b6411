"""The settings of nbgrader_config.py, read without starting nbgrader."""

from __future__ import annotations

import os
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from autograder.nbgrader.config import CONFIG_FILE
from autograder.nbgrader.gradebook.session import GradebookError, default_url


@dataclass(frozen=True)
class Settings:
    """The URL of the gradebook, the course's name in it, and all the rest."""

    url: str
    course: str
    config: Config


def read_settings(root: Path) -> Settings:
    """What a course's nbgrader_config.py sets; nbgrader's usual gradebook where it says nothing.

    Raises GradebookError where the file cannot be read.
    """
    try:
        with chdir(root):
            config = PyFileConfigLoader(CONFIG_FILE, os.fspath(root)).load_config()
    except ConfigFileNotFound:
        config = Config()
    except Exception as error:  # noqa: BLE001 - the file is a program of the instructor's and may raise anything
        raise GradebookError(f"{root / CONFIG_FILE} cannot be read: {type(error).__name__}: {error}.") from None
    directories = config.CourseDirectory
    return Settings(
        str(directories.get("db_url") or default_url(root)), str(directories.get("course_id") or ""), config
    )
