"""Results of calls -> findings and points: every check of one function, evaluated. Arrays are compared here alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.course import Limits
from autograder.evaluation.comparison import Comparison, compare
from autograder.evaluation.findings import CONTRACT_BROKEN, Finding, Remark
from autograder.evaluation.numerical_gradient import numerical_gradient
from autograder.evaluation.report import CheckStatus
from autograder.exercise.model import Array, Case, Check, Exercise, Function
from autograder.exercise.source import stub_text
from autograder.sandbox.host.program import (
    CellProblem,
    FunctionMissing,
    FunctionRaised,
    InvalidResult,
    Outcome,
    ProcessEnded,
    Returned,
)
from autograder.sandbox.protocol.vocabulary import FLOAT_DTYPES


@dataclass(frozen=True)
class CallResult:
    """One call of a student's function: the case, what came back, and what the reference gives.

    `numerical_gradient` gives the numerical gradient of J there, where somebody else may have computed it already.
    """

    case: Case
    outcome: Outcome
    expected: tuple[Array, ...]
    numerical_gradient: Callable[[], Array] | None = None


Expectation = Callable[[CallResult], tuple[Array, ...]]
"""What the results of a call are compared with: those of the reference, or the numerical gradient."""


@dataclass(frozen=True)
class CheckVerdict:
    """What one check of the rubric found, and the points that it gives."""

    check: Check
    finding: Finding

    @property
    def points(self) -> float:
        """All points of the check, or none."""
        return self.check.max_points if self.finding.status == "pass" else 0.0


@dataclass(frozen=True)
class FunctionVerdict:
    """The verdicts of one function's checks, and remarks that cost no points.

    `wrong_numbers` maps the ids of the checks in which its numbers are wrong to the finding that says so. It is empty
    where equal calls got unequal answers, because then no numbers are the function's own.
    """

    checks: tuple[CheckVerdict, ...]
    remarks: tuple[Remark, ...] = ()
    wrong_numbers: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def timed_out(self) -> bool:
        """Whether a call did not return in time: calling the function again would take as long again."""
        return any(verdict.finding.status == "timeout" for verdict in self.checks)


def evaluate_function(
    exercise: Exercise,
    function: Function,
    results: Mapping[str, CallResult],
    problems: tuple[CellProblem, ...],
    limits: Limits,
) -> FunctionVerdict:
    """Evaluate every check of one function; `results` by case id, `problems` are the cells that stopped."""
    checks = exercise.checks_of(function.name)
    if _is_unmodified_stub(results[checks[0].cases[0]].outcome, exercise, function):
        finding = Finding("not_attempted", "not_attempted", {"function": function.name})
        return FunctionVerdict(tuple(CheckVerdict(check, finding) for check in checks))
    evaluator = CheckEvaluator(exercise, function, results, problems, limits)
    by_case = {check.id: evaluator.evaluate(check) for check in checks}
    combined = {check.id: _combine(by_case[check.id], len(check.cases)) for check in checks}
    verdicts = [CheckVerdict(check, combined[check.id]) for check in checks]
    # Two rules look at the checks of a function together, after each was evaluated by itself.
    verdicts = _apply_gates(_contract_needs_value(verdicts))
    wrong = {id: finding for id, finding in combined.items() if finding.has_wrong_numbers}
    unsteady = any(finding.cause == CONTRACT_BROKEN for findings in by_case.values() for finding in findings)
    remarks = (*_remarks(function, verdicts, by_case, results), *evaluator.remarks(wrong))
    return FunctionVerdict(tuple(verdicts), remarks, {} if unsteady else wrong)


def _is_unmodified_stub(outcome: Outcome, exercise: Exercise, function: Function) -> bool:
    """Whether a function stopped at its own stub's line, and not at that of another function that it calls."""
    if not isinstance(outcome, FunctionRaised) or outcome.error != "NotImplementedError":
        return False
    return outcome.text not in {stub_text(other.name) for other in exercise.functions if other != function}


