"""An exercise folder -> Exercise. Only this module imports an instructor's code."""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograder.exercise.model import Array, Arrays, Case, Exercise, Function, Mistake, Names
from autograder.exercise.numerical_gradient import keeps_imaginary_parts
from autograder.exercise.source import SourceError, extract_released_cells
from autograder.student.arguments import arguments as make_arguments
from autograder.student.arguments import seen

REQUIRED_NAMES = ("SUPPORT_MODULES", "FUNCTIONS", "CHECKS", "VISIBLE", "draw", "objective")
# Optional names have had others. Ignored, they would cost the exercise its feedback without a word.
RENAMED = {
    "LADDER": "DIAGNOSTIC_CASES",
    "sums": "decompose",
    "pose": "draw_batch",
    "objectives": "objective_batch",
}
MAX_COMPILED = 1000  # mistakes: with pairs of them there are thousands
OPTIONAL_FUNCTIONS = ("decompose", "loss_from_outputs", "draw_batch", "objective_batch")


class ExerciseError(Exception):
    """An exercise folder that cannot be used: its text is one sentence that says what is missing and where."""


def load_exercise(folder: Path, *, written_questions: bool = False) -> Exercise:
    """Load solutions/NAME; solutions/README.md says what it must hold.

    The questions that a person grades belong to it only where the course asks `written_questions`.

    Raises ExerciseError if the folder, one of its files or one of the rubric's names is missing.
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
        if missing := [required for required in REQUIRED_NAMES if not hasattr(rubric, required)]:
            raise ExerciseError(f"The rubric of {name} does not define {', '.join(missing)}: see solutions/README.md.")
        if old := [old for old, new in RENAMED.items() if hasattr(rubric, old) and not hasattr(rubric, new)]:
            raise ExerciseError(f"The rubric of {name} defines {old[0]}, which is called {RENAMED[old[0]]} now.")
        given = [_import_module(Path(file).stem, folder) for file in rubric.SUPPORT_MODULES]
    _validate_checks(rubric, name)
    _validate_public_cases(rubric, name)
    implementations = _Implementations(reference, given, rubric.FUNCTIONS)
    try:
        cells = extract_released_cells((folder / f"{name}.py").read_text(encoding="utf-8"))
        cells = cells if written_questions else replace(cells, written={})
    except SourceError as error:
        raise ExerciseError(f"{name}.py: {error}") from None
    exercise = Exercise(
        name=name,
        folder=folder,
        support_modules={file: (folder / file).read_text(encoding="utf-8") for file in rubric.SUPPORT_MODULES},
        functions=tuple(rubric.FUNCTIONS),
        checks=tuple(rubric.CHECKS),
        visible_checks=tuple(rubric.VISIBLE),
        draw=rubric.draw,
        reference=implementations.run_reference,
        objective=implementations.objective(rubric.objective),
        diagnostic_cases=tuple(getattr(rubric, "DIAGNOSTIC_CASES", ())),
        confirmation_cases=tuple(map(tuple, getattr(rubric, "CONFIRMATION_CASES", ()))),
        mistakes=tuple(getattr(rubric, "MISTAKES", ())),
        run_mistake=implementations.run_mistake,
        builds_arguments=implementations.builds_arguments,
        **vars(cells),
        **{name: getattr(rubric, name) for name in OPTIONAL_FUNCTIONS if hasattr(rubric, name)},
    )
    return replace(exercise, without_complex_step=frozenset(_functions_without_complex_step(exercise)))


def _functions_without_complex_step(exercise: Exercise) -> Iterator[str]:
    """Yield the gradients for which complex steps of J are not its slope, on some case where it is measured."""
    for function in exercise.functions:
        checks = [check for check in exercise.checks_of(function.name) if check.kind == "slope" and function.wrt]
        drawn = (exercise.draw(id, np.random.default_rng(0)) for check in checks for id in check.cases)
        if not all(keeps_imaginary_parts(exercise.objective, case, function.wrt or "") for case in drawn):
            yield function.name


def _validate_checks(rubric: ModuleType, name: str) -> None:
    for function in rubric.FUNCTIONS:
        first = next((check for check in rubric.CHECKS if check.function == function.name), None)
        if first is None or first.kind != "contract" or first.hidden:
            raise ExerciseError(
                f"The rubric of {name} is not one: the first check of {function.name} must look at its contract, "
                "on a case that is not hidden."
            )
    # A case is drawn once per id: with an id in common, the hidden check's case would come from the public seed.
    public, hidden = (
        {case for check in rubric.CHECKS if check.hidden is is_hidden for case in check.cases}
        for is_hidden in (False, True)
    )
    if shared := sorted(public & hidden):
        raise ExerciseError(f"The rubric of {name} is not one: {shared[0]} belongs to a hidden and to a public check.")


def _validate_public_cases(rubric: ModuleType, name: str) -> None:
    diagnostic = tuple(getattr(rubric, "DIAGNOSTIC_CASES", ()))
    by_id: dict[str, Case] = {}
    for case in (*diagnostic, *(case for check in rubric.VISIBLE for case in check.cases)):
        if by_id.setdefault(case.id, case) is not case:
            raise ExerciseError(
                f"The rubric of {name} is not one: two public cases are called {case.id!r}, and students ask by that."
            )
    ids = [case.id for case in diagnostic]
    for cases in getattr(rubric, "CONFIRMATION_CASES", ()):
        if [case.id for case in cases] != ids:
            raise ExerciseError(
                f"The rubric of {name} is not one: each of CONFIRMATION_CASES must have the ids of DIAGNOSTIC_CASES, "
                "in their order."
            )


def _import_module(module: str, folder: Path) -> ModuleType:
    try:
        return importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - an instructor's code may raise anything
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).parent == folder]
        location = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else f"{module}.py"
        cause = f"{type(error).__name__} in {location}: {error}"
        raise ExerciseError(f"The exercise {folder.name} cannot be loaded: {cause}.") from None


class _Implementations:
    """Runs the reference and the known mistakes on the arrays of a case; keeps those compiled that were used last.

    `given` are the support modules: the first may make the arguments of a case, else they are flattened ones.
    """

    def __init__(self, reference: ModuleType, given: Sequence[ModuleType], functions: Sequence[Function]) -> None:
        self._reference = reference
        self._given = {module.__name__: module for module in (reference, *given)}
        self.builds_arguments = bool(given) and hasattr(given[0], "arguments")
        self._arguments = given[0].arguments if self.builds_arguments else self._make_arguments
        self._functions = {function.name: function for function in functions}
        self._compile = lru_cache(MAX_COMPILED)(self._compile_mistake)

    def run_reference(self, name: str, case: Case) -> tuple[Array, ...]:
        return self._run(getattr(self._reference, name), self._functions[name], case)

    def objective(self, objective: Callable[..., Any]) -> Callable[[Arrays, Names], complex]:
        """Return an objective of (arrays, names): the rubric's own may take arguments of the functions instead."""
        wanted = tuple(inspect.signature(objective).parameters)
        if wanted == ("arrays", "names"):
            return objective

        def from_arrays(arrays: Arrays, names: Names) -> complex:
            own_names = {key: names[key] for key in seen(names, wanted, ())}
            made = self._arguments({key: arrays[key] for key in seen(arrays, wanted, ())}, own_names)
            return objective(*(made[name] for name in wanted))  # type: ignore[no-any-return]  # the author's function

        return from_arrays

    def run_mistake(self, mistake: Mistake, case: Case) -> tuple[Array, ...]:
        return self._run(self._compile(mistake), self._functions[mistake.function], case)

    def _compile_mistake(self, mistake: Mistake) -> Callable[..., Any]:
        namespace = dict(vars(self._reference))
        exec(mistake.source, namespace)  # noqa: S102 - the instructor's own text, like the rubric that holds it
        implementation: Callable[..., Any] = namespace[mistake.function]
        return implementation

    def _run(self, implementation: Callable[..., Any], function: Function, case: Case) -> tuple[Array, ...]:
        # Like the student's function, it gets nothing but the arrays that the rubric lets this function see.
        arguments = self._arguments(function.seen_arrays(case), function.seen_names(case))
        result = implementation(*(arguments[argument] for argument in function.arguments))
        return tuple(_as_array(array) for array in (result if len(function.returns) > 1 else (result,)))

    def _make_arguments(self, arrays: Arrays, names: Names) -> dict[str, Any]:
        def find(name: str) -> Any:
            module, _, attribute = name.rpartition(".")
            return getattr(self._given[module], attribute)

        return make_arguments(arrays, names, find)


def _as_array(result: Any) -> Array:
    """Return a result as an array: a number has no dimensions, and bools are whole numbers."""
    array = np.asarray(result)
    return array.astype(np.int64) if array.dtype.kind in "bu" else array


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Make the modules of one folder importable by their bare names, until the context ends.

    None of these names stays in sys.modules, because the next exercise has a `rubric`, too.
    """
    module_names = {path.stem for path in folder.glob("*.py")} | {"checks"}
    shadowed = {name: sys.modules.pop(name) for name in module_names if name in sys.modules}
    # The set-up cell of a source imports from checks.py, which lies elsewhere; the reference calls none of it.
    sys.modules["checks"] = checks = ModuleType("checks")
    vars(checks).update(dict.fromkeys(("check", "slope", "hint"), lambda *args, **kwargs: None))
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in module_names:
            sys.modules.pop(name, None)
        sys.modules.update(shadowed)
