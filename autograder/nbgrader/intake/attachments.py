"""What lies beside a submission's notebook, for whoever grades by hand."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from autograder.nbgrader.intake import timestamps
from autograder.submission import safe_files
from autograder.submission.reader import MOST_ENTRIES

MOST_BYTES = 100_000_000  # of one student, as in nbgrader's exchange


def copy_files(handed_in: Path, here: Path) -> None:
    """Copy regular files of a sensible size from a submission; no links, no other notebooks, not its timestamp."""
    room = MOST_BYTES
    found = sorted(islice(handed_in.rglob("*"), MOST_ENTRIES)) if handed_in.is_dir() else []
    for path in found:
        if path.suffix == ".ipynb" or path.name == timestamps.FILE or _leaves(path, handed_in):
            continue
        try:
            data = safe_files.content(path)
        except safe_files.Unreadable:
            continue
        room -= len(data)
        if room < 0:
            return
        there = here / path.relative_to(handed_in)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(data)


def _leaves(path: Path, folder: Path) -> bool:
    """Whether a link stands on the way from the folder to the file."""
    between = [path, *path.parents]
    return any(place.is_symlink() for place in between[: between.index(folder)])
