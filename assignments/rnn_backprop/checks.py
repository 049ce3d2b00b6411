"""The checks of this exercise. `check("name")` in the notebook and `pytest` in this folder run the same ones.

Your arrays are compared with the golden numbers in checks.json. How far yours are from the expected ones is one number,
the relative error max|yours - expected| / max|expected| over a whole array (max|expected| taken as 1e-12 at least):

    up to 1e-8    right
    up to 1e-3    right, in low precision such as float32: passes, with a note
    above         wrong
"""

from __future__ import annotations

import contextlib
import html
import importlib
import os
import sys
import textwrap
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from calls import (  # type: ignore[import-not-found]  # it is found once both are released, into one folder
    OWN,
    Array,
    Arrays,
    Case,
    FindingError,
    Status,
    VisibleCheck,
    answer,
    case_of,
    find,
    golden,
    slope,
)
from feedback import (  # type: ignore[import-not-found]  # as calls
    CLOSE,
    EXACT,
    Feedback,
    Rung,
    Sum,
    error,
    explain,
    no_slopes,
    retold,
)
from layout import as_html, as_text, wrapped  # type: ignore[import-not-found]  # as calls


@dataclass(frozen=True)
class Result:
    """What one check says."""

    function: str
    title: str
    status: Status
    message: str = ""
    feedback: Feedback | None = None  # the message in parts, where it has such
    reason: str = ""  # what other checks may fail for too: the message without the case


@dataclass(frozen=True, repr=False)
class Results:
    """What several checks say: print it, or let Jupyter show it."""

    results: tuple[Result, ...]

    def __repr__(self) -> str:
        lines = []
        for headline, results in self._by_function():
            lines.append(headline)
            for result in results:
                lines.append(f"  {'WRONG' if result.status == 'wrong' else result.status:<5}  {result.title}")
                lines += [textwrap.indent(result.message, " " * 9), ""] if result.message else []
        return "\n".join(lines).rstrip()

    def _repr_html_(self) -> str:
        style = "margin: 0.3em 0 1em 1.6em; padding: 0; white-space: pre-wrap; color: inherit; background: none"

        def item(result: Result) -> str:
            mark = "&#10003;" if result.status == "pass" else "&#10007;"
            message = f'<pre style="{style}">{html.escape(result.message)}</pre>' if result.message else ""
            if result.feedback:
                message = f'<div style="margin: 0.3em 0 1em 1.6em">{as_html(result.feedback)}</div>'
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
            if results[0].status in ("not attempted yet", "not there yet"):
                yield results[0].message, []
            else:
                yield f"{name}: {count}", results


