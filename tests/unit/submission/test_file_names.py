"""Names of files: safe and distinct on every file system."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.submission import file_names
from autograder.submission.file_names import is_in_the_way, is_safe_name, safe_name, unused_name

NAMES = st.text(min_size=1, max_size=300)


@given(NAMES)
def test_safe_name_is_safe_and_stays(name: str) -> None:
    safe = safe_name(name)
    assert is_safe_name(safe) or safe.startswith(".")
    assert len(safe.encode()) <= 201
    assert safe_name(safe) == safe
    assert safe not in ("", ".", "..")


@pytest.mark.parametrize(
    "name", ["mia", "Łukasz Żółć_12", "rnn_backprop (1).ipynb", "a.tar.gz", "consul.py", "O'Neill"]
)
def test_safe_name_keeps_usual_names(name: str) -> None:
    assert safe_name(name) == name


@given(st.lists(NAMES, max_size=8))
def test_unused_names_are_distinct_where_case_and_accents_are_folded(names: list[str]) -> None:
    used: dict[str, int] = {}
    chosen = [unused_name(safe_name(name), used) for name in [*names, "\u00e9", "e\u0301", "\u00c9", "E\u0301"]]
    assert len({unicodedata.normalize("NFC", name.casefold()) for name in chosen}) == len(chosen)


def test_unused_name_does_not_count_from_the_start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[str] = []
    monkeypatch.setattr(file_names, "fold_name", lambda name: folded.append(name) or name)
    used: dict[str, int] = {}
    chosen = [unused_name("a.py", used) for _ in range(100)]
    assert (chosen[0], chosen[1], chosen[99]) == ("a.py", "a (2).py", "a (100).py")
    assert len(folded) < 400


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.py", True),
        ("A/B.py", True),
        ("a/b.py/c", True),
        ("a", True),
        ("a/c.py", False),
        ("a/b.pyc", False),
        ("b.py", False),
    ],
)
def test_is_in_the_way(path: str, expected: bool) -> None:
    assert is_in_the_way(PurePosixPath(path), [PurePosixPath("a/b.py")]) == expected
