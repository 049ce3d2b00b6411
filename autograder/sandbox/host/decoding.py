"""Trusted side: what the process said -> outcomes. Whatever it could not honestly have said is a FrameError."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograder.sandbox.host.program import Batch, Call, Missing, Outcome, Program, Raised, Returned, Unusable, Value
from autograder.sandbox.protocol import framing, vocabulary
from autograder.sandbox.protocol.framing import (
    LAST_LINE,
    LONGEST_NAME,
    LONGEST_TEXT,
    MAX_NUMBERS,
    FrameError,
    array_in,
    arrays_in,
    integer,
    one_of,
    sequence,
    text,
)


def outcome(packed: bytes, program: Program, batch: Batch, step: int) -> Outcome:
    """The outcome of one step of a batch, from the packed reply."""
    results = program.results.get(batch.function, 1)
    match framing.unpack(packed):
        case ("returned", values, arguments):
            before, changed = call_of(batch, step).arrays, arrays_in(arguments)
            if not changed.keys() <= before.keys():
                raise FrameError("other arguments than were sent")
            # one that grew was changed, that much is told; what it grew to need not be kept
            after = {name: a if a.size <= before[name].size else np.empty(0) for name, a in changed.items()}
            return Returned(
                values=tuple(_value(value) for value in sequence(values, results)),
                arguments={**before, **after} if after else before,
                digest=hashlib.sha256(packed).digest(),
            )
        case ("unusable", position, what):
            if not vocabulary.is_word(text(what, LONGEST_NAME)):
                raise FrameError("a word that this protocol does not know")
            return Unusable(None if position is None else integer(position, 0, results - 1), what)
        case ("raised", error, message, label, line):
            return raised((error, message, label, line), program)
        case ("missing", names, bool(there)):
            functions = [text(name, LONGEST_NAME) for name in sequence(names)]
            return Missing(similar(batch.function, functions, program), callable=not there)
    raise FrameError("a reply that this protocol does not know")


def raised(items: tuple[Any, ...], program: Program) -> Raised:
    """An exception, from its class name, text, label and line."""
    error, message, label, line = items
    return Raised(
        error=one_of(error, vocabulary.ERRORS),
        text=text(message, LONGEST_TEXT),
        cell=one_of(label, {"", *(cell.label for cell in program.cells)}),
        line=None if line is None else integer(line, 1, LAST_LINE),
    )


def call_of(batch: Batch, step: int) -> Call:
    """The call whose argument objects a step of the batch uses."""
    while not isinstance(found := batch.steps[step], Call):
        step = found.step
    return found


def similar(wanted: str, names: Sequence[str], program: Program) -> tuple[str, ...]:
    """Those of the names, none of them asked for, that may have been meant as `wanted`; at most three."""
    others = {_letters(name): name for name in names if name not in program.functions and name.isidentifier()}
    return tuple(others[near] for near in difflib.get_close_matches(_letters(wanted), others, n=3, cutoff=0.7))


def _letters(name: str) -> str:
    return name.lower().replace("_", "")


def _value(item: object) -> Value:
    dtype, array = sequence(item, 2)
    value = array_in(array)
    if value.size > MAX_NUMBERS:
        raise FrameError("more numbers than an array may hold")
    return Value(value, one_of(dtype, vocabulary.DTYPES))