@dataclass(frozen=True)
class CheckEvaluator:
    """Evaluates the checks of one function on the results of its calls."""

    exercise: Exercise
    function: Function
    results: Mapping[str, CallResult]
    problems: tuple[CellProblem, ...]
    limits: Limits

    def evaluate(self, check: Check) -> list[Finding]:
        """Return a finding for each case of a check; for a contract, one for each of the repeated calls."""
        if check.kind == "contract":
            return self._contract(check)
        expected = self._numerical_gradient if check.kind == "slope" else _reference
        return [self._numbers(check, self.results[case], expected) for case in check.cases]

    def remarks(self, wrong: Collection[str]) -> Iterator[Remark]:
        """Yield what an instructor may want to look at: a gradient that seems to be measured, or ignores its arguments.

        Both show in the shuffled case, in which the results of other functions are handed in upside down: a derived
        gradient follows its formula there too.
        """
        name, checks = self.function.name, self.exercise.checks_of(self.function.name)
        first, shuffled = self.results[checks[0].cases[0]], self.results.get("shuffled")
        if shuffled is None or not self._matches(first, _reference) or self._matches(shuffled, _reference) is not False:
            return
        cases = [self.results[case] for check in checks if check.id in wrong for case in check.cases]
        off = [result for result in cases if self._matches(result, _reference) is False]
        if self.function.wrt and any(self._matches(result, self._numerical_gradient) for result in off):
            yield Remark("instructor", "uses_numerical_gradient", {"function": name})
        elif not wrong:  # beside wrong numbers it would say nothing new
            yield Remark("instructor", "ignores_arguments", {"function": name})

    def _numbers(self, check: Check, result: CallResult, expected: Expectation) -> Finding:
        usable = self._usable(check, result)
        if isinstance(usable, Finding):
            return usable
        comparisons = [compare(value, right) for value, right in zip(usable, expected(result), strict=True)]
        worst = max(range(len(comparisons)), key=lambda i: comparisons[i].error)
        comparison = comparisons[worst]
        if comparison.verdict != "wrong":
            return Finding("pass", error=comparison.error)
        fields = {
            "result": list(self.function.returns)[worst],
            "error": comparison.error,
            "where": comparison.where,
            "case": result.case.description,
        }
        code = "wrong_gradient" if check.kind == "slope" else "wrong_value"
        return Finding("fail", code, fields, comparison.error)  # type: ignore[arg-type]  # both are codes

    def _numerical_gradient(self, result: CallResult) -> tuple[Array, ...]:
        assert self.function.wrt is not None
        if result.numerical_gradient is not None:
            return (result.numerical_gradient(),)
        case = result.case
        return (numerical_gradient(self.exercise.objective, case.arrays, case.names, self.function.wrt),)

    def _matches(self, result: CallResult, expected: Expectation) -> bool | None:
        """Whether a call gave these numbers; None where it gave none."""
        if self._problem(result, quoting=False) is not None:
            return None
        assert isinstance(result.outcome, Returned)
        values = zip(result.outcome.values, expected(result), strict=True)
        return all(compare(value.array, right).verdict != "wrong" for value, right in values)

    def _contract(self, check: Check) -> list[Finding]:
        first = self.results[check.cases[0]]
        usable = self._usable(check, first)
        if isinstance(usable, Finding):
            return [usable]
        assert isinstance(first.outcome, Returned)
        name, before = self.function.name, first.case.arrays
        changed = tuple(a for a, after in first.outcome.arguments.items() if not np.array_equal(after, before[a]))
        if changed:
            fields = {"function": name, "arguments": changed}
            return [Finding("fail", "arguments_changed", fields, cause=CONTRACT_BROKEN)]
        broken = [law.message for law in self.function.invariants if not law.predicate(before, usable)]
        if broken:
            return [Finding("fail", "invariant_broken", {"message": broken[0]})]
        return [self._repeated(check, usable, call) for call in ("repeat_same_args", "repeat_fresh_args", "recheck")]

    def _repeated(self, check: Check, before: Sequence[Array], call: str) -> Finding:
        after = self._usable(check, self.results[call])
        if isinstance(after, Finding):
            return after
        if all(compare(a, b).verdict == "exact" for a, b in zip(after, before, strict=True)):
            return Finding("pass")
        fields = {"function": self.function.name, "call": call}
        return Finding("fail", "not_repeatable", fields, cause=CONTRACT_BROKEN)

    def _usable(self, check: Check, result: CallResult) -> Finding | tuple[Array, ...]:
        """Return the arrays of a call when they hold finite floats in the right shapes, else what is in the way.

        A problem of a hidden case that the public case has too is told as there, where the student's own text may be
        quoted.
        """
        problem = self._problem(result, quoting=not check.hidden)
        if problem is None:
            assert isinstance(result.outcome, Returned)
            return tuple(value.array for value in result.outcome.values)
        for public in (c for c in self.exercise.checks_of(self.function.name) if check.hidden and not c.hidden):
            same = self._problem(self.results[public.cases[0]], quoting=True)
            if same is not None and same.cause == problem.cause:
                return same
        return problem

    def _problem(self, result: CallResult, quoting: bool) -> Finding | None:
        """Return why a call gave no arrays that can be compared, if so; text of the student's only if `quoting`."""
        fields: dict[str, Any]
        match result.outcome:
            case FunctionMissing():
                return self._missing(result.outcome)
            case FunctionRaised(error, text, cell, line):
                fields = {
                    "function": self.function.name,
                    "arguments": self.function.arguments,
                    "error": error,
                    "text": text if quoting else None,
                    "cell": cell,
                    "line": line,
                    "case": result.case.description,
                }
                return Finding("error", "raised", fields, cause=(error, cell, line))
            case InvalidResult(position, what):
                fields = {
                    "function": self.function.name,
                    "returns": tuple(self.function.returns.items()),
                    "position": position,
                    "what": what,
                }
                return Finding("fail", "invalid_result", fields, cause=result.outcome)
            case ProcessEnded(how, code):
                status: CheckStatus = "timeout" if how in ("cpu", "wall") else "error"
                fields = {"function": self.function.name, "how": how, "exit_code": code, "limits": self.limits}
                return Finding(status, "process_ended", fields, cause=result.outcome)
            case Returned():
                return self._problem_of_arrays(result, result.outcome)

    def _missing(self, outcome: FunctionMissing) -> Finding:
        """Return why there is no such function: the first cell that stopped and would have defined it, if any."""
        stopped = next((problem for problem in self.problems if self.function.name in problem.defines), None)
        fields = {
            "function": self.function.name,
            "callable": outcome.callable,
            "similar": outcome.similar_names,
            "stopped": stopped,
            "limits": self.limits,
        }
        return Finding("error", "function_missing", fields, cause=outcome)

    def _problem_of_arrays(self, result: CallResult, outcome: Returned) -> Finding | None:
        for (name, symbols), value, right in zip(
            self.function.returns.items(), outcome.values, result.expected, strict=True
        ):
            fields: dict[str, Any]
            case = result.case.description
            if value.array.shape != right.shape:
                shapes = {"shape": value.array.shape, "symbols": symbols, "expected": right.shape}
                return Finding("fail", "wrong_shape", {"result": name, **shapes, "case": case}, cause=("shape", name))
            if value.dtype not in FLOAT_DTYPES:
                fields = {"function": self.function.name, "dtype": value.dtype}
                return Finding("fail", "wrong_dtype", fields, cause=("dtype", name))
            if not np.isfinite(value.array).all():
                where = tuple(int(i) for i in np.argwhere(~np.isfinite(value.array))[0])
                kind = "NaN" if np.isnan(value.array[where]) else "infinity"
                fields = {"result": name, "kind": kind, "where": where, "case": case}
                return Finding("fail", "not_finite", fields, cause=("not finite", name))
        return None


