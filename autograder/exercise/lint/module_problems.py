"""Problems with the modules of an exercise: what its files are called, and the names that a rubric.py defines."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.exercise.model import ARGUMENTS_MODULE, Case, Check, Function, Mistake, VisibleCheck
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


def imported_problems(folder: Path, stems: Sequence[str]) -> list[Problem]:
    """Return which modules beside a source in the small form cannot be released under their names."""
    file = f"{folder.name}.py"
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    found = []
    for stem in stems:
        if what := _whose(f"{stem}.py"):
            importing = (n for n, text in enumerate(lines, 1) if re.match(rf"\s*(from|import) {stem}\b", text))
            found.append(Problem("module_name_taken", file, next(importing, 1), {"file": f"{stem}.py", "what": what}))
    return found


def _whose(file: str) -> str:
    """Return whose name a file would take in a student's folder, empty if nobody has it."""
    if (ARGUMENTS_MODULE.parent / file).is_file():
        return "a file that students get with every exercise"
    return "a module of Python itself" if Path(file).stem in sys.stdlib_module_names else ""


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
            yield from (
                ("module_name_taken", name, {"file": file, "what": _whose(file)}) for file in items if _whose(file)
            )
    for name in CALLED:
        if not callable(getattr(module, name, print)):
            yield "not_callable", name, {}
