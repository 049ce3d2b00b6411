"""Arguments of any kind become arrays and words, and the same arguments again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from autograder.student.arguments import arguments, changes, flatten, spelled, visible_paths


@dataclass
class Layer:
    W: np.ndarray
    kind: str = "relu"


def double(x: float) -> float:
    return 2 * x


EVERYTHING: dict[str, Any] = {
    "layers": [Layer(np.ones((2, 3))), Layer(np.zeros((1, 2)), kind="two words")],
    "labels": np.array([0, 2, 1]),
    "mask": np.array([True, False]),
    "pair": (1, None),
    "options": {"rate": 0.1, "steps": 3, "nesterov": True, "more": {}},
    "g": double,
    "nothing": [],
}
KEYS = st.text("abcxyz_", min_size=1, max_size=4)
ARRAYS = [
    arrays(dtype, array_shapes(min_dims=0, max_dims=3), elements=elements)
    for dtype, elements in (
        (np.float64, st.floats(-9, 9)),
        (np.int64, st.integers(-(2**53), 2**53)),
        (np.bool_, st.booleans()),
    )
]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=9), st.just(double), *ARRAYS
)
NESTED = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner, max_size=3),
        st.builds(Layer, inner, st.text(max_size=5)),
    ),
    max_leaves=5,
)


def assert_same(now: Any, before: Any) -> None:
    assert type(now) is type(before)
    if isinstance(before, np.ndarray):
        assert now.dtype == before.dtype
        np.testing.assert_array_equal(now, before)
    elif isinstance(before, Layer):
        assert_same([now.W, now.kind], [before.W, before.kind])
    elif isinstance(before, dict):
        assert list(now) == list(before)
        assert_same(list(now.values()), list(before.values()))
    elif isinstance(before, list | tuple):
        assert len(now) == len(before)
        for a, b in zip(now, before, strict=True):
            assert_same(a, b)
    else:
        assert now == before


def test_paths_and_words_of_every_kind() -> None:
    numbers, words = flatten(EVERYTHING)
    assert list(numbers) == ["layers.0.W", "layers.1.W", "labels", "mask", "options.rate"]
    assert {array.dtype for array in numbers.values()} == {np.dtype(np.float64)}
    assert words == {
        "layers": "list 2",
        "layers.0": f"dataclass {__name__}.Layer",
        "layers.0.kind": "str relu",
        "layers.1": f"dataclass {__name__}.Layer",
        "layers.1.kind": "str two words",
        "labels": "array int64",
        "mask": "array bool",
        "pair": "tuple 2",
        "pair.0": "int 1",
        "pair.1": "none",
        "options": "dict rate steps nesterov more",
        "options.rate": "float",
        "options.steps": "int 3",
        "options.nesterov": "bool True",
        "options.more": "dict ",
        "g": f"function {__name__}.double",
        "nothing": "list 0",
    }
    again = arguments(numbers, words)
    assert_same({name: again[name] for name in EVERYTHING}, EVERYTHING)


@settings(max_examples=30)
@given(st.dictionaries(KEYS, NESTED, min_size=1, max_size=3))
def test_what_was_flattened_is_built_again(made: dict[str, Any]) -> None:
    again = arguments(*flatten(made))
    assert_same({name: again[name] for name in made}, made)
    assert changes(made, *flatten(made)) == ()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({1, 2}, "x is of type set"),
        (lambda: 1, "x is of type function"),
        (np.array([1j]), "x is an array of dtype complex128"),
        (np.array([None]), "x is an array of dtype object"),
        ([{"a.b": 1}], "x.0 is of type dict"),
        ({"a": object()}, "x.a is of type object"),
        (Layer, "x is of type type"),
        ({"a" * 90: 1}, "is nested too deeply"),
    ],
)
def test_other_values_are_refused_with_their_path(value: object, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        flatten({"x": value})


def test_arrays_of_floats_are_passed_on_themselves_and_may_be_complex() -> None:
    numbers, words = flatten(EVERYTHING)
    moved = {**numbers, "layers.0.W": numbers["layers.0.W"] + 1j, "options.rate": np.array(0.1 + 1j)}
    made = arguments(moved, words)
    assert made["layers"][0].W is moved["layers.0.W"]
    assert made["options"]["rate"] == 0.1 + 1j


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda made: made["layers"].pop(), "layers"),
        (lambda made: made["layers"][1].W.fill(7), "layers.1.W"),
        (lambda made: setattr(made["layers"][0], "kind", "tanh"), "layers.0.kind"),
        (lambda made: made["labels"].sort(), "labels"),
        (lambda made: made["options"].update(rate=0.2), "options.rate"),
        (lambda made: made.update(pair=(2, None)), "pair.0"),
    ],
    ids=range(6),
)
def test_changes_say_where(change: Any, path: str) -> None:
    made = arguments(*flatten(EVERYTHING))
    change(made)
    assert path in changes(made, *flatten(EVERYTHING))


def test_an_argument_that_was_replaced_by_something_odd_has_changed() -> None:
    assert changes({"x": object()}, *flatten({"x": 1})) == ("x",)


def test_a_function_sees_what_belongs_to_its_arguments_or_what_it_lists() -> None:
    paths = ["x", "layers.0.W", "layers_of_another.0"]
    assert visible_paths(paths, ["layers"], []) == ["layers.0.W"]
    assert visible_paths(paths, ["layers"], ["x"]) == ["x"]


def test_a_path_is_spelled_as_in_code() -> None:
    assert spelled("layers.0.W") == "layers[0].W"


def test_a_dataclass_is_looked_up_where_the_caller_says() -> None:
    made = arguments(*flatten({"layer": Layer(np.ones(1))}), find={f"{__name__}.Layer": Layer}.__getitem__)
    assert type(made["layer"]) is Layer
