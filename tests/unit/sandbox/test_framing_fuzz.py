"""Tests with replies of a lying process: each gives an outcome or a ProtocolError, in bounded memory.

Crafted bodies first, then 20,000 seeded mutations of replies that an honest process sends.
"""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import msgpack
import numpy as np
import pytest

from autograder.sandbox.host.decoding import decode_reply
from autograder.sandbox.host.program import (
    Batch,
    Call,
    Cell,
    FunctionMissing,
    FunctionRaised,
    InvalidResult,
    Program,
    Returned,
)
from autograder.sandbox.protocol import framing
from autograder.sandbox.protocol.framing import ProtocolError

ARRAYS = {"x": np.arange(6.0).reshape(2, 3), "y": np.ones(4)}
PROGRAM = Program(
    "__main__",
    (Cell("pass", "code cell 1"), Cell("pass", "code cell 2")),
    {"kit": ""},
    {"f": ("x", "y"), "g": ("x",)},
    {"g": 2},
)
BATCHES = {"f": Batch("f", (Call(ARRAYS, {}),)), "g": Batch("g", (Call(ARRAYS, {}),))}
VALUE = ("float64", framing.encode_array(np.arange(4.0).reshape(2, 2)))
AFTER = framing.encode_arrays(ARRAYS)
HONEST = (
    ("returned", (VALUE,), AFTER),
    ("returned", (VALUE, ("float32", framing.encode_array(np.zeros(3)))), AFTER),
    ("unusable", None, "a list of 12"),
    ("unusable", 1, "an array of dtype complex128"),
    ("raised", "ValueError", "operands could not be broadcast", 1, 17),
    ("raised", "an exception of its own", "\u00e4\u20ac\U0001f600", None, None),
    ("missing", ("F", "dJ_dw", "forwards"), False),
    ("cell", 3),
    ("problem", 3, True, "NameError", "name 'x' is not defined", "code cell 1", 2),
    ("loaded",),
)


def pack(message: object) -> bytes:
    return msgpack.packb(message, use_bin_type=True)


def decode_as_grader(data: bytes) -> int:
    """Decode a body as the grader does, check every outcome, and return how many of the batches have one.

    Raises ProtocolError if the body is no message.
    """
    framing.decode_message(data)
    outcomes = 0
    for batch in BATCHES.values():
        try:
            outcome = decode_reply(data, PROGRAM, batch, 0)
        except ProtocolError:
            continue
        outcomes += 1
        assert type(outcome) in (Returned, InvalidResult, FunctionRaised, FunctionMissing)
        if isinstance(outcome, Returned):
            arrays = [*outcome.arrays, *outcome.changed.values()]
            assert all(type(array) is np.ndarray and array.dtype == np.float64 for array in arrays)
        if isinstance(outcome, FunctionRaised):
            assert outcome.cell in ("", "code cell 1", "code cell 2")
            assert len(outcome.text) <= framing.MAX_TEXT_LENGTH
    return outcomes


