"""What a student is told of wrong numbers: looked at on the public ladder, and no more than the course tells."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from autograder import messages
from autograder.diagnosis import Catalogue
from autograder.exercise import Exercise, Function
from autograder.judging import Judged
from autograder.ladder import Ladder, Trials
from autograder.own_forward import look
from autograder.report import CheckResult, Feedback, Note, Telling
from autograder.sandbox.jail import Runner
from autograder.sandbox.program import Limits, Program, Returned
from autograder.student.feedback import explain
from autograder.student.layout import as_text

_MOST_SAID = 1000


def withheld(result: CheckResult, telling: Telling) -> CheckResult:
    """A result with no more in it than its course tells students. The name of a mistake is for the instructor."""
    if result.status == "pass" or telling == "full":
        return result
    if telling == "none":
        return replace(result, message="", feedback=None)
    if result.feedback is None:
        return replace(result, message=messages.in_short(result.message))
    told = Feedback(result.feedback.symptom)
    if telling == "hint":
        told = replace(told, hint=result.feedback.hint, read=result.feedback.read)
    return replace(result, message=as_text(told), feedback=told)


@dataclass(frozen=True)
class Tutor:
    """Turns wrong numbers into feedback, for the submissions of one exercise."""

    exercise: Exercise

    @cached_property
    def _ladder(self) -> Ladder:
        return Ladder(self.exercise)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.exercise)

    def explain(
        self, judged: Sequence[Judged], jail: Runner, program: Program, limits: Limits
    ) -> tuple[Sequence[Judged], tuple[Note, ...]]:
        """The same results with feedback where numbers are wrong, and what else is to be said about them.

        The functions with wrong numbers are run once more, on the ladder; those that are right cost nothing.
        """
        functions = self.exercise.functions
        wrong = [function for function, one in zip(functions, judged, strict=True) if one.wrong and not _ended(one)]
        climbed = self._ladder.climb(jail, program, wrong, limits)
        if not climbed:
            return judged, ()
        own = look(self.exercise, judged, climbed, jail, program, limits)
        told = [
            self._told(function, one, climbed[function.name], own.facts(function)) if function.name in climbed else one
            for function, one in zip(functions, judged, strict=True)
        ]
        return told, tuple(Note("student", text) for text in own.notes)

    @cached_property
    def _said(self) -> dict[bytes, tuple[Feedback | None, str | None]]:
        """What was said of numbers before: the ladder is the same for all, and so are many of their mistakes."""
        return {}

    def _told(self, function: Function, judged: Judged, trials: Trials, own: tuple[tuple[str, str], ...]) -> Judged:
        key = _key(function, trials)
        if key not in self._said:
            if len(self._said) >= _MOST_SAID:
                del self._said[next(iter(self._said))]
            self._said[key] = self._say(function, trials)
        told, mistake = self._said[key]
        if told is None:  # wrong in hidden cases only, or nowhere with numbers
            return judged
        return replace(judged, results=tuple(_with(judged, replace(told, facts=told.facts + own), mistake)))

    def _say(self, function: Function, trials: Trials) -> tuple[Feedback | None, str | None]:
        """What there is to say of one function's numbers, and the name of the mistake that they show, if one."""
        told = explain(function.name, self._ladder.rungs(function, trials), self._hint(function), function.read)
        if told is None or (mistake := self._catalogue.named(function.name, trials)) is None:
            return told, None
        return replace(told, hint=messages.looks_like(mistake.hint), read=messages.read(mistake.equation)), mistake.name

    def _hint(self, function: Function) -> str:
        """What the visible checks say beside wrong numbers."""
        return next(
            (check.hint for check in self.exercise.visible if check.function == function.name and check.hint), ""
        )


def _key(function: Function, trials: Trials) -> bytes:
    """The same for the same numbers on every case of the ladder."""
    digest = hashlib.sha256(function.name.encode())
    for id, trial in trials.items():
        values = trial.outcome.values if isinstance(trial.outcome, Returned) else None
        digest.update(repr((id, values and [value.array.shape for value in values])).encode())
        for value in values or ():
            digest.update(value.array.tobytes())
    return digest.digest()


def _ended(judged: Judged) -> bool:
    """Whether a call of the function ended its process: trying it again would take as long again."""
    return any(result.status == "timeout" for result in judged.results)


def _with(judged: Judged, told: Feedback, diagnosis: str | None) -> list[CheckResult]:
    """The whole feedback with the first check that fails for wrong numbers, and a pointer with each other one."""
    results: list[CheckResult] = []
    first: CheckResult | None = None
    for result in judged.results:
        brief = judged.wrong.get(result.id)
        if brief is None:
            results.append(result)
        elif first is None:
            first = replace(result, message=as_text(told), feedback=told, diagnosis=diagnosis)
            results.append(first)
        else:
            same = messages.same_reason(first.id, brief)
            results.append(replace(result, message=same, diagnosis=diagnosis))
    return results
