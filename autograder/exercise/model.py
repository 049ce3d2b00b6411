"""Plain data of an exercise: its functions, its checks, and the cases on which functions are checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from autograder.student import arguments as student_arguments
from autograder.student.feedback import Sum

Array = npt.NDArray[np.float64]
Arrays = Mapping[str, Array]
Names = Mapping[str, str]

ARGUMENTS_MODULE = Path(student_arguments.__file__)


@dataclass(frozen=True)
class Case:
    """One set of arguments as it crosses the pipe: arrays (float64, any rank) and names of given functions.

    Where the first support module has no `arguments(arrays, names)`, arrays and names are those that
    `student.arguments.flatten` makes of arguments: `Case.of` does it.
    `description` describes the case to a reader ("T = 3 steps, ..."). `parameters` do so to the feedback: numbers such
    as {"T": 3}, and words for one of several variants, such as {"start": "start = 0"}. Both stay with the trusted side.
    """

    id: str
    arrays: Arrays
    names: Names = field(default_factory=dict)
    description: str = ""
    parameters: Mapping[str, int | str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        id: str,
        arguments: Mapping[str, object],
        description: str = "",
        parameters: Mapping[str, int | str] = MappingProxyType({}),
    ) -> Case:
        """Return the case of these arguments, by name. Raises ValueError for one that cannot cross the pipe."""
        return cls(id, *student_arguments.flatten(arguments), description, parameters)


@dataclass(frozen=True)
class CaseStack:
    """Cases that differ in nothing but their numbers, and the results of the reference on them.

    Each array has an axis for the cases in front of its own: `arrays["W"]` is (n, H, H) for n cases.
    """

    id: str
    arrays: Arrays
    expected: tuple[Array, ...]
    names: Names = field(default_factory=dict)
    description: str = ""
    parameters: Mapping[str, int | str] = field(default_factory=dict)

    @classmethod
    def of(cls, case: Case, expected: tuple[Array, ...]) -> CaseStack:
        """Return the stack of a single case."""
        arrays = {name: array[None] for name, array in case.arrays.items()}
        results = tuple(result[None] for result in expected)
        return cls(case.id, arrays, results, case.names, case.description, case.parameters)

    def __len__(self) -> int:
        return len(self.expected[0])

    def case(self, row: int) -> Case:
        """Return one of the cases."""
        arrays = {name: array[row, ...] for name, array in self.arrays.items()}
        return Case(self.id, arrays, self.names, self.description, self.parameters)

    def expected_by_case(self) -> list[tuple[Array, ...]]:
        """Return the results of the reference on each case."""
        return list(zip(*map(_rows, self.expected), strict=True))


def _rows(stack: Array) -> Iterable[Array]:
    return stack if stack.ndim > 1 else (stack[row, ...] for row in range(len(stack)))  # a number stays an array


@dataclass(frozen=True)
class Function:
    """A stub that students complete.

    `arguments` are the parameters in order, as keys of what `arguments(arrays, names)` returns. `arrays` are the arrays
    of a case that this function may see if the case has them; without a list, those of its arguments. `returns` maps
    the name of each result to its symbolic shape, such as {"h": "(T+1, H)"}; that of a number is "()". `wrt` is set for
    a gradient: the array of the case by which J is differentiated, such as "layers.0.W". `initial_rows` names results
    whose first row is an argument, such as {"U": "u"}: part of the contract. `reference_text` says where the formula
    is, `minutes` an estimate of how long it takes, if there is one.
    """

    name: str
    arguments: tuple[str, ...]
    arrays: tuple[str, ...] = ()
    returns: Mapping[str, str] = field(default_factory=dict)
    wrt: str | None = None
    initial_rows: Names = field(default_factory=dict)
    reference_text: str = ""
    minutes: int = 0

    def visible_arrays(self, case: Case | CaseStack) -> Arrays:
        """Return the arrays of a case that this function may see."""
        return {
            name: case.arrays[name]
            for name in _visible_paths(tuple(case.arrays), tuple(self.arguments), tuple(self.arrays))
        }

    def visible_names(self, case: Case | CaseStack) -> Names:
        """Return the names of a case that this function may see: all of them if it lists its arrays."""
        if self.arrays:
            return case.names
        return {name: case.names[name] for name in _visible_paths(tuple(case.names), tuple(self.arguments), ())}


_visible_paths = lru_cache(1000)(student_arguments.visible_paths)  # of cases with the same arrays or names


@dataclass(frozen=True)
class Check:
    """One line of the rubric, for one function.

    `kind`: "value" compares with the reference, "slope" with the numerical gradient of the objective; "contract" checks
    shapes, dtypes, unchanged inputs and equal results of equal calls. `role`: "note" never gives points and only
    informs; "condition" withholds all points of its function when it fails. A check that is not `hidden` is drawn from
    a public seed, and its messages may quote what the student's code raised.
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
        """The points for passing the check."""
        return 0.0 if self.role == "note" else self.points


