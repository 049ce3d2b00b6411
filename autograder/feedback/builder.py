"""Verdicts -> check results with messages, at the feedback level of the course.

Functions with wrong numbers are run on the public diagnostic cases, so that feedback can quote numbers and name a known
mistake.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from autograder.course import FeedbackLevel, Limits
from autograder.evaluation.call_plans import CallPlan
from autograder.evaluation.evaluate import CheckVerdict, FunctionVerdict
from autograder.evaluation.findings import Finding
from autograder.evaluation.planned_cases import CallResult
from autograder.evaluation.report import CheckResult, Note
from autograder.exercise.model import Array, Exercise, Function
from autograder.feedback import messages
from autograder.feedback.consistency import ConsistencyChecker, ForwardConsistency
from autograder.feedback.diagnosis import MistakeCatalogue
from autograder.feedback.diagnostic_cases import DiagnosticSuite, ResultsByCase, has_wrong_numbers
from autograder.feedback.kept_feedback import FunctionFeedback
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.jail import LoadedProgram, Runner
from autograder.sandbox.host.program import Batch, Execution, ProcessEnded, Program, Returned
from autograder.student.explain import explain
from autograder.student.feedback import Feedback
from autograder.student.layout import as_text
from autograder.student.rules import SMALLEST

TIME_BOX_SECONDS = 0.5  # of CPU time for each function, while the verdict waits
MAX_CACHED_FEEDBACK = 1000
DIGITS = 9  # of numbers that count as the same

Facts = tuple[tuple[str, str], ...]


def check_result(verdict: CheckVerdict) -> CheckResult:
    """Return the result of a check, with the sentence of its finding."""
    check, finding = verdict.check, verdict.finding
    sentence = messages.NO_SENTENCE if finding.status == "pass" else messages.sentence(finding)
    return CheckResult(
        id=check.id,
        function=check.function,
        title=check.title,
        status=finding.status,
        points=verdict.points,
        max_points=check.max_points,
        message=sentence.text,
        hidden=check.hidden,
        code=finding.code,
        statement=sentence.statement if sentence.detail else "",
        detail=sentence.detail,
    )


def _with_sentence(result: CheckResult, sentence: messages.Sentence) -> CheckResult:
    statement = sentence.statement if sentence.detail else ""
    return replace(result, message=sentence.text, statement=statement, detail=sentence.detail)


def redact(result: CheckResult, level: FeedbackLevel) -> CheckResult:
    """Leave out what the course does not tell students; the name of a mistake stays, for the instructor."""
    if result.status == "pass" or level == "full":
        return result
    if level == "none":
        return replace(result, message="", statement="", detail="", feedback=None)
    if result.feedback is None:
        return replace(result, message=f"{result.statement}.", detail="") if result.detail else result
    feedback = Feedback(result.feedback.symptom)
    if level == "hint":
        feedback = replace(feedback, hint=result.feedback.hint, read=result.feedback.read)
    return replace(result, message=as_text(feedback), feedback=feedback)


FeedbackCache = BoundedCache[bytes, FunctionFeedback]
"""Feedback by a digest of the function and its results on the diagnostic cases; without facts about other functions.

