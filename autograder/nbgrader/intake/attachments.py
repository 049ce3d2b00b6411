"""The files beside a submission's notebook, for whoever grades by hand."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from autograder.nbgrader.intake.timestamps import TIMESTAMP_FILE
from autograder.submission import safe_files
from autograder.submission.reader import MAX_ENTRIES

MAX_BYTES = 100_000_000  # of one student, as in nbgrader's exchange


def copy_attachments(folder: Path, target: Path) -> None:
    """Copy the regular files of a submission, up to 100 MB: no links, no notebooks, not the timestamp."""
    bytes_left = MAX_BYTES
    for path in sorted(islice(folder.rglob("*"), MAX_ENTRIES)) if folder.is_dir() else ():
        if path.suffix == ".ipynb" or path.name == TIMESTAMP_FILE or _crosses_symlink(path, folder):
            continue
        try:
            data = safe_files.read_regular(path)
        except safe_files.UnreadableFileError:
            continue
        bytes_left -= len(data)
        if bytes_left < 0:
            return
        copy = target / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(data)


def _crosses_symlink(path: Path, folder: Path) -> bool:
    """Return whether any component of the path below the folder is a symbolic link."""
    components = [path, *path.parents]
    return any(component.is_symlink() for component in components[: components.index(folder)])
