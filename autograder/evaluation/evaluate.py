"""Evaluate the checks of a function: results of its calls -> findings, points and remarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from autograder.course import Limits
from autograder.evaluation.comparison import LOW_PRECISION_TOLERANCE, Comparison, compare, largest, relative_errors
from autograder.evaluation.findings import CONTRACT_BROKEN, Finding, Remark
from autograder.evaluation.name_origins import find_origin
from autograder.evaluation.planned_cases import CallResult
from autograder.evaluation.report import CheckStatus, Code
from autograder.exercise.model import Array, Check, Exercise, Function
from autograder.exercise.numerical_gradient import slope_tolerance
from autograder.exercise.source import stub_text
from autograder.sandbox.host.program import (
    CellProblem,
    FunctionMissing,
    FunctionRaised,
    InvalidResult,
    ProcessEnded,
    Returned,
)
from autograder.student import rules
from autograder.student.arguments import outermost
from autograder.submission.stub_lines import OwnCode

Expectation = Callable[[CallResult], tuple[Array, ...]]
"""Returns what the arrays of a call are compared with: those of the reference, or the numerical gradient."""


@dataclass(frozen=True)
class CheckVerdict:
    """A check of the rubric and its finding."""

    check: Check
    finding: Finding

    @property
    def points(self) -> float:
        """All points of the check if it passed, else 0."""
        return self.check.max_points if self.finding.status == "pass" else 0.0


@dataclass(frozen=True)
class FunctionVerdict:
    """The verdicts on the checks of a function, and remarks that cost no points.

    `wrong_numbers` maps the id of each check with wrong numbers to its finding. It is empty if equal calls gave unequal
    results, because another run would then give other numbers.
    """

    checks: tuple[CheckVerdict, ...]
    remarks: tuple[Remark, ...] = ()
    wrong_numbers: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def timed_out(self) -> bool:
        """Return whether a call ran out of time: calling the function again would take as long."""
        return any(verdict.finding.status == "timeout" for verdict in self.checks)


def evaluate_function(
    exercise: Exercise,
    function: Function,
    results: Mapping[str, CallResult],
    problems: tuple[CellProblem, ...],
    limits: Limits,
    own_code: OwnCode | None = None,
) -> FunctionVerdict:
    """Evaluate every check of a function. `results` are those of `CallPlan.results`, `problems` the cells that stopped.

    `own_code` says where code of the student's own stands if the line of the stub was left beside it.

    Each case gets a finding (`CheckEvaluator`); the findings of a check are combined into its first failure. Only then
    do two rules withhold points: a kept contract needs a right value, and a condition gates the whole function.
    """
    checks = exercise.checks_of(function.name)
    first = results[checks[0].cases[0]].outcome
    if isinstance(first, FunctionRaised) and _is_own_stub(first, exercise, function):
        finding = _stub_finding(first, function, own_code)
        return FunctionVerdict(tuple(CheckVerdict(check, finding) for check in checks))
    evaluator = CheckEvaluator(exercise, function, results, problems, limits)
    by_check = [evaluator.evaluate(check) for check in checks]
    verdicts = [
        CheckVerdict(check, _combine(check, findings)) for check, findings in zip(checks, by_check, strict=True)
    ]
    verdicts = _apply_gates(_contract_needs_value(verdicts))
    findings = [finding for findings in by_check for finding in findings]
    wrong = {verdict.check.id: verdict.finding for verdict in verdicts if verdict.finding.has_wrong_numbers}
    remarks = (*evaluator.student_remarks(verdicts, findings), *evaluator.instructor_remarks(verdicts))
    has_side_effects = any(finding.cause == CONTRACT_BROKEN for finding in findings)
    return FunctionVerdict(tuple(verdicts), remarks, {} if has_side_effects else wrong)


def _is_own_stub(outcome: FunctionRaised, exercise: Exercise, function: Function) -> bool:
    """Return whether a function stopped at the line of its own stub, not at that of another stub that it calls."""
    if outcome.error != "NotImplementedError":
        return False
    return outcome.text not in {stub_text(other.name) for other in exercise.functions if other != function}


def _stub_finding(outcome: FunctionRaised, function: Function, own_code: OwnCode | None) -> Finding:
    if own_code is None:
        return Finding("not_attempted", "not_attempted", {"function": function.name})
    fields = {"function": function.name, "own_code": own_code, "cell": outcome.cell, "line": outcome.line}
    return Finding("error", "stub_line_left", fields)


@dataclass(frozen=True)
class CheckEvaluator:
    """Evaluates the checks of a function on the results of its calls."""

    exercise: Exercise
    function: Function
    results: Mapping[str, CallResult]
    problems: tuple[CellProblem, ...]
    limits: Limits

    def evaluate(self, check: Check) -> list[Finding]:
        """Return a finding for each case of a check, or for each repeated call if it is a contract."""
        if check.kind == "contract":
            return self._contract(check)
        if check.kind == "slope":
            if self._equal_slopes(check):
                return [Finding("pass")]
            return [self._numbers(check, case, _numerical_gradient) for case in check.cases]
        if all(map(self._matches, check.cases)):  # most checks, so one finding stands for all their cases
            return [Finding("pass", error=max(self._errors[case] for case in check.cases))]
        return [self._numbers(check, case, _reference) for case in check.cases]

    @cached_property
    def _errors(self) -> Mapping[str, float]:
        """The largest error of each call whose arrays can be compared with the reference's, by the name of the call."""
        returned = {
            name: result.outcome.arrays
            for name, result in self.results.items()
            if isinstance(result.outcome, Returned) and self._have_right_shapes(result, result.outcome)
        }
        arrays = [array for values in returned.values() for array in values]
        errors = iter(relative_errors(arrays, [array for name in returned for array in self.results[name].expected]))
        worst = {name: largest(islice(errors, len(values))) for name, values in returned.items()}
        # A finite error says that all numbers are finite. Another has a reason, mostly a number that is not.
        return {
            name: error
            for name, error in worst.items()
            if error < np.inf or self._problem(self.results[name], quoting=False) is None
        }

    def _equal_slopes(self, check: Check) -> bool:
        """Return whether the results on all cases of a check are the numerical gradients, as exactly as these are."""
        if not all(case in self._errors for case in check.cases):
            return False
        results = [self.results[case] for case in check.cases]
        pairs = [(_arrays(result)[0], _numerical_gradient(result)[0]) for result in results]
        return largest(relative_errors(*zip(*pairs, strict=True))) <= slope_tolerance(self.exercise, self.function)

    def student_remarks(self, verdicts: Sequence[CheckVerdict], findings: Sequence[Finding]) -> Iterator[Remark]:
        """Yield remarks to the student: checks without points that did not pass, and low precision."""
        for verdict in verdicts:
            if verdict.check.role == "note" and verdict.finding.status != "pass":
                yield Remark("student", "unscored_check", {"title": verdict.check.title, "finding": verdict.finding})
        errors = [finding.error for finding in findings if finding.status == "pass" and finding.error is not None]
        outcomes = (result.outcome for result in self.results.values())
        dtypes = {dtype for outcome in outcomes if isinstance(outcome, Returned) for dtype in outcome.dtypes}
        low = tuple(sorted({"float16", "float32"} & dtypes))
        # If any value is wrong, another that is right in low precision is so by luck: the remark would mislead.
        wrong = any(finding.error is not None and finding.status != "pass" for finding in findings)
        if errors and not wrong and (low or Comparison(max(errors), ()).verdict == "coarse"):
            fields = {"function": self.function.name, "error": max(errors), "dtypes": low}
            yield Remark("student", "low_precision", fields)

    def instructor_remarks(self, verdicts: Sequence[CheckVerdict]) -> Iterator[Remark]:
        """Yield a remark to the instructor if a gradient does not follow what is handed in: what it does instead."""
        name, checks = self.function.name, self.exercise.checks_of(self.function.name)
        # All of it shows in the shuffled case: a derived gradient follows its formula for any results of other
        # functions, but one that calls `forward` itself does not notice that they were reversed.
        if not self._matches(checks[0].cases[0]) or self._matches("shuffled") is not False:
            return
        # Given custom derivatives, the reference is no gradient of J: work that returns the gradient of J there has
        # measured it, or has derivatives of its own: written out by hand, or taken by complex steps, as exact as those.
        wrong = [verdict.check for verdict in verdicts if verdict.finding.has_wrong_numbers]
        off = [self.results[case] for check in wrong for case in check.cases if self._matches(case) is False]
        by_complex_steps = self.function.wrt and name not in self.exercise.without_complex_step
        own = [result for result in off if by_complex_steps and _error_of_slope(result) <= LOW_PRECISION_TOLERANCE]
        if own and all(map(_is_difference_quotient, own)):
            yield Remark("instructor", "uses_numerical_gradient", {"function": name})
        elif own and all(map(_is_exact_gradient, own)):
            functions = tuple(dict.fromkeys(", ".join(result.case.names.values()) for result in own))
            yield Remark("instructor", "own_derivatives", {"function": name, "functions": functions})
        elif all(verdict.finding.status == "pass" for verdict in verdicts):  # a failing check says as much
            yield Remark("instructor", "ignores_arguments", {"function": name})

    def _numbers(self, check: Check, call: str, expected: Expectation) -> Finding:
        if expected is _reference and self._matches(call):
            return Finding("pass", error=self._errors[call])
        result, usable = self.results[call], self._usable(check, call)
        if isinstance(usable, Finding):
            return usable
        comparisons = [compare(value, right) for value, right in zip(usable, expected(result), strict=True)]
        name, worst = max(zip(self.function.returns, comparisons, strict=True), key=lambda pair: pair[1].error)
        if check.kind == "slope" and worst.error <= slope_tolerance(self.exercise, self.function):
            return Finding("pass")  # to the last digit that can be measured
        if worst.verdict != "wrong":
            return Finding("pass", error=worst.error)
        code: Code = "wrong_gradient" if check.kind == "slope" else "wrong_value"
        fields = {"result": name, "error": worst.error, "where": worst.where, "case": result.case.description}
        return Finding("fail", code, fields, worst.error)

    def _matches(self, call: str) -> bool | None:
        """Return whether a call returned the reference's numbers; None if it returned none."""
        return self._errors[call] <= LOW_PRECISION_TOLERANCE if call in self._errors else None

    def _contract(self, check: Check) -> list[Finding]:
        first, usable = self.results[check.cases[0]], self._usable(check, check.cases[0])
        if isinstance(usable, Finding):
            return [usable]
        assert isinstance(first.outcome, Returned)
        before = first.case.arrays
        after = first.outcome.changed
        changed = outermost(
            [name for name in after if name not in before or not np.array_equal(after[name], before[name])]
        )
        # The most telling problem alone: changed arguments make the later calls differ as well.
        if changed:
            fields = {"function": self.function.name, "arguments": changed}
            return [Finding("fail", "arguments_changed", fields, cause=CONTRACT_BROKEN)]
        results = dict(zip(self.function.returns, usable, strict=True))
        for result, argument in self.function.initial_rows.items():
            if not rules.begins_with(results[result], before[argument]):
                return [Finding("fail", "wrong_first_row", {"result": result, "argument": argument})]
        return [self._repeated(check, usable, call) for call in ("repeat_same_args", "repeat_fresh_args", "recheck")]

    def _repeated(self, check: Check, before: Sequence[Array], call: str) -> Finding:
        after = self._usable(check, call)
        if isinstance(after, Finding):
            return after
        same_bytes = (a.tobytes() == b.tobytes() for a, b in zip(after, before, strict=True))  # usual, and quick to see
        if all(same_bytes) or rules.are_equal(after, before):
            return Finding("pass")
        return Finding("fail", "not_repeatable", {"function": self.function.name, "call": call}, cause=CONTRACT_BROKEN)

    def _usable(self, check: Check, call: str) -> Finding | tuple[Array, ...]:
        """Return the arrays of a call if they are finite floats of the right shapes, else a finding with the reason."""
        result = self.results[call]
        problem = None if call in self._errors else self._problem(result, quoting=not check.hidden)
        if problem is None:
            return _arrays(result)
        # If the public case has the same problem, its finding is used instead: that may quote the student's own text.
        for public in (c for c in self.exercise.checks_of(self.function.name) if check.hidden and not c.hidden):
            public_problem = self._problem(self.results[public.cases[0]], quoting=True)
            if public_problem is not None and public_problem.cause == problem.cause:
                return public_problem
        return problem

    def _problem(self, result: CallResult, quoting: bool) -> Finding | None:
        """Return why a call gave no comparable arrays, None if it did; the student's own text only if `quoting`."""
        outcome, fields = result.outcome, dict[str, Any](function=self.function.name)
        match outcome:
            case FunctionMissing(similar, callable):
                stopped = next((problem for problem in self.problems if self.function.name in problem.defines), None)
                fields |= {"callable": callable, "similar": similar, "stopped": stopped, "limits": self.limits}
                return Finding("error", "function_missing", fields, cause=outcome)
            case FunctionRaised(error, text, cell, line):
                fields |= {"arguments": self.function.arguments, "error": error, "text": text if quoting else None}
                fields |= {"cell": cell, "line": line, "case": result.case.description}
                fields |= {"origin": find_origin(error, text, self.problems), "limits": self.limits}
                return Finding("error", "raised", fields, cause=(error, cell, line))
            case InvalidResult(position, what):
                fields |= {"returns": tuple(self.function.returns.items()), "position": position, "what": what}
                return Finding("fail", "invalid_result", fields, cause=outcome)
            case ProcessEnded(how, code):
                status: CheckStatus = "timeout" if how in ("cpu", "wall") else "error"
                fields |= {"how": how, "exit_code": code, "limits": self.limits}
                return Finding(status, "process_ended", fields, cause=outcome)
            case Returned():
                return self._problem_of_arrays(result, outcome)

    def _have_right_shapes(self, result: CallResult, returned: Returned) -> bool:
        """Return whether a call returned arrays of the right shapes; `_problem` says what of other dtypes."""
        for array, dtype, right in zip(returned.arrays, returned.dtypes, result.expected, strict=True):
            if dtype != "float64" or array.shape != right.shape:
                return self._problem(result, quoting=False) is None
        return True

    def _problem_of_arrays(self, result: CallResult, returned: Returned) -> Finding | None:
        returns, case = self.function.returns.items(), result.case.description
        values = zip(returns, returned.arrays, returned.dtypes, result.expected, strict=True)
        for (name, symbols), array, dtype, expected in values:
            fields = dict[str, Any](result=name, case=case)
            problem = rules.array_problem(array, dtype, expected)
            if problem is None:
                continue
            match problem.code:
                case "not_an_array":
                    fields = {"function": self.function.name, "returns": tuple(returns), "what": "a single number"}
                    fields |= {"position": [*self.function.returns].index(name)}
                    return Finding("fail", "invalid_result", fields, cause=(problem.code, name))
                case "wrong_shape":
                    fields |= {"shape": array.shape, "symbols": symbols, "expected": expected.shape}
                    fields |= {"shape_of": self._result_of_shape(result, array.shape)}
                case "wrong_dtype":
                    fields = {"function": self.function.name, "dtype": dtype}
                case "not_finite":
                    kind = "NaN" if np.isnan(array[problem.entry]) else "infinity"
                    fields |= {"kind": kind, "where": problem.entry}
            return Finding("fail", problem.code, fields, cause=(problem.code, name))
        return None

    def _result_of_shape(self, result: CallResult, shape: tuple[int, ...]) -> str | None:
        """Return the other result with this shape, if just one has it: of this function, or of another gradient."""
        own = [name for name, right in zip(self.function.returns, result.expected, strict=True) if right.shape == shape]
        arrays = result.case.arrays if self.function.wrt else {}
        gradients = [
            name
            for other in self.exercise.functions
            for name in other.returns
            if other.wrt and other.wrt in arrays and arrays[other.wrt].shape == shape
        ]
        others = own or gradients
        return others[0] if len(others) == 1 else None


