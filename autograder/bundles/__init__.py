"""An exercise -> what a host such as Gradescope needs to grade it, as one zip file or folder.

In come a course and the name of an exercise (`sources.py`); out come files by path (`hosts.py`), which `writing.py`
writes. What a host grades with is a copy of this package. What students can read holds `visible_checks.py` alone, with
the rooms that read a submission and run its cells.

Imports grading and the rooms below it. Open `hosts.py` first: a function for each host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.bundles.sources import Sources

CELLS_FILE, PROBLEMS_FILE = "cells.json", "problems.json"
"""How the visible checks and the process in which they run tell each other what to run and what stopped."""


@dataclass(frozen=True)
class Bundle:
    """A host, whose function in hosts.py has the same name. `zipped` if it takes a zip file."""

    name: str
    description: str
    zipped: bool = False

    def build_files(self, sources: Sources) -> dict[str, bytes]:
        """Return the files of the bundle, by path."""
        # late: BUNDLES is the list of choices of a command, and hosts takes 14 ms
        files: dict[str, bytes] = getattr(import_module("autograder.bundles.hosts"), self.name)(sources)
        return files


BUNDLES: Mapping[str, Bundle] = {
    bundle.name: bundle
    for bundle in (
        Bundle("gradescope", "a zip file to upload as autograder", zipped=True),
        Bundle("prairielearn", "a question, and the image that it is graded in"),
        Bundle("github", "GitHub Actions: a repository for students, and a private one that grades"),
        Bundle("gitlab", "GitLab CI: a repository for students, and a private one that grades"),
        Bundle("classroom50", "a folder of autograders for Classroom 50, with the visible checks"),
    )
}
