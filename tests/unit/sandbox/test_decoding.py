"""Tests of decoding: a reply that is recognised by its bytes means what it means when it is read item by item."""

from __future__ import annotations

import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from autograder.sandbox.host.decoding import decode_reply
from autograder.sandbox.host.program import Batch, Call, InvalidResult, PackedCall, Program, Returned
from autograder.sandbox.protocol import framing
from autograder.sandbox.protocol.framing import ProtocolError

SHAPES = st.lists(npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), min_size=1, max_size=3)
DTYPES = st.sampled_from(["float64", "float32", "int64", "bool"])
CALL = Call({}, {}, detect_mutation=False)


def reply(arrays, dtype="float64", changed=()) -> bytes:
    values = [(dtype, framing.encode_array(array)) for array in arrays]
    return framing.encode_message(("returned", values, list(changed)), framing.MAX_REPLY_BYTES)


def meaning(packed: bytes, shapes, call, is_shared: bool = False):
    """Return what a reply to this call means, in a form that can be compared."""
    program = Program("f", (), {}, {"f": ()}, {"f": len(shapes)})
    try:
        outcome = decode_reply(packed, program, Batch("f", (call,), is_shared), 0)
    except ProtocolError:
        return "refused"
    if not isinstance(outcome, Returned):
        return outcome
    arrays = [(array.shape, array.tobytes()) for array in outcome.arrays]
    return arrays, outcome.dtypes, outcome.changed, outcome.digest


@given(SHAPES, SHAPES, DTYPES, st.booleans(), st.integers(0, 2**32))
def test_whatever_shapes_are_expected_a_reply_means_the_same(shapes, expected, dtype, is_shared, seed):
    rng = np.random.default_rng(seed)
    packed = reply([rng.standard_normal(shape) for shape in shapes], dtype)
    read_item_by_item = meaning(packed, shapes, CALL, is_shared)
    for result_shapes in (tuple(shapes), tuple(expected)):
        assert meaning(packed, shapes, PackedCall(b"", result_shapes), is_shared) == read_item_by_item


@pytest.mark.parametrize("shapes", [[(2, 3)], [(2,), (1, 2)], [()], [(0, 2), (1,)]], ids=str)
def test_a_reply_with_any_byte_changed_means_what_it_does_item_by_item(shapes):
    packed = reply([np.full(shape, 0.1) for shape in shapes])
    quick = PackedCall(b"", tuple(shapes))
    for place in range(len(packed)):
        for byte in {0, 1, 255, packed[place] ^ 1, packed[place] ^ 128}:
            other = packed[:place] + bytes([byte]) + packed[place + 1 :]
            assert meaning(other, shapes, quick) == meaning(other, shapes, CALL)
    for other in (packed[:-1], packed + b"\0", b""):
        assert meaning(other, shapes, quick) == meaning(other, shapes, CALL) == "refused"


@pytest.mark.parametrize("shape", [(800, 800), (1,) * 17], ids=["too many numbers", "too many dimensions"])
def test_results_that_no_reply_can_hold_do_not_matter_to_replies_that_say_so(shape):
    packed = framing.encode_message(("unusable", None, "far more numbers than were asked for"), framing.MAX_REPLY_BYTES)
    assert isinstance(meaning(packed, [shape], PackedCall(b"", (shape,))), InvalidResult)


def test_numbers_of_a_reply_have_memory_of_their_own():
    packed = reply([np.arange(3.0)])
    outcome = decode_reply(packed, Program("f", (), {}, {}), Batch("f", (PackedCall(b"", ((3,),)),)), 0)
    assert isinstance(outcome, Returned)
    [array] = outcome.arrays
    assert (array.flags.writeable, array.flags.aligned, array.dtype) == (True, True, np.float64)


@pytest.mark.parametrize("call", [CALL, PackedCall(b"", ((3,),))], ids=["packed alone", "packed together"])
def test_changed_arguments_of_a_call_that_is_not_watched_are_refused(call):
    changed = framing.encode_arrays({"x": np.arange(3.0)})
    assert meaning(reply([np.arange(3.0)], changed=changed), [(3,)], call) == "refused"
