"""The checks of this exercise. `check("name")` in the notebook and `pytest` in this folder run the same ones.

Your functions are called on small cases, and their arrays are compared with the golden numbers in checks.json; rules.py
says what is right.
"""

from __future__ import annotations

import html
import importlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from calls import (  # type: ignore[import-not-found]  # it is found once both are released, into one folder
    Answers,
    FindingError,
    J_functions,
    Status,
    answer,
    own_J,
    seen_by,
)
from explain import explain, show_case, without_slopes  # type: ignore[import-not-found]  # as calls
from feedback import Feedback  # type: ignore[import-not-found]  # as calls
from golden import Arrays, Case, VisibleCheck, golden  # type: ignore[import-not-found]  # as calls
from layout import MAX_LINES, as_html, as_text, printable, say, shortened, wrapped  # type: ignore[import-not-found]  # as calls
from rules import EXACT, are_equal, begins_with, error  # type: ignore[import-not-found]  # as calls
from slope import CLOSE_TO_MEASURED, central  # type: ignore[import-not-found]  # as calls
from slope import slope as slope  # students import it from here

PRINTED_LINES, PRINTED_IN_FULL = 2, 40
SHOWN_WORDS = ("str", "int", "bool", "function")  # that are a value by themselves


@dataclass(frozen=True)
class Result:
    """What one check says."""

    function: str
    title: str
    status: Status
    message: str = ""
    feedback: Feedback | None = None  # the message in parts, where it has such
    reason: tuple[object, ...] = ()  # what other checks may fail for too, whatever their case
    cases: tuple[str, ...] = ()  # the ids of those that were tried
    printed: tuple[str, ...] = ()  # what the function printed, shortened; in the last result of a function
    same_reason: bool = False  # as a check of this function before it, which has the message


@dataclass(frozen=True, repr=False)
class Results:
    """What several checks say: print it, or let Jupyter show it."""

    results: tuple[Result, ...]
    full: bool = False  # every line in a terminal, too

    def __repr__(self) -> str:
        lines: list[str] = []
        for headline, results in self._by_function():
            messages = [result.message.splitlines() for result in results]
            lines.append(headline)
            printed = [line for result in results for line in result.printed]
            room = MAX_LINES - 1 - len(results) - len(printed)
            share = room // max(sum(map(bool, messages)), 1)  # that each message may have; a short one leaves more
            shares = [min(len(message), share) for message in messages]
            for result, message, least in zip(results, messages, shares, strict=True):
                status = "WRONG" if result.status == "wrong" else result.status
                lines.append(f"  {status:<5}  {result.title}{' (same)' if result.same_reason else ''}")
                if message and not self.full:
                    most = room - sum(shares) + least
                    message = shortened(message, most, f'check("{result.function}", full=True)')
                    room -= len(message) - least
                lines += (f"{' ' * 9}{line}".rstrip() for line in message)
            lines += (f"  {'printed' if i == 0 else '':<7}  {line}" for i, line in enumerate(printed))
        return str(printable("\n".join(lines)))

    def _repr_html_(self) -> str:
        style = "margin: 0.3em 0 1em 1.6em; padding: 0; white-space: pre-wrap; color: inherit; background: none"

        def item(result: Result) -> str:
            mark = "&#10003;" if result.status == "pass" else "&#10007;"
            text = "For the same reason." if result.same_reason else result.message
            message = f'<pre style="{style}">{html.escape(text)}</pre>' if text else ""
            if result.feedback:
                message = f'<div style="margin: 0.3em 0 1em 1.6em">{as_html(result.feedback)}</div>'
            if result.printed:
                lines = html.escape("\n".join(result.printed))
                message += f'<div>printed:</div><pre style="{style}">{lines}</pre>'
            return f"<li><b>{mark} {result.status}</b>: {html.escape(result.title)}{message}</li>"

        return "".join(
            f'<p><b>{html.escape(headline)}</b></p><ul style="list-style: none">{"".join(map(item, results))}</ul>'
            for headline, results in self._by_function()
        )

    def _by_function(self) -> Iterator[tuple[str, list[Result]]]:
        """A headline for each function, and what stands below it: nothing where there is one thing to say."""
        for name in dict.fromkeys(result.function for result in self.results):
            results = [result for result in self.results if result.function == name]
            passed = sum(result.status == "pass" for result in results)
            count = f"all {passed} checks pass" if passed == len(results) else f"{passed} of {len(results)} checks pass"
            if len(results) == 1:
                count = "the check passes" if passed else "the check does not pass"
            cases = len({id for result in results for id in result.cases})
            if cases > 1:
                count += f", in {cases} cases"
            if results[0].status in ("not attempted yet", "not there yet"):
                yield results[0].message, []
            else:
                yield f"{name}: {count}", results


