"""What checks.json holds: the public cases, what is expected on them, and which check uses which."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

if __package__:  # as a part of the grader
    from .feedback import CaseResult, Sum
    from .rules import Array
else:  # beside the notebook
    from feedback import CaseResult, Sum  # type: ignore[import-not-found,no-redef]  # it is found once both are released, into one folder
    from rules import Array  # type: ignore[import-not-found,no-redef]  # as above

Arrays = tuple[Array, ...]


@dataclass(frozen=True)
class Case:
    """One set of inputs, the same for everybody, and what is expected of each function.

    `id` is how it is seen again, "N=3, seed=0"; `about` says the same in words, and `traits` are the numbers and
    words in which cases differ. `functions` holds the expected results of each function that is checked on it.
    """

    id: str
    about: str
    traits: Mapping[str, int | str]
    names: Mapping[str, str]
    arrays: Mapping[str, Array]
    functions: Mapping[str, Mapping[str, Any]]

    @property
    def about_beside_id(self) -> str:
        """What `about` says and the id does not."""
        sizes, *rest = self.about.split("; ")
        new = [size for size in sizes.split(", ") if size.replace(" ", "") not in self.id.split(", ")]
        return "; ".join(filter(None, (", ".join(new), *rest)))

    def known_by(self) -> Iterator[tuple[str, str]]:
        """Yield everything by which a case can be asked for: the parts of its id, its traits, its functions."""
        for pair in self.id.split(", "):
            key, _, value = pair.partition("=")
            yield key, value
        yield from ((key, str(value)) for key, value in {**self.traits, **self.names}.items())

    def result(self, name: str, yours: Arrays) -> CaseResult:
        """Return what a function made of this case beside what is expected; `yours` is empty if it stopped."""
        entry = self.functions[name]
        return CaseResult(
            id=self.id,
            about=self.about,
            traits=self.traits,
            results=tuple(golden().functions[name]["returns"]),
            yours=yours,
            expected=entry["expected"],
            is_slope=entry["is_slope"],
            sums=entry["sums"],
        )


@dataclass(frozen=True)
class VisibleCheck:
    """One thing that is checked about one function, on cases that go from small to large."""

    function: str
    title: str
    looks_at: Literal["value", "slope", "contract"]
    cases: tuple[Case, ...]
    starts: Mapping[str, str]  # results whose first row is an argument itself
    hint: str  # what to look at when the numbers are wrong


@dataclass(frozen=True)
class Golden:
    """What checks.json holds, and the module that it names, if any, which comes with the exercise."""

    exercise: str
    functions: Mapping[str, Mapping[str, Any]]
    cases: tuple[Case, ...]
    confirmations: tuple[
        tuple[Case, ...], ...
    ]  # the same cases with other numbers, on which what is said must hold too
    checks: tuple[VisibleCheck, ...]
    hints: Mapping[str, Sequence[str]]
    given: Any
    J: str  # the function that returns J, if one does

    def sets_of(self, name: str) -> list[tuple[Case, ...]]:
        """Return the cases on which a function is checked, from small to large: once for each set of numbers."""
        return [tuple(case for case in cases if name in case.functions) for cases in (self.cases, *self.confirmations)]

    def cases_of(self, name: str) -> tuple[Case, ...]:
        """Return the cases on which a function is checked and that are shown, from small to large."""
        return self.sets_of(name)[0]

    def matching(self, name: str, wanted: Mapping[str, object]) -> list[Case]:
        """Return the shown cases of a function that are as `wanted`, such as {"T": 3, "H": 2, "seed": 0}."""
        pairs = {(key, str(value)) for key, value in wanted.items()}
        return [case for case in self.cases_of(name) if pairs <= set(case.known_by())]

    def without_match(self, name: str, wanted: Mapping[str, object]) -> str:
        """Return what is said where no case is as `wanted`: which cases there are."""
        there = "\n".join(f"  {case.id:<18}  {case.about_beside_id}" for case in self.cases_of(name))
        asked = ", ".join(f"{key}={value}" for key, value in wanted.items())
        return f"There is no case with {asked} here. There are:\n\n{there}"

    def unknown(self, name: str) -> str:
        """Return what is said of a name that is none of the functions."""
        return f"There is no {name!r} here, only {', '.join(self.functions)}."


@cache
def golden() -> Golden:
    """Return the golden numbers, read when a check first needs them. Raises OSError with a sentence to act on."""
    try:
        content = json.loads((Path(__file__).parent / "checks.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = "is damaged" if isinstance(error, ValueError) else "is not beside checks.py"
        where = "in Colab: the folder icon on the left, then Upload"
        raise OSError(f"checks.json {what}: put it there as it was handed out ({where}), and check again.") from None
    cases = {entry["id"]: _case(entry) for entry in content["cases"]}
    # A confirmation holds only what is not that of the case itself.
    confirmations = tuple(
        tuple(_case({**entry, **other}) for entry, other in zip(content["cases"], others, strict=True))
        for others in content["confirmations"]
    )
    checks = [
        VisibleCheck(**{**check, "cases": tuple(cases[id] for id in check["cases"])}) for check in content["checks"]
    ]
    given = importlib.import_module(content["given"]) if content["given"] else None
    return Golden(
        exercise=content["exercise"],
        functions=content["functions"],
        cases=tuple(cases.values()),
        confirmations=confirmations,
        checks=tuple(checks),
        hints=content["hints"],
        given=given,
        J=content["J"],
    )


def _case(entry: Mapping[str, Any]) -> Case:
    functions = {
        name: {
            "expected": tuple(map(np.array, expected["expected"])),
            "is_slope": expected["is_slope"],
            "sums": tuple(
                Sum(item["of"], {part: np.array(terms) for part, terms in item["parts"].items()})
                for item in expected["sums"]
            ),
        }
        for name, expected in entry["functions"].items()
    }
    arrays = {name: _array(array) for name, array in entry["arrays"].items()}
    return Case(entry["id"], entry["about"], entry["traits"], entry["names"], arrays, functions)


def _array(numbers: Any) -> Array:
    return np.array(numbers, dtype=np.float64)
