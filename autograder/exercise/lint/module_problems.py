"""Problems with the names of a rubric.py: what they are called, and what kind of thing each is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.exercise.model import Case, Check, Function, Mistake, VisibleCheck
from autograder.exercise.places import Places
from autograder.exercise.problems import Problem

# Optional names have had others. Ignored, they would cost the exercise its feedback without a word.
RENAMED = {
    "LADDER": "DIAGNOSTIC_CASES",
    "sums": "decompose",
    "pose": "draw_batch",
    "objectives": "objective_batch",
}
ITEMS: dict[str, type] = {
    "SUPPORT_MODULES": str,
    "FUNCTIONS": Function,
    "CHECKS": Check,
    "VISIBLE": VisibleCheck,
    "DIAGNOSTIC_CASES": Case,
    "MISTAKES": Mistake,
}
CALLED = ("draw", "objective", "decompose", "loss_from_outputs", "draw_batch", "objective_batch")


def module_problems(folder: Path, module: ModuleType) -> list[Problem]:
    """Return what is wrong with the names that a rubric.py defines."""
    places = Places(folder / "rubric.py")
    return [
        Problem(code, "rubric.py", places.of_name(name), {"name": name, **fields})
        for code, name, fields in _found(folder, module)
    ]


def _found(folder: Path, module: ModuleType) -> Iterator[tuple[str, str, dict[str, object]]]:
    for old, new in RENAMED.items():
        if hasattr(module, old) and not hasattr(module, new):
            yield "renamed", old, {"new": new}
    for name, kind in ITEMS.items():
        items: Any = getattr(module, name, ())
        example = '"network.py"' if kind is str else f"{kind.__name__}(...)"
        if isinstance(items, str) or not isinstance(items, tuple | list):
            yield "not_tuple", name, {"example": example, "found": type(items).__name__}
        elif wrong := [item for item in items if not isinstance(item, kind)]:
            yield "wrong_item", name, {"example": example, "found": type(wrong[0]).__name__}
        elif name == "FUNCTIONS" and not items:
            yield "no_functions", name, {}
        elif name == "SUPPORT_MODULES":
            yield from (("no_module", name, {"file": file}) for file in items if not (folder / file).is_file())
    for name in CALLED:
        if not callable(getattr(module, name, print)):
            yield "not_callable", name, {}
