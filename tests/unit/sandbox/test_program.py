"""Tests of the requests of a batch: the same bytes, however they are packed."""

from __future__ import annotations

import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from autograder.sandbox.host.program import Batch, Call, RecheckResult, RepeatCall, pack_calls
from autograder.sandbox.protocol import framing

SHAPES = st.dictionaries(st.text(max_size=40), npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9))
NAMES = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)


@given(st.integers(0, 3), SHAPES, NAMES, st.integers(0, 2**32))
def test_calls_packed_together_equal_each_packed_alone(count, shapes, names, seed):
    rng = np.random.default_rng(seed)
    stacks = {name: rng.standard_normal((count, *shape)) for name, shape in shapes.items()}
    together = Batch("f", tuple(pack_calls(count, stacks, names, ())))
    rows = ({name: stack[row, ...] for name, stack in stacks.items()} for row in range(count))
    alone = Batch("f", tuple(Call(arrays, names, detect_mutation=False) for arrays in rows))
    assert together.request == alone.request


def test_rows_of_every_memory_order_are_packed_with_their_numbers():
    stack = np.arange(24.0).reshape(4, 3, 2)
    for strange in (np.asfortranarray(stack), stack[::-1], stack.swapaxes(1, 2), stack.astype(">f8"), stack[:, :, ::2]):
        usual = np.array(strange, dtype=np.float64, order="C")
        assert pack_calls(4, {"x": strange}, {}, ()) == pack_calls(4, {"x": usual}, {}, ())


def test_a_request_is_the_frame_of_all_steps():
    x = np.arange(3.0)
    batch = Batch("f", (Call({"x": x}, {"g": "tanh"}), RepeatCall(0), RecheckResult(0)))
    call = ("call", framing.encode_arrays({"x": x}), [("g", "tanh")], True)
    message = ("batch", "f", [call, ("again", 0), ("recall", 0)])
    assert batch.request == framing.encode_frame(message, framing.MAX_REQUEST_BYTES)
