"""What came back from the jail -> the results of one function's checks. Arrays are compared here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autograder import messages
from autograder.compare import Comparison, compare
from autograder.exercise import Array, Case, Check, Exercise, Function
from autograder.report import CheckResult, CheckStatus
from autograder.sandbox.program import CellProblem, Ended, Limits, Missing, Outcome, Raised, Returned, Unusable
from autograder.sandbox.words import FLOATS
from autograder.slopes import slope

UNSTEADY = ("unsteady",)
"""The origin of what is found where a call leaves something behind: its inputs changed, or memory of its own."""


@dataclass(frozen=True)
class Trial:
    """One call of a student's function: the case, what came back, and what the reference gives.

    `slope` measures that of J, where somebody else may have done so already.
    """

    case: Case
    outcome: Outcome
    expected: tuple[Array, ...]
    slope: Callable[[], Array] | None = None


@dataclass(frozen=True)
class Judged:
    """The results of one function's checks, and what else its student should know; `remarks` are for the instructor.

    `wrong` are the checks in which its numbers are wrong, each with how wrong and where in a few words; nothing where
    equal calls get unequal answers, so that no numbers are its own.
    """

    results: tuple[CheckResult, ...]
    notes: tuple[str, ...]
    wrong: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What one look at one trial says.

    `error` is the relative error where arrays were compared, `brief` says that in a few words where they are wrong;
    `origin` is what two findings with one cause have in common.
    """

    status: CheckStatus
    message: str = ""
    error: float | None = None
    brief: str = ""
    origin: tuple[object, ...] = ()


def judge(
    exercise: Exercise,
    function: Function,
    trials: Mapping[str, Trial],
    problems: tuple[CellProblem, ...],
    limits: Limits,
) -> Judged:
    """Judge every check of one function from the trials of its cases; `problems` are the cells that stopped."""
    checks = exercise.checks_of(function.name)
    first = trials[checks[0].cases[0]]
    if _left_as_it_was(first.outcome, exercise, function):
        message = messages.not_attempted(function.name)
        return Judged(tuple(_result(check, Finding("not_attempted", message)) for check in checks), ())
    bench = Bench(exercise, function, trials, problems, limits)
    findings = {check.id: bench.look(check) for check in checks}
    together = {check.id: _together(findings[check.id], len(check.cases)) for check in checks}
    results = [_result(check, together[check.id]) for check in checks]
    results = _withheld(checks, _contract_needs_a_value(checks, results))
    wrong = {id: finding.brief for id, finding in together.items() if finding.brief}
    unsteady = any(finding.origin == UNSTEADY for several in findings.values() for finding in several)
    notes = _notes(function, checks, results, findings, trials)
    return Judged(tuple(results), notes, {} if unsteady else wrong, bench.remarks(wrong))


def _left_as_it_was(outcome: Outcome, exercise: Exercise, function: Function) -> bool:
    """Whether a function stopped at its stub's own line, and not at that of another one which it calls."""
    if not isinstance(outcome, Raised) or outcome.error != "NotImplementedError":
        return False
    others = {messages.not_attempted(other.name) for other in exercise.functions if other != function}
    return f"{outcome.text}." not in others


