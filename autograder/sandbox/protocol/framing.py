"""Packs and checks the frames that cross the pipe: a length, then msgpack that holds nothing but plain data.

A frame is 4 bytes (its length, big-endian) and a body of None, bool, int, str, bytes and sequences of these: no maps,
no floats, no extension types. An array of numbers is the pair (shape, bytes), always little-endian float64. Every
function that reads what the other side sent raises ProtocolError for anything that is not exactly as described here.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

import msgpack
import numpy as np
import numpy.typing as npt

MAX_REQUEST_BYTES = 1 << 26  # of a frame to the untrusted side: a whole submission, or the arrays of a batch
MAX_REPLY_BYTES = 1 << 22  # of a frame from the untrusted side
MAX_ARRAY_SIZE = 1 << 17  # numbers in one array of a reply
MAX_SEQUENCE_LENGTH = 4096  # the parser allocates room for all items before it reads the first
MAX_DIMENSIONS = 16
MAX_TEXT_LENGTH = 300  # of an exception
MAX_NAME_LENGTH = 80
MAX_LISTED_FUNCTIONS = 200  # in the reply to a call of a missing function: each is compared with its name
MAX_LINE_NUMBER = 1 << 31

_LENGTH_PREFIX = struct.Struct(">I")
_CHUNK = 1 << 20
_MAX_ELEMENTS = 1 << 31  # of an array, its empty dimensions left aside
WIRE_DTYPE = np.dtype("<f8")
_WITHOUT_ZERO_BYTES = struct.unpack("d", b"\1" * 8)[0]  # a number with no zero byte


class ProtocolError(Exception):
    """Raised for bytes that are no frame of this protocol, and for a message that cannot be sent as one."""


class ByteSource(Protocol):
    """Something that frames are read from."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most `size` bytes, none at the end."""


def encode_frame(message: object, max_bytes: int) -> bytes:
    """Return the frame of a message. Raises ProtocolError if its body is longer than `max_bytes`."""
    return frame_of(encode_message(message, max_bytes), max_bytes)


def frame_of(body: bytes, max_bytes: int) -> bytes:
    """Return the frame of a body. Raises ProtocolError if it is longer than `max_bytes`."""
    if len(body) > max_bytes:
        raise ProtocolError(f"a frame of {len(body)} bytes where {max_bytes} are allowed")
    return _LENGTH_PREFIX.pack(len(body)) + body


def encode_message(message: object, max_bytes: int) -> bytes:
    """Return the body alone, for sockets that keep messages apart by themselves."""
    try:
        packed: bytes = msgpack.packb(message, use_bin_type=True)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ProtocolError(f"a message that cannot be packed: {type(error).__name__}") from None
    if len(packed) > max_bytes:
        raise ProtocolError(f"a frame of {len(packed)} bytes where {max_bytes} are allowed")
    return packed


def encode_sequence(items: Sequence[bytes]) -> bytes:
    """Return the packed sequence of items that are packed already."""
    return b"".join((msgpack.Packer().pack_array_header(len(items)), *items))


def encode_zeros(
    encode: Callable[[Sequence[npt.NDArray[np.float64]]], bytes], shapes: Sequence[tuple[int, ...]]
) -> tuple[bytes, tuple[slice, ...]]:
    """Return what `encode` makes of arrays of zeros, and the places of their numbers in it.

    Messages with other arrays of these shapes are equal to it, byte by byte, everywhere else.
    """
    zeros, others = (encode([np.full(shape, number) for shape in shapes]) for number in (0.0, _WITHOUT_ZERO_BYTES))
    differs = np.flatnonzero(np.frombuffer(zeros, np.uint8) != np.frombuffer(others, np.uint8))
    places, passed, stop = [], 0, 0
    for shape in shapes:
        length = math.prod(shape) * WIRE_DTYPE.itemsize
        start = int(differs[passed]) if length else stop
        passed, stop = passed + length, start + length
        places.append(slice(start, stop))
    return zeros, tuple(places)


def read_frame(source: ByteSource, max_bytes: int) -> bytes:
    """Read the body of the next frame. Raises EOFError if there is none, ProtocolError if it is too long or cut off."""
    prefix = _read_exactly(source, _LENGTH_PREFIX.size)
    if not prefix:
        raise EOFError
    if len(prefix) < _LENGTH_PREFIX.size:
        raise ProtocolError("the frame ends within its length")
    (length,) = _LENGTH_PREFIX.unpack(prefix)
    if length > max_bytes:
        raise ProtocolError(f"a frame of {length} bytes where {max_bytes} are allowed")
    body = _read_exactly(source, length)
    if len(body) < length:
        raise ProtocolError("the frame ends within its body")
    return body


def pop_frame(buffer: bytearray, max_bytes: int) -> bytes | None:
    """Remove the first frame from a buffer and return its body, or None while the frame is incomplete."""
    if len(buffer) < _LENGTH_PREFIX.size:
        return None
    (length,) = _LENGTH_PREFIX.unpack_from(buffer)
    if length > max_bytes:
        raise ProtocolError(f"a frame of {length} bytes where {max_bytes} are allowed")
    end = _LENGTH_PREFIX.size + length
    if len(buffer) < end:
        return None
    body = bytes(buffer[_LENGTH_PREFIX.size : end])
    del buffer[:end]
    return body


