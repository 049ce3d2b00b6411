"""What `autograder verify` found out about the checks of an exercise, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autograder.evaluation.comparison import TOLERANCE
from autograder.exercise.model import Check, Exercise, Mistake, VisibleCheck
from autograder.verification.mutants import Mutants

MIN_DIAGNOSED_PERCENT = 95
"""The share of mistakes that must get their own name. The rest may stay without one, but must not get another's."""

ReportJson = Mapping[str, Any]
"""A report as the fixed object of `grade --format json`."""


@dataclass(frozen=True)
class MistakeOutcome:
    """One known mistake, graded once for each seed.

    `caught_by` maps each check of its function that it failed to the number of seeds with which it did.
    `undetected_seeds` are the seeds with which it cost no point, `collateral_functions` other functions that lost
    points. `diagnoses` counts the names that it was given; None stands for no name. `failed_visible` are the indices of
    the visible checks that it fails; `has_spread` says that a check caught it with some seeds only.
    """

    mistake: Mistake
    caught_by: Mapping[str, int]
    undetected_seeds: tuple[int, ...]
    collateral_functions: tuple[str, ...]
    diagnoses: Mapping[str | None, int]
    failed_visible: tuple[int, ...] = ()
    has_spread: bool = False

    @property
    def sole_check(self) -> str | None:
        """The only check that caught it, or None if several or none did."""
        return next(iter(self.caught_by)) if len(self.caught_by) == 1 else None

    @property
    def is_diagnosed_correctly(self) -> bool:
        """Return whether it got its own name with every seed."""
        return set(self.diagnoses) == {self.mistake.name}

    @property
    def wrong_diagnoses(self) -> list[str]:
        """The names of other mistakes that it was given."""
        return sorted(name for name in self.diagnoses if name not in (None, self.mistake.name))

    def problems(self) -> Iterator[str]:
        """Yield what is wrong, one sentence each."""
        subject = f"{self.mistake.name} in {self.mistake.function}"
        if self.undetected_seeds:
            yield f"{subject} survives: it costs no point with seed {', '.join(map(str, self.undetected_seeds))}."
        elif self.has_spread:
            yield f"{subject} gets other points with other seeds: a check catches it with some of them only."
        if self.collateral_functions:
            yield f"{subject} costs points in {', '.join(self.collateral_functions)} too."
        for name in self.wrong_diagnoses:
            yield f"{subject} is misnamed: it is called {name}."


