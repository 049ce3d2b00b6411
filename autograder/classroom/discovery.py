"""Who handed in what: a folder of submissions -> students and paths."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from autograder.submission.reader import ARCHIVE, SUFFIXES

_HANDED_IN = (*SUFFIXES, ARCHIVE)


@dataclass(frozen=True)
class Entry:
    """One student, and where their submission lies."""

    student: str
    path: Path


@dataclass(frozen=True)
class Roll:
    """Everybody who handed something in, in the order of their names; `absent` are students with nothing for this
    exercise, `left_out` the names of files that nobody can mean to be graded.
    """

    entries: tuple[Entry, ...]
    absent: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def call_the_roll(folder: Path, exercise: str) -> Roll:
    """Who is in `folder`: FOLDER/STUDENT/EXERCISE/ (nbgrader's submitted/), FOLDER/STUDENT/, or files and zip files.

    Raises OSError where the folder cannot be read. Nothing that was handed in is opened.
    """
    found = sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))
    folders = [path for path in found if path.is_dir()]
    files = [path for path in found if path.suffix.lower() in _HANDED_IN and not path.is_dir()]
    meant = {*folders, *files}
    left_out = tuple(path.name for path in found if path not in meant)
    by_exercise = any((path / exercise).is_dir() for path in folders)
    entries, absent = [], []
    for path in folders:
        if (path / exercise).is_dir():
            entries.append(Entry(path.name, path / exercise))
        elif by_exercise and not any(not inside.is_dir() for inside in path.iterdir()):
            absent.append(path.name)
        else:
            entries.append(Entry(path.name, path))
    names = Counter([*(entry.student for entry in entries), *(path.stem for path in files)])
    entries += [Entry(path.stem if names[path.stem] == 1 else path.name, path) for path in files]
    return Roll(tuple(sorted(entries, key=lambda entry: entry.student)), tuple(absent), left_out)