class NotPassedError(AssertionError):
    """Raised instead of a result while nbgrader runs the notebook; shown without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


def check(*names: str, **case: int | str) -> Results | None:
    """Check the functions called `names`, such as check("forward"); without a name, all of them.

    check("dJ_dW", T=3, H=2, seed=0) shows one of the small cases that messages speak of: what goes in, what your
    function makes of it, and what is expected.
    """
    said = Results(tuple(_said(names, case, sys.modules["__main__"])))
    if "NBGRADER_EXECUTION" not in os.environ:
        return said
    if any(result.status != "pass" for result in said.results):
        raise NotPassedError(repr(said))
    print(said)
    return None  # nbgrader takes what a cell returns for points


def hint(name: str) -> None:
    """Print the next hint for a function, such as hint("dJ_dW"); there are a few, from general to specific."""
    hints = golden().hints.get(name, ())
    number, text = next(_hints(name), (0, ""))
    if number:
        print(wrapped(f"Hint {number} of {len(hints)} for {name}: {text}"))
    elif hints:
        print(wrapped("\n".join([f"These are all hints for {name}:", *(f"- {text}" for text in hints)])))
    else:
        print(wrapped(f"There are no hints for {name!r}, but for {', '.join(golden().hints) or 'nothing'}."))


@cache
def _hints(name: str) -> Iterator[tuple[int, str]]:
    return iter(enumerate(golden().hints.get(name, ()), start=1))


def _said(names: Sequence[str], case: Mapping[str, Any], module: ModuleType) -> Iterator[Result]:
    """What the checks say of the functions of a module: the notebook, or the file that is run."""
    try:
        functions, checks = golden().functions, golden().checks
    except OSError as missing:
        yield Result("", "", "not there yet", wrapped(str(missing)))
        return
    for name in names or functions:
        if name not in functions:
            known = ", ".join(functions)
            yield Result(name, "", "not there yet", f"There is no {name!r} here: there are {known}.")
        elif case:
            yield from replayed(name, case, module)
        yield from once(run(visible, module) for visible in checks if visible.function == name and not case)


def replayed(name: str, wanted: Mapping[str, Any], module: ModuleType) -> Iterator[Result]:
    """What a function makes of the cases of the ladder that are as `wanted`, such as {"T": 3, "H": 2, "seed": 0}."""
    steps = [step for step in golden().ladder if {(key, str(wanted[key])) for key in wanted} <= set(_known(step))]
    if not steps:
        there = "\n".join(f"  {step['id']:<18}  {step['about']}" for step in golden().ladder)
        asked = ", ".join(f"{key}={value}" for key, value in wanted.items())
        yield Result(name, "", "not there yet", wrapped(f"There is no case with {asked} here. There are:\n\n{there}"))
    for step in steps:
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                yours = answer(name, _case_of_step(name, step), module)[1]
        except FindingError as finding:
            yield Result(name, step["about"], finding.status, wrapped(finding.message))
            continue
        rung = _rung(name, step, yours)
        seen = {key: step["arrays"][key] for key in golden().functions[name]["arrays"] if key in step["arrays"]}
        told = retold(rung, seen)
        yield Result(name, step["about"], "pass" if rung.right else "wrong", as_text(told), told)


def _known(step: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """All by which a case can be asked for: its id, its traits, the names of what is given."""
    for pair in step["id"].split(", "):
        key, _, value = pair.partition("=")
        yield key, value
    yield from ((key, str(value)) for key, value in {**step["traits"], **step["names"]}.items())


def _case_of_step(name: str, step: Mapping[str, Any]) -> Case:
    return case_of({**{key: step[key] for key in ("id", "about", "names", "arrays")}, **_expected(name, step)})


def _expected(name: str, step: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"expected": step["functions"][name]["expected"]}


def _rung(name: str, step: Mapping[str, Any], yours: Arrays) -> Rung:
    entry = step["functions"][name]
    return Rung(
        case=step["id"],
        about=step["about"],
        traits=step["traits"],
        results=tuple(golden().functions[name]["returns"]),
        yours=yours,
        expected=_case_of_step(name, step).expected,
        is_slope=entry["is_slope"],
        sums=tuple(
            Sum(one["of"], {part: np.array(array) for part, array in one["parts"].items()}) for one in entry["sums"]
        ),
    )


def _rungs(name: str, module: ModuleType) -> Iterator[Rung]:
    """What a function makes of the whole ladder; nothing of a case on which it stops."""
    for step in golden().ladder:
        yours: Arrays = ()
        with contextlib.suppress(FindingError):
            yours = answer(name, _case_of_step(name, step), module)[1]
        yield _rung(name, step, yours)


def once(results: Iterable[Result]) -> Iterator[Result]:
    """The results of one function, nothing said twice."""
    said: set[str] = set()
    for result in results:
        same = "" if result.status == "pass" else "For the same reason."
        yield replace(result, message=same, feedback=None) if result.reason in said else result
        said.add(result.reason)


def run(visible: VisibleCheck, module: ModuleType) -> Result:
    """Run one check on the function of `module`; never raises because of what that function does."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):  # what these warn of, the checks say
            warnings.simplefilter("ignore")
            message = (_contract if visible.looks_at == "contract" else _numbers)(visible, module)
    except FindingError as finding:
        message, reason = wrapped(finding.message), finding.reason or finding.message
        return Result(visible.function, visible.title, finding.status, message, finding.feedback, reason)
    return Result(visible.function, visible.title, "pass", wrapped(message), reason=message)


def _contract(visible: VisibleCheck, module: ModuleType) -> str:
    """Shapes and dtypes, inputs left alone, equal answers to equal calls, results that stay what they are."""
    name, returns = visible.function, list(golden().functions[visible.function]["returns"])
    for case in visible.cases:
        raw, first = answer(name, case, module)
        for result, start in visible.starts.items():
            if error(first[returns.index(result)][0], case.arrays[start]) > CLOSE:
                raise FindingError(f"{result}[0] is not {start}: the first row of {result} must be {start} itself.")
        _same_again(name, case, module, first)
        with contextlib.suppress(FindingError):  # these numbers are only there to be different
            answer(name, replace(case, arrays={key: array * 0.75 for key, array in case.arrays.items()}), module)
        if any(error(now, then) > EXACT for now, then in zip(raw, first, strict=True)):
            changes = f"A later call of {name} changes what an earlier one returned"
            raise FindingError(f"{changes}: make a new array each time.")
        _same_again(name, case, module, first)
    return ""


