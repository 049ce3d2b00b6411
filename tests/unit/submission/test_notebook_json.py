"""JSON of a student: read in full, or refused before it fills the memory."""

from __future__ import annotations

import io
import json
import re
import tracemalloc
from typing import Any
from unittest import mock

import hypothesis.strategies as st
import pytest
from hypothesis import given

from autograder.submission import notebook_json
from autograder.submission.notebook_json import (
    OUTPUTS,
    OUTPUTS_AND_PICTURES,
    TooManyValuesError,
    load_json,
    read_content,
)
from autograder.submission.safe_files import UnreadableFileError

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


KEYS = st.sampled_from(["outputs", "widgets", "attachments", "source", "outputs ", 'a"outputs', "\\outputs", "\\"])
NOTEBOOKS = st.recursive(
    st.none() | st.integers() | st.text(alphabet='a"\\\\[]{}:,\\n', max_size=6) | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
)
CHUNKS = st.integers(1, 12)


def without(document: Any) -> Any:
    """Return what a document is without its outputs, done on the objects."""
    if isinstance(document, list):
        return [without(item) for item in document]
    if not isinstance(document, dict):
        return document
    large = {key for key, value in document.items() if key in OUTPUTS and isinstance(value, list | dict)}
    return {key: [] if key in large else without(value) for key, value in document.items()}


def read(data: bytes, chunk: int = 1 << 20, suffix: str = ".ipynb", max_bytes: int = 1000) -> bytes:
    with mock.patch.object(notebook_json, "_CHUNK", chunk):
        content = read_content(io.BytesIO(data), suffix, max_bytes, OUTPUTS)
    assert content.raw_size == len(data)
    return content.data


@given(NOTEBOOKS, CHUNKS, st.sampled_from([None, 1]))
def test_read_content_leaves_out_outputs_alone(document: object, chunk: int, indent: int | None) -> None:
    text = json.dumps(document, indent=indent)
    assert json.loads(read(text.encode(), chunk, max_bytes=10_000)) == without(document)
    assert read(text.encode(), chunk, ".py", max_bytes=10_000) == text.encode()


@given(st.text(alphabet='"\\[]{}:, a', max_size=12), st.text(alphabet='"\\[]{}:, a', max_size=12), CHUNKS)
def test_read_content_reads_any_text_alike_in_any_pieces(before: str, after: str, chunk: int) -> None:
    data = f'{before}"outputs":{after}'.encode()
    assert read(data, chunk) == read(data)


@pytest.mark.parametrize(
    "text", ['{"outputs": [', '{"outputs": ["', '{"outputs": ["\\', '{"outputs": [1, {', '{"outputs"']
)
def test_read_content_of_a_notebook_that_was_cut_short_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of any text
        json.loads(read(text.encode(), 1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('"' + "a" * 2000, "larger than 0.001 MB, outputs of a notebook not counted"),
        ('"outputs"' + " " * 2000, "larger than 0.001 MB"),
        ('{"a": [' + "1, " * 2000, "larger than 0.001 MB"),
        ('{"outputs": [' + "[]," * 60, "outputs of more than 100 brackets: clear the outputs"),
        ('{"a": "", ' * 60, "more than 200 quotation marks: clear the outputs"),
        ('{"outputs": ["' + "a" * 10_000, "larger than 0 MB: clear the outputs"),
    ],
)
def test_read_content_refuses(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_json, "MAX_RAW_BYTES", 10_000)
    monkeypatch.setattr(notebook_json, "MAX_BRACKETS", 100)
    monkeypatch.setattr(notebook_json, "MAX_QUOTES", 200)
    with pytest.raises(UnreadableFileError, match=re.escape(message)):
        read(text.encode(), 50)


def test_read_content_of_large_outputs_needs_little_memory() -> None:
    text = {"output_type": "stream", "text": ["one line of output\n"] * 100_000}
    picture = {"output_type": "display_data", "data": {"image/png": "iVBORw0K" * 2_000_000}}
    cells = [{"cell_type": "code", "source": "a = 1", "outputs": [text, picture], "attachments": {"a": {"b": "c"}}}]
    data = io.BytesIO(json.dumps({"cells": cells}).encode())
    tracemalloc.start()
    try:
        content = read_content(data, ".ipynb", 1000, OUTPUTS_AND_PICTURES)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert content.raw_size > 17_000_000
    assert json.loads(content.data)["cells"] == [
        {"cell_type": "code", "source": "a = 1", "outputs": [], "attachments": []}
    ]
