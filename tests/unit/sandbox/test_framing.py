"""Tests of framing: messages arrive as they were sent, and anything else raises ProtocolError."""

from __future__ import annotations

import io
import struct
import subprocess
import sys

import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import msgpack
import numpy as np
import pytest
from hypothesis import given

from autograder.sandbox.protocol import framing
from autograder.sandbox.protocol.framing import ProtocolError

CAP = 1 << 20
ARRAY_STRATEGY = npst.arrays(np.float64, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
PLAIN_DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.binary(),
    lambda items: st.lists(items, max_size=4).map(tuple),
)


def round_trip(message: object) -> tuple[object, ...]:
    return framing.decode_message(framing.read_frame(io.BytesIO(framing.encode_frame(message, CAP)), CAP))


def pack(message: object) -> bytes:
    return msgpack.packb(message, use_bin_type=True)


@given(st.lists(PLAIN_DATA, max_size=4))
def test_plain_data_arrives_as_it_was_sent(items):
    assert round_trip(("kind", *items)) == ("kind", *items)


@given(ARRAY_STRATEGY)
def test_arrays_arrive_as_they_were_sent(array):
    _, item = round_trip(("kind", framing.encode_array(array)))
    arrived = framing.decode_array(item)
    np.testing.assert_array_equal(arrived, array)
    assert arrived.dtype == np.float64
    assert arrived.flags.writeable
    assert arrived.flags.owndata or arrived.base.flags.owndata


