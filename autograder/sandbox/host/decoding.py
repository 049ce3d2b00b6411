"""Turns replies of a process into outcomes. Raises ProtocolError for anything that an honest process cannot send."""

from __future__ import annotations

import difflib
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from autograder.exercise.model import Array, Arrays
from autograder.sandbox.host.program import (
    Batch,
    Call,
    FunctionMissing,
    FunctionRaised,
    InvalidResult,
    Outcome,
    PackedCall,
    Program,
    RecheckResult,
    RepeatCall,
    Returned,
)
from autograder.sandbox.protocol import framing, vocabulary
from autograder.sandbox.protocol.framing import ProtocolError, expect_choice, expect_int, expect_str, expect_tuple

_MAX_PLAIN_NUMBERS = 4096  # in a reply that is recognised by its bytes


def decode_reply(packed: bytes, program: Program, batch: Batch, step: int) -> Outcome:
    """Return the outcome of one step of a batch from its packed reply."""
    call = batch.steps[step]
    plain = _plain_reply(call.result_shapes) if isinstance(call, PackedCall) and call.result_shapes else None
    if plain is not None and (arrays := plain.read(packed)) is not None:
        return Returned(arrays, plain.dtypes, {}, _digest(packed, batch))
    result_count = program.result_counts.get(batch.function, 1)
    match framing.decode_message(packed):
        case ("returned", values, arguments):
            decoded = [_decode_value(value) for value in expect_tuple(values, result_count)]
            return Returned(
                arrays=tuple(array for _, array in decoded),
                dtypes=tuple(dtype for dtype, _ in decoded),
                changed=_decode_changed(arguments, batch, step) if expect_tuple(arguments) else {},
                digest=_digest(packed, batch),
            )
        case ("unusable", position, description):
            if not vocabulary.is_description(expect_str(description, framing.MAX_NAME_LENGTH)):
                raise ProtocolError("a word that this protocol does not know")
            return InvalidResult(None if position is None else expect_int(position, 0, result_count - 1), description)
        case ("raised", *items):
            return decode_error(items, program)
        case ("missing", names, bool(exists)):
            if len(expect_tuple(names)) > framing.MAX_LISTED_FUNCTIONS:
                raise ProtocolError("more names than are listed")
            functions = [expect_str(name, framing.MAX_NAME_LENGTH) for name in names]
            return FunctionMissing(similar_names(batch.function, functions, program), callable=not exists)
    raise ProtocolError("a reply that this protocol does not know")


def _digest(packed: bytes, batch: Batch) -> bytes:
    return hashlib.sha256(packed).digest() if batch.is_shared else b""


@dataclass(frozen=True)
class _PlainReply:
    """A reply with float64 arrays of known shapes and no changed arguments: all of its bytes but those of the numbers.

    Nearly all replies are such ones. Whatever differs in any other byte is read item by item.
    """

    length: int
    constant: tuple[tuple[slice, bytes], ...]
    places: tuple[tuple[tuple[int, ...], int], ...]

    @cached_property
    def dtypes(self) -> tuple[str, ...]:
        """The dtypes of the arrays."""
        return ("float64",) * len(self.places)

    def read(self, packed: bytes) -> tuple[Array, ...] | None:
        """Return the arrays of a reply, None if it is not of this kind."""
        if len(packed) != self.length:
            return None
        for part, known in self.constant:
            if packed[part] != known:
                return None
        wire = framing.WIRE_DTYPE
        return tuple([np.ndarray(shape, wire, packed, start).astype(np.float64) for shape, start in self.places])


@lru_cache(200)  # of all functions of an exercise
def _plain_reply(shapes: tuple[tuple[int, ...], ...]) -> _PlainReply | None:
    """Return what a reply with arrays of these shapes is like, None if it is a long one."""
    if sum(map(math.prod, shapes)) > _MAX_PLAIN_NUMBERS or max(map(len, shapes)) > framing.MAX_DIMENSIONS:
        return None

    def encode(arrays: Sequence[Array]) -> bytes:
        values = [("float64", framing.encode_array(array)) for array in arrays]
        return framing.encode_message(("returned", values, []), framing.MAX_REPLY_BYTES)

    zeros, places = framing.encode_zeros(encode, shapes)
    ends = [0, *(end for place in places for end in (place.start, place.stop)), len(zeros)]
    constant = tuple(slice(*pair) for pair in zip(ends[::2], ends[1::2], strict=True))
    starts = [place.start for place in places]
    return _PlainReply(
        len(zeros), tuple((part, zeros[part]) for part in constant), tuple(zip(shapes, starts, strict=True))
    )


def decode_error(items: Sequence[Any], program: Program) -> FunctionRaised:
    """Return the exception of a reply, from its class name, text, cell and line."""
    error, message, index, line = expect_tuple(tuple(items), 4)
    cell = None if index is None else program.cells[expect_int(index, 0, len(program.cells) - 1)]
    line = None if line is None else expect_int(line, 1, framing.MAX_LINE_NUMBER)
    return FunctionRaised(
        error=expect_choice(error, vocabulary.ERROR_NAMES),
        text=expect_str(message, framing.MAX_TEXT_LENGTH),
        cell=cell.label if cell else "",
        line=cell.line_of(line) if cell else None,
    )


def similar_names(wanted: str, names: Sequence[str], program: Program) -> tuple[str, ...]:
    """Return up to three names that the student may have meant as `wanted`, none of them another function asked for."""
    others = {_normalize_name(name): name for name in names if name not in program.functions and name.isidentifier()}
    return tuple(others[near] for near in difflib.get_close_matches(_normalize_name(wanted), others, n=3, cutoff=0.7))


def _normalize_name(name: str) -> str:
    return name.lower().replace("_", "")


def _decode_changed(arguments: tuple[object, ...], batch: Batch, step: int) -> Arrays:
    """Return the arguments that a step of the batch changed, as they are afterwards."""
    call = batch.steps[step]
    while isinstance(call, RepeatCall | RecheckResult):
        call = batch.steps[call.step]
    if not isinstance(call, Call) or not call.detect_mutation:
        raise ProtocolError("changed arguments of a call that is not watched")
    before = call.arrays
    if len(arguments) > len(before) + len(call.names):
        raise ProtocolError("more arguments than were sent")
    changed = framing.decode_arrays(arguments)
    if not changed.keys() <= before.keys() | call.names.keys():
        raise ProtocolError("other arguments than were sent")
    # An argument that grew was changed; its size shows that, and its numbers need not use memory here.
    return {name: a if name in before and a.size <= before[name].size else np.empty(0) for name, a in changed.items()}


def _decode_value(item: object) -> tuple[str, Array]:
    dtype, array = expect_tuple(item, 2)
    value = framing.decode_array(array)
    if value.size > framing.MAX_ARRAY_SIZE:
        raise ProtocolError("more numbers than an array may hold")
    return expect_choice(dtype, vocabulary.DTYPES), value