def _same_again(name: str, case: Case, module: ModuleType, first: Sequence[Array]) -> None:
    if any(error(now, then) > EXACT for now, then in zip(answer(name, case, module)[1], first, strict=True)):
        why = "something is kept between calls, or drawn at random. Make every array and every sum anew in each call."
        raise FindingError(f"{name} answers two equal calls differently: {why}")


def _numbers(visible: VisibleCheck, module: ModuleType) -> str:
    """The expected numbers of every case, and for a slope whether it fits the student's own forward."""
    name, slopes = visible.function, visible.looks_at == "slope"
    results = tuple(golden().functions[name]["returns"])
    tried: list[Rung] = []
    wrong: list[Array] = []
    errors = [0.0]
    for case in visible.cases:
        raw, values = answer(name, case, module, [rung.case for rung in tried if rung.right])
        rung = Rung(case.id, case.about or case.id, {"case": case.id}, results, values, case.expected, slopes)
        tried.append(rung)
        if rung.right:
            errors += [error(yours, right) for yours, right in zip(values, case.expected, strict=True)]
        else:
            _same_again(name, case, module, values)
            wrong.append(raw[rung.wrong])
    own = _own_forward(visible, module, right=not wrong) if slopes and visible.title == _first_slope(name) else ""
    if wrong:
        told = _told(visible, module, tried)
        if wrong[0].dtype.kind in "iub":
            whole = f"dtype {wrong[0].dtype} holds whole numbers only: leave dtype away"
            told = replace(told, facts=(*told.facts, ("to be seen", whole)))
        if own:
            told = replace(told, facts=(*told.facts, ("your own forward", own)))
        raise FindingError(as_text(told), feedback=told)
    if max(errors) > EXACT:
        low = f"in low precision ({max(errors):.0e}), as of float32"
        own = f"Right, but {low}: leave dtype away, and numpy uses float64.\n{own}"
    return own.rstrip()


def _first_slope(name: str) -> str:
    """The title of the check that tells of the student's own forward: one of each function, so that it is said once."""
    return next((check.title for check in golden().checks if (check.function, check.looks_at) == (name, "slope")), "")


def _told(visible: VisibleCheck, module: ModuleType, tried: Sequence[Rung]) -> Feedback:
    """What is told of wrong numbers: by the ladder, else by the cases of the check itself."""
    name, read = visible.function, golden().functions[visible.function]["read"]
    rungs = tuple(_rungs(name, module))
    if visible.hint:
        rungs = no_slopes(rungs) or rungs
    told = explain(name, rungs, visible.hint, read)
    return told or replace(explain(name, tried, visible.hint, read), replay="")


def _own_forward(visible: VisibleCheck, module: ModuleType, right: bool) -> str:
    """A note: whether a gradient is the slope of J by the student's own forward, on the largest case."""
    functions = golden().functions
    case, entry = replace(visible.cases[-1], expected=()), functions[visible.function]
    forward = next((name for name, other in functions.items() if "y_hat" in other["returns"]), visible.function)
    given = golden().given.arguments({key: array.copy() for key, array in case.arrays.items()}, case.names)
    net, x, y, h0 = given[entry["arguments"][0]], given["x"], given["y"], given.get("h0")
    try:
        own = dict(zip(functions[forward]["returns"], answer(forward, case, module)[1], strict=True))
        gradient = answer(visible.function, replace(case, arrays={**case.arrays, **own}), module)[1][0]
        fits = error(gradient, slope(find(forward, module), net, x, y, h0, entry["slope_of"])) <= OWN
    except Exception:  # noqa: BLE001  # a note is never worth an error
        return ""  # there is no forward yet, or none that works: its own checks say so
    if not right:
        return f"It is the slope of J through your own {forward}, though: look at {forward} first." if fits else ""
    no = f'It is not the slope of J through your own {forward}, though: check("{forward}") tells more.'
    return f"It is also the slope of J through your own {forward}." if fits else no


def main(words: Sequence[str]) -> None:
    """`python checks.py dJ_dW T=3 H=2 seed=0` does in a shell what check("dJ_dW", T=3, H=2, seed=0) does."""
    names = [word for word in words if "=" not in word]
    case = dict(word.split("=", 1) for word in words if "=" in word)
    print(Results(tuple(_said(names, case, importlib.import_module(golden().exercise)))))


if __name__ == "__main__":
    main(sys.argv[1:])
