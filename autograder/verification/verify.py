"""Are the checks of an exercise sharp and fair? Found out with the real grader, on submissions whose verdict is known.

    the reference            all points, and its gradients are the measured slopes of J
    the released stubs       no point, and nothing but "not written yet"
    the honest variants      all points: solutions/NAME/honest/*.py, right answers of every style
    each known mistake       fewer points in its function, all in the others, and its own name

The submission for a mistake is the exercise's own source with that one function in the mistake's words.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from autograder.classroom.discovery import Entry
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.store import columns_of
from autograder.classroom.tasks import Task
from autograder.evaluation.call_plans import draw_case
from autograder.evaluation.comparison import compare
from autograder.evaluation.numerical_gradient import slope
from autograder.exercise import source
from autograder.exercise.model import Exercise, Mistake
from autograder.grading import Terms
from autograder.verification.outcomes import Proof, Verdict, other_of, row_of


@dataclass(frozen=True)
class Sample:
    """A submission whose verdict is known; `mistake` for those that make one."""

    kind: Literal["reference", "stubs", "honest", "mistake"]
    name: str
    text: str
    mistake: Mistake | None = None


def verify(
    exercise: Exercise,
    terms: Terms,
    seeds: Sequence[int],
    jobs: int,
    warn: Callable[[str], None],
    graded: Callable[[], None] = lambda: None,
) -> Proof:
    """Grade every sample with every seed, by `jobs` workers. `graded` is called after each.

    Raises NotIsolated where student code cannot be run as well isolated as the terms require.
    """
    start = time.monotonic()
    known = samples(exercise)
    verdicts = {seed: _graded(exercise, replace(terms, seed=seed), known, jobs, warn, graded) for seed in seeds}
    by_sample = [{seed: verdicts[seed][number] for seed in seeds} for number in range(len(known))]
    return Proof(
        exercise=exercise.name,
        checks=exercise.checks,
        rows=tuple(row_of(exercise, one.mistake, v) for one, v in zip(known, by_sample, strict=True) if one.mistake),
        others=tuple(
            other_of(one.kind, one.name, found)
            for one, found in zip(known, by_sample, strict=True)
            if one.kind != "mistake"
        ),
        slopes=distances_from_slopes(exercise, seeds),
        seeds=tuple(seeds),
        isolation=max(verdict["isolation"] for found in by_sample for verdict in found.values()),
        graded=len(known) * len(seeds),
        seconds=time.monotonic() - start,
    )


def samples(exercise: Exercise) -> tuple[Sample, ...]:
    """Every submission of an exercise whose verdict is known."""
    cells = source.cells((exercise.folder / f"{exercise.name}.py").read_text(encoding="utf-8"))
    code = [cell for cell in cells if cell.kind in ("setup", "solution", "code")]
    stubs = [source.released(cell) for cell in code if cell.kind != "code"]
    return (
        Sample("reference", "reference", _script([cell.source for cell in code])),
        Sample("stubs", "stubs", _script([*stubs, source.SCRIPT_END])),
        *(Sample("honest", path.stem, path.read_text(encoding="utf-8")) for path in honest_variants(exercise)),
        *(Sample("mistake", mistake.name, with_mistake(code, mistake), mistake) for mistake in exercise.mistakes),
    )


def honest_variants(exercise: Exercise) -> list[Path]:
    """Right answers of every style, as they would be handed in."""
    return sorted((exercise.folder / "honest").glob("*.py"))


def with_mistake(code: Sequence[source.Cell], mistake: Mistake) -> str:
    """The model answer as a submission, with one function in the words of a mistake."""
    own = ("solution", mistake.function)
    return _script([mistake.source if (cell.kind, cell.name) == own else cell.source for cell in code])


def distances_from_slopes(exercise: Exercise, seeds: Sequence[int]) -> Mapping[str, float]:
    """For each gradient, the largest distance of the reference from the measured slope of J, on its gradient checks."""
    return {
        function.name: max(_distances(exercise, function.name, function.slope_of, seeds), default=0.0)
        for function in exercise.functions
        if function.slope_of
    }


def _distances(exercise: Exercise, function: str, wrt: str, seeds: Sequence[int]) -> Iterator[float]:
    for check in exercise.checks_of(function):
        for case_id in check.cases if check.looks_at == "slope" else ():
            for case in (draw_case(exercise, check, case_id, seed) for seed in seeds):
                (derived,) = exercise.reference(function, case)
                yield compare(derived, slope(exercise.objective, case.arrays, case.names, wrt)).error


def _script(cells: Sequence[str]) -> str:
    return "\n\n".join(f"# %%\n{cell}" for cell in cells) + "\n"


def _graded(
    exercise: Exercise,
    terms: Terms,
    known: Sequence[Sample],
    jobs: int,
    warn: Callable[[str], None],
    graded: Callable[[], None],
) -> dict[int, Verdict]:
    """The verdict on each sample, by its place in `known`."""
    found: dict[int, Verdict] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalWorkers(jobs, exercise, terms, columns_of(exercise), warn) as workers,
    ):
        for result in workers.run(_tasks(exercise, known, Path(folder)), lambda: None):
            found[int(result.student)] = json.loads(result.data)
            graded()
    return found


def _tasks(exercise: Exercise, known: Sequence[Sample], folder: Path) -> Iterator[Task]:
    for number, sample in enumerate(known):
        path = folder / str(number) / f"{exercise.name}.py"
        path.parent.mkdir()
        path.write_text(sample.text, encoding="utf-8")
        yield Task(Entry(str(number), path), "")
