"""An exercise folder -> Exercise. Only this module imports an instructor's code."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograder.exercise import source
from autograder.exercise.lint.module_problems import imported_problems, module_problems
from autograder.exercise.lint.soundness import Findings, examine
from autograder.exercise.model import Array, Arrays, Case, Exercise, Function, Mistake, Names
from autograder.exercise.places import raised_at
from autograder.exercise.problems import ExerciseError as ExerciseError
from autograder.exercise.problems import Problem
from autograder.exercise.rubric import REQUIRED_NAMES, Rubric, rubric_of_module
from autograder.exercise.small_form import writing_out
from autograder.student.arguments import arguments as make_arguments
from autograder.student.arguments import visible_paths

MAX_COMPILED = 1000  # mistakes: with pairs of them there are thousands


def load_exercise(folder: Path, *, written_questions: bool = False, findings: Findings | None = None) -> Exercise:
    """Load solutions/NAME, in the small form or in the full one; solutions/README.md says what it must hold.

    The questions that a person grades belong to it only where the course asks `written_questions`. `findings` are those
    of a copy that was examined elsewhere; without them it is examined here.

    Raises ExerciseError, with everything that its author must change.
    """
    folder = folder.resolve()
    name = folder.name
    if not folder.is_dir():
        raise ExerciseError([Problem("no_folder", "", 0, {"name": name, "folder": folder})])
    if not (folder / f"{name}.py").is_file():
        raise ExerciseError([Problem("no_file", "", 0, {"name": name, "missing": f"{name}.py", "folder": folder})])
    try:
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        if text.startswith("\ufeff"):
            raise ExerciseError([Problem("encoding", f"{name}.py", 1)])
        load = _load_small if writing_out.is_small_form(folder) else _load_full
        exercise = load(folder, text, written_questions)
    except UnicodeDecodeError:
        raise ExerciseError([Problem("encoding", f"{name}.py", 1)]) from None
    except source.SourceError as error:
        raise ExerciseError([Problem("source", f"{name}.py", error.line, {"text": error})]) from None
    found = examine(exercise) if findings is None else findings
    if found.problems:
        raise ExerciseError(found.problems)
    return replace(exercise, without_complex_step=found.without_complex_step)


def _load_full(folder: Path, text: str, written_questions: bool) -> Exercise:
    name = folder.name
    with _importable(folder):
        module = _import_module("rubric", folder)
        reference = _import_module(name, folder)
        if missing := [required for required in ("SUPPORT_MODULES", *REQUIRED_NAMES) if not hasattr(module, required)]:
            raise ExerciseError([Problem("rubric_lacks", "rubric.py", 1, {"missing": ", ".join(missing)})])
        if problems := module_problems(folder, module):
            raise ExerciseError(problems)
        given = [_import_module(Path(file).stem, folder) for file in module.SUPPORT_MODULES]
    rubric = rubric_of_module(module)
    support_modules = _read_files(folder, module.SUPPORT_MODULES)
    runner = _Implementations(reference, given)
    exercise = _exercise(folder, text, support_modules, rubric, runner, written_questions)
    return replace(exercise, notebook_modules=_read_files(folder, getattr(module, "NOTEBOOK_MODULES", ())))


def _load_small(folder: Path, text: str, written_questions: bool) -> Exercise:
    # late: 10 ms, for exercises in the small form alone
    from autograder.exercise.small_form.cases import CaseMaker
    from autograder.exercise.small_form.checking import small_form_problems
    from autograder.exercise.small_form.derivation import SmallForm

    name, cells = folder.name, source.parse_cells(text)
    with _importable(folder):
        module = _import_module(name, folder)
        released = "\n".join(cell.source for cell in cells if cell.kind in ("setup", "code", "solution"))
        own = _own_modules(folder, released)
        if problems := imported_problems(folder, own):
            raise ExerciseError(problems)
        given = [_import_module(stem, folder) for stem in own]
    given.sort(key=lambda each: not hasattr(each, "arguments"))  # the first support module is the one that has it
    if problems := small_form_problems(folder, module, cells):
        raise ExerciseError(problems)
    runner = _Implementations(module, given)
    cases = CaseMaker(module.case, module.SIZES)
    form = SmallForm(module, cells, writing_out.function_texts(cells), cases, runner.run)
    try:
        rubric = form.rubric()
    except Exception as error:  # noqa: BLE001 - an instructor's code may raise anything
        raise _cannot_run(error, folder, f"{name}.py") from None
    files = [Path(str(each.__file__)) for each in given]
    support_modules = {file.name: file.read_text(encoding="utf-8") for file in files}
    full_text = writing_out.write_out(text, cells, own)
    exercise = _exercise(folder, full_text, support_modules, rubric, runner, written_questions)
    return replace(exercise, teacher_cell="\n".join(cell.source for cell in cells if cell.kind == "teacher"))


def _exercise(
    folder: Path,
    text: str,
    support_modules: Mapping[str, str],
    rubric: Rubric,
    runner: _Implementations,
    written_questions: bool,
) -> Exercise:
    cells = source.extract_released_cells(text)
    functions = {function.name: function for function in rubric.FUNCTIONS}
    optional = ("decompose", "loss_from_outputs", "draw_batch", "objective_batch")
    return Exercise(
        name=folder.name,
        folder=folder,
        source_text=text,
        support_modules=support_modules,
        functions=tuple(rubric.FUNCTIONS),
        checks=tuple(rubric.CHECKS),
        visible_checks=tuple(rubric.VISIBLE),
        draw=rubric.draw,
        reference=lambda name, case: runner.run_reference(functions[name], case),
        objective=runner.objective(rubric.objective),
        diagnostic_cases=tuple(rubric.DIAGNOSTIC_CASES),
        confirmation_cases=tuple(map(tuple, rubric.CONFIRMATION_CASES)),
        mistakes=tuple(mistake for mistake in rubric.MISTAKES if not mistake.problem),
        mistake_problems=tuple(mistake.problem for mistake in rubric.MISTAKES if mistake.problem),
        run_mistake=lambda mistake, case: runner.run_mistake(functions[mistake.function], mistake, case),
        builds_arguments=runner.builds_arguments,
        signatures=runner.signatures(list(functions)),
        **vars(cells if written_questions else replace(cells, written={})),
        **{name: getattr(rubric, name) for name in optional if getattr(rubric, name) is not None},
    )


def _read_files(folder: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


def _own_modules(folder: Path, text: str) -> list[str]:
    """Return the modules beside a source that its released cells import, and those that these import."""
    found: list[str] = []
    pending = [text]
    while pending:
        for node in ast.walk(ast.parse(pending.pop())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
            for module in modules:
                if module not in found and (folder / f"{module}.py").is_file():
                    found.append(module)
                    pending.append((folder / f"{module}.py").read_text(encoding="utf-8"))
    return found


def _import_module(module: str, folder: Path) -> ModuleType:
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an instructor's code may raise anything
        raise _cannot_run(error, folder, f"{module}.py") from None


def _cannot_run(error: BaseException, folder: Path, file: str) -> ExerciseError:
    place = raised_at(error, folder) or (file, 1)
    text = str(getattr(error, "msg", error)).rstrip(".?") or "it says no more"
    return ExerciseError([Problem("cannot_run", *place, {"error": type(error).__name__, "text": text})])


class _Implementations:
    """Runs the reference and the known mistakes on the arrays of a case; keeps those compiled that were used last.

    `given` are the support modules: the first may make the arguments of a case, else they are flattened ones.
    """

    def __init__(self, reference: ModuleType, given: Sequence[ModuleType]) -> None:
        self._reference = reference
        self._given = {module.__name__: module for module in (reference, *given)}
        self.builds_arguments = bool(given) and hasattr(given[0], "arguments")
        self._arguments = given[0].arguments if self.builds_arguments else self._make_arguments
        self._compile = lru_cache(MAX_COMPILED)(self._compile_mistake)

    def signatures(self, functions: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Return the parameters of the model answers that there are."""
        there = {name: getattr(self._reference, name) for name in functions if hasattr(self._reference, name)}
        return {name: tuple(inspect.signature(function).parameters) for name, function in there.items()}

    def run_reference(self, function: Function, case: Case) -> tuple[Array, ...]:
        return self.run(function, getattr(self._reference, function.name), case)

    def objective(self, objective: Callable[..., Any]) -> Callable[[Arrays, Names], complex]:
        """Return an objective of (arrays, names): the rubric's own may take arguments of the functions instead."""
        wanted = tuple(inspect.signature(objective).parameters)
        if wanted == ("arrays", "names"):
            return objective

        def from_arrays(arrays: Arrays, names: Names) -> complex:
            own_names = {key: names[key] for key in visible_paths(names, wanted, ())}
            made = self._arguments({key: arrays[key] for key in visible_paths(arrays, wanted, ())}, own_names)
            return objective(*(made[name] for name in wanted))  # type: ignore[no-any-return]  # the author's function

        return from_arrays

    def run_mistake(self, function: Function, mistake: Mistake, case: Case) -> tuple[Array, ...]:
        return self.run(function, self._compile(mistake), case)

    def _compile_mistake(self, mistake: Mistake) -> Callable[..., Any]:
        namespace = dict(vars(self._reference))
        exec(mistake.source, namespace)  # noqa: S102 - the instructor's own text, like the rubric that holds it
        implementation: Callable[..., Any] = namespace[mistake.function]
        return implementation

    def run(self, function: Function, implementation: Callable[..., Any], case: Case) -> tuple[Array, ...]:
        # Like the student's function, it gets nothing but the arrays that the rubric lets this function see.
        arguments = self._arguments(function.visible_arrays(case), function.visible_names(case))
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
    vars(checks)["__getattr__"] = _stand_in
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in module_names:
            sys.modules.pop(name, None)
        sys.modules.update(shadowed)


def _stand_in(name: str) -> Callable[..., None]:
    """Return a function that does nothing, for any name that a set-up cell imports."""
    if name.startswith("__"):  # what the import system looks for
        raise AttributeError(name)
    return lambda *args, **kwargs: None
