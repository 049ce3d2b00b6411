"""Whether an exercise is sound: asked once, and remembered by the content of all that the answer depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.exercise import cache_folder
from autograder.exercise.model import Exercise
from autograder.exercise.numerical_gradient import keeps_imaginary_parts
from autograder.exercise.problems import Problem

MARK = "sound"  # the kind of file that says so
_ROOM = Path(__file__).parents[1]


@dataclass(frozen=True)
class Findings:
    """What an author must change, and the gradients of which J loses imaginary parts."""

    problems: tuple[Problem, ...] = ()
    without_complex_step: frozenset[str] = frozenset()


def examine(exercise: Exercise) -> Findings:
    """Return what was found out about an exercise: its problems by file and line, none if it is known as sound."""
    mark = cache_folder.cached_file(exercise.folder, MARK, _key(exercise.folder), ".json")
    if mark.is_file():
        return Findings(without_complex_step=frozenset(json.loads(mark.read_bytes())))
    # late: 10 ms, for an exercise that was not examined before
    from autograder.exercise.lint.narrative_problems import narrative_problems
    from autograder.exercise.lint.rubric_problems import rubric_problems
    from autograder.exercise.lint.run_problems import run_problems

    problems = [*narrative_problems(exercise), *(rubric_problems(exercise) or run_problems(exercise))]
    if problems:
        different = {str(problem): problem for problem in problems}
        return Findings(tuple(sorted(different.values(), key=lambda problem: (problem.file, problem.line))))
    names = sorted(_functions_without_complex_step(exercise))
    cache_folder.keep(mark, json.dumps(names).encode())
    return Findings(without_complex_step=frozenset(names))


def _functions_without_complex_step(exercise: Exercise) -> Iterator[str]:
    """Yield the gradients for which complex steps of J are not its slope, on some case where it is measured."""
    for function in exercise.functions:
        checks = [check for check in exercise.checks_of(function.name) if check.kind == "slope" and function.wrt]
        drawn = (exercise.draw(id, np.random.default_rng(0)) for check in checks for id in check.cases)
        if not all(keeps_imaginary_parts(exercise.objective, case, function.wrt or "") for case in drawn):
            yield function.name


def _key(folder: Path) -> str:
    """Return a digest of an exercise's code and of what reads it."""
    digest = hashlib.sha256()
    for path in (*sorted(folder.glob("*.py")), *sorted(_ROOM.rglob("*.py"))):
        digest.update(b"\0" + path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
