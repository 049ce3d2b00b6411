"""The small form of an exercise: its teacher cell, and the rubric that is derived from it.

    case(rng, N, D)      the arguments of all functions by name, drawn for these sizes
    objective(w, X, y)   J, for every function with slope_of; it keeps imaginary parts
    SIZES                the sizes that are tried: a list of dicts, from small to large
    MISTAKES             what students are known to get wrong: a list of mistake(...)
    CHECKS               more checks than every function has: a list of check(...)

Names of rubric.py that are defined there, such as DIAGNOSTIC_CASES, take the place of what is derived.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from types import ModuleType
from typing import Any

import numpy as np

from autograder.exercise.model import Arrays, Case, Check, Function, Mistake, Names, VisibleCheck
from autograder.exercise.problems import Problem
from autograder.exercise.rubric import Rubric, overridden
from autograder.exercise.small_form import cases as small_cases
from autograder.exercise.small_form.cases import CaseMaker
from autograder.exercise.small_form.shapes import symbolic_shape
from autograder.exercise.source import ExerciseCell
from autograder.exercise.teacher import TeacherCheck, TeacherMistake

CONTRACT, VALUES, SLOPE = "contract", "values", "slope"
CONTRACT_TITLE = "Shape, dtype, inputs left alone, equal calls"
VALUES_TITLE = "The numbers, for all sizes"
SLOPE_TITLE = "Gradient check: equal to the measured slope of J"
OVERRIDES = (
    *("FUNCTIONS", "VISIBLE", "DIAGNOSTIC_CASES", "CONFIRMATION_CASES"),
    *("decompose", "loss_from_outputs", "draw_batch", "objective_batch"),
)

Run = Callable[[Function, Callable[..., Any], Case], tuple[Any, ...]]
"""Calls a function on a case, as every check does, and returns its results."""


@dataclass(frozen=True)
class SmallForm:
    """A loaded source in the small form: its cells, the module that it is, and where students' arguments come from."""

    module: ModuleType
    cells: Sequence[ExerciseCell]
    texts: Mapping[str, str]  # of the model answers
    cases: CaseMaker
    run: Run

    @property
    def solutions(self) -> list[ExerciseCell]:
        """The cells of the functions, in order."""
        return [cell for cell in self.cells if cell.kind == "solution"]

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """The functions: arguments by the signature, results by the model answer, shapes by running it."""
        return tuple(self._function(cell) for cell in self.solutions)

    def _function(self, cell: ExerciseCell) -> Function:
        implementation = getattr(self.module, cell.name)
        arguments = tuple(inspect.signature(implementation).parameters)
        names, shapes = returns_option(cell)
        names = names or returned_names(self.texts[cell.name]) or (cell.name,)
        result, _, start = cell.options.get("starts", "").partition("=")
        draft = Function(
            cell.name,
            arguments,
            returns=dict.fromkeys(names, ""),
            wrt=cell.options.get("slope_of"),
            initial_rows={result.strip(): start.strip()} if result else {},
            reference_text=cell.options.get("read", _equations(inspect.getdoc(implementation) or "")),
        )
        shapes_by_sizes = []
        for sizes in self.cases.sizes:
            results = self.run(draft, implementation, self.cases.shown(sizes))
            shapes_by_sizes.append(
                ({n: v for n, v in sizes.items() if type(v) is int}, [np.shape(array) for array in results])
            )
        returns = {
            name: shapes.get(name) or symbolic_shape([(sizes, of_all[i]) for sizes, of_all in shapes_by_sizes]) or ""
            for i, name in enumerate(names)
        }
        return Function(**{**vars(draft), "returns": returns})

    def rubric(self) -> Rubric:
        """Return the rubric that all of this comes to."""
        shown, *others = small_cases.diagnostic_sets(self.cases)
        derived = Rubric(
            FUNCTIONS=self.functions,
            CHECKS=tuple(check for cell in self.solutions for check in self._checks(cell)),
            VISIBLE=tuple(check for function in self.functions for check in self._visible(function, shown)),
            draw=self._draw,
            objective=getattr(self.module, "objective", _no_objective),
            DIAGNOSTIC_CASES=shown,
            CONFIRMATION_CASES=() if hasattr(self.module, "DIAGNOSTIC_CASES") else others,
            MISTAKES=tuple(self._mistake(mistake) for mistake in getattr(self.module, "MISTAKES", ())),
        )
        return overridden(derived, self.module, OVERRIDES)

    def _checks(self, cell: ExerciseCell) -> list[Check]:
        name, points = cell.name, float(cell.options.get("points", 1))
        quarter, has_slope = points / 4, "slope_of" in cell.options
        hidden = tuple(f"{name}.{self.cases.label(sizes)}" for sizes in self.cases.sizes)
        values = points - quarter * (1 + has_slope)
        checks = [
            Check(
                f"{name}.{CONTRACT}", name, CONTRACT_TITLE, quarter, (f"{name}.{CONTRACT}",), "contract", hidden=False
            ),
            Check(f"{name}.{VALUES}", name, VALUES_TITLE, values, hidden),
        ]
        if has_slope:
            checks.append(Check(f"{name}.{SLOPE}", name, SLOPE_TITLE, quarter, hidden, "slope"))
        for number, row in enumerate(self._rows(name), start=1):
            cases = tuple(f"{name}.{self.cases.label(self.cases.filled(sizes))}" for sizes in row.sizes)
            checks.append(Check(f"{name}.check{number}", name, row.title, row.points, cases))
        return checks

    def _visible(self, function: Function, shown: Sequence[Case]) -> list[VisibleCheck]:
        contract = self.cases.label(self.cases.distinct)
        first = tuple(case for case in shown if case.id.startswith(f"{contract}, seed="))
        numbers = SLOPE_TITLE if function.wrt else VALUES_TITLE
        return [
            VisibleCheck(function.name, CONTRACT_TITLE, first, "contract"),
            VisibleCheck(function.name, numbers, tuple(shown), "slope" if function.wrt else "value"),
            *(VisibleCheck(function.name, row.title, self._shown_in(row, shown)) for row in self._rows(function.name)),
        ]

    def _rows(self, function: str) -> list[TeacherCheck]:
        return [row for row in getattr(self.module, "CHECKS", ()) if row.function == function]

    def _shown_in(self, row: TeacherCheck, shown: Sequence[Case]) -> tuple[Case, ...]:
        """Return the cases of a check that students see: what they see at the same sizes elsewhere is the same case."""
        by_id = {case.id: case for case in shown}
        cases = (self.cases.shown(self.cases.filled(sizes)) for sizes in row.sizes)
        return tuple(by_id.get(case.id, case) for case in cases)

    def _draw(self, case_id: str, rng: np.random.Generator) -> Case:
        """Draw the case of a check; its id is FUNCTION.contract or FUNCTION.SIZES."""
        function, _, label = case_id.partition(".")
        asked = [*self.cases.sizes, *(self.cases.filled(sizes) for row in self._rows(function) for sizes in row.sizes)]
        by_label = {self.cases.label(sizes): sizes for sizes in asked}
        return self.cases.draw(case_id, rng, {**by_label, CONTRACT: self.cases.distinct}[label])

    def _mistake(self, mistake: TeacherMistake) -> Mistake:
        right = self.texts[mistake.function]
        read = next(function.reference_text for function in self.functions if function.name == mistake.function)
        equation = mistake.equation or " ".join(re.findall(r"\(\d+\)", read)[:1])
        known = partial(Mistake, mistake.name, mistake.function, mistake.hint, equation)
        if mistake.source:
            return known(mistake.source + "\n")
        if (count := right.count(mistake.replace)) != 1:
            fields = {"name": mistake.name, "function": mistake.function, "replace": mistake.replace, "count": count}
            return known("", problem=str(Problem("mistake_place", f"{self.module.__name__}.py", mistake.line, fields)))
        return known(right.replace(mistake.replace, mistake.by) + "\n", right=right)


def _no_objective(arrays: Arrays, names: Names) -> complex:
    """Stand in for J in an exercise without gradients."""
    raise NotImplementedError


def returns_option(cell: ExerciseCell) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Return the names that a header gives to results, and the shapes: returns="U (T+1, N), error"."""
    found = re.findall(r"(\w+)\s*(\([^)]*\))?", cell.options.get("returns", ""))
    return tuple(name for name, _ in found), {name: shape for name, shape in found if shape}


def returned_names(text: str) -> tuple[str, ...]:
    """Return the names in the last line of a model answer if that is `return a` or `return a, b`."""
    match = re.fullmatch(r"\s*return ([A-Za-z_]\w*(?:, [A-Za-z_]\w*)*)", text.splitlines()[-1])
    return tuple(match[1].split(", ")) if match else ()


def _equations(docstring: str) -> str:
    """Return the equations that a docstring names, such as "equations (1) and (2) of the notebook"."""
    found = re.search(r"[Ee](quations? \(\d+\)(?:(?:,| and| to) \(\d+\))*)( of the \w+)?", docstring)
    return f"e{found[1]}{found[2] or ' of the notebook'}" if found else ""
