"""What a student can ask for besides a check: a case as variables, what is expected there, a hint."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from calls import build, visible_inputs  # type: ignore[import-not-found]  # it is found once both are released, into one folder
from golden import Case, golden  # type: ignore[import-not-found]  # as calls
from layout import PlainError, tell, wrapped  # type: ignore[import-not-found]  # as calls
from results import SESSION  # type: ignore[import-not-found]  # as calls

Asked = Callable[..., Any] | str
"""A function of the exercise, or its name."""

MAX_CALL = 52  # characters of a call that stands in the second column of a message


class UnknownCaseError(PlainError, LookupError):  # type: ignore[misc]  # as calls
    """There is no such function, or no such case of it."""


def case(function: Asked, /, **wanted: int | str) -> Any:
    """Return the arguments of a function on one of its public cases, in order: new arrays each time.

        x, y = case("FUNCTION", N=2, D=1, seed=0)

    The smallest case that is as `wanted`, if there are several. A function of one argument gets that one, and no tuple.
    Raises UnknownCaseError.
    """
    name = name_of(function)
    given = build(*visible_inputs(name, _find(name, wanted)), sys.modules["__main__"])
    arguments = tuple(given[argument] for argument in golden().functions[name]["arguments"])
    return arguments if len(arguments) > 1 else arguments[0]


def expected(function: Asked, /, **wanted: int | str) -> Any:
    """Return what is expected of a function on the case that `case` finds: an array, or a tuple of several.

    Raises UnknownCaseError.
    """
    name = name_of(function)
    arrays = tuple(array.copy() for array in _find(name, wanted).functions[name]["expected"])
    return arrays if len(arrays) > 1 else arrays[0]


def case_call(name: str, id: str) -> str:
    """Return the line that gives a case as variables, on two lines if it is long; nothing if it has no such name."""
    if "=" not in id:
        return ""
    variables = ", ".join(golden().functions[name]["arguments"])
    call = f'{variables} = case("{name}", {id})'
    return call if len(call) <= MAX_CALL else call.replace("case(", "case(\n    ", 1)


def name_of(function: Asked) -> str:
    """Return the name of a function that was given by name or itself."""
    return function if isinstance(function, str) else getattr(function, "__name__", repr(function))


def _find(name: str, wanted: dict[str, int | str]) -> Case:
    if name not in golden().functions:
        raise UnknownCaseError(golden().unknown(name))
    cases = golden().matching(name, wanted)
    if not cases:
        raise UnknownCaseError(wrapped(golden().without_match(name, wanted)))
    return cases[0]


def hint(function: Asked | None = None, number: int | None = None) -> None:
    """Print the next hint for a function, such as hint("FUNCTION"); there are a few, from general to specific.

    hint() gives one for the first function that does not pass yet, hint("FUNCTION", 2) the second one for FUNCTION.
    """
    tell(hint_text(sys.modules["__main__"], "" if function is None else name_of(function), number))


def hint_text(module: ModuleType, name: str, number: int | str | None) -> str:
    """Return a hint, or what is wrong with asking for it; without a number, the one after that asked for last."""
    try:
        hints, rest = golden().hints, SESSION.progress(module).rest
    except OSError as missing:
        return str(missing)
    if not name and not rest:
        return "All functions pass here: no hint is needed."
    name = name or rest[0]
    texts = hints.get(name, ())
    if not texts:
        return f"No hints for {name!r}. Hints exist for {', '.join(hints) or 'no function'}."
    if number is None:
        SESSION.hints[name] = number = SESSION.hints.get(name, 0) + 1
        if SESSION.hints[name] > len(texts):
            return "\n".join([f"All hints for {name}:", *(f"- {text}" for text in texts)])
    if str(number) not in map(str, range(1, len(texts) + 1)):
        return f'There is no hint {number} for {name}: hint("{name}", {len(texts)}) is the last one.'
    return f"Hint {number} of {len(texts)} for {name}: {texts[int(number) - 1]}"
