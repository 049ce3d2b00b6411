"""An exercise folder -> Exercise. The only place where an instructor's own code is imported."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograder.exercise.model import Array, Case, Exercise, Function, Mistake
from autograder.exercise.source import SourceError, source_cells

RUBRIC = ("GIVEN", "FUNCTIONS", "CHECKS", "VISIBLE", "draw", "objective")


class ExerciseError(Exception):
    """An exercise folder that cannot be used: one sentence that says what is missing and where."""


def load_exercise(folder: Path) -> Exercise:
    """Load solutions/NAME, whose contract is written in solutions/README.md.

    Raises ExerciseError when the folder, one of its files or one of the rubric's names is missing.
    """
    folder = folder.resolve()
    name = folder.name
    if not folder.is_dir():
        raise ExerciseError(f"There is no exercise called {name}: {folder} is not a folder.")
    for needed in (f"{name}.py", "rubric.py"):
        if not (folder / needed).is_file():
            raise ExerciseError(f"The exercise {name} has no {needed}: put it into {folder}.")
    with _importable(folder):
        rubric = _import("rubric", folder)
        reference = _import(name, folder)
        missing = [wanted for wanted in RUBRIC if not hasattr(rubric, wanted)]
        if missing:
            raise ExerciseError(f"The rubric of {name} does not define {', '.join(missing)}: see solutions/README.md.")
        builder = _import(Path(rubric.GIVEN[0]).stem, folder)
    _look_at_checks(rubric, name)
    try:
        cells = source_cells((folder / f"{name}.py").read_text(encoding="utf-8"))
    except SourceError as error:
        raise ExerciseError(f"{name}.py: {error}") from None
    return Exercise(
        name=name,
        folder=folder,
        given={file: (folder / file).read_text(encoding="utf-8") for file in rubric.GIVEN},
        functions=tuple(rubric.FUNCTIONS),
        checks=tuple(rubric.CHECKS),
        visible=tuple(rubric.VISIBLE),
        draw=rubric.draw,
        reference=_answers(reference, builder, rubric.FUNCTIONS),
        objective=rubric.objective,
        set_up=cells.set_up,
        check_cells=cells.check_cells,
        stub_cells=cells.stub_cells,
        ladder=tuple(getattr(rubric, "LADDER", ())),
        mistakes=tuple(getattr(rubric, "MISTAKES", ())),
        mistaken=_mistaken(reference, builder, rubric.FUNCTIONS),
        sums=getattr(rubric, "sums", lambda function, case: ()),
        loss=getattr(rubric, "loss", None),
        hints=cells.hints,
        pose=getattr(rubric, "pose", None),
        objectives=getattr(rubric, "objectives", None),
    )


def _look_at_checks(rubric: ModuleType, name: str) -> None:
    for function in rubric.FUNCTIONS:
        first = next((check for check in rubric.CHECKS if check.function == function.name), None)
        if first is None or first.looks_at != "contract" or first.hidden:
            raise ExerciseError(
                f"The rubric of {name} is not one: the first check of {function.name} must look at its contract, "
                "on a case that is not hidden."
            )
    public, hidden = ({case for c in rubric.CHECKS if c.hidden is kind for case in c.cases} for kind in (False, True))
    if shared := sorted(public & hidden):
        raise ExerciseError(f"The rubric of {name} is not one: {shared[0]} belongs to a hidden and to a public check.")


def _import(module: str, folder: Path) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - an instructor's own code may raise anything, and is told where
        own = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent == folder]
        place = f"{Path(own[-1].filename).name}, line {own[-1].lineno}" if own else f"{module}.py"
        what = f"{type(error).__name__} in {place}: {error}"
        raise ExerciseError(f"The exercise {folder.name} cannot be loaded: {what}.") from None


def _answers(
    reference: ModuleType, builder: ModuleType, functions: Sequence[Function]
) -> Callable[[str, Case], tuple[Array, ...]]:
    by_name = {function.name: function for function in functions}
    return lambda name, case: _call(getattr(reference, name), by_name[name], builder, case)


def _mistaken(
    reference: ModuleType, builder: ModuleType, functions: Sequence[Function]
) -> Callable[[Mistake, Case], tuple[Array, ...]]:
    by_name = {function.name: function for function in functions}

    @cache
    def code(mistake: Mistake) -> Callable[..., Any]:
        namespace = dict(vars(reference))
        exec(mistake.source, namespace)  # noqa: S102 - the instructor's own text, like the rubric that holds it
        wrong: Callable[..., Any] = namespace[mistake.function]
        return wrong

    return lambda mistake, case: _call(code(mistake), by_name[mistake.function], builder, case)


def _call(code: Callable[..., Any], function: Function, builder: ModuleType, case: Case) -> tuple[Array, ...]:
    seen = {array: case.arrays[array] for array in function.arrays if array in case.arrays}
    given = builder.arguments(seen, case.names)
    result = code(*(given[argument] for argument in function.arguments))
    return tuple(np.asarray(array) for array in (result if len(function.returns) > 1 else (result,)))


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Make the modules of one folder importable by their bare names, and forget them afterwards.

    Two exercises may both have a `rubric`, so none of these names may stay behind in sys.modules.
    """
    own = {path.stem for path in folder.glob("*.py")} | {"checks"}
    before = {name: sys.modules.pop(name) for name in own if name in sys.modules}
    sys.modules["checks"] = _silent_checks()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in own:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def _silent_checks() -> ModuleType:
    """What the source's set-up cell imports; the reference never calls it."""
    checks = ModuleType("checks")
    checks.check = checks.slope = checks.hint = lambda *args, **kwargs: None  # type: ignore[attr-defined]  # a made-up module
    return checks
