"""Frames that cross the pipe, for both sides: a length, then msgpack that can hold nothing but plain data.

A frame is 4 bytes (its length, big-endian) and a body of None, bool, int, str, bytes and sequences of these: no maps,
no floats, no extension types. An array of numbers is the pair (shape, bytes), always little-endian float64. Whatever
comes from the other side is read by the functions below, which raise FrameError for everything that is not exactly as
it should be. Imports nothing of the trusted side.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Protocol

import msgpack
import numpy as np
import numpy.typing as npt

REQUEST_CAP = 1 << 26  # bytes of a frame to the untrusted side: a whole submission, or the arrays of a batch
REPLY_CAP = 1 << 22  # bytes of a frame from the untrusted side
MAX_NUMBERS = 1 << 17  # in one array of a reply
MAX_ITEMS = 4096  # in one sequence: the parser makes room for them before it has seen them
MAX_DIMENSIONS = 16
LONGEST_TEXT = 300  # of an exception
LONGEST_NAME = 80
LAST_LINE = 1 << 31

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 20
_MOST_ROOM = 1 << 31  # of numbers, were no dimension empty
_WIRE = np.dtype("<f8")


class FrameError(Exception):
    """What came over the pipe, or was to be sent, is no frame of this protocol."""


class Source(Protocol):
    """What frames are read from."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes, none at the end."""


def pack(message: object, cap: int) -> bytes:
    """The frame of a message, whose body is at most `cap` bytes long."""
    packed = body(message, cap)
    return _LENGTH.pack(len(packed)) + packed


def body(message: object, cap: int) -> bytes:
    """A message without its length, for sockets that keep messages apart by themselves."""
    try:
        packed: bytes = msgpack.packb(message, use_bin_type=True)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise FrameError(f"a message that cannot be packed: {type(error).__name__}") from None
    if len(packed) > cap:
        raise FrameError(f"a frame of {len(packed)} bytes where {cap} are allowed")
    return packed


def read(source: Source, cap: int) -> bytes:
    """The body of the next frame. Raises EOFError where the frames end, FrameError inside one or over the cap."""
    head = _exactly(source, _LENGTH.size)
    if not head:
        raise EOFError
    if len(head) < _LENGTH.size:
        raise FrameError("the frame ends within its length")
    (length,) = _LENGTH.unpack(head)
    if length > cap:
        raise FrameError(f"a frame of {length} bytes where {cap} are allowed")
    found = _exactly(source, length)
    if len(found) < length:
        raise FrameError("the frame ends within its body")
    return found


def take(buffer: bytearray, cap: int) -> bytes | None:
    """The body of the first frame in a buffer, which loses it; None while it is not all there. Raises FrameError."""
    if len(buffer) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(buffer)
    if length > cap:
        raise FrameError(f"a frame of {length} bytes where {cap} are allowed")
    end = _LENGTH.size + length
    if len(buffer) < end:
        return None
    found = bytes(buffer[_LENGTH.size : end])
    del buffer[:end]
    return found


def unpack(packed: bytes) -> tuple[Any, ...]:
    """The message of a body: a sequence that starts with its kind."""
    try:
        message = msgpack.unpackb(
            packed,
            raw=False,
            use_list=False,
            strict_map_key=True,
            object_pairs_hook=_refused,
            ext_hook=_refused,
            max_str_len=len(packed),
            max_bin_len=len(packed),
            max_array_len=MAX_ITEMS,
            max_map_len=0,
            max_ext_len=0,
        )
    except FrameError:
        raise
    except Exception as error:  # noqa: BLE001 - the parser has many ways to say no, and all mean the same
        raise FrameError(f"no msgpack of this protocol: {type(error).__name__}") from None
    items = sequence(message)
    if not items or type(items[0]) is not str:
        raise FrameError("a message without a kind")
    return items


def array_out(array: npt.NDArray[Any]) -> tuple[list[int], bytes]:
    """The pair that stands for an array of real numbers of any dtype and memory order."""
    if array.dtype == _WIRE:
        return list(array.shape), array.tobytes()
    with np.errstate(all="ignore"):  # a longdouble may be too large for a float64: it becomes infinity
        return list(array.shape), array.astype(_WIRE).tobytes()


def array_in(item: object) -> npt.NDArray[np.float64]:
    """The array that a pair stands for: contiguous, writable, its own memory."""
    shape, data = sequence(item, 2)
    if type(data) is not bytes:
        raise FrameError("the numbers of an array are not bytes")
    if len(sequence(shape)) > MAX_DIMENSIONS:
        raise FrameError("an array of too many dimensions")
    count, room = 1, 1
    for size in shape:
        count *= integer(size, 0, _MOST_ROOM)
        room *= size or 1
    if room > _MOST_ROOM or count * 8 != len(data):
        raise FrameError(f"an array of shape {shape} in {len(data)} bytes")
    return np.ndarray(shape, _WIRE, data).astype(np.float64)


def arrays_out(arrays: Mapping[str, npt.NDArray[Any]]) -> list[tuple[str, tuple[list[int], bytes]]]:
    """Arrays by name, as pairs."""
    return [(name, array_out(array)) for name, array in arrays.items()]


def arrays_in(item: object) -> dict[str, npt.NDArray[np.float64]]:
    """The arrays that pairs stand for, by name."""
    pairs = [sequence(pair, 2) for pair in sequence(item)]
    return {text(name, LONGEST_NAME): array_in(array) for name, array in pairs}


def trusted_arrays_in(pairs: Any) -> dict[str, npt.NDArray[np.float64]]:
    """The same without a look at what it is, for the untrusted side, which reads only what the trusted one wrote."""
    return {name: np.ndarray(shape, _WIRE, data).astype(np.float64) for name, (shape, data) in pairs}


def sequence(item: object, length: int | None = None) -> tuple[Any, ...]:
    """The item itself, when it is a sequence, of this length if one is asked for."""
    if type(item) is not tuple:
        raise FrameError("no sequence where one is needed")
    if length is not None and len(item) != length:
        raise FrameError(f"a sequence of {len(item)} where {length} are needed")
    return item


def integer(item: object, low: int, high: int) -> int:
    """The item itself, when it is a whole number (no bool) from `low` to `high`."""
    if type(item) is not int or not low <= item <= high:
        raise FrameError("no number, or one out of its range")
    return item


def text(item: object, longest: int) -> str:
    """The item itself, when it is a string of at most so many characters."""
    if type(item) is not str or len(item) > longest:
        raise FrameError("no text, or too much of it")
    return item


def one_of(item: object, allowed: Iterable[str]) -> str:
    """The item itself, when it is one of these words."""
    if type(item) is not str or item not in allowed:
        raise FrameError("a word that this protocol does not know")
    return item


def _exactly(source: Source, size: int) -> bytes:
    parts, missing = [], size
    while missing and (part := source.read(min(missing, _CHUNK))):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _refused(*_: object) -> NoReturn:
    raise FrameError("a map or an extension type")
