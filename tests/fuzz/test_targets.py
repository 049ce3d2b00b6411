"""Any bytes from a student end with a verdict, a refusal or a sentence: a short, random version of `make fuzz`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz import targets

# fmt: off
PIECES = (
    '{"cell_type": "code", "source": ', '"metadata": ', "{", "}", "[", "]", ",", ":", '"', "\\", "\\ud800", "NaN",
    "1e999", "9" * 4301,
    "%time ", "%%time\n", "!", "?", "=", "# %%\n", "# In[1]:\n", "'''", "def rnn_forward(", "for ", " in ",
    "a", " ", "\n", "\r", "\0", "\ufeff", "\u2028", "\ufdfa", "e\u0301", "\U0001f600", "2026-03-01", " 10:00:00",
    " UTC", "+9999", "0001-01-01", "name,", ";", "\t", "rnn_backprop", " (1)", ".py", ".ipynb", "/", "..", "Copy of ",
)
# fmt: on
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=30).map(
    lambda pieces: "".join(pieces).encode()
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "folder", tmp_path)


@pytest.mark.parametrize("target", targets.TARGETS.values(), ids=list(targets.TARGETS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=TEXTS | st.binary(max_size=200))
def test_any_bytes_have_an_outcome(target: Callable[[bytes], None], data: bytes) -> None:
    target(data)


@pytest.mark.parametrize(
    ("target", "data"),
    [
        pytest.param(targets.cell, b"%time " * 2000, id="one %time times another"),
        pytest.param(targets.timestamp, b"0001-01-01 00:00:00 +1400", id="before the first year, in UTC"),
        pytest.param(targets.timestamp, b"9999-12-31 23:59:59 -1200", id="after the last year, in UTC"),
        pytest.param(targets.timestamp, b"10:00 +9999", id="a zone farther off than a day"),
        pytest.param(targets.timestamp, b"7:0" + b"6" * 60 + b".4", id="more digits than decimal divides"),
        pytest.param(targets.roster, b"name,id\n" + b"a" * 200_000 + b",1\n", id="a name longer than csv reads"),
    ],
)
def test_what_once_had_none(target: Callable[[bytes], None], data: bytes) -> None:
    target(data)