All students get the same diagnostic cases, and many of them make the same mistakes. Functions that give the same
numbers there, to nine digits, are taken to give the same ones on the confirmations, too: written in other words, the
same mistake differs in the last bits.
"""


@dataclass(frozen=True)
class DiagnosticResults:
    """What a submission returned on public cases.

    `aborted` are functions whose first call ended the process, `results` those of functions with wrong numbers on the
    diagnostic cases, and `confirmations` those with other numbers, if no feedback is cached; `consistency` compares the
    gradients with a wrong forward pass.
    """

    aborted: Mapping[str, ProcessEnded] = field(default_factory=dict)
    results: Mapping[str, ResultsByCase] = field(default_factory=dict)
    confirmations: Mapping[str, tuple[ResultsByCase, ...]] = field(default_factory=dict)
    consistency: ForwardConsistency = field(default_factory=ForwardConsistency)

    def merge(self, later: DiagnosticResults) -> DiagnosticResults:
        """Return these results with later ones added."""
        consistency = later.consistency if later.consistency.forward else self.consistency
        return DiagnosticResults(
            self.aborted,
            {**self.results, **later.results},
            {**self.confirmations, **later.confirmations},
            consistency,
        )


class TimeBoxExceeded(Exception):
    """The process ended within the time box: it was too slow, or worse."""


@dataclass(frozen=True)
class TimeBoxedRunner:
    """A runner that gives each function TIME_BOX_SECONDS, and gives up as soon as a call ends the process."""

    runner: Runner

    def run(self, program: Program, batches: Sequence[Batch], limits: Limits) -> Execution:
        """Run the batches like `Jail.run`. Raises TimeBoxExceeded if a call ended the process."""
        # On the wall clock four times as much, for machines that are busy.
        limits = replace(limits, cpu_seconds=TIME_BOX_SECONDS, wall_seconds=4 * TIME_BOX_SECONDS)
        execution = self.runner.run(program, batches, limits)
        if any(isinstance(outcome, ProcessEnded) for outcomes in execution.outcomes.values() for outcome in outcomes):
            raise TimeBoxExceeded
        return execution


class FeedbackBuilder:
    """Builds feedback on wrong numbers for the submissions of an exercise.

    Holds what all submissions share: the diagnostic cases with their expected results, the known mistakes, and in
    `cache` the feedback built so far.
    """

    def __init__(self, exercise: Exercise, cache: FeedbackCache) -> None:
        self.exercise = exercise
        self._cache = cache
        self._suite = DiagnosticSuite(exercise)
        self._consistency = ConsistencyChecker(exercise)
        self._catalogue = MistakeCatalogue(exercise)

    def probe_public_cases(
        self, loaded: LoadedProgram, program: Program, plans: Sequence[CallPlan], limits: Limits
    ) -> DiagnosticResults:
        """Make the first call of each function, and run those with wrong numbers on the diagnostic cases.

        Stops at the time box, because the verdict has to wait: `run_diagnostics` then follows in another process.
        """
        # Only public cases may come before feedback that quotes numbers. The process goes on with the hidden ones
        # afterwards, so most wrong work needs no second process.
        if not self.exercise.diagnostic_cases or not all(plan.first_case_is_public for plan in plans):
            return DiagnosticResults()
        outcomes = loaded.run_first_calls([plan.batch for plan in plans], limits)
        aborted = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, ProcessEnded)}
        results = [(plan.function, CallResult(plan.first, outcomes[plan.function.name])) for plan in plans]
        wrong = [function for function, result in results if has_wrong_numbers(result)]
        try:
            return replace(self.run_diagnostics(TimeBoxedRunner(loaded), program, wrong, limits), aborted=aborted)
        except TimeBoxExceeded:
            return DiagnosticResults(aborted)

    def run_diagnostics(
        self, runner: Runner, program: Program, functions: Sequence[Function], limits: Limits
    ) -> DiagnosticResults:
        """Run functions with wrong numbers on the diagnostic cases, and compare gradients with a wrong forward pass."""
        results = self._suite.run(runner, program, functions, limits)
        new = [f for f in functions if f.name in results and _digest(f, results[f.name]) not in self._cache]
        confirmations = self._suite.confirm(runner, program, new, limits)
        consistency = self._consistency.check(results, runner, program, limits)
        return DiagnosticResults({}, results, confirmations, consistency)

    def pending_functions(self, verdicts: Sequence[FunctionVerdict], diagnostics: DiagnosticResults) -> list[Function]:
        """Return the functions with wrong numbers that have not been run on the diagnostic cases yet."""
        return [
            function
            for function, verdict in zip(self.exercise.functions, verdicts, strict=True)
            if verdict.wrong_numbers and not verdict.timed_out and function.name not in diagnostics.results
        ]

    def attach_feedback(
        self, verdicts: Sequence[FunctionVerdict], diagnostics: DiagnosticResults
    ) -> tuple[tuple[CheckResult, ...], tuple[Note, ...]]:
        """Return the results of all checks with feedback on wrong numbers, and notes about them."""
        pairs = list(zip(self.exercise.functions, verdicts, strict=True))
        wrong = {function.name for function, verdict in pairs if verdict.wrong_numbers} & diagnostics.results.keys()
        # A forward pass that is not repeatable has no wrong numbers that gradients could be compared with.
        consistency = diagnostics.consistency if diagnostics.consistency.forward in wrong else ForwardConsistency()
        results: list[CheckResult] = []
        for function, verdict in pairs:
            feedback = None
            if function.name in wrong:
                feedback = self._feedback_on(function, diagnostics, consistency.facts(function))
            # Without feedback too if the numbers are wrong in hidden cases only.
            results += plain_results(verdict) if feedback is None else _explained(verdict, feedback)
        notes = tuple(Note("student", text) for text in self._consistency.notes(consistency, verdicts))
        return tuple(results), notes

    def _feedback_on(self, function: Function, diagnostics: DiagnosticResults, facts: Facts) -> FunctionFeedback | None:
        """Return feedback on the numbers of a function, with further facts; None if no numbers are wrong."""
        results = diagnostics.results[function.name]
        if not any(has_wrong_numbers(result) for result in results.values()):
            return None
        confirmations = diagnostics.confirmations.get(function.name, ())
        digest = _digest(function, results)
        explained = self._cache.lookup(digest)
        if explained is None:
            explained = self._build_feedback(function, results, confirmations)
            # Without confirmations less is claimed: the next submission with these numbers shall get all of it.
            if len(confirmations) == len(self.exercise.confirmation_cases):
                self._cache.store(digest, explained)
        if not facts:
            return explained
        feedback = replace(explained.feedback, facts=explained.feedback.facts + facts)
        return replace(explained, feedback=feedback, text=as_text(feedback))

    def _build_feedback(
        self, function: Function, results: ResultsByCase, confirmations: Sequence[ResultsByCase]
    ) -> FunctionFeedback:
        hints = (check.hint for check in self.exercise.visible_checks if check.function == function.name and check.hint)
        sets = self._suite.case_results(function, results, confirmations)
        feedback = explain(function.name, sets, next(hints, ""), function.reference_text)
        assert feedback is not None  # some numbers are wrong
        # The hints and equations of known mistakes are more exact than those of the visible checks.
        mistakes = self._catalogue.identify(function.name, results, confirmations)
        if not mistakes:
            return FunctionFeedback(feedback, as_text(feedback), None)
        hint = messages.common_mistakes([mistake.hint for mistake in mistakes])
        read = messages.where_to_read([mistake.equation for mistake in mistakes])
        feedback = replace(feedback, hint=hint, read=read)
        return FunctionFeedback(feedback, as_text(feedback), " and ".join(mistake.name for mistake in mistakes))


def plain_results(verdict: FunctionVerdict) -> Iterator[CheckResult]:
    """Yield the results of a function's checks without feedback."""
    return map(check_result, verdict.checks)


