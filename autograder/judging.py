"""What came back from the jail -> the results of one function's checks. Arrays are compared here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograder import messages
from autograder.compare import Comparison, compare
from autograder.exercise import Array, Case, Check, Exercise, Function
from autograder.report import CheckResult, CheckStatus
from autograder.sandbox.program import Ended, Execution, Limits, Missing, Outcome, Raised, Returned, Unusable
from autograder.sandbox.words import FLOATS
from autograder.slopes import slope


@dataclass(frozen=True)
class Trial:
    """One call of a student's function: the case, what came back, and what the reference gives."""

    case: Case
    outcome: Outcome
    expected: tuple[Array, ...]


@dataclass(frozen=True)
class Judged:
    """The results of one function's checks, and what else its student should know."""

    results: tuple[CheckResult, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """What one look at one trial says; `error` is the relative error where arrays were compared."""

    status: CheckStatus
    message: str = ""
    error: float | None = None


def judge(
    exercise: Exercise, function: Function, trials: Mapping[str, Trial], execution: Execution, limits: Limits
) -> Judged:
    """Judge every check of one function from the trials of its cases."""
    checks = exercise.checks_of(function.name)
    first = trials[checks[0].cases[0]]
    if isinstance(first.outcome, Raised) and first.outcome.error == "NotImplementedError":
        message = messages.not_attempted(function.name)
        return Judged(tuple(_result(check, Finding("not_attempted", message)) for check in checks), ())
    bench = Bench(exercise, function, trials, execution, limits)
    findings = {check.id: bench.look(check) for check in checks}
    results = [_result(check, _together(findings[check.id], len(check.cases))) for check in checks]
    results = _withheld(checks, _contract_needs_a_value(checks, results))
    return Judged(tuple(results), _notes(function, checks, results, findings, trials))


@dataclass(frozen=True)
class Bench:
    """All that a look at one function's trials needs."""

    exercise: Exercise
    function: Function
    trials: Mapping[str, Trial]
    execution: Execution
    limits: Limits

    def look(self, check: Check) -> list[Finding]:
        """One finding for each case of a check, and for a contract those of the repeated calls."""
        if check.looks_at == "contract":
            return self._contract(check)
        expected = self._slope if check.looks_at == "slope" else _by_reference
        return [self._values(check, self.trials[case], expected) for case in check.cases]

    def _values(self, check: Check, trial: Trial, expected: Callable[[Trial], tuple[Array, ...]]) -> Finding:
        usable = self._usable(check, trial)
        if isinstance(usable, Finding):
            return usable
        comparisons = [compare(value, right) for value, right in zip(usable, expected(trial), strict=True)]
        worst = max(range(len(comparisons)), key=lambda i: comparisons[i].error)
        if comparisons[worst].verdict != "wrong":
            return Finding("pass", error=comparisons[worst].error)
        name = list(self.function.returns)[worst]
        sentence = messages.wrong_slope if check.looks_at == "slope" else messages.wrong_value
        return Finding("fail", sentence(name, comparisons[worst], trial.case), comparisons[worst].error)

    def _slope(self, trial: Trial) -> tuple[Array, ...]:
        assert self.function.slope_of is not None
        case = trial.case
        return (slope(self.exercise.objective, case.arrays, case.names, self.function.slope_of),)

    def _contract(self, check: Check) -> list[Finding]:
        first = self.trials[check.cases[0]]
        usable = self._usable(check, first)
        if isinstance(usable, Finding):
            return [usable]
        assert isinstance(first.outcome, Returned)
        changed = [a for a, after in first.outcome.arguments.items() if not np.array_equal(after, first.case.arrays[a])]
        if changed:
            return [Finding("fail", messages.changed_inputs(self.function.name, changed))]
        broken = [law.sentence for law in self.function.laws if not law.holds(first.case.arrays, usable)]
        if broken:
            return [Finding("fail", broken[0])]
        return [self._repeated(check, usable, name) for name in ("again", "later", "kept")]

    def _repeated(self, check: Check, before: Sequence[Array], name: str) -> Finding:
        after = self._usable(check, self.trials[name])
        if isinstance(after, Finding):
            return after
        same = all(compare(a, b).verdict == "exact" for a, b in zip(after, before, strict=True))
        return Finding("pass") if same else Finding("fail", messages.repeated(self.function.name, name))

    def _usable(self, check: Check, trial: Trial) -> Finding | tuple[Array, ...]:
        """The arrays of a trial when they hold finite floats in the right shapes, else what is in the way."""
        outcome, name = trial.outcome, self.function.name
        match outcome:
            case Missing():
                return Finding("error", messages.missing(name, outcome, self.execution.problems))
            case Raised():
                return Finding("error", self._raised(check, trial, outcome))
            case Unusable():
                return Finding("fail", messages.unusable(self.function, outcome))
            case Ended():
                status: CheckStatus = "timeout" if outcome.how in ("cpu", "wall") else "error"
                return Finding(status, messages.ended(name, outcome, self.limits))
        for result, value, right in zip(self.function.returns, outcome.values, trial.expected, strict=True):
            if value.array.shape != right.shape:
                return Finding("fail", messages.wrong_shape(self.function, result, value.array, right, trial.case))
            if value.dtype not in FLOATS:
                return Finding("fail", messages.wrong_dtype(name, value.dtype))
            if not np.isfinite(value.array).all():
                return Finding("fail", messages.not_finite(result, value.array, trial.case))
        return tuple(value.array for value in outcome.values)

    def _raised(self, check: Check, trial: Trial, outcome: Raised) -> str:
        """The sentence of an exception, that of the public case where the same arose there: its text may be told."""
        for public in (c for c in self.exercise.checks_of(self.function.name) if not c.hidden):
            seen = self.trials[public.cases[0]]
            if isinstance(seen.outcome, Raised) and _origin(seen.outcome) == _origin(outcome):
                return messages.raised(self.function, seen.outcome, seen.case, told=True)
        return messages.raised(self.function, outcome, trial.case, told=not check.hidden)


def _origin(outcome: Raised) -> tuple[str, str, int | None]:
    return outcome.error, outcome.cell, outcome.line


def _by_reference(trial: Trial) -> tuple[Array, ...]:
    return trial.expected


def _together(findings: list[Finding], cases: int) -> Finding:
    """The first finding that is no pass stands for its check, and says when other cases were right."""
    bad = [finding for finding in findings if finding.status != "pass"]
    right = len(findings) - len(bad)
    if not bad:
        return Finding("pass", error=max((f.error for f in findings if f.error is not None), default=None))
    if cases == 1 or right == 0:
        return bad[0]
    return replace(bad[0], message=f"{bad[0].message} {messages.some_right(right, cases)}")


def _result(check: Check, finding: Finding) -> CheckResult:
    worth = check.points if check.counts != "note" else 0.0
    return CheckResult(
        id=check.id,
        function=check.function,
        title=check.title,
        status=finding.status,
        points=worth if finding.status == "pass" else 0.0,
        max_points=worth,
        message=finding.message,
        hidden=check.hidden,
    )


def _contract_needs_a_value(checks: Sequence[Check], results: list[CheckResult]) -> list[CheckResult]:
    """Good manners alone earn nothing: a contract counts once one value or slope is right."""
    kinds = {check.id: check.looks_at for check in checks}
    values = [result for result in results if kinds[result.id] != "contract"]
    if not values or any(result.status == "pass" for result in values):
        return results
    return [
        replace(result, status="fail", points=0.0, message=messages.manners_alone(result.function))
        if kinds[result.id] == "contract" and result.status == "pass"
        else result
        for result in results
    ]


def _withheld(checks: Sequence[Check], results: list[CheckResult]) -> list[CheckResult]:
    """Where a check is a condition for its function and does not pass, the points of the others are withheld."""
    conditions = {check.id for check in checks if check.counts == "condition"}
    unmet = [result for result in results if result.id in conditions and result.status != "pass"]
    if not unmet:
        return results
    return [
        replace(result, status="fail", points=0.0, message=messages.condition(unmet[0].title))
        if result.status == "pass"
        else result
        for result in results
    ]


def _notes(
    function: Function,
    checks: Sequence[Check],
    results: Sequence[CheckResult],
    findings: Mapping[str, list[Finding]],
    trials: Mapping[str, Trial],
) -> tuple[str, ...]:
    notes = [
        messages.only_a_note(check.title, result.message)
        for check, result in zip(checks, results, strict=True)
        if check.counts == "note" and result.status != "pass"
    ]
    errors = [f.error for several in findings.values() for f in several if f.status == "pass" and f.error is not None]
    dtypes = {v.dtype for t in trials.values() if isinstance(t.outcome, Returned) for v in t.outcome.values}
    low = {"float16", "float32"} & dtypes
    # beside a wrong value a coarse one is luck and no matter of precision
    wrong = any(f.error is not None and f.status != "pass" for several in findings.values() for f in several)
    if errors and not wrong and (low or Comparison(max(errors), ()).verdict == "coarse"):
        notes.append(messages.low_precision(function.name, max(errors), low))
    return tuple(notes)
