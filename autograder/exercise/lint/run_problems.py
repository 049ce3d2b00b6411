"""Problems that show when the cases are drawn and the model answers run: once for each case, as a check would."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.exercise.lint.whereabouts import Whereabouts
from autograder.exercise.model import Array, Case, CaseStack, Check, Exercise, Function
from autograder.exercise.places import raised_at
from autograder.exercise.problems import Problem

CENTRAL_STEP, CENTRAL_TOLERANCE = 1e-5, 1e-4
EQUAL = 1e-8  # the relative error within which two answers are the same

Problems = Iterator[Problem]


def run_problems(exercise: Exercise) -> list[Problem]:
    """Return what is wrong with cases, model answers, objective and mistakes, in a rubric that is sound as text."""
    with np.errstate(all="ignore"):
        return list(_Runs(exercise).problems())


class _Runs:
    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.where = Whereabouts(exercise)
        self.functions = {function.name: function for function in exercise.functions}

    def problems(self) -> Problems:
        drawn: list[tuple[Check, Case]] = []
        undrawn: dict[tuple[str, int], Problem] = {}  # what is wrong with every case is said once
        for check in self.exercise.checks:
            for case_id in check.cases:
                case = self._draw(check, case_id, seed=0)
                if isinstance(case, Case):
                    drawn.append((check, case))
                else:
                    undrawn.setdefault((case.code, case.line), case)
        yield from undrawn.values()
        if len(drawn) < sum(len(check.cases) for check in self.exercise.checks):
            return
        found = [*self._of_drawing(drawn), *self._of_arguments(drawn)]
        yield from found
        if not found:
            found = [*self._of_answers(drawn)]
            yield from found
        if not found:
            yield from self._of_given_answers(drawn)
            yield from self._of_slopes(drawn)
            yield from self._of_decompose()
            yield from self._of_draw_batch(drawn)
            yield from self._of_mistakes()

    # --- cases

    def _draw(self, check: Check, case_id: str, seed: int) -> Case | Problem:
        try:
            case: Any = self.exercise.draw(case_id, np.random.default_rng(seed))
        except Exception as error:  # noqa: BLE001 - an author's function may raise anything
            return self.where.of_check("draw_raised", check, case=case_id, **_told(error))
        if not isinstance(case, Case):
            return self.where.of_name("draw_not_case", "draw", case=case_id, kind=type(case).__name__)
        if case.id != case_id:
            return self.where.of_name("draw_id", "draw", case=case_id, other=case.id)
        arrays: Mapping[str, Any] = case.arrays  # whatever an author wrote
        names: Mapping[str, Any] = case.names
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray) or array.dtype != np.float64:
                kind = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
                return self.where.of_name("draw_array", "draw", case=case_id, array=name, kind=kind)
            if not np.isfinite(array).all():
                return self.where.of_name("draw_not_finite", "draw", case=case_id, array=name)
        for name, word in names.items():
            if not isinstance(word, str):
                return self.where.of_name("draw_name", "draw", case=case_id, word=name, kind=type(word).__name__)
        return case

    def _of_drawing(self, drawn: Sequence[tuple[Check, Case]]) -> Problems:
        drawing = "case" if self.where.is_small else "draw"
        for check, case in {case.id: (check, case) for check, case in drawn}.values():
            again, other = (self._draw(check, case.id, seed) for seed in (0, 1))
            if isinstance(again, Case) and not _same(case, again):
                yield self.where.of_name("draw_unrepeatable", drawing, case=case.id)
                return
            if check.hidden and isinstance(other, Case) and _same(case, other):
                yield self.where.of_check("draw_constant", check, case=case.id)
                return

    def _of_arguments(self, drawn: Sequence[tuple[Check, Case]]) -> Problems:
        for function in self.exercise.functions:
            parameters = self.exercise.signatures[function.name]
            if parameters != function.arguments:
                fields = {"written": ", ".join(parameters), "listed": ", ".join(function.arguments)}
                yield self.where.of_function("arguments_differ", function.name, **fields)
            case = next(case for check, case in drawn if check.function == function.name)
            if function.wrt is not None and function.wrt not in case.arrays:
                fields = {"wrt": function.wrt, "known": ", ".join(case.arrays)}
                yield self.where.of_function("wrt_unknown", function.name, **fields)
            for array in function.arrays:
                if not any(array in case.arrays for check, case in drawn if check.function == function.name):
                    known = ", ".join(case.arrays)
                    yield self.where.of_function("array_unknown", function.name, array=array, known=known)

    # --- model answers

    def _of_answers(self, drawn: Sequence[tuple[Check, Case]]) -> Problems:
        diagnostic = [
            (function, case) for case in self.exercise.diagnostic_cases for function in self.functions.values()
        ]
        seen: set[tuple[str, str]] = set()
        for function, case in [*((self.functions[check.function], case) for check, case in drawn), *diagnostic]:
            problem = self._of_answer(function, case)
            if problem is not None and (problem.code, function.name) not in seen:
                seen.add((problem.code, function.name))
                yield problem

    def _of_answer(self, function: Function, case: Case) -> Problem | None:
        name, of_answer = function.name, self.where.of_model_answer
        before = {array: value.copy() for array, value in case.arrays.items()}
        try:
            first = self.exercise.reference(name, case)
            results = self.exercise.reference(name, case)
        except Exception as error:  # noqa: BLE001 - an author's function may raise anything
            place = raised_at(error, self.exercise.folder)
            line = place[1] if place and place[0] == f"{self.exercise.name}.py" else self.where.line_of_cell(name)
            return self.where.of_source("reference_raised", line, function=name, **_told(error), case=case.id)
        if changed := [array for array, value in case.arrays.items() if not np.array_equal(value, before[array])]:
            return of_answer("reference_changes", name, argument=changed[0])
        if len(results) != len(function.returns):
            return of_answer("reference_count", name, count=len(results), names=", ".join(function.returns))
        for result, array in zip(function.returns, results, strict=True):
            if array.dtype.kind not in "fiu":
                is_none = array.dtype == object and array.shape == () and array.item() is None
                kind = "None" if is_none else f"an array of {array.dtype}"
                return of_answer("reference_kind", name, result=result, kind=kind)
            if not np.isfinite(array).all():
                return of_answer("reference_not_finite", name, result=result, case=case.id)
        if not all(map(_is_close, results, first)):
            return of_answer("reference_unrepeatable", name)
        if problem := self._of_shapes(function, case, results):
            return problem
        for result, argument in function.initial_rows.items():
            start = results[list(function.returns).index(result)]
            if argument in case.arrays and not (start.ndim and _is_close(start[0], case.arrays[argument])):
                return self.where.of_function("initial_rows", name, result=result, argument=argument)
        return None

    def _of_given_answers(self, drawn: Sequence[tuple[Check, Case]]) -> Problems:
        """Yield a problem for the first hidden case that was handed, answers included, to a function called earlier."""
        order = [function.name for function in self.exercise.functions]
        for check, case in drawn:
            earlier = {reader.function for reader, other in drawn if other.id == case.id}
            earlier &= {*order[: order.index(check.function)]}
            expected = self.exercise.reference(check.function, case) if check.hidden and earlier else ()
            # Zeros, or the like, are equal by chance. What the function is handed itself is no secret.
            answers = [result for result in expected if result.size and np.ptp(result) > 0]
            own = self.functions[check.function].visible_arrays(case)
            for reader in sorted(earlier, key=order.index):
                seen = [a for name, a in self.functions[reader].visible_arrays(case).items() if name not in own]
                if any(_is_close(array, answer) for array in seen for answer in answers):
                    fields = {"reader": reader, "function": check.function, "case": case.id}
                    yield self.where.of_check("answers_given", check, **fields)
                    return

    def _of_shapes(self, function: Function, case: Case, results: Sequence[Array]) -> Problem | None:
        """Return the first shape that the rubric has and a result has not: letters mean one length in a case."""
        sizes = {name: value for name, value in case.parameters.items() if isinstance(value, int)}
        for (result, shape), array in zip(function.returns.items(), results, strict=True):
            axes = [axis.strip() for axis in shape[1:-1].split(",") if axis.strip()]
            wrong = len(axes) != array.ndim
            for axis, length in zip(axes, array.shape, strict=False) if not wrong else ():
                expected = _length(axis, sizes)
                if expected is None and axis.isidentifier():
                    sizes[axis] = length
                wrong = wrong or (expected is not None and expected != length)
            if wrong:
                fields = {"result": result, "shape": shape, "real": str(array.shape), "case": case.id}
                return self.where.of_function("shape_differs", function.name, **fields)
        return None

    # --- J

    def _of_slopes(self, drawn: Sequence[tuple[Check, Case]]) -> Problems:
        for function in self.exercise.functions:
            if function.wrt is None:
                continue
            cases = [case for check, case in drawn if check.function == function.name and check.kind == "slope"]
            for case in cases[:2] or [case for check, case in drawn if check.function == function.name][:1]:
                problem = self._of_slope(function, function.wrt, case, has_check=bool(cases))
                if problem is not None:
                    yield problem
                    break

    def _of_slope(self, function: Function, wrt: str, case: Case, *, has_check: bool) -> Problem | None:
        def J(array: Array) -> complex:
            return self.exercise.objective({**case.arrays, wrt: array}, case.names)

        of_objective, point = self.where.of_name, case.arrays[wrt]
        try:
            value = np.asarray(J(point))
            if value.shape != () or value.dtype.kind not in "fc" or not np.isfinite(value):
                shown = f"an array of shape {value.shape}" if value.shape else repr(value.item())
                return of_objective("objective_value", "objective", value=shown, case=case.id)
            [result, *_] = self.exercise.reference(function.name, case)
            if result.shape != point.shape:
                shapes = {"shape": point.shape, "real": result.shape}
                return self.where.of_model_answer("slope_shape", function.name, wrt=wrt, **shapes, case=case.id)
            move = np.random.default_rng(0).normal(size=point.shape)
            up, down = (np.real(J(point + sign * CENTRAL_STEP * move)) for sign in (1, -1))
            measured = float((up - down) / (2 * CENTRAL_STEP))
        except Exception as error:  # noqa: BLE001 - an author's function may raise anything
            return of_objective("objective_raised", "objective", **_told(error), case=case.id)
        scale = max(abs(measured), CENTRAL_TOLERANCE)
        derived = float(np.sum(result * move))
        if has_check and measured == 0 and up == down and abs(derived) > CENTRAL_TOLERANCE:
            return of_objective("objective_flat", "objective", wrt=wrt, case=case.id)
        if has_check and abs(derived - measured) > 100 * CENTRAL_TOLERANCE * scale:
            fields = {"wrt": wrt, "derived": derived, "measured": measured, "case": case.id}
            return self.where.of_model_answer("not_the_slope", function.name, **fields)
        return None

    def _of_decompose(self) -> Problems:
        for function in self.exercise.functions:
            for case in self.exercise.diagnostic_cases[:3]:
                expected = self.exercise.reference(function.name, case)
                try:
                    sums = self.exercise.decompose(function.name, case)
                    totals = [sum(total.parts.values()) for total in sums]
                except Exception as error:  # noqa: BLE001 - an author's function may raise anything
                    yield self.where.of_name("optional_raised", "decompose", **_told(error))
                    return
                if not all(any(_is_close(total, array) for array in expected) for total in totals):
                    yield self.where.of_name("sums", "decompose", function=function.name, case=case.id)
                    return

    def _of_draw_batch(self, drawn: Sequence[tuple[Check, Case]]) -> Problems:
        for seeds in ((0,), (0, 1)):  # a case alone, and two of a class
            if problem := self._of_stacks([(check, case.id) for check, case in drawn], seeds):
                yield problem
                return

    def _of_stacks(self, cases: Sequence[tuple[Check, str]], seeds: Sequence[int]) -> Problem | None:
        """Return what is wrong with the stacks of these cases, drawn with some seeds; None if nothing is."""
        if self.exercise.draw_batch is None:
            return None
        of_batch, requests = self.where.of_name, [(id, [*map(np.random.default_rng, seeds)]) for _, id in cases]
        try:
            stacks: list[Any] = list(self.exercise.draw_batch(requests))
        except Exception as error:  # noqa: BLE001 - an author's function may raise anything
            return of_batch("optional_raised", "draw_batch", **_told(error))
        if len(stacks) != len(cases) or not all(map(_is_stack, stacks)):
            return of_batch("batch_kind", "draw_batch")
        for (check, id), stack in zip(cases, stacks, strict=True):
            if {len(array) for array in (*stack.arrays.values(), *stack.expected)} != {len(seeds)}:
                return of_batch("batch_differs", "draw_batch", case=id)
            for row, seed in enumerate(seeds):
                case = self._draw(check, id, seed)
                if isinstance(case, Problem):
                    return case
                if seed and (problem := self._of_answer(self.functions[check.function], case)):
                    return problem  # the answers to the first cases are known to be right
                expected, results = self.exercise.reference(check.function, case), stack.expected_by_case()[row]
                alike = len(results) == len(expected) and all(map(_is_close, results, expected))
                if not alike or not _same(case, stack.case(row), EQUAL) or not _is_described(stack, case):
                    return of_batch("batch_differs", "draw_batch", case=id)
        return None

    # --- mistakes

    def _of_mistakes(self) -> Problems:
        for mistake in self.exercise.mistakes:
            cause: Exception | None = None
            for case in self.exercise.diagnostic_cases:
                try:
                    self.exercise.run_mistake(mistake, case)
                except Exception as error:  # noqa: BLE001 - a mistake may stop on some cases
                    cause = error
                else:
                    break
            else:
                if cause is not None:
                    yield self.where.of_mistake("mistake_raises", mistake, **_told(cause))


def _told(error: BaseException) -> dict[str, Any]:
    return {"error": type(error).__name__, "text": " ".join(str(error).split())}


def _same(case: Case, other: Case, tolerance: float = 0.0) -> bool:
    if case.arrays.keys() != other.arrays.keys() or case.names != other.names:
        return False
    pairs = ((array, other.arrays[name]) for name, array in case.arrays.items())
    return all(np.array_equal(a, b) or (tolerance > 0 and _is_close(a, b)) for a, b in pairs)


def _is_stack(stack: Any) -> bool:
    """Return whether an author's stack holds arrays of numbers, with an axis for the cases."""
    if not isinstance(stack, CaseStack):
        return False
    arrays, expected, names = (vars(stack)[name] for name in ("arrays", "expected", "names"))
    if not isinstance(arrays, Mapping) or not isinstance(names, Mapping) or not isinstance(expected, tuple):
        return False
    all_arrays = all(isinstance(array, np.ndarray) and array.ndim > 0 for array in (*arrays.values(), *expected))
    return bool(expected) and all_arrays and all(array.dtype.kind in "fiub" for array in (*arrays.values(), *expected))


def _is_described(stack: CaseStack, case: Case) -> bool:
    """Return whether a stack says the same of its cases as a case does."""
    said = (stack.id, stack.description, stack.parameters)
    return said == (case.id, case.description, case.parameters)


def _is_close(array: Any, other: Any) -> bool:
    a, b = np.asarray(array, dtype=np.float64), np.asarray(other, dtype=np.float64)
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0.0) <= EQUAL * max(np.abs(b).max(initial=0.0), 1e-12))


def _length(axis: str, sizes: Mapping[str, int]) -> int | None:
    """Return the length that a symbol such as "T+1" or "2H" stands for; None if it is not known."""
    match = re.fullmatch(r"(\d*)([A-Za-z_]\w*?)?(?:([+-])(\w+))?", axis)
    if match is None:
        return None
    factor, name, sign, other = match.groups()
    first = int(factor) if not name else sizes[name] * int(factor or 1) if name in sizes else None
    second = 0 if other is None else int(other) if other.isdigit() else sizes.get(other)
    if first is None or second is None:
        return None
    return first - second if sign == "-" else first + second