def _explained(verdict: FunctionVerdict, explanation: FunctionFeedback) -> Iterator[CheckResult]:
    """Yield the results: the first check with wrong numbers gets the feedback, the others point to it."""
    first = ""
    for check in verdict.checks:
        result = check_result(check)
        finding: Finding | None = verdict.wrong_numbers.get(result.id)
        if finding is None:
            yield result
        elif first:
            result = _with_sentence(result, messages.same_reason(first, finding))
            yield replace(result, diagnosis=explanation.mistake)
        else:
            first = result.id
            result = replace(result, message=explanation.text, statement="", detail="")
            yield replace(result, feedback=explanation.feedback, diagnosis=explanation.mistake)


def _digest(function: Function, results: ResultsByCase) -> bytes:
    """Return a digest of the function and its numbers on every diagnostic case."""
    returned = [(id, r.outcome.arrays if isinstance(r.outcome, Returned) else None) for id, r in results.items()]
    shapes = [(id, arrays and [array.shape for array in arrays]) for id, arrays in returned]
    arrays = [array for _, arrays in returned for array in arrays or () if array.size]
    return hashlib.sha256(repr((function.name, shapes)).encode() + b"".join(_rounded(arrays))).digest()


def _rounded(arrays: Sequence[Array]) -> Iterator[bytes]:
    """Yield the numbers of arrays, each array to so many digits of its largest number, and these largest numbers."""
    if not arrays:
        return
    numbers, sizes = np.concatenate([array.ravel() for array in arrays]), [array.size for array in arrays]
    if not np.isfinite(numbers).all():
        yield numbers.tobytes()
        return
    largest = np.maximum.reduceat(np.abs(numbers), [0, *itertools.accumulate(sizes[:-1])])
    yield repr([f"{size:.{DIGITS}g}" for size in largest.tolist()]).encode()
    yield (np.round(numbers / np.repeat(np.maximum(largest, SMALLEST), sizes), DIGITS) + 0.0).tobytes()  # no -0.0
