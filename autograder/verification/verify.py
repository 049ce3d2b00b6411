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

from autograder.classroom.discovery import SubmissionEntry
from autograder.classroom.local_workers import LocalWorkers
from autograder.classroom.tasks import Task
from autograder.evaluation.call_plans import draw_case
from autograder.evaluation.comparison import compare
from autograder.evaluation.numerical_gradient import numerical_gradient
from autograder.exercise import source
from autograder.exercise.model import Exercise, Mistake
from autograder.grading import GradingConfig
from autograder.verification.outcomes import ReportJson, VerificationReport, summarize_mistake, summarize_sample


@dataclass(frozen=True)
class Sample:
    """A submission whose verdict is known; `mistake` for those that make one."""

    kind: Literal["reference", "stubs", "honest", "mistake"]
    name: str
    text: str
    mistake: Mistake | None = None


def verify(
    exercise: Exercise,
    config: GradingConfig,
    seeds: Sequence[int],
    jobs: int,
    warn: Callable[[str], None],
    on_graded: Callable[[], None] = lambda: None,
) -> VerificationReport:
    """Grade every sample with every seed, by `jobs` workers. `on_graded` is called after each.

    Raises NotIsolated where student code cannot be run as well isolated as the terms require.
    """
    start = time.monotonic()
    submissions = build_samples(exercise)
    verdicts = {
        seed: _grade_samples(exercise, replace(config, seed=seed), submissions, jobs, warn, on_graded) for seed in seeds
    }
    verdicts_by_sample = [{seed: verdicts[seed][number] for seed in seeds} for number in range(len(submissions))]
    return VerificationReport(
        exercise=exercise.name,
        checks=exercise.checks,
        mistake_outcomes=tuple(
            summarize_mistake(exercise, one.mistake, v)
            for one, v in zip(submissions, verdicts_by_sample, strict=True)
            if one.mistake
        ),
        sample_outcomes=tuple(
            summarize_sample(one.kind, one.name, found)
            for one, found in zip(submissions, verdicts_by_sample, strict=True)
            if one.kind != "mistake"
        ),
        gradient_errors=gradient_errors(exercise, seeds),
        seeds=tuple(seeds),
        isolation=max(verdict["isolation"] for found in verdicts_by_sample for verdict in found.values()),
        grading_count=len(submissions) * len(seeds),
        seconds=time.monotonic() - start,
    )


def build_samples(exercise: Exercise) -> tuple[Sample, ...]:
    """Every submission of an exercise whose verdict is known."""
    cells = source.parse_cells((exercise.folder / f"{exercise.name}.py").read_text(encoding="utf-8"))
    code_cells = [cell for cell in cells if cell.kind in ("setup", "solution", "code")]
    stubs = [source.student_text(cell) for cell in code_cells if cell.kind != "code"]
    return (
        Sample("reference", "reference", _join_cells([cell.source for cell in code_cells])),
        Sample("stubs", "stubs", _join_cells([*stubs, source.SCRIPT_CHECK_CELL])),
        *(Sample("honest", path.stem, path.read_text(encoding="utf-8")) for path in correct_variants(exercise)),
        *(
            Sample("mistake", mistake.name, apply_mistake(code_cells, mistake), mistake)
            for mistake in exercise.mistakes
        ),
    )


def correct_variants(exercise: Exercise) -> list[Path]:
    """Right answers of every style, as they would be handed in."""
    return sorted((exercise.folder / "honest").glob("*.py"))


def apply_mistake(code_cells: Sequence[source.ExerciseCell], mistake: Mistake) -> str:
    """The model answer as a submission, with one function in the words of a mistake."""
    mistaken_cell = ("solution", mistake.function)
    return _join_cells(
        [mistake.source if (cell.kind, cell.name) == mistaken_cell else cell.source for cell in code_cells]
    )


def gradient_errors(exercise: Exercise, seeds: Sequence[int]) -> Mapping[str, float]:
    """For each gradient, the largest distance of the reference from the measured slope of J, on its gradient checks."""
    return {
        function.name: max(_gradient_errors(exercise, function.name, function.wrt, seeds), default=0.0)
        for function in exercise.functions
        if function.wrt
    }


def _gradient_errors(exercise: Exercise, function: str, wrt: str, seeds: Sequence[int]) -> Iterator[float]:
    for check in exercise.checks_of(function):
        for case_id in check.cases if check.kind == "slope" else ():
            for case in (draw_case(exercise, check, case_id, seed) for seed in seeds):
                (derived,) = exercise.reference(function, case)
                yield compare(derived, numerical_gradient(exercise.objective, case.arrays, case.names, wrt)).error


def _join_cells(cells: Sequence[str]) -> str:
    return "\n\n".join(f"# %%\n{cell}" for cell in cells) + "\n"


def _grade_samples(
    exercise: Exercise,
    config: GradingConfig,
    samples: Sequence[Sample],
    jobs: int,
    warn: Callable[[str], None],
    on_graded: Callable[[], None],
) -> dict[int, ReportJson]:
    """The verdict on each sample, by its place in `samples`."""
    verdicts: dict[int, ReportJson] = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalWorkers(jobs, exercise, config, warn) as workers,
    ):
        for result in workers.run(_make_tasks(exercise, samples, Path(folder)), lambda: None):
            verdicts[int(result.student)] = json.loads(result.json_bytes)
            on_graded()
    return verdicts


def _make_tasks(exercise: Exercise, samples: Sequence[Sample], folder: Path) -> Iterator[Task]:
    for number, sample in enumerate(samples):
        path = folder / str(number) / f"{exercise.name}.py"
        path.parent.mkdir()
        path.write_text(sample.text, encoding="utf-8")
        yield Task(SubmissionEntry(str(number), path), "")
