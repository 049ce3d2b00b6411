"""An exercise -> what a host such as Gradescope needs to grade it, as one zip file or folder.

In come a course and the name of an exercise (`sources.py`); out come files by path (`hosts.py`), which `writing.py`
writes. A bundle holds a copy of this package, so that the host needs only Python and the locked requirements.

Imports `evaluation` and `course`. Open `hosts.py` first: a function for each host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.bundles.sources import Sources


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
        Bundle("gitlab", "GitLab CI: the same two"),
        Bundle("classroom50", "a folder of autograders for Classroom 50, with the visible checks"),
    )
}