SMALLEST_QUOTIENT_ERROR = 1e-12
"""No difference quotient is nearer to the gradient of J; derivatives written out by hand are a hundred times nearer."""


def _error_of_slope(result: CallResult) -> float:
    """Return the error of the array of a call, which can be compared, against the numerical gradient of J."""
    return compare(_arrays(result)[0], _numerical_gradient(result)[0]).error


def _is_difference_quotient(result: CallResult) -> bool:
    """Return whether numbers near the gradient of J have the error of a difference quotient, not that of float32."""
    assert isinstance(result.outcome, Returned)
    [array], [dtype] = result.outcome.arrays, result.outcome.dtypes
    in_float32 = dtype != "float64" or np.array_equal(array, array.astype(np.float32))
    return not in_float32 and _error_of_slope(result) > SMALLEST_QUOTIENT_ERROR


def _is_exact_gradient(result: CallResult) -> bool:
    """Return whether numbers are the gradient of J to the last digits."""
    return _error_of_slope(result) <= SMALLEST_QUOTIENT_ERROR


def _arrays(result: CallResult) -> tuple[Array, ...]:
    """Return the arrays that came back."""
    assert isinstance(result.outcome, Returned)
    return result.outcome.arrays


def _reference(result: CallResult) -> tuple[Array, ...]:
    return result.expected


