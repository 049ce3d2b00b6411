"""The files beside a submission's notebook, for whoever grades by hand."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from autograder.nbgrader.intake.timestamps import TIMESTAMP_FILE
from autograder.submission import safe_files
from autograder.submission.file_names import is_in_the_way
from autograder.submission.reader import MAX_ENTRIES
from autograder.submission.sanitize import join_names

MAX_BYTES = 100_000_000  # of one student, as in nbgrader's exchange
MAX_DEPTH = 20  # folders in folders


def files_of_nbgrader(name: str, released: Iterable[str]) -> frozenset[PurePosixPath]:
    """Return what is written beside a submission of the exercise `name`, besides the `released` files."""
    return frozenset(map(PurePosixPath, (f"{name}.ipynb", f"{name}.html", TIMESTAMP_FILE, *released)))


def copy_attachments(folder: Path, target: Path, written: Collection[PurePosixPath]) -> str:
    """Copy the regular files of a submission, up to 100 MB: no links and no notebooks.

    `written` are the paths of the files that will be written beside them. What leaves no room for one of those is left
    out: the sentence that is returned names it, and is empty if there is none. Raises OSError if the disk is full.
    """
    bytes_left = MAX_BYTES
    left_out: dict[str, None] = {}  # in order, each once
    for parts in islice(_regular_files(folder), MAX_ENTRIES):
        path = PurePosixPath(*parts)
        if is_in_the_way(path, written):
            if path not in written:  # its own copy of a file that was handed out is no news
                left_out[parts[0]] = None
            continue
        if any(part.lower().endswith(".ipynb") for part in parts):
            continue
        try:
            data = safe_files.read_regular(folder / path)
            bytes_left -= len(data)
            if bytes_left < 0:
                break
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(data)
        except safe_files.UnreadableFileError:
            continue
        except OSError as error:
            if safe_files.is_disk_full(error):
                raise
            left_out[parts[0]] = None  # such as a path that is too long there
    return (
        f"{join_names(list(left_out))} was handed in too, and cannot be shown beside the notebook." if left_out else ""
    )


def _regular_files(folder: Path, parts: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of each regular file below a folder, as its parts. No link is followed, nor is the folder one."""
    path = folder.joinpath(*parts)
    try:
        if path.is_symlink():
            return
        with os.scandir(path) as entries:
            listed = sorted(islice(entries, MAX_ENTRIES), key=lambda entry: entry.name)
    except OSError:  # no folder, or one that cannot be read
        return
    for entry in listed:
        if entry.is_file(follow_symlinks=False):
            yield (*parts, entry.name)
        elif entry.is_dir(follow_symlinks=False) and len(parts) < MAX_DEPTH:
            yield from _regular_files(folder, (*parts, entry.name))