@dataclass(frozen=True)
class VisibleCheck:
    """A check that students run themselves: it needs golden numbers and no reference.

    `kind` is that of Check; `cases` are complete, and may be diagnostic cases. `hint` appears beside wrong numbers.
    """

    function: str
    title: str
    cases: tuple[Case, ...]
    kind: Literal["value", "slope", "contract"] = "value"
    hint: str = ""


@dataclass(frozen=True)
class Mistake:
    """A mistake that students are known to make, as a small change of the reference.

    `name` is for the instructor, `hint` for the student: one sentence, a question or where to look, never the remedy.
    `equation` is the equation of the notebook that the mistake violates, such as "(17)". `source` is `function` as it
    reads with the mistake; it may use every name at the top level of the exercise's source. Mistakes that give the same
    numbers share one entry. `right` is the right answer that `source` is a change of: with it, two mistakes in one
    function are recognised, too. `problem`, a sentence, says why there is no `source`: the mistake is left out then.
    """

    name: str
    function: str
    hint: str
    equation: str
    source: str
    right: str = ""
    problem: str = ""


DrawBatch = Callable[[Sequence[tuple[str, Sequence[np.random.Generator]]]], Sequence[CaseStack]]
"""(case id, generators) pairs -> for each of them the cases drawn from the generators, and the reference's results."""


@dataclass(frozen=True)
class Exercise:
    """A loaded exercise folder; solutions/README.md says what such a folder must hold.

    `source_text` is its source in the full form, whatever form it was written in. `teacher_cell` is the code of the
    small form that is never released. `signatures` are the parameters of the model answers as they are written there.
    `support_modules` maps the names of files that are released unchanged to their text; the first of them may define
    `arguments(arrays, names)`, and `builds_arguments` says that it does. `notebook_modules` are released unchanged,
    too, but only cells that draw or train call them: where student code is graded, stand-ins take their place.
    `draw(case_id, rng)` makes a case, and `reference(function, case)` returns the reference solution's results in
    order; `draw_batch` is an optional, faster way to do both for many cases. `objective(arrays, names)` is J, analytic
    in every array, so that complex steps can differentiate it; `objective_batch` is an optional, faster way to evaluate
    it for stacks of arrays, broadcast over leading axes.
    `diagnostic_cases` are public and the same for everybody, ordered by size: feedback runs wrong work on them. Each of
    the `confirmation_cases` is all of them once more with other numbers: what feedback says must hold there too.
    `run_mistake(mistake, case)` returns what a known mistake computes. `decompose(function, case)` returns the sums, of
    named terms, that the expected result can be written as. `loss_from_outputs(arrays, names)` is J computed from
    results among the arrays. `setup_cells`, `check_cells` and `stub_cells` are the sources of released cells. The
    `hints` of a function go from general to specific. `written` are the questions that a person grades, with their
    points: beside `max_score`, and none where the course does not ask them. `mistake_problems` has a sentence for each
    known mistake that is left out.
    """

    name: str
    folder: Path
    source_text: str
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
    confirmation_cases: tuple[tuple[Case, ...], ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    mistake_problems: tuple[str, ...] = ()
    run_mistake: Callable[[Mistake, Case], tuple[Array, ...]] = lambda mistake, case: ()
    decompose: Callable[[str, Case], tuple[Sum, ...]] = lambda function, case: ()
    loss_from_outputs: Callable[[Arrays, Names], float] | None = None
    hints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    written: Mapping[str, float] = field(default_factory=dict)
    teacher_cell: str = ""
    signatures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    builds_arguments: bool = True
    without_complex_step: frozenset[str] = frozenset()
    notebook_modules: Mapping[str, str] = field(default_factory=dict)
    draw_batch: DrawBatch | None = None
    objective_batch: Callable[[Mapping[str, npt.NDArray[Any]], Names], npt.NDArray[Any]] | None = None

    @property
    def process_modules(self) -> Mapping[str, str]:
        """The text of each module that a process with student code finds, by name: first the one of `arguments`."""
        given = {Path(file).stem: text for file, text in self.support_modules.items()}
        return given if self.builds_arguments else {ARGUMENTS_MODULE.stem: ARGUMENTS_MODULE.read_text("utf-8"), **given}

    def function(self, name: str) -> Function:
        """Return the function of this name."""
        return next(function for function in self.functions if function.name == name)

    def checks_of(self, function: str) -> tuple[Check, ...]:
        """Return the checks of one function, in the order of the rubric."""
        return tuple(check for check in self.checks if check.function == function)

    @property
    def max_score(self) -> float:
        """The points of the whole rubric."""
        return round(sum(check.max_points for check in self.checks), 6)