class NotPassedError(AssertionError):
    """Raised instead of a result while nbgrader runs the notebook; shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


def check(*names: str, full: bool = False, **case: int | str) -> Results | None:
    """Check the functions called `names`, such as check("name"); without a name, all of them.

    check("name", N=3, seed=0) shows one of the small cases that messages speak of: what goes in, what your
    function makes of it, and what is expected. A long message is cut in a terminal, unless it is asked for in `full`.
    """
    results = Results(tuple(results_of(sys.modules["__main__"], names, case)), full or bool(case))
    if "NBGRADER_EXECUTION" not in os.environ:
        return results
    if any(result.status != "pass" for result in results.results):
        raise NotPassedError(repr(results))
    say(results)
    return None  # nbgrader takes what a cell returns for points


def hint(name: str) -> None:
    """Print the next hint for a function, such as hint("name"); there are a few, from general to specific."""
    hints = golden().hints.get(name, ())
    number, text = next(_hints(name), (0, ""))
    if number:
        say(wrapped(f"Hint {number} of {len(hints)} for {name}: {text}"))
    elif hints:
        say(wrapped("\n".join([f"These are all hints for {name}:", *(f"- {text}" for text in hints)])))
    else:
        say(wrapped(f"There are no hints for {name!r}, but for {', '.join(golden().hints) or 'nothing'}."))


@cache
def _hints(name: str) -> Iterator[tuple[int, str]]:
    return iter(enumerate(golden().hints.get(name, ()), start=1))


def results_of(
    module: ModuleType, names: Sequence[str] = (), case: Mapping[str, Any] | None = None
) -> Iterator[Result]:
    """Yield the results of the checks of functions in a module (all of them without `names`), or those of a `case`."""
    try:
        functions, checks = golden().functions, golden().checks
    except OSError as missing:
        yield Result("", "", "not there yet", wrapped(str(missing)))
        return
    answers = Answers(module)
    for name in names or functions:
        if name not in functions:
            known = ", ".join(functions)
            yield Result(name, "", "not there yet", f"There is no {name!r} here: there are {known}.")
        elif case:
            yield from with_printed(replay(name, case, answers), answers, PRINTED_IN_FULL)
        else:
            results = merge_repeats(run(check, answers) for check in checks if check.function == name)
            yield from with_printed(results, answers, PRINTED_LINES)


def with_printed(results: Iterable[Result], answers: Answers, room: int) -> Iterator[Result]:
    """Yield the results of one function, the last one with the first lines that it printed."""
    *others, last = results
    yield from others
    printed = answers.printed.get(last.function)
    yield replace(last, printed=tuple(printed.lines(room))) if printed else last


def replay(name: str, wanted: Mapping[str, Any], answers: Answers) -> Iterator[Result]:
    """Yield what a function makes of the cases that are as `wanted`, such as {"T": 3, "H": 2, "seed": 0}."""
    pairs = {(key, str(value)) for key, value in wanted.items()}
    cases = [case for case in golden().cases_of(name) if pairs <= set(_known(case))]
    if not cases:
        there = "\n".join(f"  {case.id:<18}  {case.about}" for case in golden().cases_of(name))
        asked = ", ".join(f"{key}={value}" for key, value in wanted.items())
        yield Result(name, "", "not there yet", wrapped(f"There is no case with {asked} here. There are:\n\n{there}"))
    for case in cases:
        try:
            with _quiet():
                result = answers.result(name, case)
        except FindingError as finding:
            yield Result(name, case.about, finding.status, wrapped(finding.message))
            continue
        feedback = show_case(result, _listed(name, case))
        yield Result(name, case.about, "pass" if result.right else "wrong", as_text(feedback), feedback)


def _listed(name: str, case: Case) -> dict[str, Any]:
    """Return what goes into a function, for a reader: arrays and numbers as they are, options without their kind."""
    shown: dict[str, Any]
    shown, names = seen_by(name, case)
    for key, (kind, _, rest) in ((key, word.partition(" ")) for key, word in names.items()):
        if kind == "array":
            shown[key] = shown[key].astype(rest)
        elif kind in SHOWN_WORDS:
            shown[key] = rest
    return shown


def _known(case: Case) -> Iterator[tuple[str, str]]:
    """Yield everything by which a case can be asked for: the parts of its id, its traits, its functions."""
    for pair in case.id.split(", "):
        key, _, value = pair.partition("=")
        yield key, value
    yield from ((key, str(value)) for key, value in {**case.traits, **case.names}.items())


def merge_repeats(results: Iterable[Result]) -> Iterator[Result]:
    """Yield the results of one function, with nothing said twice."""
    reasons: set[tuple[object, ...]] = set()
    for result in results:
        is_repeat = result.reason in reasons
        same_reason = is_repeat and result.status != "pass"
        yield replace(result, message="", feedback=None, same_reason=same_reason) if is_repeat else result
        reasons.add(result.reason)


def run(check: VisibleCheck, answers: Answers) -> Result:
    """Run one check; never raises because of what the student's function does."""
    cases = tuple(case.id for case in check.cases)
    try:
        with _quiet():
            message = (_contract if check.looks_at == "contract" else _numbers)(check, answers)
    except FindingError as finding:
        message, reason = wrapped(finding.message), finding.reason or (finding.message,)
        return Result(check.function, check.title, finding.status, message, finding.feedback, reason, cases)
    return Result(check.function, check.title, "pass", wrapped(message), reason=(message,), cases=cases)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back warnings: what they warn of, the checks say."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _contract(check: VisibleCheck, answers: Answers) -> str:
    """Check shapes and dtypes, inputs left alone, equal answers to equal calls, results that stay what they are."""
    name, returns = check.function, list(golden().functions[check.function]["returns"])
    for case in check.cases:
        raw, values = _located(check, case, answers)
        for result, start in check.starts.items():
            if not begins_with(values[returns.index(result)], case.arrays[start]):
                raise FindingError(f"{result}[0] is not {start}: the first row of {result} must be {start} itself.")
        _require_same_again(name, case, answers, values)
        # These numbers are only there to be different: a function that stops on them is not to blame.
        other = replace(case, arrays={key: array * 0.75 for key, array in case.arrays.items()})
        with suppress(FindingError):
            answer(name, other, answers.module)
        if not are_equal(raw, values):
            changes = f"A later call of {name} changes what an earlier one returned"
            raise FindingError(f"{changes}: make a new array each time.")
        _require_same_again(name, case, answers, values)
    return ""