def _numerical_gradient(result: CallResult) -> tuple[Array, ...]:
    return (result.planned.numerical_gradient,)


def _combine(check: Check, findings: list[Finding]) -> Finding:
    """Return the finding of a whole check: its first that is no pass, with the number of cases that passed."""
    bad = [finding for finding in findings if finding.status != "pass"]
    passed, cases = len(findings) - len(bad), len(check.cases)
    if not bad:
        return Finding("pass", error=max((f.error for f in findings if f.error is not None), default=None))
    return bad[0] if cases == 1 or passed == 0 else replace(bad[0], passed_cases=(passed, cases))


def _contract_needs_value(verdicts: list[CheckVerdict]) -> list[CheckVerdict]:
    """Withhold the points of the contract unless a value or gradient is right: returning zeros keeps a contract too."""
    values = [verdict for verdict in verdicts if verdict.check.kind != "contract"]
    if not values or any(verdict.finding.status == "pass" for verdict in values):
        return verdicts
    finding = Finding("fail", "contract_needs_value", {"function": values[0].check.function})
    return [_withhold(verdict, finding) if verdict.check.kind == "contract" else verdict for verdict in verdicts]


def _apply_gates(verdicts: list[CheckVerdict]) -> list[CheckVerdict]:
    """Withhold the points of all checks of the function if one that is a condition did not pass."""
    unmet = [v for v in verdicts if v.check.role == "condition" and v.finding.status != "pass"]
    if not unmet:
        return verdicts
    gated = Finding("fail", "gated", {"title": unmet[0].check.title})
    return [_withhold(verdict, gated) for verdict in verdicts]


def _withhold(verdict: CheckVerdict, finding: Finding) -> CheckVerdict:
    """Replace a pass by a finding."""
    return replace(verdict, finding=finding) if verdict.finding.status == "pass" else verdict