@pytest.mark.parametrize("dtype", [">f8", "<f8", "f4", "f2", "g", "i2", "u8", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_real_dtype_and_order_becomes_float64(dtype, order):
    array = np.asarray(np.arange(6).reshape(2, 3) > 2, dtype=dtype, order=order)
    arrived = framing.decode_array((tuple(array.shape), framing.encode_array(array)[1]))
    np.testing.assert_array_equal(arrived, array.astype(float))


def test_a_strided_slice_arrives_whole():
    array = np.arange(24.0).reshape(4, 6)[::2, ::-3]
    _, item = round_trip(("kind", framing.encode_array(array)))
    np.testing.assert_array_equal(framing.decode_array(item), array)


def test_numbers_are_little_endian_on_the_wire():
    assert framing.encode_array(np.array([1.0])) == ((1,), struct.pack("<d", 1.0))


def test_frames_are_read_one_by_one_until_the_end():
    source = io.BytesIO(framing.encode_frame(("a",), CAP) + framing.encode_frame(("b",), CAP))
    assert [framing.decode_message(framing.read_frame(source, CAP)) for _ in range(2)] == [("a",), ("b",)]
    with pytest.raises(EOFError):
        framing.read_frame(source, CAP)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_message_or_refused(data):
    try:
        message = framing.decode_message(data)
    except ProtocolError:
        return
    assert isinstance(message[0], str)


@given(st.integers(0, 60), st.integers(0, 255))
def test_a_changed_byte_gives_an_array_or_is_refused(position, value):
    data = bytearray(pack(("kind", framing.encode_array(np.ones((2, 2))))))
    data[position % len(data)] = value
    try:
        message = framing.decode_message(bytes(data))
        arrays = [framing.decode_array(item) for item in message[1:]]
    except ProtocolError:
        return
    assert all(array.dtype == np.float64 for array in arrays)


class Untouchable(io.BytesIO):
    """Returns a length, and fails when the body is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size == 4, "the body was read before its length was looked at"
        return super().read(size)


def test_the_length_is_checked_before_the_body_is_read():
    with pytest.raises(ProtocolError, match="4294967295"):
        framing.read_frame(Untouchable(b"\xff\xff\xff\xff" + b"x" * 100), CAP)


@pytest.mark.parametrize("data", [b"\0", b"\0\0\0", b"\0\0\0\5abcd"])
def test_a_frame_that_ends_early_is_refused(data):
    with pytest.raises(ProtocolError, match="ends within"):
        framing.read_frame(io.BytesIO(data), CAP)


def test_a_message_over_the_cap_is_not_sent():
    with pytest.raises(ProtocolError, match="allowed"):
        framing.encode_frame(("kind", b"x" * 100), 50)


@pytest.mark.parametrize("message", [object(), {1, 2}, ("kind", 1 << 70), ("kind", "\ud800")])
def test_data_that_is_not_plain_is_not_sent(message):
    with pytest.raises(ProtocolError):
        framing.encode_frame(message, CAP)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(pack({}), id="empty map"),
        pytest.param(pack(("kind", {"a": 1})), id="map"),
        pytest.param(pack(("kind", msgpack.ExtType(5, b""))), id="empty extension"),
        pytest.param(pack(("kind", msgpack.ExtType(5, b"abc"))), id="extension"),
        pytest.param(pack(("kind", msgpack.Timestamp(1, 2))), id="timestamp"),
        pytest.param(pack("kind"), id="no sequence"),
        pytest.param(pack(()), id="empty sequence"),
        pytest.param(pack((1, 2)), id="no kind"),
        pytest.param(pack(("kind", b"")) + b"\0", id="more than one"),
        pytest.param(pack(["kind"] * (framing.MAX_SEQUENCE_LENGTH + 1)), id="too many items"),
        pytest.param(b"\xdd\xff\xff\xff\xff", id="announces too many items"),
        pytest.param(b"\xc6\xff\xff\xff\xff", id="announces too many bytes"),
        pytest.param(b"\x91" * 5000 + b"\x90", id="too deep"),
        pytest.param(b"\x91\xa1\xff", id="no UTF-8"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_msgpack_outside_the_protocol_is_refused(data):
    with pytest.raises(ProtocolError):
        framing.decode_message(data)


@pytest.mark.parametrize(
    "item",
    [
        None,
        ((2,),),
        ((2,), bytes(16), 0),
        ((2,), bytes(15)),
        ((-1,), b""),
        ((-2, -1), bytes(16)),
        ((True,), bytes(8)),
        ((2.0,), bytes(16)),
        ((2,), "1234567812345678"),
        ("2", bytes(16)),
        ((0, 1 << 40), b""),
        ((0, 1 << 31, 1 << 31), b""),
        ((1,) * 17, bytes(8)),
    ],
)
def test_malformed_arrays_are_refused(item):
    with pytest.raises(ProtocolError):
        framing.decode_array(item)


@pytest.mark.parametrize(
    ("expect", "item", "bounds"),
    [
        (framing.expect_int, True, (0, 5)),
        (framing.expect_int, 6, (0, 5)),
        (framing.expect_int, 1.0, (0, 5)),
        (framing.expect_str, b"a", (5,)),
        (framing.expect_str, "abcdef", (5,)),
        (framing.expect_choice, "c", ({"a", "b"},)),
        (framing.expect_choice, ["a"], ({"a", "b"},)),
        (framing.expect_tuple, [1], ()),
        (framing.expect_tuple, (1,), (2,)),
        (framing.decode_arrays, (("a", ((1,), bytes(8)), 1),), ()),
        (framing.decode_arrays, ((1, ((1,), bytes(8))),), ()),
    ],
    ids=range(11),
)
def test_items_of_the_wrong_type_are_refused(expect, item, bounds):
    with pytest.raises(ProtocolError):
        expect(item, *bounds)


def test_the_untrusted_side_imports_nothing_of_the_trusted_side():
    code = "import sys, autograder.sandbox.guest.runner; print(*(n for n in sys.modules if n.startswith('autograder')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    rooms = {"autograder", "autograder.sandbox", "autograder.sandbox.guest", "autograder.sandbox.protocol"}
    loaded = set(done.stdout.split())
    assert loaded > rooms
    assert {name for name in loaded if name.rpartition(".")[0] not in rooms} == {"autograder"}