def _require_same_again(name: str, case: Case, answers: Answers, values: Arrays) -> None:
    if not are_equal(answer(name, case, answers.module)[1], values):
        why = "something is kept between calls, or drawn at random. Make every array and every sum anew in each call."
        raise FindingError(f"{name} answers two equal calls differently: {why}")


def _numbers(check: VisibleCheck, answers: Answers) -> str:
    """Check the numbers of every case, and say of a gradient whether it fits the student's own functions."""
    name = check.function
    wrong: list[Case] = []
    errors = [0.0]
    for case in check.cases:
        _, values = _located(check, case, answers)
        result = answers.result(name, case)
        if result.right:
            errors += [error(yours, right) for yours, right in zip(values, result.expected, strict=True)]
        else:
            wrong.append(case)
    own = _own_J(check, answers, right=not wrong) if check.title == _first_slope(name) else ""
    if wrong:
        _require_same_again(name, wrong[0], answers, answers.of(name, wrong[0])[1])
        feedback = _feedback(check, answers)
        if own:
            feedback = replace(feedback, facts=((f"your own {J_functions(answers.module)[0]}", own), *feedback.facts))
        raise FindingError(as_text(feedback), feedback=feedback)
    if max(errors) > EXACT:
        low = f"in low precision ({max(errors):.1g}), as of float32"
        own = f"Right, but {low}: leave dtype away, and numpy uses float64.\n{own}"
    return own.rstrip()


