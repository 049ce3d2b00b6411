"""What may be wrong with a source in the small form: everything that its derivation relies on, all at once."""

from __future__ import annotations

import ast
import inspect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograder.exercise.places import Places, raised_at
from autograder.exercise.problems import Problem
from autograder.exercise.small_form.derivation import OVERRIDES, returned_names, returns_option
from autograder.exercise.small_form.writing_out import function_texts
from autograder.exercise.source import ExerciseCell
from autograder.exercise.teacher import TeacherCheck, TeacherMistake
from autograder.student.arguments import flatten

HEADER_OPTIONS = ("slope_of", "points", "returns", "starts", "read")
_WHAT = {
    "case": "a function that makes the arguments of all functions: case(rng, N, D) returns a dict",
    "SIZES": "the sizes that are tried: [dict(N=1, D=1), dict(N=3, D=2)]",
    "objective": "J as a function of what case returns, which slope_of needs",
}
_TEACHER_NAMES = ("case", "objective", "SIZES", "MISTAKES", "CHECKS", *OVERRIDES)
_MOST_NUMBERS = 20_000  # of a case: students' files hold all of them, three times
_NO_FLOATS = {
    "array": "an array of whole numbers",
    "int": "a whole number",
    "bool": "True or False",
    "str": "a word",
    "none": "None",
}


def small_form_problems(folder: Path, module: ModuleType, cells: Sequence[ExerciseCell]) -> list[Problem]:
    """Return what an author must change before a rubric can be derived; none if it can be."""
    form = _Form(folder, module, cells)
    for step in (form.of_cells, form.of_headers, form.of_names, form.of_sizes):
        if problems := list(step()):
            return problems
    with np.errstate(all="ignore"):  # what comes of it is a problem, and said
        drawn = form.draw_all()
        results = [*form.of_arguments(drawn), *form.of_results(drawn)] if drawn else []
    return [*form.problems_of_drawing, *results, *form.of_mistakes(), *form.of_checks()]


