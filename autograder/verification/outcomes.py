"""What `autograder verify` found out about the checks of an exercise, as plain data: see autograder/verify.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autograder.evaluation.comparison import EXACT
from autograder.exercise.model import Check, Exercise, Mistake

NAMED_RIGHT = 95
"""So many percent of the mistakes must be named right; the rest may stay without a name, but must not get another."""

Verdict = Mapping[str, Any]
"""A report as the fixed object of `grade --format json`."""


@dataclass(frozen=True)
class Row:
    """One known mistake, graded once for each seed.

    `missed` maps the checks of its function that it did not pass to the number of seeds for which that was so; `free`
    are the seeds for which it cost no point; `spilt` are other functions that lost points; `names` counts the names
    that it was given, with None for none.
    """

    mistake: Mistake
    missed: Mapping[str, int]
    free: tuple[int, ...]
    spilt: tuple[str, ...]
    names: Mapping[str | None, int]

    @property
    def alone(self) -> str | None:
        """The check that was the only one to catch it, if there is one."""
        return next(iter(self.missed)) if len(self.missed) == 1 else None

    @property
    def named_right(self) -> bool:
        """Whether it got its own name for every seed."""
        return set(self.names) == {self.mistake.name}

    def complaints(self) -> Iterator[str]:
        """What must not be, in sentences."""
        what = f"{self.mistake.name} in {self.mistake.function}"
        if self.free:
            yield f"{what} survives: it costs no point with seed {', '.join(map(str, self.free))}."
        if self.spilt:
            yield f"{what} costs points in {', '.join(self.spilt)} too."
        for other in sorted(name for name in self.names if name not in (None, self.mistake.name)):
            yield f"{what} is misnamed: it is called {other}."


@dataclass(frozen=True)
class Other:
    """A submission that is no mistake, and what was wrong with its verdicts; `kind` says what it should get."""

    kind: Literal["reference", "stubs", "honest"]
    name: str
    complaints: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """All that was found out. `slopes` maps each gradient to its largest distance from the measured slope of J."""

    exercise: str
    checks: tuple[Check, ...]
    rows: tuple[Row, ...]
    others: tuple[Other, ...]
    slopes: Mapping[str, float]
    seeds: tuple[int, ...]
    isolation: str
    graded: int
    seconds: float

    @property
    def caught(self) -> int:
        """How many mistakes cost points, for every seed."""
        return sum(not row.free for row in self.rows)

    @property
    def named_right(self) -> int:
        """How many mistakes got their own name, for every seed."""
        return sum(row.named_right for row in self.rows)

    @property
    def nameless(self) -> tuple[Row, ...]:
        """Mistakes that were given no name, at least for one seed."""
        return tuple(row for row in self.rows if None in row.names)

    @property
    def catches(self) -> Mapping[str, tuple[int, int]]:
        """For each check, how many mistakes it caught, and how many of these no other check did."""
        caught = Counter(id for row in self.rows for id in row.missed)
        alone = Counter(row.alone for row in self.rows)
        return {check.id: (caught[check.id], alone[check.id]) for check in self.checks}

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong, in sentences; nothing when the checks do what they must."""
        found = [sentence for other in self.others for sentence in other.complaints]
        found += [
            f"The reference's {function} is off the measured slope of J by {error:.1e}."
            for function, error in self.slopes.items()
            if not error <= EXACT
        ]
        found += [sentence for row in self.rows for sentence in row.complaints()]
        if 100 * self.named_right < NAMED_RIGHT * len(self.rows):
            part = f"{self.named_right} of {len(self.rows)} mistakes are named right"
            found.append(f"Only {part}, and {NAMED_RIGHT} % must be.")
        return tuple(found)


def row_of(exercise: Exercise, mistake: Mistake, verdicts: Mapping[int, Verdict]) -> Row:
    """What became of a mistake; `verdicts` by seed."""
    missed: Counter[str] = Counter()
    names: Counter[str | None] = Counter()
    for verdict in verdicts.values():
        bad = [check for check in _checks(verdict, mistake.function) if check["status"] != "pass"]
        missed.update(check["id"] for check in bad)
        names.update({check["diagnosis"] for check in bad if check["diagnosis"]} or {None})
    spilt = {
        one.name
        for verdict in verdicts.values()
        for one in exercise.functions
        if one.name != mistake.function and not _full(exercise, verdict, one.name)
    }
    ids = [check.id for check in exercise.checks]
    return Row(
        mistake,
        {id: missed[id] for id in ids if missed[id]},
        tuple(seed for seed, verdict in verdicts.items() if _full(exercise, verdict, mistake.function)),
        tuple(one.name for one in exercise.functions if one.name in spilt),
        names,
    )


def other_of(kind: Literal["reference", "stubs", "honest"], name: str, verdicts: Mapping[int, Verdict]) -> Other:
    """What became of the reference, of the stubs or of an honest variant; `verdicts` by seed."""
    what = {"reference": "The reference", "stubs": "The stubs"}.get(kind, f"The honest variant {name}")
    complaints = []
    for seed, verdict in verdicts.items():
        checks: Sequence[Mapping[str, Any]] = verdict["checks"]
        if verdict["status"] != "graded":
            why = " ".join(note["text"] for note in verdict["notes"])
            complaints.append(f"{what} has no verdict with seed {seed}: {why}")
        elif kind == "stubs":
            worked_on = [check["id"] for check in checks if check["status"] != "not_attempted"]
            if verdict["score"] or worked_on:
                complaints.append(f"{what} count as more than not attempted: {', '.join(worked_on)}.")
        elif lost := [check["id"] for check in checks if check["points"] < check["max_points"]]:
            complaints.append(f"{what} loses points with seed {seed}: {', '.join(lost)}.")
    return Other(kind, name, tuple(complaints))


def _checks(verdict: Verdict, function: str) -> list[Mapping[str, Any]]:
    return [check for check in verdict["checks"] if check["function"] == function]


def _full(exercise: Exercise, verdict: Verdict, function: str) -> bool:
    """Whether a function has all its points; where there is no verdict it has none."""
    checks = _checks(verdict, function)
    there = {check["id"] for check in checks} == {check.id for check in exercise.checks_of(function)}
    return there and all(check["points"] == check["max_points"] for check in checks)
