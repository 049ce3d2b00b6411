"""Whether an exercise is sound: asked once, and remembered by the content of all that the answer depends on."""

from __future__ import annotations

import hashlib
from pathlib import Path

from autograder.exercise import cache_folder
from autograder.exercise.lint.rubric_problems import rubric_problems
from autograder.exercise.lint.run_problems import run_problems
from autograder.exercise.model import Exercise
from autograder.exercise.problems import Problem

MARK = "sound"  # the kind of file that says so
_ROOM = Path(__file__).parents[1]


def find_problems(exercise: Exercise) -> list[Problem]:
    """Return everything that an author must change, by file and line; nothing if the exercise is known as sound."""
    mark = cache_folder.cached_file(exercise.folder, MARK, _key(exercise.folder), ".txt")
    if mark.is_file():
        return []
    problems = rubric_problems(exercise) or run_problems(exercise)
    if not problems:
        cache_folder.keep(mark, b"")
    different = {str(problem): problem for problem in problems}
    return sorted(different.values(), key=lambda problem: (problem.file, problem.line))


def _key(folder: Path) -> str:
    """Return a digest of an exercise's code and of what reads it."""
    digest = hashlib.sha256()
    for path in (*sorted(folder.glob("*.py")), *sorted(_ROOM.rglob("*.py"))):
        digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
