"""Plain data of an exercise: its functions, its checks and the cases they are tried on. Nothing here runs anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from autograder.student.feedback import Sum

Array = npt.NDArray[np.float64]
Arrays = Mapping[str, Array]
Names = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """One set of arguments, as it crosses the pipe: arrays (float64, any rank) and names of given functions.

    `description` describes the case to a reader ("T = 3 steps, ..."), and so do its `parameters`: numbers such as {"T": 3}, and
    words that say in which of several ways it is made, such as {"h0": "h0 = 0"}. Both stay with the trusted side.
    """

    id: str
    arrays: Arrays
    names: Names = field(default_factory=dict)
    description: str = ""
    parameters: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Invariant:
    """Something that the results of a function must satisfy in themselves, and how a student is told so.

    `holds(arrays, results)` looks at finite results of the right shapes.
    """

    message: str
    predicate: Callable[[Arrays, tuple[Array, ...]], bool]


@dataclass(frozen=True)
class Function:
    """A stub that students complete.

    `arguments` are the parameters in order, as keys of what the given module's `arguments(arrays, names)` returns;
    `arrays` are the arrays of a case that this function may see, where the case has them; `returns` maps the name of
    each result to its shape in symbols, such as {"h": "(T+1, H)"}. A gradient says in `wrt` which array of the
    case it is the slope of J for. `invariants` belong to the function's contract. `reference_text` is where its formula stands.
    """

    name: str
    arguments: tuple[str, ...]
    arrays: tuple[str, ...]
    returns: Mapping[str, str]
    wrt: str | None = None
    invariants: tuple[Invariant, ...] = ()
    reference_text: str = ""


@dataclass(frozen=True)
class Check:
    """One line of the rubric, for one function.

    `kind` "value" compares with the reference, "slope" with the measured slope of the objective, "contract" at
    shapes, dtypes, inputs left unchanged and equal answers to equal calls. `role` "note" gives no points whatever
    happens and tells only; "condition" withholds all points of its function when it fails. A check that is not
    `hidden` is drawn from a public seed, and its messages may quote what the student's code raised.
    """

    id: str
    function: str
    title: str
    points: float
    cases: tuple[str, ...]
    kind: Literal["value", "slope", "contract"] = "value"
    role: Literal["points", "note", "condition"] = "points"
    hidden: bool = True

    @property
    def max_points(self) -> float:
        """The points that it gives when it passes."""
        return 0.0 if self.role == "note" else self.points


@dataclass(frozen=True)
class VisibleCheck:
    """One check that students run themselves: it needs golden numbers and no reference.

    `kind` as in Check; `cases` are complete, drawn by the rubric. `initial_rows` belongs to a contract: results whose
    first row is an argument itself, such as {"h": "h0"}. `hint` is told beside wrong numbers: what to look at first.
    """

    function: str
    title: str
    cases: tuple[Case, ...]
    kind: Literal["value", "slope", "contract"] = "value"
    initial_rows: Names = field(default_factory=dict)
    hint: str = ""


@dataclass(frozen=True)
class Mistake:
    """A mistake that students are known to make, as a small change of the reference.

    `name` is for the instructor, `hint` for the student: one sentence, a question or where to look, never the remedy.
    `equation` is the one of the notebook that it violates, such as "(17)". `source` is the text of `function` as
    somebody who makes the mistake writes it; it may use whatever the exercise's source has at its top level.
    Mistakes that give the same numbers share one entry.
    """

    name: str
    function: str
    hint: str
    equation: str
    source: str


DrawBatch = Callable[[Sequence[tuple[str, np.random.Generator]]], Sequence[tuple[Case, tuple[Array, ...]]]]
"""Cases drawn from generators, each beside what its function is to give there."""


@dataclass(frozen=True)
class Exercise:
    """An exercise folder, loaded: see solutions/README.md for what such a folder must hold.

    `support_modules` maps the files handed out as they are to their text; the first one has `arguments(arrays, names)`.
    `draw(case_id, rng)` makes a case; `reference(function, case)` gives the results of the model answer in order;
    `pose(asked)` does both for many (case id, rng) at once, where there is a quicker way than one by one.
    `objective(arrays, names)` is J, analytic in every array, so that a complex step measures its slopes; `objective_batch`
    gives it for each array of a stack in the place of one, where there is a quicker way.
    `diagnostic_cases` are complete public cases, the same for everybody, from the smallest up: wrong work is looked at on them;
    `mistaken(mistake, case)` is what a known mistake gives there.
    `sums(function, case)` tells what the expected result is the sum of there, in one way or several, and `loss(arrays,
    names)` is J as told by results among the arrays. `hints` of a function go from general to specific.
    `setup_cells`, `check_cells` and `stub_cells` are the sources of the cells as they are released.
    """

    name: str
    folder: Path
    support_modules: Mapping[str, str]
    functions: tuple[Function, ...]
    checks: tuple[Check, ...]
    visible_checks: tuple[VisibleCheck, ...]
    draw: Callable[[str, np.random.Generator], Case]
    reference: Callable[[str, Case], tuple[Array, ...]]
    objective: Callable[[Mapping[str, npt.NDArray[Any]], Names], complex]
    setup_cells: frozenset[str]
    check_cells: frozenset[str]
    stub_cells: frozenset[str]
    diagnostic_cases: tuple[Case, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    run_mistake: Callable[[Mistake, Case], tuple[Array, ...]] = lambda mistake, case: ()
    decompose: Callable[[str, Case], tuple[Sum, ...]] = lambda function, case: ()
    loss_from_outputs: Callable[[Arrays, Names], float] | None = None
    hints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    draw_batch: DrawBatch | None = None
    objective_batch: Callable[[Mapping[str, npt.NDArray[Any]], Names], npt.NDArray[Any]] | None = None

    def checks_of(self, function: str) -> tuple[Check, ...]:
        """The checks of one function, in the order of the rubric."""
        return tuple(check for check in self.checks if check.function == function)

    @property
    def max_score(self) -> float:
        """The points of the whole rubric."""
        return round(sum(check.max_points for check in self.checks), 6)