def is_refused(decode: Callable[[], object]) -> bool:
    try:
        decode()
    except ProtocolError:
        return True
    return False


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Make a few changes of the kinds that break decoders."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        position = rng.randrange(len(out) + 1)
        match rng.randrange(8):
            case 0 if out:
                out[position % len(out)] ^= 1 << rng.randrange(8)
            case 1 if out:
                out[position % len(out)] = rng.randrange(256)
            case 2:  # the first bytes of every msgpack type
                out[position:position] = bytes((rng.randrange(0xC0, 0xE0),))
            case 3:
                del out[position : position + rng.randrange(1, 9)]
            case 4:
                out[position:position] = rng.choice(
                    (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\xdd", b"\xc6")
                )
            case 5:
                out[position:position] = out[rng.randrange(len(out) + 1) :][: rng.randrange(1, 40)]
            case 6:
                del out[position:]
            case _:
                out[position:position] = pack(rng.choice((None, True, -1, 1 << 63, 0.5, "", b"", (), {}, "float64")))
    return bytes(out)


def test_honest_replies_give_outcomes():
    assert [decode_as_grader(pack(message)) for message in HONEST] == [1, 1, 2, 1, 2, 2, 2, 0, 0, 0]


@pytest.mark.parametrize("part", range(10))
def test_mutated_replies_are_refused_or_give_a_valid_outcome(part):
    rng = random.Random(part)
    bodies = [pack(message) for message in HONEST]
    refusals = 0
    tracemalloc.start()
    try:
        for _ in range(2000):
            data = mutate(rng.choice(bodies), rng)
            refusals += is_refused(partial(decode_as_grader, data))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert 100 < refusals < 2000  # neither trivially broken nor never changed


@pytest.mark.parametrize("part", range(5))
def test_mutated_streams_of_frames_end_or_are_refused(part):
    rng = random.Random(100 + part)
    stream = b"".join(framing.encode_frame(message, framing.MAX_REPLY_BYTES) for message in HONEST)
    for _ in range(400):
        source = io.BytesIO(mutate(stream, rng))
        with pytest.raises((ProtocolError, EOFError)):
            read_all(source)


def read_all(source: io.BytesIO) -> None:
    """Read frames until there are none. Raises EOFError at the end, or ProtocolError."""
    while True:
        data = framing.read_frame(source, framing.MAX_REPLY_BYTES)
        is_refused(partial(decode_as_grader, data))


def repeat_item(item: bytes, times: int) -> bytes:
    """Return a message that repeats an item, in sequences of the greatest length."""
    full, rest = divmod(times, framing.MAX_SEQUENCE_LENGTH)
    parts = [b"\xdc" + struct.pack(">H", size) + item * size for size in (*[framing.MAX_SEQUENCE_LENGTH] * full, rest)]
    return b"\xdc" + struct.pack(">H", len(parts) + 1) + b"\xa1k" + b"".join(parts)


def craft_bodies() -> Iterator[tuple[str, bytes]]:
    for first in range(256):
        yield f"only {first:02x}", bytes((first,))
        yield f"{first:02x} inside", b"\x92\xa1k" + bytes((first,))
        yield f"{first:02x} and much", b"\x92\xa1k" + bytes((first,)) + b"\xff" * 16
    for depth in (100, 511, 1023, 1024, 1025, 5000, 1_000_000):
        yield f"{depth} deep", b"\x91" * depth + b"\x90"
    for size in (0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF):
        for kind in (b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"):
            yield f"{kind.hex()} of {size}", b"\x92\xa1k" + kind + struct.pack(">I", size)
    yield (
        "numbers of arrays that multiply to nothing",
        pack(("returned", [("float64", ([0, 1 << 30, 1 << 30], b""))], [])),
    )
    yield "a product over all integers", pack(("returned", [("float64", ([1 << 62, 4], bytes(8)))], []))
    yield "names that are no names", pack(("missing", ["\0" * 80, "a\nb", ""], False))
    yield "surrogates", b"\x92\xa1k\xa3\xed\xa0\x80"
    yield "nothing but zeros", bytes(100_000)


CRAFTED = dict(craft_bodies())


def test_crafted_bodies_are_refused_or_give_a_valid_outcome():
    tracemalloc.start()
    try:
        for name, data in CRAFTED.items():
            tracemalloc.reset_peak()
            is_refused(partial(decode_as_grader, data))
            assert tracemalloc.get_traced_memory()[1] < 8 << 20, name
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("item", [b"\xc0", b"\x91\xc0", b"\xcd\xff\xff"], ids=bytes.hex)
def test_a_reply_of_the_largest_size_takes_little_memory(item):
    data = repeat_item(item, framing.MAX_REPLY_BYTES // len(item) - 20_000)
    assert len(data) <= framing.MAX_REPLY_BYTES
    tracemalloc.start()
    try:
        is_refused(partial(decode_as_grader, data))
        assert tracemalloc.get_traced_memory()[1] < 128 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("part", range(3))
def test_a_stream_in_pieces_gives_the_same_frames(part):
    rng = random.Random(200 + part)
    stream = b"".join(framing.encode_frame(message, framing.MAX_REPLY_BYTES) for message in HONEST)
    for _ in range(300):
        data = mutate(stream, rng)
        assert list(pop_frames(data, rng)) == list(read_frames(data))


def read_frames(data: bytes) -> Iterator[bytes]:
    source = io.BytesIO(data)
    with suppress(ProtocolError, EOFError):
        while True:
            yield framing.read_frame(source, framing.MAX_REPLY_BYTES)


def pop_frames(data: bytes, rng: random.Random) -> Iterator[bytes]:
    buffer = bytearray()
    with suppress(ProtocolError):
        while data:
            size = rng.randrange(1, 40)
            buffer += data[:size]
            data = data[size:]
            while (frame := framing.pop_frame(buffer, framing.MAX_REPLY_BYTES)) is not None:
                yield frame