def decode_message(packed: bytes) -> tuple[Any, ...]:
    """Return the message of a body: a tuple that starts with its kind."""
    try:
        # Every limit is set: the parser allocates what a header announces, and a process may announce anything.
        message = msgpack.unpackb(
            packed,
            raw=False,
            use_list=False,
            strict_map_key=True,
            object_pairs_hook=_reject,
            ext_hook=_reject,
            max_str_len=len(packed),
            max_bin_len=len(packed),
            max_array_len=MAX_SEQUENCE_LENGTH,
            max_map_len=0,
            max_ext_len=0,
        )
    except ProtocolError:
        raise
    except Exception as error:  # noqa: BLE001 - the parser has many ways to say no, and all mean the same
        raise ProtocolError(f"no msgpack of this protocol: {type(error).__name__}") from None
    items = expect_tuple(message)
    if not items or type(items[0]) is not str:
        raise ProtocolError("a message without a kind")
    return items


def encode_array(array: npt.NDArray[Any]) -> tuple[tuple[int, ...], bytes]:
    """Return the pair (shape, bytes) of an array of real numbers, whatever its dtype and memory order."""
    if array.dtype == WIRE_DTYPE:
        return array.shape, array.tobytes()
    with np.errstate(all="ignore"):  # a longdouble may be too large for a float64: it becomes infinity
        return array.shape, array.astype(WIRE_DTYPE).tobytes()


def decode_array(item: object) -> npt.NDArray[np.float64]:
    """Return the array of a pair (shape, bytes): contiguous, writable, in its own memory."""
    shape, data = expect_tuple(item, 2)
    if type(data) is not bytes:
        raise ProtocolError("the numbers of an array are not bytes")
    if len(expect_tuple(shape)) > MAX_DIMENSIONS:
        raise ProtocolError("an array of too many dimensions")
    # The product without its zeros is bounded too: numpy computes strides from it, even for an empty array.
    count, nonzero_count = 1, 1
    for size in shape:
        count *= expect_int(size, 0, _MAX_ELEMENTS)
        nonzero_count *= size or 1
    if nonzero_count > _MAX_ELEMENTS or count * 8 != len(data):
        raise ProtocolError(f"an array of shape {shape} in {len(data)} bytes")
    return np.ndarray(shape, WIRE_DTYPE, data).astype(np.float64)


def encode_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> list[tuple[str, tuple[tuple[int, ...], bytes]]]:
    """Return arrays by name as a list of pairs."""
    return [
        # nearly all have this very dtype: a class with a seed for each packs hundreds of them for each submission
        (name, (array.shape, array.tobytes()) if array.dtype is WIRE_DTYPE else encode_array(array))
        for name, array in arrays.items()
    ]


def decode_arrays(item: object) -> dict[str, npt.NDArray[np.float64]]:
    """Return the arrays of a list of pairs, by name."""
    pairs = [expect_tuple(pair, 2) for pair in expect_tuple(item)]
    return {expect_str(name, MAX_NAME_LENGTH): decode_array(array) for name, array in pairs}


def decode_trusted_arrays(pairs: Any) -> dict[str, npt.NDArray[np.float64]]:
    """Like `decode_arrays`, but unchecked: for the untrusted side, which reads only what the trusted side wrote."""
    # A bytearray is copied faster than an array, and there are ten arrays for each call.
    arrays = {name: np.ndarray(shape, WIRE_DTYPE, bytearray(data)) for name, (shape, data) in pairs}
    return arrays if WIRE_DTYPE.isnative else {name: array.astype(np.float64) for name, array in arrays.items()}


def expect_tuple(item: object, length: int | None = None) -> tuple[Any, ...]:
    """Return the item if it is a tuple, of this length if one is given."""
    if type(item) is not tuple:
        raise ProtocolError("no sequence where one is needed")
    if length is not None and len(item) != length:
        raise ProtocolError(f"a sequence of {len(item)} where {length} are needed")
    return item


def expect_int(item: object, low: int, high: int) -> int:
    """Return the item if it is an int (no bool) from `low` to `high`."""
    if type(item) is not int or not low <= item <= high:
        raise ProtocolError("no number, or one out of its range")
    return item


def expect_str(item: object, max_length: int) -> str:
    """Return the item if it is a string of at most `max_length` characters."""
    if type(item) is not str or len(item) > max_length:
        raise ProtocolError("no text, or too much of it")
    return item


def expect_choice(item: object, allowed: Iterable[str]) -> str:
    """Return the item if it is one of the allowed strings."""
    if type(item) is not str or item not in allowed:
        raise ProtocolError("a word that this protocol does not know")
    return item


def _read_exactly(source: ByteSource, size: int) -> bytes:
    parts, missing = [], size
    while missing and (part := source.read(min(missing, _CHUNK))):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _reject(*_: object) -> NoReturn:
    raise ProtocolError("a map or an extension type")