@dataclass(frozen=True)
class SampleOutcome:
    """A submission without a mistake, and what was wrong with its verdicts; `kind` says what it should get."""

    kind: Literal["reference", "stubs", "honest"]
    name: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class VerificationReport:
    """All findings. `gradient_errors` maps each gradient to its largest error against the numerical gradient of J.

    `gradient_tolerances` are larger for a function for which J cannot be differentiated by complex steps. `mutants`
    are changes of the model answers that nobody listed. `next_steps` say what the author may add.
    """

    exercise: str
    checks: tuple[Check, ...]
    visible_checks: tuple[VisibleCheck, ...]
    mistake_outcomes: tuple[MistakeOutcome, ...]
    sample_outcomes: tuple[SampleOutcome, ...]
    gradient_errors: Mapping[str, float]
    seeds: tuple[int, ...]
    isolation: str
    grading_count: int
    seconds: float
    mistake_problems: tuple[str, ...] = ()
    gradient_tolerances: Mapping[str, float] = field(default_factory=dict)
    mutants: Mutants = field(default_factory=Mutants)
    next_steps: tuple[str, ...] = ()

    @property
    def central_differences(self) -> tuple[str, ...]:
        """The gradients that are compared with central differences, because the objective loses imaginary parts."""
        return tuple(name for name in self.gradient_errors if self.gradient_tolerances.get(name, TOLERANCE) > TOLERANCE)

    @property
    def caught_count(self) -> int:
        """The number of mistakes that cost points with every seed."""
        return sum(not outcome.undetected_seeds for outcome in self.mistake_outcomes)

    @property
    def diagnosed_count(self) -> int:
        """The number of mistakes that got their own name with every seed."""
        return sum(outcome.is_diagnosed_correctly for outcome in self.mistake_outcomes)

    @property
    def hidden_only(self) -> tuple[MistakeOutcome, ...]:
        """The mistakes that pass every visible check of their function."""
        return tuple(outcome for outcome in self.mistake_outcomes if not outcome.failed_visible)

    @property
    def spread_count(self) -> int:
        """The number of mistakes that get other points with other seeds."""
        return sum(outcome.has_spread for outcome in self.mistake_outcomes)

    @property
    def catches(self) -> Mapping[str, tuple[int, int]]:
        """For each check, the number of mistakes that it caught, and of those that no other check caught."""
        caught = Counter(id for outcome in self.mistake_outcomes for id in outcome.caught_by)
        caught_alone = Counter(outcome.sole_check for outcome in self.mistake_outcomes)
        return {check.id: (caught[check.id], caught_alone[check.id]) for check in self.checks}

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, one sentence each; empty if the checks behave as they must."""
        problems = [sentence for outcome in self.sample_outcomes for sentence in outcome.problems]
        problems += [
            f"The reference's {function} is off the measured slope of J by {error:.1e}."
            for function, error in self.gradient_errors.items()
            if not error <= self.gradient_tolerances.get(function, TOLERANCE)  # NaN is a problem, too
        ]
        problems += self.mistake_problems
        problems += [sentence for outcome in self.mistake_outcomes for sentence in outcome.problems()]
        if 100 * self.diagnosed_count < MIN_DIAGNOSED_PERCENT * len(self.mistake_outcomes):
            share = f"{self.diagnosed_count} of {len(self.mistake_outcomes)}"
            others = [outcome.mistake for outcome in self.mistake_outcomes if not outcome.is_diagnosed_correctly]
            names = ", ".join(f"{mistake.name} in {mistake.function}" for mistake in others)
            problems.append(
                f"Only {share} mistakes are named right, and {MIN_DIAGNOSED_PERCENT} % must be. Not so: {names}. "
                "A mistake has a name if its numbers are wrong in two public cases, and those of no other mistake."
            )
        return tuple(problems)


def summarize_mistake(
    exercise: Exercise, mistake: Mistake, verdicts: Mapping[int, ReportJson], failed_visible: tuple[int, ...]
) -> MistakeOutcome:
    """Return the outcome of a mistake from its `verdicts` by seed, and the visible checks that it fails."""
    caught_by: Counter[str] = Counter()
    diagnoses: Counter[str | None] = Counter()
    incomplete: dict[str, list[int]] = {function.name: [] for function in exercise.functions}
    for seed, verdict in verdicts.items():
        failed = [check for check in _function_checks(verdict, mistake.function) if check["status"] != "pass"]
        caught_by.update(check["id"] for check in failed)
        # Several checks may name a mistake, which counts once a seed.
        diagnoses.update({check["diagnosis"] for check in failed if check["diagnosis"]} or {None})
        for name, seeds in incomplete.items():
            if not _has_full_points(exercise, verdict, name):
                seeds.append(seed)
    detected_seeds = incomplete.pop(mistake.function)
    return MistakeOutcome(
        mistake,
        {check.id: caught_by[check.id] for check in exercise.checks if caught_by[check.id]},
        tuple(seed for seed in verdicts if seed not in detected_seeds),
        tuple(name for name, seeds in incomplete.items() if seeds),
        diagnoses,
        failed_visible,
        has_spread=any(count != len(verdicts) for count in caught_by.values()),
    )


def summarize_sample(
    exercise: Exercise,
    kind: Literal["reference", "stubs", "honest"],
    name: str,
    verdicts: Mapping[int, ReportJson],
    failed_visible: tuple[int, ...],
) -> SampleOutcome:
    """Return the outcome of the reference, the stubs or a correct variant from its `verdicts` by seed."""
    subject = {"reference": "The reference", "stubs": "The stubs"}.get(kind, f"The honest variant {name}")
    visible = [exercise.visible_checks[i] for i in failed_visible]
    problems = [f"{subject} fails a check that students run: {check.function}, {check.title}." for check in visible]
    for seed, verdict in verdicts.items():
        if verdict["status"] != "graded":
            reasons = " ".join(note["text"] for note in verdict["notes"])
            problems.append(f"{subject} has no verdict with seed {seed}: {reasons}")
        elif kind == "stubs":
            attempted = [check["id"] for check in verdict["checks"] if check["status"] != "not_attempted"]
            if verdict["score"] or attempted:
                problems.append(f"{subject} count as more than not attempted: {', '.join(attempted)}.")
        elif lossy := [check["id"] for check in verdict["checks"] if check["points"] < check["max_points"]]:
            problems.append(f"{subject} loses points with seed {seed}: {', '.join(lossy)}.")
    return SampleOutcome(kind, name, tuple(problems))


def _function_checks(verdict: ReportJson, function: str) -> list[Mapping[str, Any]]:
    return [check for check in verdict["checks"] if check["function"] == function]


def _has_full_points(exercise: Exercise, verdict: ReportJson, function: str) -> bool:
    """Return whether a function has all its points; without a verdict it has none."""
    checks = _function_checks(verdict, function)
    is_complete = {check["id"] for check in checks} == {check.id for check in exercise.checks_of(function)}
    return is_complete and all(check["points"] == check["max_points"] for check in checks)
