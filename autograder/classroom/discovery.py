"""Who handed in what: a folder of submissions -> students and paths."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath

from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES, holds_exercise_file

_SUBMISSION_SUFFIXES = (*SOURCE_SUFFIXES, ARCHIVE_SUFFIX)


@dataclass(frozen=True, slots=True)
class SubmissionEntry:
    """A student, and where their submission lies: at `name` in a folder, which a whole class has in common.

    A class holds one for each student until its end, and a path takes ten times as much memory.
    """

    student: str
    folder: Path
    name: str

    @property
    def path(self) -> Path:
        """The path of the submission."""
        # Not folder / name: pathlib would intern the name, as long as this entry lives.
        return Path(f"{self.folder}{os.sep}{self.name}")


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
    names = sorted(name for name in os.listdir(folder) if not name.startswith((".", "__")))  # noqa: PTH208 - no paths: they take memory
    folders = [name for name in names if _is_own_folder(folder / name)]
    files = [name for name in names if _is_submission_file(folder / name)]
    recognized = {*folders, *files}
    skipped = tuple(name for name in names if name not in recognized)
    # If one student has a folder for the exercise, this is nbgrader's layout: a student with nothing but other folders
    # handed in other exercises. Files that lie beside such folders may be a submission in the wrong place.
    has_exercise_folder = {name for name in folders if _is_own_folder(folder / name / assignment)}
    entries, missing = [], []
    for name in folders:
        if name in has_exercise_folder:
            entries.append(SubmissionEntry(name, folder, f"{name}/{assignment}"))
        elif has_exercise_folder and _holds_other_exercises(folder / name, exercise):
            missing.append(name)
        else:
            entries.append(SubmissionEntry(name, folder, name))
    # A file is named after its student; where mia.py and mia.ipynb both lie there, nobody knows which counts.
    stems = {name: PurePath(name).stem for name in files}
    stem_counts = Counter([*(entry.student for entry in entries), *stems.values()])
    entries += [SubmissionEntry(stem if stem_counts[stem] == 1 else name, folder, name) for name, stem in stems.items()]
    return DiscoveryResult(tuple(sorted(entries, key=lambda entry: entry.student)), tuple(missing), skipped)


def _is_submission_file(path: Path) -> bool:
    return path.suffix.lower() in _SUBMISSION_SUFFIXES and not path.is_dir()


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
