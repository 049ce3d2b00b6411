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
from autograder.exercise.source import SourceError, extract_released_cells

REQUIRED_NAMES = ("SUPPORT_MODULES", "FUNCTIONS", "CHECKS", "VISIBLE", "draw", "objective")


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
    for file_name in (f"{name}.py", "rubric.py"):
        if not (folder / file_name).is_file():
            raise ExerciseError(f"The exercise {name} has no {file_name}: put it into {folder}.")
    with _importable(folder):
        rubric = _import_module("rubric", folder)
        reference = _import_module(name, folder)
        missing = [wanted for wanted in REQUIRED_NAMES if not hasattr(rubric, wanted)]
        if missing:
            raise ExerciseError(f"The rubric of {name} does not define {', '.join(missing)}: see solutions/README.md.")
        builder = _import_module(Path(rubric.SUPPORT_MODULES[0]).stem, folder)
    _validate_checks(rubric, name)
    try:
        cells = extract_released_cells((folder / f"{name}.py").read_text(encoding="utf-8"))
    except SourceError as error:
        raise ExerciseError(f"{name}.py: {error}") from None
    return Exercise(
        name=name,
        folder=folder,
        support_modules={file: (folder / file).read_text(encoding="utf-8") for file in rubric.SUPPORT_MODULES},
        functions=tuple(rubric.FUNCTIONS),
        checks=tuple(rubric.CHECKS),
        visible_checks=tuple(rubric.VISIBLE),
        draw=rubric.draw,
        reference=_reference_caller(reference, builder, rubric.FUNCTIONS),
        objective=rubric.objective,
        setup_cells=cells.setup_cells,
        check_cells=cells.check_cells,
        stub_cells=cells.stub_cells,
        diagnostic_cases=tuple(getattr(rubric, "DIAGNOSTIC_CASES", ())),
        mistakes=tuple(getattr(rubric, "MISTAKES", ())),
        run_mistake=_mistake_runner(reference, builder, rubric.FUNCTIONS),
        decompose=getattr(rubric, "decompose", lambda function, case: ()),
        loss_from_outputs=getattr(rubric, "loss_from_outputs", None),
        hints=cells.hints,
        draw_batch=getattr(rubric, "draw_batch", None),
        objective_batch=getattr(rubric, "objective_batch", None),
    )


def _validate_checks(rubric: ModuleType, name: str) -> None:
    for function in rubric.FUNCTIONS:
        first = next((check for check in rubric.CHECKS if check.function == function.name), None)
        if first is None or first.kind != "contract" or first.hidden:
            raise ExerciseError(
                f"The rubric of {name} is not one: the first check of {function.name} must look at its contract, "
                "on a case that is not hidden."
            )
    public, hidden = ({case for c in rubric.CHECKS if c.hidden is kind for case in c.cases} for kind in (False, True))
    if shared := sorted(public & hidden):
        raise ExerciseError(f"The rubric of {name} is not one: {shared[0]} belongs to a hidden and to a public check.")


def _import_module(module: str, folder: Path) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - an instructor's own code may raise anything, and is told where
        own_frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent == folder]
        location = (
            f"{Path(own_frames[-1].filename).name}, line {own_frames[-1].lineno}" if own_frames else f"{module}.py"
        )
        cause = f"{type(error).__name__} in {location}: {error}"
        raise ExerciseError(f"The exercise {folder.name} cannot be loaded: {cause}.") from None


def _reference_caller(
    reference: ModuleType, builder: ModuleType, functions: Sequence[Function]
) -> Callable[[str, Case], tuple[Array, ...]]:
    by_name = {function.name: function for function in functions}
    return lambda name, case: _call_implementation(getattr(reference, name), by_name[name], builder, case)


def _mistake_runner(
    reference: ModuleType, builder: ModuleType, functions: Sequence[Function]
) -> Callable[[Mistake, Case], tuple[Array, ...]]:
    by_name = {function.name: function for function in functions}

    @cache
    def mistaken_function(mistake: Mistake) -> Callable[..., Any]:
        namespace = dict(vars(reference))
        exec(mistake.source, namespace)  # noqa: S102 - the instructor's own text, like the rubric that holds it
        wrong: Callable[..., Any] = namespace[mistake.function]
        return wrong

    return lambda mistake, case: _call_implementation(
        mistaken_function(mistake), by_name[mistake.function], builder, case
    )


def _call_implementation(
    implementation: Callable[..., Any], function: Function, builder: ModuleType, case: Case
) -> tuple[Array, ...]:
    visible_arrays = {array: case.arrays[array] for array in function.arrays if array in case.arrays}
    arguments = builder.arguments(visible_arrays, case.names)
    result = implementation(*(arguments[argument] for argument in function.arguments))
    return tuple(np.asarray(array) for array in (result if len(function.returns) > 1 else (result,)))


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Make the modules of one folder importable by their bare names, and forget them afterwards.

    Two exercises may both have a `rubric`, so none of these names may stay behind in sys.modules.
    """
    module_names = {path.stem for path in folder.glob("*.py")} | {"checks"}
    shadowed_modules = {name: sys.modules.pop(name) for name in module_names if name in sys.modules}
    sys.modules["checks"] = _stub_checks_module()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in module_names:
            sys.modules.pop(name, None)
        sys.modules.update(shadowed_modules)


def _stub_checks_module() -> ModuleType:
    """What the source's set-up cell imports; the reference never calls it."""
    checks = ModuleType("checks")
    checks.check = checks.slope = checks.hint = lambda *args, **kwargs: None  # type: ignore[attr-defined]  # a made-up module
    return checks
