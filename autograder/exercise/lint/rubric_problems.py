"""Problems with what an author wrote: functions, checks, public cases, mistakes, cells. Nothing is run."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

from autograder.exercise.lint.whereabouts import Whereabouts
from autograder.exercise.model import Case, Check, Exercise, Mistake, VisibleCheck
from autograder.exercise.problems import Problem

KINDS: tuple[str, ...] = get_args(get_type_hints(Check)["kind"])
ROLES: tuple[str, ...] = get_args(get_type_hints(Check)["role"])
FROM_CHECKS = ("case", "check", "expected", "hint", "progress", "slope")  # what students' set-up cells import
_SHAPE = re.compile(r"\((?:[^(),]+(?:, [^(),]+)*,?)?\)")
_AXIS = re.compile(r"\d*[A-Za-z_]\w*(?:[+-]\w+)?|\d+")
_CASE_ID = re.compile(r"\w+=[^,=]+(?:, \w+=[^,=]+)*")

Problems = Iterator[Problem]


def rubric_problems(exercise: Exercise) -> list[Problem]:
    """Return what is wrong with what an author wrote."""
    where = Whereabouts(exercise)
    return [
        *_of_functions(exercise, where),
        *_of_checks(exercise, where),
        *_of_visible_checks(exercise, where),
        *_of_public_cases(exercise, where),
        *_of_mistakes(exercise, where),
        *_of_cells(exercise, where),
    ]


def _of_functions(exercise: Exercise, where: Whereabouts) -> Problems:
    counts = Counter(function.name for function in exercise.functions)
    yield from (where.of_function("function_twice", name) for name, count in counts.items() if count > 1)
    for function in exercise.functions:
        if function.name in FROM_CHECKS:
            yield where.of_function("function_name_taken", function.name)
        if not function.returns:
            yield where.of_function("no_results", function.name)
        for result, shape in function.returns.items():
            if not shape and where.is_small:
                yield where.of_function("shape_unknown", function.name, result=result)
            elif not is_shape(shape):
                yield where.of_function("shape", function.name, result=result, shape=shape)
        for result, argument in function.initial_rows.items():
            if result not in function.returns:
                known = ", ".join(function.returns)
                yield where.of_function("initial_rows_result", function.name, result=result, known=known)
            if argument not in function.arguments:
                known = ", ".join(function.arguments)
                yield where.of_function("initial_rows_argument", function.name, argument=argument, known=known)
        if function.wrt is not None and len(function.returns) > 1:
            yield where.of_function("slope_of_several", function.name, count=len(function.returns))


def is_shape(text: str) -> bool:
    """Return whether a text is a shape in symbols, such as "(T+1, H)", "(N,)" or "()"."""
    axes = [axis.strip() for axis in text[1:-1].split(",") if axis.strip()]
    return bool(_SHAPE.fullmatch(text)) and all(_AXIS.fullmatch(axis) for axis in axes)


def _of_checks(exercise: Exercise, where: Whereabouts) -> Problems:
    known = {function.name: function for function in exercise.functions}
    ids = Counter(check.id for check in exercise.checks)
    for id, check in {check.id: check for check in exercise.checks}.items():
        if ids[id] > 1:
            yield where.of_check("check_twice", check)
    for check in exercise.checks:
        if check.function not in known:
            yield where.of_check("check_unknown", check, function=check.function, known=", ".join(known))
        if not _is_positive(check.points):
            yield where.of_check("points", check, what=f"the check {check.id}", points=repr(check.points))
        for word, value, allowed in (("kind", check.kind, KINDS), ("role", check.role, ROLES)):
            if value not in allowed:
                yield where.of_check("check_word", check, word=word, value=value, known=", ".join(allowed))
        cases: Any = check.cases  # whatever an author wrote
        if isinstance(cases, str):
            yield where.of_check("cases_word", check, cases=cases)
        elif not cases:
            yield where.of_check("cases_none", check)
        if check.kind == "slope" and check.function in known and known[check.function].wrt is None:
            yield where.of_check("slope_of_nothing", check, function=check.function)
    for name in known:
        first = next((check for check in exercise.checks if check.function == name), None)
        if first is None:
            yield where.of_function("no_checks", name)
        elif first.kind != "contract" or first.hidden:
            yield where.of_check("first_check", first, function=name)
    # A case is drawn once per id: with an id in common, the hidden check's case would come from the public seed.
    public = {case for check in exercise.checks if not check.hidden for case in check.cases}
    for check in exercise.checks:
        if check.hidden and (shared := sorted(public & set(check.cases))):
            yield where.of_check("case_shared", check, case=shared[0])


def _is_positive(points: object) -> bool:
    return isinstance(points, int | float) and not isinstance(points, bool) and 0 < points < float("inf")


def _of_visible_checks(exercise: Exercise, where: Whereabouts) -> Problems:
    known = {function.name: function for function in exercise.functions}

    def problem(code: str, check: VisibleCheck, **fields: object) -> Problem:
        return where.of_name(code, "VISIBLE", check.title, title=check.title, function=check.function, **fields)

    seen: set[tuple[str, str]] = set()
    for check in exercise.visible_checks:
        if check.function not in known:
            yield problem("visible_unknown", check, known=", ".join(known))
        elif check.kind == "slope" and known[check.function].wrt is None:
            yield problem("visible_slope_of_nothing", check)
        if check.kind not in KINDS:
            yield problem("visible_word", check, value=check.kind, known=", ".join(KINDS))
        if (check.function, check.title) in seen:
            yield problem("visible_twice", check)
        seen.add((check.function, check.title))
        cases: Any = check.cases  # whatever an author wrote
        if not cases or not all(isinstance(case, Case) for case in cases):
            yield problem("visible_cases", check)
    for name in known.keys() - {check.function for check in exercise.visible_checks}:
        yield where.of_function("no_visible_checks", name)


def _of_public_cases(exercise: Exercise, where: Whereabouts) -> Problems:
    by_id: dict[str, Case] = {}
    shown: Iterator[Any] = (case for check in exercise.visible_checks for case in check.cases)
    for case in (*exercise.diagnostic_cases, *(case for case in shown if isinstance(case, Case))):
        if by_id.setdefault(case.id, case) is not case:
            yield where.of_name("public_case_twice", "DIAGNOSTIC_CASES", case.id, id=case.id)
    for case in exercise.diagnostic_cases:
        if not _CASE_ID.fullmatch(case.id):
            yield where.of_name("case_id", "DIAGNOSTIC_CASES", case.id, id=case.id)
    ids = [case.id for case in exercise.diagnostic_cases]
    for number, cases in enumerate(exercise.confirmation_cases, start=1):
        if [case.id for case in cases] != ids:
            yield where.of_name("confirmations", "CONFIRMATION_CASES", number=number)
        elif [dict(case.parameters) for case in cases] != [dict(case.parameters) for case in exercise.diagnostic_cases]:
            yield where.of_name("confirmation_parameters", "CONFIRMATION_CASES", number=number)


def _of_mistakes(exercise: Exercise, where: Whereabouts) -> Problems:
    known = [function.name for function in exercise.functions]
    counts = Counter((mistake.name, mistake.function) for mistake in exercise.mistakes)
    for mistake in {(mistake.name, mistake.function): mistake for mistake in exercise.mistakes}.values():
        if counts[mistake.name, mistake.function] > 1:
            yield where.of_mistake("mistake_twice", mistake)
    for mistake in exercise.mistakes:
        if mistake.function not in known:
            yield where.of_mistake("mistake_function", mistake, known=", ".join(known))
            continue
        if not mistake.hint.strip():
            yield where.of_mistake("mistake_hint", mistake)
        yield from _of_mistaken_source(mistake, where)


def _of_mistaken_source(mistake: Mistake, where: Whereabouts) -> Problems:
    try:
        body = ast.parse(mistake.source).body
    except SyntaxError as error:
        yield where.of_mistake("mistake_syntax", mistake, text=error.msg, of_source=error.lineno)
        return
    if mistake.function not in [node.name for node in body if isinstance(node, ast.FunctionDef)]:
        yield where.of_mistake("mistake_without_function", mistake)


def _of_cells(exercise: Exercise, where: Whereabouts) -> Problems:
    known = [function.name for function in exercise.functions]
    for kind in ("solution", "check", "hints"):
        cells = [cell for cell in where.cells if cell.kind == kind]
        for cell in cells:
            if cell.name not in known:
                fields = {"kind": kind, "function": cell.name, "known": ", ".join(known)}
                yield where.of_source("cell_unknown", cell.line, **fields)
        for name, count in Counter(cell.name for cell in cells).items():
            if count > 1:
                line = [cell.line for cell in cells if cell.name == name][1]
                yield where.of_source("cell_twice", line, kind=kind, function=name)
        if kind != "hints" and not (kind == "check" and where.is_small):
            for name in known:
                if name not in [cell.name for cell in cells]:
                    yield where.of_source("cell_missing", 1, kind=kind, function=name)
    if (count := sum(cell.kind == "setup" for cell in where.cells)) != 1:
        yield where.of_source("setup", 1, count=count)
    yield from _of_names({"set_up", *known, *(f"check_{name}" for name in known)}, where)


def _of_names(used: set[str], where: Whereabouts) -> Problems:
    for cell in where.cells:
        if cell.kind == "manual" and cell.name in used:
            yield where.of_source("cell_name_taken", cell.line, question=cell.name)
        if cell.kind == "manual":
            used.add(cell.name)
        if cell.kind == "solution" and cell.options and not where.is_small:
            fields = {"function": cell.name, "option": next(iter(cell.options))}
            yield where.of_source("options_in_full_form", cell.line, **fields)
