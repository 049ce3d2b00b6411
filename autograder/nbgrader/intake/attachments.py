"""What lies beside a submission's notebook, for whoever grades by hand."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from autograder.nbgrader.intake import timestamps
from autograder.submission import safe_files
from autograder.submission.reader import MAX_ENTRIES

MAX_BYTES = 100_000_000  # of one student, as in nbgrader's exchange


def copy_attachments(submission_folder: Path, target: Path) -> None:
    """Copy regular files of a sensible size from a submission; no links, no other notebooks, not its timestamp."""
    bytes_left = MAX_BYTES
    paths = sorted(islice(submission_folder.rglob("*"), MAX_ENTRIES)) if submission_folder.is_dir() else []
    for path in paths:
        if (
            path.suffix == ".ipynb"
            or path.name == timestamps.TIMESTAMP_FILE
            or _crosses_symlink(path, submission_folder)
        ):
            continue
        try:
            data = safe_files.read_regular(path)
        except safe_files.UnreadableFileError:
            continue
        bytes_left -= len(data)
        if bytes_left < 0:
            return
        destination = target / path.relative_to(submission_folder)
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes(data)


def _crosses_symlink(path: Path, folder: Path) -> bool:
    """Whether a link stands on the way from the folder to the file."""
    ancestors = [path, *path.parents]
    return any(place.is_symlink() for place in ancestors[: ancestors.index(folder)])