class _Form:
    """A source in the small form, and where its parts stand."""

    def __init__(self, folder: Path, module: ModuleType, cells: Sequence[ExerciseCell]) -> None:
        self.folder, self.module, self.cells = folder, module, cells
        self.file = f"{folder.name}.py"
        self.places = Places(folder / self.file)
        self.solutions = [cell for cell in cells if cell.kind == "solution"]
        self.problems_of_drawing: list[Problem] = []

    def problem(self, code: str, line: int, **fields: object) -> Problem:
        return Problem(code, self.file, line, fields)

    def of_cells(self) -> Iterator[Problem]:
        teachers = [cell for cell in self.cells if cell.kind == "teacher"]
        if not teachers:
            yield self.problem("no_rubric", 1)
        for second in teachers[1:]:
            yield self.problem("two_teachers", second.line)
        if (count := sum(cell.kind == "setup" for cell in self.cells)) != 1:
            yield self.problem("setup", 1, count=count)
        if not self.solutions:
            yield self.problem("no_solution", 1)
        counts = Counter((cell.kind, cell.name) for cell in self.cells if cell.kind in ("solution", "check", "hints"))
        for (kind, name), count in counts.items():
            if count > 1:
                line = [cell.line for cell in self.cells if (cell.kind, cell.name) == (kind, name)][1]
                yield self.problem("cell_twice", line, kind=kind, function=name)
        for cell in self.solutions:
            if not inspect.isfunction(getattr(self.module, cell.name, None)):
                yield self.problem("not_function", cell.line, function=cell.name)

    def of_headers(self) -> Iterator[Problem]:
        for cell in self.solutions:
            for option in cell.options.keys() - set(HEADER_OPTIONS):
                known = ", ".join(HEADER_OPTIONS)
                yield self.problem("unknown_option", cell.line, function=cell.name, option=option, known=known)
            points = cell.options.get("points", "1")
            if not _is_positive(points):
                yield self.problem("points", cell.line, what=cell.name, points=points)

    def of_names(self) -> Iterator[Problem]:
        needed = [
            "case",
            "SIZES",
            *(["objective"] if any("slope_of" in cell.options for cell in self.solutions) else []),
        ]
        teacher = next(cell for cell in self.cells if cell.kind == "teacher")
        misspelt = self._misspelt(teacher)
        for name, meant in misspelt.items():
            yield self.problem("teacher_name_unknown", self.places.of_name(name), name=name, known=meant)
        for name in [name for name in needed if name not in misspelt.values()]:
            if not hasattr(self.module, name):
                yield self.problem("teacher_name", teacher.line, missing=name, what=_WHAT[name])
            elif name == "case" and not _takes_rng(self.module.case):
                yield self.problem("case_not_callable", self.places.of_name(name))
            elif name == "objective" and not inspect.isfunction(self.module.objective):
                yield self.problem("not_function", self.places.of_name(name), function=name)
        yield from self._of_names_of_the_teacher(teacher)

    def _misspelt(self, teacher: ExerciseCell) -> dict[str, str]:
        """Return names of the teacher cell that are almost names that it has not, and those."""
        there = _defined(teacher.source)
        missing = [name for name in _TEACHER_NAMES if name not in there]
        meant = {name: get_close_matches(name, missing, 1, cutoff=0.85) for name in sorted(there - set(_TEACHER_NAMES))}
        return {name: names[0] for name, names in meant.items() if names}

    def _of_names_of_the_teacher(self, teacher: ExerciseCell) -> Iterator[Problem]:
        """Yield what model answers use of a cell that students never get."""
        others = set().union(
            *(_defined(cell.source) for cell in self.cells if cell.kind in ("setup", "code", "solution"))
        )
        hidden = _defined(teacher.source) - others
        for cell in self.solutions:
            nodes = list(ast.walk(ast.parse(cell.source)))
            read = {
                node.id: node.lineno for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
            }
            own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
            own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
            for name in sorted(hidden & read.keys() - own):
                line = self._line_of_code(cell) + read[name]
                yield self.problem("teacher_only", line, function=cell.name, name=name)

    def _line_of_code(self, cell: ExerciseCell) -> int:
        """Return the line above the first one of a cell's source, which begins without blank lines."""
        lines = self.places.lines
        return next(number for number in range(cell.line, len(lines)) if lines[number].strip())

    def of_sizes(self) -> Iterator[Problem]:
        asked = self.module.SIZES
        if not isinstance(asked, list | tuple):
            yield self.problem("sizes_list", self.places.of_name("SIZES"))
            return
        parameters = inspect.signature(self.module.case).parameters.values()
        defaults = {each.name: each.default for each in parameters if each.default is not each.empty}
        yield from self._of_values(defaults, self.places.of_name("case"), "the parameters of case")
        if len(asked) < 2:
            yield self.problem("sizes_few", self.places.of_name("SIZES"))
        for index, sizes in enumerate(asked):
            line = self.places.of_item("SIZES", index)
            yield from self._of_one_size(sizes, line, "SIZES")
            if sizes in asked[:index]:
                yield self.problem("sizes_twice", line, sizes=_in_words(sizes))
        yield from self._of_equal_sizes([sizes for sizes in asked if isinstance(sizes, Mapping)])

    def _of_equal_sizes(self, asked: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
        names = [name for name in asked[0] if all(type(sizes.get(name)) is int for sizes in asked)] if asked else []
        for first, second in combinations(names, 2):
            if len(asked) > 1 and all(sizes[first] == sizes[second] for sizes in asked):
                line = self.places.of_name("SIZES")
                yield self.problem("sizes_look_alike", line, first=first, second=second)

    def _of_one_size(self, sizes: Any, line: int, what: str) -> Iterator[Problem]:
        if not isinstance(sizes, Mapping):
            yield self.problem("sizes_item", line, item=repr(sizes), what=what)
            return
        parameters = dict(list(inspect.signature(self.module.case).parameters.items())[1:])
        required = {name for name, each in parameters.items() if each.default is each.empty}
        if not required <= sizes.keys() <= parameters.keys():
            known = ", ".join(parameters) or "none"
            yield self.problem("sizes_names", line, sizes=_in_words(sizes) or "none", known=known, what=what)
        yield from self._of_values(sizes, line, what)

    def _of_values(self, sizes: Mapping[str, Any], line: int, what: str) -> Iterator[Problem]:
        for name, value in sizes.items():
            if not isinstance(value, bool | int | str | float):
                yield self.problem("sizes_value", line, name=name, value=repr(value), what=what)

    def draw_all(self) -> list[Mapping[str, Any]]:
        """Return what `case` returns at each of the sizes; what goes wrong is kept as problems."""
        drawn = []
        for index, sizes in enumerate(self.module.SIZES):
            line, text = self.places.of_item("SIZES", index), _in_words(sizes)
            try:
                values = self.module.case(np.random.default_rng(0), **sizes)
            except Exception as error:  # noqa: BLE001 - an author's function may raise anything
                place = (raised_at(error, self.folder) or (self.file, line))[1]
                fields = {"sizes": text, "error": type(error).__name__, "text": error}
                self.problems_of_drawing.append(self.problem("case_raised", place, **fields))
                continue
            here = self.places.of_name("case")
            if not isinstance(values, Mapping):
                self.problems_of_drawing.append(
                    self.problem("case_not_dict", here, sizes=text, kind=type(values).__name__)
                )
                continue
            try:
                arrays, _ = flatten(values)
            except ValueError as error:
                self.problems_of_drawing.append(self.problem("case_value", here, why=error))
                continue
            if off := [name for name, array in arrays.items() if not np.isfinite(array).all()]:
                self.problems_of_drawing.append(self.problem("case_not_finite", here, name=off[0], sizes=text))
                continue
            if (count := sum(array.size for array in arrays.values())) > _MOST_NUMBERS:
                fields = {"sizes": text, "count": count, "most": _MOST_NUMBERS}
                self.problems_of_drawing.append(self.problem("case_large", line, **fields))
                continue
            drawn.append(values)
        # What is wrong with every case is said once.
        first = {(problem.code, problem.line): problem for problem in reversed(self.problems_of_drawing)}
        self.problems_of_drawing = list(reversed(first.values()))
        return drawn if len(drawn) == len(self.module.SIZES) else []

    def of_arguments(self, drawn: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
        known = list(drawn[0])
        there = ", ".join(known)
        arrays, words = flatten(drawn[0])
        for cell in self.solutions:
            for parameter in inspect.signature(getattr(self.module, cell.name)).parameters.values():
                if parameter.kind is parameter.KEYWORD_ONLY:
                    yield self.problem("argument_by_name", cell.line, function=cell.name, argument=parameter.name)
                elif parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.POSITIONAL_ONLY):
                    yield self.problem("arguments_fixed", cell.line, function=cell.name, argument=parameter.name)
                elif parameter.name not in known:
                    fields = {"function": cell.name, "argument": parameter.name, "known": there}
                    yield self.problem("case_lacks", cell.line, **fields)
            wrt = cell.options.get("slope_of")
            if kind := _NO_FLOATS.get(words.get(wrt or "", "").partition(" ")[0]):
                yield self.problem("slope_kind", cell.line, function=cell.name, wrt=wrt, kind=kind)
            elif wrt is not None and wrt not in arrays:
                yield self.problem("slope_unknown", cell.line, function=cell.name, wrt=wrt, known=", ".join(arrays))
        if any("slope_of" in cell.options for cell in self.solutions):
            line = self.places.of_name("objective")
            for parameter in inspect.signature(self.module.objective).parameters.values():
                if parameter.name not in known and parameter.default is parameter.empty:
                    yield self.problem("objective_argument", line, argument=parameter.name, known=there)

    def of_results(self, drawn: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
        texts = function_texts(self.cells)
        for cell in self.solutions:
            function = getattr(self.module, cell.name)
            parameters = inspect.signature(function).parameters
            arguments = list(parameters)
            if not all(each.name in drawn[0] and each.kind is not each.KEYWORD_ONLY for each in parameters.values()):
                continue
            try:
                for values in reversed(drawn):
                    result = function(*(deepcopy(values[argument]) for argument in arguments))
            except Exception as error:  # noqa: BLE001 - an author's function may raise anything
                place = (raised_at(error, self.folder) or (self.file, cell.line))[1]
                fields = {"function": cell.name, "error": type(error).__name__, "text": error}
                yield self.problem("reference_raised", place, **fields)
                continue
            yield from self._of_one_result(cell, result, texts[cell.name], arguments)

    def _of_one_result(self, cell: ExerciseCell, result: Any, text: str, arguments: Sequence[str]) -> Iterator[Problem]:
        name, line = cell.name, cell.line
        if result is None:
            yield self.problem("reference_none", line, function=name)
            return
        parts = result if isinstance(result, tuple) else (result,)
        for part in parts:
            if why := _unusable(part) or ("it is a word" if isinstance(part, str) else ""):
                yield self.problem("result_value", line, function=name, value=_kind(part), why=why)
        asked, _ = returns_option(cell)
        names = asked or returned_names(text) or (name,)
        if len(parts) != len(names):
            if asked:
                fields: dict[str, object] = {"function": name, "names": ", ".join(names), "count": len(parts)}
                yield self.problem("results_count", line, **fields)
            else:
                example = ", ".join("abcdefgh"[: len(parts)])
                yield self.problem("results_unnamed", line, function=name, count=len(parts), example=example)
        if starts := cell.options.get("starts"):
            first, _, argument = (part.strip() for part in starts.partition("="))
            if first not in names or argument not in arguments:
                yield self.problem("starts", line, function=name, starts=starts)

    def of_mistakes(self) -> Iterator[Problem]:
        mistakes = getattr(self.module, "MISTAKES", [])
        if not _is_list_of(mistakes, TeacherMistake):
            yield self.problem("mistakes_list", self.places.of_name("MISTAKES"))
            return
        texts, known = function_texts(self.cells), ", ".join(cell.name for cell in self.solutions)
        for mistake in mistakes:
            fields = {"name": mistake.name, "function": mistake.function}
            no_text = [name for name, value in vars(mistake).items() if name != "line" and not isinstance(value, str)]
            if no_text:
                value = repr(getattr(mistake, no_text[0]))
                yield self.problem("mistake_text", mistake.line, **fields, what=no_text[0], value=value)
            elif mistake.function not in texts:
                yield self.problem("mistake_function", mistake.line, **fields, known=known)
            elif mistake.source and mistake.replace:
                yield self.problem("mistake_both", mistake.line, **fields)
            elif not mistake.source and mistake.replace == mistake.by:
                yield self.problem("mistake_empty", mistake.line, **fields)

    def of_checks(self) -> Iterator[Problem]:
        checks = getattr(self.module, "CHECKS", [])
        if not _is_list_of(checks, TeacherCheck):
            yield self.problem("checks_list", self.places.of_name("CHECKS"))
            return
        known = [cell.name for cell in self.solutions]
        for check in checks:
            if check.function not in known:
                fields = {"title": check.title, "function": check.function, "known": ", ".join(known)}
                yield self.problem("check_function", check.line, **fields)
            if not _is_positive(check.points):
                yield self.problem("points", check.line, what=repr(check.title), points=check.points)
            if not check.sizes:
                yield self.problem("check_sizes", check.line, title=check.title)
            for sizes in check.sizes:
                yield from self._of_one_size(sizes, check.line, "CHECKS")


def _takes_rng(case: object) -> bool:
    return inspect.isfunction(case) and next(iter(inspect.signature(case).parameters), "") == "rng"


def _defined(source: str) -> set[str]:
    """Return the names that code defines at its top level, those that it imports left out."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            names |= {
                each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            }
    return names


def _in_words(sizes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sizes.items())


def _is_positive(points: object) -> bool:
    try:
        return 0 < float(points) < float("inf")  # type: ignore[arg-type]  # whatever an author wrote
    except (TypeError, ValueError):
        return False


def _is_list_of(items: object, kind: type) -> bool:
    return isinstance(items, list | tuple) and all(isinstance(item, kind) for item in items)


def _kind(value: object) -> str:
    return "an array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


def _unusable(value: object) -> str:
    """Return why a value is nothing that crosses to a student's function or back; empty if it is."""
    if isinstance(value, str):
        return ""
    try:
        array = np.asarray(value)
    except ValueError:
        return "its rows have different lengths"
    if array.dtype.kind == "c":
        return "its numbers are complex"
    if array.dtype.kind not in "fiub":
        return "it is neither a number nor an array of numbers"
    return "" if np.isfinite(array).all() else "it holds infinities or NaN"
