"""The checks of this exercise. `check("name")` in the notebook and `pytest` in this folder run the same ones.

Your functions are called on small cases, and their arrays are compared with the golden numbers in checks.json; rules.py
says what is right.
"""

from __future__ import annotations

import builtins
import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import ModuleType
from typing import Any

import asking  # type: ignore[import-not-found]  # it is found once both are released, into one folder
import numpy as np
from asking import Asked, case_call, name_of
from calls import (  # type: ignore[import-not-found]  # as asking
    Answers,
    CheckInterrupted,
    FindingError,
    J_functions,
    NotLoadedError,
    answer,
    load,
    own_J,
    visible_inputs,
)
from explain import explain, show_case, without_slopes  # type: ignore[import-not-found]  # as asking
from feedback import Feedback  # type: ignore[import-not-found]  # as asking
from golden import Arrays, Case, VisibleCheck, golden  # type: ignore[import-not-found]  # as asking
from layout import PlainError, as_text, say, wrapped  # type: ignore[import-not-found]  # as asking
from results import SESSION, Progress, Result, Results  # type: ignore[import-not-found]  # as asking
from rules import EXACT, are_equal, begins_with, error  # type: ignore[import-not-found]  # as asking
from slope import CLOSE_TO_MEASURED, central  # type: ignore[import-not-found]  # as asking
from slope import slope as slope  # students import it from here

case, expected, hint = asking.case, asking.expected, asking.hint  # students import them from here

PRINTED_LINES, PRINTED_IN_FULL = 2, 40
SHOWN_WORDS = ("str", "int", "bool", "function")  # that are a value by themselves


class NotPassedError(PlainError, AssertionError):  # type: ignore[misc]  # as asking
    """Raised instead of a result while nbgrader runs the notebook."""


def check(*functions: Asked, full: bool = False, **case: int | str) -> Results | None:
    """Check `functions`, named or themselves: check("name"), check(name). Without any, all of them.

    check("name", N=3, seed=0) shows one of the small cases that messages speak of: what goes in, what your
    function makes of it, and what is expected. A long message is cut in a terminal, unless it is asked for in `full`.
    """
    module, names = sys.modules["__main__"], [name_of(function) for function in functions]
    try:
        results = checked(module, names, case, full)
    except KeyboardInterrupt as stop:
        raise _interrupted(stop) from None
    if "NBGRADER_EXECUTION" not in os.environ:
        return results
    if any(result.status != "pass" for result in results.results):
        raise NotPassedError(repr(results))
    say(results)
    return None  # nbgrader takes what a cell returns for points


def progress() -> Progress | Results:
    """Return which functions pass, for how many points, and which comes next.

    Those that passed are not called again.
    """
    module = sys.modules["__main__"]
    try:
        results = checked(module, SESSION.progress(module).rest)
    except OSError as missing:
        return Results((Result("", "", "not there yet", wrapped(str(missing))),))
    except KeyboardInterrupt as stop:
        raise _interrupted(stop) from None
    return results.progress or results


def checked(
    module: ModuleType, names: Sequence[str], case: Mapping[str, Any] | None = None, full: bool = False
) -> Results:
    """Return the results of functions of a module, and how far all of them are; of a `case`, its results alone."""
    results = tuple(results_of(module, names, case))
    return Results(results, full=True) if case else Results(results, full, noted(module, results))


def noted(module: ModuleType, results: Sequence[Result]) -> Progress | None:
    """Take notice of which functions pass all of their checks, and return how far the student is.

    None if what was checked is no function of the exercise.
    """
    if not all(result.function and result.function in golden().functions for result in results):
        return None
    for name in {result.function for result in results}:
        passed = sum(result.status == "pass" for result in results if result.function == name)
        SESSION.note(module, name, passed == sum(check.function == name for check in golden().checks))
    return SESSION.progress(module)


def _interrupted(stop: KeyboardInterrupt) -> BaseException:
    """Return what ends a check that was interrupted: in a notebook and in a script, one sentence is shown."""
    interrupted = CheckInterrupted(str(stop) or "The check was interrupted.")
    return interrupted if hasattr(builtins, "__IPYTHON__") else SystemExit(str(interrupted))


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
            yield Result(name, "", "not there yet", golden().unknown(name))
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
    cases = golden().matching(name, wanted)
    if not cases:
        yield Result(name, "", "not there yet", wrapped(golden().without_match(name, wanted)))
    for case in cases:
        try:
            with _quiet():
                result = answers.result(name, case)
        except FindingError as finding:
            yield Result(name, case.about, finding.status, wrapped(finding.message))
            continue
        feedback = replace(show_case(result, _listed(name, case)), replay=case_call(name, case.id))
        yield Result(name, case.about, "pass" if result.right else "wrong", as_text(feedback), feedback)


def _listed(name: str, case: Case) -> dict[str, Any]:
    """Return what goes into a function, for a reader: arrays and numbers as they are, options without their kind."""
    shown: dict[str, Any]
    shown, names = visible_inputs(name, case)
    for key, (kind, _, rest) in ((key, word.partition(" ")) for key, word in names.items()):
        if kind == "array":
            shown[key] = shown[key].astype(rest)
        elif kind in SHOWN_WORDS:
            shown[key] = rest
    return shown


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
        own = f"Right, but {low}: leave out dtype, and numpy uses float64.\n{own}"
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
        feedback = explain(check.function, sets, check.hint, read)
        calls = feedback.replay, feedback.replay.replace("check(", "case(", 1)
        answers.feedback[key] = replace(feedback, replay="\n".join(filter(None, calls)))
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
    """`python checks.py name N=3 seed=0` does in a shell what check("name", N=3, seed=0) does.

    And `python checks.py hint name 2` does what hint("name", 2) does.
    """
    words = [part for word in words for part in word.split(",") if part]
    try:
        if {"-h", "--help"} & set(words):
            say(_usage())
            return
        if words[:1] == ["hint"]:
            say(wrapped(_hint_in_a_shell(words[1:])))
            return
        names = [word for word in words if "=" not in word]
        case = dict(word.split("=", 1) for word in words if "=" in word)
        full = case.pop("full", "") == "True"
        say(checked(load(golden().exercise), names, case, full))
    except KeyboardInterrupt as stop:
        raise _interrupted(stop) from None
    except (NotLoadedError, OSError) as error:
        sys.exit(str(error))


def _usage() -> str:
    """Return what can be asked for in a shell."""
    name = next(iter(golden().functions))
    return (
        f"python checks.py                   check all functions\n"
        f"python checks.py {name:<18}check one of them\n"
        f"python checks.py {f'{name} full=True':<18}the same, with long messages in full\n"
        f"python checks.py {f'{name} seed=0':<18}show its cases with that seed\n"
        f"python checks.py hint {name:<13}a hint; hint {name} 2 gives the second one"
    )


def _hint_in_a_shell(words: Sequence[str]) -> str:
    """Return the hint that is asked for by a function and a number, or by less: nothing is kept between two calls."""
    name, number = [*words, "", ""][:2]
    module = sys.modules["__main__"] if name else load(golden().exercise)
    if not name and (progress := checked(module, ()).progress) and progress.rest:
        name = progress.rest[0]
    text = str(asking.hint_text(module, name, number or "1"))
    following = int(number) + 1 if number.isdecimal() else 2
    if text.startswith("Hint ") and following <= len(golden().hints[name]):
        return f"{text}\n\nThe next one: python checks.py hint {name} {following}"
    return text


if __name__ == "__main__":
    main(sys.argv[1:])
