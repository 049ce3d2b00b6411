"""Verify the checks of an exercise: grade, with the real grader, submissions whose verdict is known.

    the reference            all points, and its gradients are the numerical gradients of J
    the released stubs       no point, and nothing but "not written yet"
    the honest variants      all points: solutions/NAME/honest/*.py, right answers of every style
    each known mistake       fewer points in its function, all in the others, and its own name

The submission for a mistake is the exercise's source with the function in question replaced. All but the stubs are also
checked as students check themselves (`visible.py`): a mistake that passes there is listed. Changes of the model answers
that nobody listed (`mutants.py`) show what else the checks do not catch.
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
from autograder.exercise import source
from autograder.exercise.loader import ExerciseError
from autograder.exercise.model import Exercise, Function, Mistake
from autograder.exercise.numerical_gradient import gradient_of_J, slope_tolerance
from autograder.grading import GradingConfig
from autograder.verification.mutants import try_mutants
from autograder.verification.next_steps import next_steps
from autograder.verification.outcomes import ReportJson, VerificationReport, summarize_mistake, summarize_sample
from autograder.verification.visible import failed_checks, released_checks


@dataclass(frozen=True)
class Sample:
    """A submission whose verdict is known; `mistake` is the known mistake that it makes, if any."""

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
    """Grade every sample with every seed, by `jobs` workers, and call `on_graded` after each.

    Raises IsolationError if student code cannot be isolated as well as `config` requires, ExerciseError if a mistake or
    an honest variant does not run.
    """
    start = time.monotonic()
    samples = build_samples(exercise)
    failed_visible = check_visibly(exercise, samples)
    graded = {}
    for seed in seeds:
        with LocalWorkers(jobs, [exercise], replace(config, seed=seed), warn) as workers:
            graded[seed] = _grade_samples(workers, exercise, samples, on_graded)
    mutants = try_mutants(exercise, seeds[0])
    # Turned around: for each sample, its verdict with each seed.
    verdicts = [{seed: graded[seed][number] for seed in seeds} for number in range(len(samples))]
    pairs = [*zip(samples, verdicts, failed_visible, strict=True)]
    return VerificationReport(
        exercise=exercise.name,
        checks=exercise.checks,
        visible_checks=exercise.visible_checks,
        mistake_outcomes=tuple(
            summarize_mistake(exercise, sample.mistake, by_seed, failed)
            for sample, by_seed, failed in pairs
            if sample.mistake
        ),
        sample_outcomes=tuple(
            summarize_sample(exercise, sample.kind, sample.name, by_seed, failed)
            for sample, by_seed, failed in pairs
            if sample.kind != "mistake"
        ),
        gradient_errors=gradient_errors(exercise, seeds),
        gradient_tolerances={function.name: slope_tolerance(exercise, function) for function in exercise.functions},
        seeds=tuple(seeds),
        # Levels are letters from A, the strongest, so this is the weakest that a grading had.
        isolation=max(verdict["isolation"] for by_seed in verdicts for verdict in by_seed.values()),
        grading_count=len(samples) * len(seeds),
        seconds=time.monotonic() - start,
        mutants=mutants,
        next_steps=next_steps(exercise, mutants),
        mistake_problems=exercise.mistake_problems,
    )


def build_samples(exercise: Exercise) -> tuple[Sample, ...]:
    """Return every submission of an exercise whose verdict is known."""
    cells = source.parse_cells(exercise.source_text)
    code_cells = [cell for cell in cells if cell.kind in ("setup", "solution", "code")]
    stubs = [source.student_text(cell) for cell in code_cells if cell.kind != "code"]
    mistakes = exercise.mistakes
    return (
        Sample("reference", "reference", _join_cells([cell.source for cell in code_cells])),
        Sample("stubs", "stubs", _join_cells([*stubs, source.SCRIPT_CHECK_CELL])),
        *(Sample("honest", path.stem, path.read_text(encoding="utf-8")) for path in correct_variants(exercise)),
        *(Sample("mistake", mistake.name, _apply_mistake(code_cells, mistake), mistake) for mistake in mistakes),
    )


def check_visibly(exercise: Exercise, samples: Sequence[Sample]) -> list[tuple[int, ...]]:
    """Return for each sample which of `exercise.visible_checks` it fails; none of them for the stubs.

    Raises ExerciseError if a sample does not run: it would prove nothing.
    """
    functions = [function.name for function in exercise.functions]
    failed: list[tuple[int, ...]] = []
    with released_checks(exercise) as checks:
        for sample in samples:
            tried = [] if sample.kind == "stubs" else [sample.mistake.function] if sample.mistake else functions
            try:
                failed.append(failed_checks(checks, exercise, sample.text, tried) if tried else ())
            except Exception as error:  # noqa: BLE001 - an author's code may raise anything
                kind = f"known mistake in {tried[0]}" if sample.mistake else f"{sample.kind} answer"
                raise ExerciseError(
                    f"The {kind} {sample.name} does not run: {type(error).__name__}: {error}."
                ) from None
    return failed


def correct_variants(exercise: Exercise) -> list[Path]:
    """Return the files of right answers in various styles, as students would hand them in."""
    return sorted((exercise.folder / "honest").glob("*.py"))


def _apply_mistake(code_cells: Sequence[source.ExerciseCell], mistake: Mistake) -> str:
    wrong_cell = ("solution", mistake.function)
    return _join_cells([mistake.source if (c.kind, c.name) == wrong_cell else c.source for c in code_cells])


def _join_cells(cells: Sequence[str]) -> str:
    return "\n\n".join(f"# %%\n{cell}" for cell in cells) + "\n"


def gradient_errors(exercise: Exercise, seeds: Sequence[int]) -> Mapping[str, float]:
    """Return for each gradient the largest error of the reference against the numerical gradient of J."""
    return {
        function.name: max(_gradient_errors(exercise, function, seeds), default=0.0)
        for function in exercise.functions
        if function.wrt
    }


def _gradient_errors(exercise: Exercise, function: Function, seeds: Sequence[int]) -> Iterator[float]:
    for check in exercise.checks_of(function.name):
        for case_id in check.cases if check.kind == "slope" else ():
            for case in (draw_case(exercise, check, case_id, seed) for seed in seeds):
                (derived,) = exercise.reference(function.name, case)
                yield compare(derived, gradient_of_J(exercise, function, case)).error


def _grade_samples(
    workers: LocalWorkers, exercise: Exercise, samples: Sequence[Sample], on_graded: Callable[[], None]
) -> dict[int, ReportJson]:
    """Return the verdict on each sample, by its position in `samples`, which serves as the student's name."""
    verdicts: dict[int, ReportJson] = {}
    with tempfile.TemporaryDirectory() as folder:
        for result in workers.run(_make_tasks(exercise, samples, Path(folder)), lambda: None):
            verdicts[int(result.student)] = json.loads(result.json_bytes)
            on_graded()
    return verdicts


def _make_tasks(exercise: Exercise, samples: Sequence[Sample], folder: Path) -> Iterator[Task]:
    for number, sample in enumerate(samples):
        path = folder / str(number) / f"{exercise.name}.py"
        path.parent.mkdir()
        path.write_text(sample.text, encoding="utf-8")
        yield Task(SubmissionEntry(str(number), path.parent, path.name), "", exercise.name)
