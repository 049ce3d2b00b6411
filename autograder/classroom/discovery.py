"""Who handed in what: a folder of submissions -> students and paths."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES

_SUBMISSION_SUFFIXES = (*SOURCE_SUFFIXES, ARCHIVE_SUFFIX)


@dataclass(frozen=True)
class SubmissionEntry:
    """One student, and where their submission lies."""

    student: str
    path: Path


@dataclass(frozen=True)
class DiscoveryResult:
    """Everybody who handed something in, in the order of their names; `missing` are students with nothing for this
    exercise, `skipped` the names of files that nobody can mean to be graded.
    """

    entries: tuple[SubmissionEntry, ...]
    missing: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def discover_submissions(folder: Path, exercise: str) -> DiscoveryResult:
    """Who is in `folder`: FOLDER/STUDENT/EXERCISE/ (nbgrader's submitted/), FOLDER/STUDENT/, or files and zip files.

    Raises OSError where the folder cannot be read. Nothing that was handed in is opened.
    """
    found = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    folders = [path for path in found if path.is_dir()]
    files = [path for path in found if path.suffix.lower() in _SUBMISSION_SUFFIXES and not path.is_dir()]
    recognized = {*folders, *files}
    skipped = tuple(path.name for path in found if path not in recognized)
    has_exercise_folders = any((path / exercise).is_dir() for path in folders)
    entries, missing = [], []
    for path in folders:
        if (path / exercise).is_dir():
            entries.append(SubmissionEntry(path.name, path / exercise))
        elif has_exercise_folders and not any(not inside.is_dir() for inside in path.iterdir()):
            missing.append(path.name)
        else:
            entries.append(SubmissionEntry(path.name, path))
    name_counts = Counter([*(entry.student for entry in entries), *(path.stem for path in files)])
    entries += [SubmissionEntry(path.stem if name_counts[path.stem] == 1 else path.name, path) for path in files]
    return DiscoveryResult(tuple(sorted(entries, key=lambda entry: entry.student)), tuple(missing), skipped)
