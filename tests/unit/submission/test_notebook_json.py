"""JSON of a student: read in full, or refused before it fills the memory."""

from __future__ import annotations

import json
import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from autograder.submission import notebook_json
from autograder.submission.notebook_json import TooManyValuesError, load_json

DOCUMENTS = st.recursive(
    st.none() | st.floats(allow_nan=False) | st.text(alphabet='a"\\[{,\n', max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='"\\,[', max_size=3), inner),
)


def structure(document: object) -> int:
    """Return how many brackets open in a document, and how many commas stand between its items."""
    items = list(document.values()) if isinstance(document, dict) else document if isinstance(document, list) else None
    return 0 if items is None else 1 + max(0, len(items) - 1) + sum(map(structure, items))


@given(DOCUMENTS)
def test_values_are_counted_and_what_strings_hold_is_not(document: object) -> None:
    text = json.dumps(document)
    matches = notebook_json._NEXT_VALUE.findall(text)
    assert sum(match[-1:] in ("[", "{", ",") for match in matches if match) >= structure(document)
    outside_strings = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    assert sum(map(outside_strings.count, "[{,")) == structure(document)
    assert load_json(text) == document


@given(st.text(alphabet='"\\[{,a', max_size=30))
def test_each_character_is_looked_at_once(text: str) -> None:
    spans = [match.span() for match in notebook_json._NEXT_VALUE.finditer(text)]
    assert [start for start, _ in spans] == [0, *(end for _, end in spans)][: len(spans)]


@pytest.mark.parametrize("text", ["[" + "{}," * 20 + "{}]", "[" * 21, '{"a": [' + "1," * 20, '{"a":' * 21])
def test_too_many_values_are_refused_unread(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_json, "MAX_VALUES", 20)
    monkeypatch.setattr(json, "loads", lambda text: pytest.fail("it was read"))
    with pytest.raises(TooManyValuesError):
        load_json(text)


@pytest.mark.parametrize("text", ["", "[", "[" * 5000, "9" * 5000, '"', "\\", '{"a" 1}'])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - of any text
        load_json(text)
    assert not isinstance(error.value, TooManyValuesError)
