"""What one uploads or commits where grading happens: everything that a host needs, in one zip file or folder.

Each bundle holds a copy of this package, so that the host needs nothing but a Python and the locked requirements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # nothing of a bundle is imported before one is made
    from autograder.bundles.sources import Sources


@dataclass(frozen=True)
class Bundle:
    """One host, whose function in hosts.py has its name; `zipped` where the host takes a zip file."""

    name: str
    description: str
    zipped: bool = False

    def build_files(self, sources: Sources) -> dict[str, bytes]:
        """The files of the bundle, by path."""
        files: dict[str, bytes] = getattr(import_module("autograder.bundles.hosts"), self.name)(sources)
        return files


BUNDLES: Mapping[str, Bundle] = {
    one.name: one
    for one in (
        Bundle("gradescope", "a zip file to upload as autograder", zipped=True),
        Bundle("prairielearn", "a question, and the image that it is graded in"),
        Bundle("github", "GitHub Actions: a repository for students, and a private one that grades"),
        Bundle("gitlab", "GitLab CI: the same two"),
        Bundle("classroom50", "a folder of autograders for Classroom 50, with the visible checks"),
    )
}
