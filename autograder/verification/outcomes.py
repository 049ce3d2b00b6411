"""What `autograder verify` found out about the checks of an exercise, as plain data: see autograder/verify.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autograder.evaluation.comparison import TOLERANCE
from autograder.exercise.model import Check, Exercise, Mistake

MIN_DIAGNOSED_PERCENT = 95
"""So many percent of the mistakes must be named right; the rest may stay without a name, but must not get another."""

ReportJson = Mapping[str, Any]
"""A report as the fixed object of `grade --format json`."""


@dataclass(frozen=True)
class MistakeOutcome:
    """One known mistake, graded once for each seed.

    `caught_by` maps the checks of its function that it did not pass to the number of seeds for which that was so; `undetected_seeds`
    are the seeds for which it cost no point; `collateral_functions` are other functions that lost points; `diagnoses` counts the names
    that it was given, with None for none.
    """

    mistake: Mistake
    caught_by: Mapping[str, int]
    undetected_seeds: tuple[int, ...]
    collateral_functions: tuple[str, ...]
    diagnoses: Mapping[str | None, int]

    @property
    def sole_check(self) -> str | None:
        """The check that was the only one to catch it, if there is one."""
        return next(iter(self.caught_by)) if len(self.caught_by) == 1 else None

    @property
    def is_diagnosed_correctly(self) -> bool:
        """Whether it got its own name for every seed."""
        return set(self.diagnoses) == {self.mistake.name}

    def problems(self) -> Iterator[str]:
        """What must not be, in sentences."""
        what = f"{self.mistake.name} in {self.mistake.function}"
        if self.undetected_seeds:
            yield f"{what} survives: it costs no point with seed {', '.join(map(str, self.undetected_seeds))}."
        if self.collateral_functions:
            yield f"{what} costs points in {', '.join(self.collateral_functions)} too."
        for other in sorted(name for name in self.diagnoses if name not in (None, self.mistake.name)):
            yield f"{what} is misnamed: it is called {other}."


@dataclass(frozen=True)
class SampleOutcome:
    """A submission that is no mistake, and what was wrong with its verdicts; `kind` says what it should get."""

    kind: Literal["reference", "stubs", "honest"]
    name: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class VerificationReport:
    """All that was found out. `gradient_errors` maps each gradient to its largest distance from the measured slope of J."""

    exercise: str
    checks: tuple[Check, ...]
    mistake_outcomes: tuple[MistakeOutcome, ...]
    sample_outcomes: tuple[SampleOutcome, ...]
    gradient_errors: Mapping[str, float]
    seeds: tuple[int, ...]
    isolation: str
    grading_count: int
    seconds: float

    @property
    def caught_count(self) -> int:
        """How many mistakes cost points, for every seed."""
        return sum(not row.undetected_seeds for row in self.mistake_outcomes)

    @property
    def diagnosed_count(self) -> int:
        """How many mistakes got their own name, for every seed."""
        return sum(row.is_diagnosed_correctly for row in self.mistake_outcomes)

    @property
    def undiagnosed(self) -> tuple[MistakeOutcome, ...]:
        """Mistakes that were given no name, at least for one seed."""
        return tuple(row for row in self.mistake_outcomes if None in row.diagnoses)

    @property
    def catches(self) -> Mapping[str, tuple[int, int]]:
        """For each check, how many mistakes it caught, and how many of these no other check did."""
        caught = Counter(id for row in self.mistake_outcomes for id in row.caught_by)
        caught_alone = Counter(row.sole_check for row in self.mistake_outcomes)
        return {check.id: (caught[check.id], caught_alone[check.id]) for check in self.checks}

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in sentences; nothing when the checks do what they must."""
        found = [sentence for other in self.sample_outcomes for sentence in other.problems]
        found += [
            f"The reference's {function} is off the measured slope of J by {error:.1e}."
            for function, error in self.gradient_errors.items()
            if not error <= TOLERANCE
        ]
        found += [sentence for row in self.mistake_outcomes for sentence in row.problems()]
        if 100 * self.diagnosed_count < MIN_DIAGNOSED_PERCENT * len(self.mistake_outcomes):
            part = f"{self.diagnosed_count} of {len(self.mistake_outcomes)} mistakes are named right"
            found.append(f"Only {part}, and {MIN_DIAGNOSED_PERCENT} % must be.")
        return tuple(found)


def summarize_mistake(exercise: Exercise, mistake: Mistake, verdicts: Mapping[int, ReportJson]) -> MistakeOutcome:
    """What became of a mistake; `verdicts` by seed."""
    caught_by: Counter[str] = Counter()
    diagnoses: Counter[str | None] = Counter()
    for verdict in verdicts.values():
        failed_checks = [check for check in _function_checks(verdict, mistake.function) if check["status"] != "pass"]
        caught_by.update(check["id"] for check in failed_checks)
        diagnoses.update({check["diagnosis"] for check in failed_checks if check["diagnosis"]} or {None})
    collateral_functions = {
        one.name
        for verdict in verdicts.values()
        for one in exercise.functions
        if one.name != mistake.function and not _has_full_points(exercise, verdict, one.name)
    }
    ids = [check.id for check in exercise.checks]
    return MistakeOutcome(
        mistake,
        {id: caught_by[id] for id in ids if caught_by[id]},
        tuple(seed for seed, verdict in verdicts.items() if _has_full_points(exercise, verdict, mistake.function)),
        tuple(one.name for one in exercise.functions if one.name in collateral_functions),
        diagnoses,
    )


def summarize_sample(
    kind: Literal["reference", "stubs", "honest"], name: str, verdicts: Mapping[int, ReportJson]
) -> SampleOutcome:
    """What became of the reference, of the stubs or of an honest variant; `verdicts` by seed."""
    subject = {"reference": "The reference", "stubs": "The stubs"}.get(kind, f"The honest variant {name}")
    problems = []
    for seed, verdict in verdicts.items():
        checks: Sequence[Mapping[str, Any]] = verdict["checks"]
        if verdict["status"] != "graded":
            reasons = " ".join(note["text"] for note in verdict["notes"])
            problems.append(f"{subject} has no verdict with seed {seed}: {reasons}")
        elif kind == "stubs":
            attempted_checks = [check["id"] for check in checks if check["status"] != "not_attempted"]
            if verdict["score"] or attempted_checks:
                problems.append(f"{subject} count as more than not attempted: {', '.join(attempted_checks)}.")
        elif lossy_checks := [check["id"] for check in checks if check["points"] < check["max_points"]]:
            problems.append(f"{subject} loses points with seed {seed}: {', '.join(lossy_checks)}.")
    return SampleOutcome(kind, name, tuple(problems))


def _function_checks(verdict: ReportJson, function: str) -> list[Mapping[str, Any]]:
    return [check for check in verdict["checks"] if check["function"] == function]


def _has_full_points(exercise: Exercise, verdict: ReportJson, function: str) -> bool:
    """Whether a function has all its points; where there is no verdict it has none."""
    checks = _function_checks(verdict, function)
    is_complete = {check["id"] for check in checks} == {check.id for check in exercise.checks_of(function)}
    return is_complete and all(check["points"] == check["max_points"] for check in checks)
