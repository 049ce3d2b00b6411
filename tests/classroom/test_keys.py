"""Keys: the same for what gives the same report, another one for whatever could change it."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import autograder
from autograder.classroom import cache_keys
from autograder.classroom.cache_keys import exercise_files, key_of, key_of_terms
from autograder.classroom.discovery import Entry
from autograder.exercise.model import Exercise
from autograder.grading import Terms
from autograder.sandbox.host.program import Limits


@pytest.fixture
def work(tmp_path: Path) -> Entry:
    folder = tmp_path / "mia"
    folder.mkdir()
    (folder / "ex.py").write_text("x = 1")
    (folder / "notes.txt").write_text("")
    return Entry("mia", folder)


def test_what_changes_nothing(work: Entry) -> None:
    before = key_of(work, b"")
    os.utime(work.path / "ex.py", (1, 1))
    (work.path / "notes.txt").write_text("more")  # not read, whatever is in it
    assert key_of(work, b"") == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "ex.py").write_text("x = 2"),
        lambda folder: (folder / "ex.py").rename(folder / "ex (1).py"),
        lambda folder: (folder / "ex.ipynb").write_text("{}"),
        lambda folder: (folder / "more.txt").write_text(""),  # a message may name it
        lambda folder: ((folder / "ex.py").unlink(), (folder / "ex.py").symlink_to("notes.txt")),
    ],
    ids=["text", "name", "a notebook", "a file", "a link"],
)
def test_what_was_handed_in(work: Entry, change: Callable[[Path], object]) -> None:
    before = key_of(work, b"")
    change(work.path)
    assert key_of(work, b"") != before


def test_every_student_has_another_one(work: Entry) -> None:
    assert key_of(dataclasses.replace(work, student="ali"), b"") != key_of(work, b"")


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"secret": b"another"}, {"limits": Limits(cpu_seconds=3)}, {"feedback": "hint"}],
    ids=lambda changes: next(iter(changes)),
)
def test_the_terms(terms: Terms, changes: Mapping[str, object]) -> None:
    assert key_of_terms({}, dataclasses.replace(terms, **changes)) != key_of_terms({}, terms)


def test_the_exercise(terms: Terms, exercise: Exercise) -> None:
    files = exercise_files(exercise.folder)
    assert {"rnn_backprop.py", "rubric.py", "network.py"} <= files.keys()
    assert not any(name.startswith(("figures/", "handout/", ".")) or "__pycache__" in name for name in files)
    for name in files:
        assert key_of_terms({**files, name: files[name] + b"#"}, terms) != key_of_terms(files, terms)


def test_what_cannot_be_read_has_a_key_too(tmp_path: Path) -> None:
    assert key_of(Entry("mia", tmp_path / "gone"), b"") == key_of(Entry("mia", tmp_path / "gone"), b"")


def test_the_key_holds_every_module_that_grading_loads() -> None:
    """Else results would be kept although the code that made them has changed."""
    code = (
        "import sys, autograder.grading; print(*(getattr(m, '__file__', '') for m in sys.modules.values()), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    package = Path(autograder.__file__).parent
    loaded = {Path(line) for line in done.stdout.splitlines() if line.startswith(str(package))}
    assert len(loaded) > 40
    assert loaded - set(cache_keys.verdict_modules()) == {package / "__init__.py"}
