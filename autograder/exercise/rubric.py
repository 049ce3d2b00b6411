"""A rubric: all that says how an exercise is checked. A rubric.py holds it, or it is derived (`small_form/`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import ModuleType
from typing import Any

import numpy as np

from autograder.exercise.model import Array, Arrays, Case, Check, DrawBatch, Function, Mistake, Names, VisibleCheck
from autograder.student.feedback import Sum


@dataclass(frozen=True)
class Rubric:
    """The names of a rubric.py, as `Exercise` describes them. Those without a default are required."""

    FUNCTIONS: Sequence[Function]
    CHECKS: Sequence[Check]
    VISIBLE: Sequence[VisibleCheck]
    draw: Callable[[str, np.random.Generator], Case]
    objective: Callable[[Mapping[str, Any], Names], complex]
    DIAGNOSTIC_CASES: Sequence[Case] = ()
    CONFIRMATION_CASES: Sequence[Sequence[Case]] = ()
    MISTAKES: Sequence[Mistake] = ()
    decompose: Callable[[str, Case], tuple[Sum, ...]] | None = None
    loss_from_outputs: Callable[[Arrays, Names], float] | None = None
    draw_batch: DrawBatch | None = None
    objective_batch: Callable[[Mapping[str, Any], Names], Array] | None = None


REQUIRED_NAMES = ("FUNCTIONS", "CHECKS", "VISIBLE", "draw", "objective")
OPTIONAL_NAMES = tuple(field.name for field in fields(Rubric) if field.name not in REQUIRED_NAMES)


def rubric_of_module(module: ModuleType) -> Rubric:
    """Return the rubric that the names of a rubric.py are."""
    known = (*REQUIRED_NAMES, *OPTIONAL_NAMES)
    return Rubric(**{name: getattr(module, name) for name in known if hasattr(module, name)})


def overridden(rubric: Rubric, module: ModuleType, names: Sequence[str]) -> Rubric:
    """Return a rubric with what a module defines under these `names` in place of what was derived."""
    return replace(rubric, **{name: getattr(module, name) for name in names if hasattr(module, name)})
