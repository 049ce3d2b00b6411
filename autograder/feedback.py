"""What a student is told of wrong numbers: looked at on the public ladder, and no more than the course tells."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from autograder import messages
from autograder.cases import Plan
from autograder.diagnosis import Catalogue
from autograder.exercise import Exercise, Function
from autograder.judging import Judged
from autograder.ladder import Ladder, Trials, wrong
from autograder.own_forward import Own, OwnForward
from autograder.report import CheckResult, Feedback, Note, Telling
from autograder.sandbox.jail import Loaded, Runner
from autograder.sandbox.program import Batch, Ended, Execution, Limits, Program, Returned
from autograder.student.feedback import explain
from autograder.student.layout import as_text

_MOST_SAID = 1000
_MOMENT = 0.5  # seconds on the CPU for a function, where the verdict must not wait for want of it


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


Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Said:
    """What is said of wrong numbers, the same as text, and the name of the mistake that they show, if one."""

    feedback: Feedback
    text: str
    mistake: str | None


@dataclass(frozen=True)
class Seen:
    """What was seen of a submission on public cases.

    `ended` are functions whose first call ended the process; `climbed` what others with wrong numbers gave on the
    ladder.
    """

    ended: Mapping[str, Ended] = field(default_factory=dict)
    climbed: Mapping[str, Trials] = field(default_factory=dict)
    own: Own = field(default_factory=Own)

    def and_then(self, later: Seen) -> Seen:
        """This, with what was seen later."""
        return Seen(self.ended, {**self.climbed, **later.climbed}, later.own if later.own.forward else self.own)


class TooSlow(Exception):
    """A look took longer than the moment that there was for it."""


@dataclass(frozen=True)
class Hurried:
    """Runs what takes a moment only. Raises TooSlow for all that ends its process."""

    jail: Runner

    def run(self, program: Program, batches: Sequence[Batch], limits: Limits) -> Execution:
        """As Jail.run, but for that."""
        limits = replace(limits, cpu_seconds=_MOMENT, wall_seconds=4 * _MOMENT)
        execution = self.jail.run(program, batches, limits)
        if any(isinstance(outcome, Ended) for outcomes in execution.outcomes.values() for outcome in outcomes):
            raise TooSlow
        return execution


@dataclass(frozen=True)
class Tutor:
    """Turns wrong numbers into feedback, for the submissions of one exercise."""

    exercise: Exercise

    @cached_property
    def _ladder(self) -> Ladder:
        return Ladder(self.exercise)

    @cached_property
    def _own_forward(self) -> OwnForward:
        return OwnForward(self.exercise)

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.exercise)

    def glance(self, jail: Loaded, program: Program, plans: Sequence[Plan], limits: Limits) -> Seen:
        """Make the first call of each function, and look on the ladder at those with wrong numbers.

        All of it is public, so the process may go on with hidden cases, and most wrong work needs no other process. To
        look is given a moment only, because the verdict is still to come: what takes longer is left for later.
        """
        if not self.exercise.ladder or not all(one.starts_in_public for one in plans):
            return Seen()
        outcomes = jail.begin([one.batch for one in plans], limits)
        ended = {name: outcome for name, outcome in outcomes.items() if isinstance(outcome, Ended)}
        off = [one.function for one in plans if wrong(one.first_trial(outcomes[one.function.name]))]
        try:
            seen = self.look(Hurried(jail), program, off, limits)
        except TooSlow:
            return Seen(ended)
        return replace(seen, ended=ended)

    def look(self, jail: Runner, program: Program, functions: Sequence[Function], limits: Limits) -> Seen:
        """Look at functions with wrong numbers on the ladder, and beside a wrong forward pass at the gradients."""
        climbed = self._ladder.climb(jail, program, functions, limits)
        return Seen({}, climbed, self._own_forward.look(climbed, jail, program, limits))

    def unseen(self, judged: Sequence[Judged], seen: Seen) -> list[Function]:
        """The functions with wrong numbers that are still to be looked at."""
        both = zip(self.exercise.functions, judged, strict=True)
        return [one for one, what in both if what.wrong and not _ended(what) and one.name not in seen.climbed]

    def explain(self, judged: Sequence[Judged], seen: Seen) -> tuple[Sequence[Judged], tuple[Note, ...]]:
        """The same results with feedback where numbers are wrong, and what else is to be said about them."""
        both = list(zip(self.exercise.functions, judged, strict=True))
        climbed = {one.name: seen.climbed[one.name] for one, what in both if what.wrong and one.name in seen.climbed}
        own = seen.own if seen.own.forward in climbed else Own()
        told = [
            self._told(one, what, climbed[one.name], own.facts(one)) if one.name in climbed else what
            for one, what in both
        ]
        return told, tuple(Note("student", text) for text in self._own_forward.notes(own, judged))

    @cached_property
    def _said(self) -> dict[tuple[bytes, Facts], Said | None]:
        """What was said of numbers before: the ladder is the same for all, and so are many of their mistakes."""
        return {}

    def _told(self, function: Function, judged: Judged, trials: Trials, own: Facts) -> Judged:
        key = _key(function, trials), own
        if key not in self._said:
            if len(self._said) >= _MOST_SAID:
                del self._said[next(iter(self._said))]
            self._said[key] = self._say(function, trials, own)
        said = self._said[key]
        if said is None:  # wrong in hidden cases only, or nowhere with numbers
            return judged
        return replace(judged, results=tuple(_with(judged, said)))

    def _say(self, function: Function, trials: Trials, own: Facts) -> Said | None:
        """What there is to say of one function's numbers."""
        told = explain(function.name, self._ladder.rungs(function, trials), self._hint(function), function.read)
        if told is None:
            return None
        told = replace(told, facts=told.facts + own)
        mistake = self._catalogue.named(function.name, trials)
        if mistake is None:
            return Said(told, as_text(told), None)
        told = replace(told, hint=messages.looks_like(mistake.hint), read=messages.read(mistake.equation))
        return Said(told, as_text(told), mistake.name)

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


def _with(judged: Judged, said: Said) -> list[CheckResult]:
    """The whole feedback with the first check that fails for wrong numbers, and a pointer with each other one."""
    results: list[CheckResult] = []
    first: CheckResult | None = None
    for result in judged.results:
        brief = judged.wrong.get(result.id)
        if brief is None:
            results.append(result)
        elif first is None:
            first = replace(result, message=said.text, feedback=said.feedback, diagnosis=said.mistake)
            results.append(first)
        else:
            same = messages.same_reason(first.id, brief)
            results.append(replace(result, message=same, diagnosis=said.mistake))
    return results