@dataclass(frozen=True)
class Bench:
    """All that a look at one function's trials needs."""

    exercise: Exercise
    function: Function
    trials: Mapping[str, Trial]
    problems: tuple[CellProblem, ...]
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
        brief = messages.how_wrong(comparisons[worst], trial.case)
        return Finding("fail", sentence(name, comparisons[worst], trial.case), comparisons[worst].error, brief)

    def _slope(self, trial: Trial) -> tuple[Array, ...]:
        assert self.function.slope_of is not None
        if trial.slope is not None:
            return (trial.slope(),)
        case = trial.case
        return (slope(self.exercise.objective, case.arrays, case.names, self.function.slope_of),)

    def remarks(self, wrong: Collection[str]) -> tuple[str, ...]:
        """What an instructor may want to look at: whether a gradient seems to be measured, or not to use its inputs."""
        name, public = self.function.name, self.exercise.checks_of(self.function.name)
        first, turned = self.trials[public[0].cases[0]], self.trials.get("turned")
        if turned is None or not self._is(first, _by_reference) or self._is(turned, _by_reference) is not False:
            return ()
        cases = [self.trials[case] for check in public if check.id in wrong for case in check.cases]
        off = [trial for trial in cases if self._is(trial, _by_reference) is False]
        measured = self.function.slope_of and any(self._is(trial, self._slope) for trial in off)
        if measured:
            return (messages.looks_measured(name),)
        return () if wrong else (messages.not_as_handed_in(name),)  # of wrong numbers nothing is said but that

    def _is(self, trial: Trial, expected: Callable[[Trial], tuple[Array, ...]]) -> bool | None:
        """Whether a trial gave these numbers; None where it gave none."""
        if self._problem(trial, told=False) is not None:
            return None
        assert isinstance(trial.outcome, Returned)
        values = zip(trial.outcome.values, expected(trial), strict=True)
        return all(compare(value.array, right).verdict != "wrong" for value, right in values)

    def _contract(self, check: Check) -> list[Finding]:
        first = self.trials[check.cases[0]]
        usable = self._usable(check, first)
        if isinstance(usable, Finding):
            return [usable]
        assert isinstance(first.outcome, Returned)
        changed = [a for a, after in first.outcome.arguments.items() if not np.array_equal(after, first.case.arrays[a])]
        if changed:
            return [Finding("fail", messages.changed_inputs(self.function.name, changed), origin=UNSTEADY)]
        broken = [law.sentence for law in self.function.laws if not law.holds(first.case.arrays, usable)]
        if broken:
            return [Finding("fail", broken[0])]
        return [self._repeated(check, usable, name) for name in ("again", "later", "kept")]

    def _repeated(self, check: Check, before: Sequence[Array], name: str) -> Finding:
        after = self._usable(check, self.trials[name])
        if isinstance(after, Finding):
            return after
        same = all(compare(a, b).verdict == "exact" for a, b in zip(after, before, strict=True))
        if same:
            return Finding("pass")
        return Finding("fail", messages.repeated(self.function.name, name), origin=UNSTEADY)

    def _usable(self, check: Check, trial: Trial) -> Finding | tuple[Array, ...]:
        """The arrays of a trial when they hold finite floats in the right shapes, else what is in the way.

        What is in the way on the public case already is told as there, where text of the student's may be quoted.
        """
        problem = self._problem(trial, told=not check.hidden)
        if problem is None:
            assert isinstance(trial.outcome, Returned)
            return tuple(value.array for value in trial.outcome.values)
        for public in (c for c in self.exercise.checks_of(self.function.name) if check.hidden and not c.hidden):
            seen = self._problem(self.trials[public.cases[0]], told=True)
            if seen is not None and seen.origin == problem.origin:
                return seen
        return problem

    def _problem(self, trial: Trial, told: bool) -> Finding | None:
        outcome, function = trial.outcome, self.function
        match outcome:
            case Missing():
                message = messages.missing(function.name, outcome, self.problems)
                return Finding("error", message, origin=(outcome,))
            case Raised():
                message = messages.raised(function, outcome, trial.case, told)
                return Finding("error", message, origin=(outcome.error, outcome.cell, outcome.line))
            case Unusable():
                return Finding("fail", messages.unusable(function, outcome), origin=(outcome,))
            case Ended():
                status: CheckStatus = "timeout" if outcome.how in ("cpu", "wall") else "error"
                return Finding(status, messages.ended(function.name, outcome, self.limits), origin=(outcome,))
        for result, value, right in zip(function.returns, outcome.values, trial.expected, strict=True):
            if value.array.shape != right.shape:
                message = messages.wrong_shape(function, result, value.array, right, trial.case)
                return Finding("fail", message, origin=("shape", result))
            if value.dtype not in FLOATS:
                return Finding("fail", messages.wrong_dtype(function.name, value.dtype), origin=("dtype", result))
            if not np.isfinite(value.array).all():
                message = messages.not_finite(result, value.array, trial.case)
                return Finding("fail", message, origin=("not finite", result))
        return None


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
    return CheckResult(
        id=check.id,
        function=check.function,
        title=check.title,
        status=finding.status,
        points=check.worth if finding.status == "pass" else 0.0,
        max_points=check.worth,
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
