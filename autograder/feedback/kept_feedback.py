"""Feedback on known mistakes, kept beside the exercise: the next class makes the same mistakes.

Only what was identified as a known mistake is kept. Its numbers are those of the mistake on every case, the
confirmations included, so no submission can leave words here that are wrong for another. A folder holds a file for each
set of numbers; its name has a digest of all that the words depend on.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import autograder
from autograder.exercise.cache_folder import cached_file, keep
from autograder.exercise.model import Exercise
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.student.feedback import ErrorMap, Feedback

KIND = "feedback"  # of the folder
MAX_KEPT = 2000
_ROOMS = ("feedback", "student", "evaluation")  # whose code makes the words


@dataclass(frozen=True)
class FunctionFeedback:
    """Feedback on the wrong numbers of a function, its plain text, and the name of the mistake, if it is known.

    Two mistakes have both names, "a and b".
    """

    feedback: Feedback
    text: str
    mistake: str | None


class KeptFeedback(BoundedCache[bytes, FunctionFeedback]):
    """A cache of feedback by the digest of the numbers; behind it are the files of an exercise."""

    def __init__(self, exercise: Exercise, max_entries: int) -> None:
        super().__init__(max_entries)
        self._exercise = exercise

    def lookup(self, key: bytes) -> FunctionFeedback | None:
        """Return the feedback on these numbers, None if there is none yet."""
        found = super().lookup(key)
        if found is None and (found := _read(self._folder / _name(key))):
            super().store(key, found)
        return found

    def store(self, key: bytes, value: FunctionFeedback) -> FunctionFeedback:
        """Keep feedback, and return it."""
        path = self._folder / _name(key)
        if value.mistake and not path.exists() and self._has_room():
            keep(path, json.dumps(asdict(value)).encode())
        return super().store(key, value)

    def __contains__(self, key: bytes) -> bool:
        return self.lookup(key) is not None

    def _has_room(self) -> bool:
        with suppress(OSError):
            if self._folder.is_dir():
                return sum(1 for _ in self._folder.iterdir()) < MAX_KEPT
            for older in self._folder.parent.glob(f"{KIND}-*"):
                shutil.rmtree(older, ignore_errors=True)
            self._folder.parent.mkdir(exist_ok=True)
            self._folder.mkdir()
            return True
        return False

    @cached_property
    def _folder(self) -> Path:
        engine = Path(autograder.__file__).parent
        files = [path for room in _ROOMS for path in sorted((engine / room).rglob("*.py"))]
        digest = hashlib.sha256(autograder.__version__.encode())
        for path in (*files, *sorted(self._exercise.folder.rglob("*.py"))):
            digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
        return cached_file(self._exercise.folder, KIND, digest.hexdigest()[:16], "")


def _name(key: bytes) -> str:
    return f"{key.hex()}.json"


def _read(path: Path) -> FunctionFeedback | None:
    try:
        return _decode(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError):  # whatever is wrong with a file, feedback can be made anew
        return None


def _decode(kept: dict[str, Any]) -> FunctionFeedback:
    parts = kept["feedback"]
    if parts["map"] is not None:
        parts["map"] = ErrorMap(**parts["map"] | {"errors": tuple(map(tuple, parts["map"]["errors"]))})
    parts["facts"] = tuple((label, text) for label, text in parts["facts"])
    return FunctionFeedback(Feedback(**parts), kept["text"], kept["mistake"])
