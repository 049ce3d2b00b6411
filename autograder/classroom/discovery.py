"""Who handed in what: a folder of submissions -> students and paths."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES, holds_exercise_file

_SUBMISSION_SUFFIXES = (*SOURCE_SUFFIXES, ARCHIVE_SUFFIX)


@dataclass(frozen=True)
class SubmissionEntry:
    """A student, and where their submission lies."""

    student: str
    path: Path


@dataclass(frozen=True)
class DiscoveryResult:
    """Everybody who handed something in, sorted by name.

    `missing` are the students with nothing for this exercise, `skipped` the names of files that are no submissions.
    """

    entries: tuple[SubmissionEntry, ...]
    missing: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def discover_submissions(folder: Path, exercise: str, assignment: str = "") -> DiscoveryResult:
    """Find submissions in FOLDER/STUDENT/ASSIGNMENT/ (nbgrader's submitted/), FOLDER/STUDENT/, or FOLDER/STUDENT.zip.

    `assignment` is the name under which the exercise was handed out, by default its own. No submission is opened.
    Raises OSError if the folder cannot be read.
    """
    assignment = assignment or exercise
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    folders = [path for path in paths if _is_own_folder(path)]
    files = [path for path in paths if path.suffix.lower() in _SUBMISSION_SUFFIXES and not path.is_dir()]
    recognized = {*folders, *files}
    skipped = tuple(path.name for path in paths if path not in recognized)
    # If one student has a folder for the exercise, this is nbgrader's layout: a student with nothing but other folders
    # handed in other exercises. Files that lie beside such folders may be a submission in the wrong place.
    has_exercise_folder = {path.name for path in folders if _is_own_folder(path / assignment)}
    entries, missing = [], []
    for path in folders:
        if path.name in has_exercise_folder:
            entries.append(SubmissionEntry(path.name, path / assignment))
        elif has_exercise_folder and _holds_other_exercises(path, exercise):
            missing.append(path.name)
        else:
            entries.append(SubmissionEntry(path.name, path))
    # A file is named after its student; where mia.py and mia.ipynb both lie there, nobody knows which counts.
    name_counts = Counter([*(entry.student for entry in entries), *(path.stem for path in files)])
    entries += [SubmissionEntry(path.stem if name_counts[path.stem] == 1 else path.name, path) for path in files]
    return DiscoveryResult(tuple(sorted(entries, key=lambda entry: entry.student)), tuple(missing), skipped)


def _is_own_folder(path: Path) -> bool:
    """Return whether a path is a folder, and no link, which may lead to somebody else's."""
    try:
        return not path.is_symlink() and path.is_dir()
    except OSError:  # it cannot be read, as the report will say
        return False


def _holds_other_exercises(path: Path, exercise: str) -> bool:
    """Return whether a student's folder holds folders alone, and in them no file that is called like the exercise."""
    try:
        return all(map(_is_own_folder, path.iterdir())) and not holds_exercise_file(path, exercise)
    except OSError:
        return False