def _located(check: VisibleCheck, case: Case, answers: Answers) -> tuple[Arrays, Arrays]:
    """Return what a function returned on a case; a finding says which case it was, and how many smaller ones passed."""
    try:
        raw, values = answers.of(check.function, case)
        return raw, values
    except FindingError as finding:
        if finding.status != "wrong":
            raise
        smaller = check.cases[: check.cases.index(case)]
        passed = sum(answers.result(check.function, earlier).right for earlier in smaller)
        passes = f"\n  right for       {passed} smaller case{'s' if passed > 1 else ''}" if passed else ""
        where = f"\n\n  case            {case.about}{passes}"
        reason = finding.reason or (finding.message,)
        raise FindingError(finding.message + where, finding.status, reason=reason) from None


def _first_slope(name: str) -> str:
    """Return the title of the check that speaks of the student's own functions: one of each gradient."""
    return next((check.title for check in golden().checks if (check.function, check.looks_at) == (name, "slope")), "")


def _feedback(check: VisibleCheck, answers: Answers) -> Feedback:
    """Return what is said of wrong numbers, by all cases of the function: the same for its checks without a hint."""
    key = check.function, check.hint
    if key not in answers.feedback:
        sets = answers.sets(check.function)
        if check.hint:
            sets = without_slopes(sets) or sets
        read = golden().functions[check.function]["read"]
        answers.feedback[key] = explain(check.function, sets, check.hint, read)
    return answers.feedback[key]


def _own_J(check: VisibleCheck, answers: Answers, right: bool) -> str:
    """Return a note: whether a gradient is the slope of J through the student's own functions."""
    own = [name for name in J_functions(answers.module) if name != check.function]
    wrong = [name for name in own if not all(result.right for result in answers.results(name))]
    through = f"the slope of J through your own {' and '.join(own)}"
    if not own or not wrong:
        return f"It is also {through}." if own and right else ""
    cases = [case for case in golden().cases_of(check.function) if case.functions[check.function]["is_slope"]]
    smallest_of_kind = {tuple(case.names.values()): case for case in reversed(cases)}
    try:
        fits = all(_fits_own_J(check.function, own, case, answers) for case in smallest_of_kind.values())
    except Exception:  # noqa: BLE001  # a note is never worth an error
        return ""  # a function is not there yet, or does not work: its own checks say so
    if not right:
        return f"It is {through}, though: look at {wrong[0]} first." if fits else ""
    no = f'It is not {through}, though: check("{wrong[0]}") tells more.'
    return f"It is also {through}." if fits else no


def _fits_own_J(name: str, own: Sequence[str], case: Case, answers: Answers) -> bool:
    """Return whether a gradient, given what the student's own functions return, is the slope of J through them."""
    functions = golden().functions
    returned = {
        result: array
        for other in own
        for result, array in zip(functions[other]["returns"], answers.of(other, case)[1], strict=True)
        if result in case.arrays
    }
    [gradient] = answer(name, replace(case, arrays={**case.arrays, **returned}), answers.module)[1]
    wrt = functions[name]["slope_of"]
    measured = central(lambda moved: own_J({**case.arrays, wrt: moved}, case.names, answers.module), case.arrays[wrt])
    return bool(error(gradient, measured) <= CLOSE_TO_MEASURED)


def main(words: Sequence[str]) -> None:
    """`python checks.py name N=3 seed=0` does in a shell what check("name", N=3, seed=0) does."""
    names = [word for word in words if "=" not in word]
    case = dict(word.split("=", 1) for word in words if "=" in word)
    full = case.pop("full", "") == "True"
    say(Results(tuple(results_of(importlib.import_module(golden().exercise), names, case)), full or bool(case)))


if __name__ == "__main__":
    main(sys.argv[1:])