def _reference(result: CallResult) -> tuple[Array, ...]:
    return result.expected


def _combine(findings: list[Finding], cases: int) -> Finding:
    """Return the first finding that is no pass for the whole check; it says how many cases passed all the same."""
    bad = [finding for finding in findings if finding.status != "pass"]
    passed = len(findings) - len(bad)
    if not bad:
        return Finding("pass", error=max((f.error for f in findings if f.error is not None), default=None))
    return bad[0] if cases == 1 or passed == 0 else replace(bad[0], passed_cases=(passed, cases))


def _contract_needs_value(verdicts: list[CheckVerdict]) -> list[CheckVerdict]:
    """A kept contract alone earns nothing: it counts once a value or gradient is right."""
    values = [verdict for verdict in verdicts if verdict.check.kind != "contract"]
    if not values or any(verdict.finding.status == "pass" for verdict in values):
        return verdicts
    return [
        _withhold(verdict, Finding("fail", "contract_needs_value", {"function": verdict.check.function}))
        if verdict.check.kind == "contract"
        else verdict
        for verdict in verdicts
    ]


def _apply_gates(verdicts: list[CheckVerdict]) -> list[CheckVerdict]:
    """Where a check that is a condition does not pass, the points of the other checks are withheld."""
    unmet = [v for v in verdicts if v.check.role == "condition" and v.finding.status != "pass"]
    if not unmet:
        return verdicts
    gated = Finding("fail", "gated", {"title": unmet[0].check.title})
    return [_withhold(verdict, gated) for verdict in verdicts]


def _withhold(verdict: CheckVerdict, finding: Finding) -> CheckVerdict:
    """Put a finding in the place of a pass."""
    return replace(verdict, finding=finding) if verdict.finding.status == "pass" else verdict


def _remarks(
    function: Function,
    verdicts: Sequence[CheckVerdict],
    by_case: Mapping[str, list[Finding]],
    results: Mapping[str, CallResult],
) -> Iterator[Remark]:
    """Yield what the student should know: checks without points that did not pass, and low precision."""
    for verdict in verdicts:
        if verdict.check.role == "note" and verdict.finding.status != "pass":
            yield Remark("student", "unscored_check", {"title": verdict.check.title, "finding": verdict.finding})
    findings = [finding for several in by_case.values() for finding in several]
    errors = [finding.error for finding in findings if finding.status == "pass" and finding.error is not None]
    dtypes = {v.dtype for r in results.values() if isinstance(r.outcome, Returned) for v in r.outcome.values}
    low = tuple(sorted({"float16", "float32"} & dtypes))
    # Beside a wrong value, one within the limit for low precision is luck and no matter of precision.
    wrong = any(finding.error is not None and finding.status != "pass" for finding in findings)
    if errors and not wrong and (low or Comparison(max(errors), ()).verdict == "coarse"):
        yield Remark("student", "low_precision", {"function": function.name, "error": max(errors), "dtypes": low})
