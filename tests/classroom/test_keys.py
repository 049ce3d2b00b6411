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
from autograder.classroom.cache_keys import compute_class_key, compute_submission_key, exercise_files
from autograder.classroom.discovery import SubmissionEntry
from autograder.course import Limits
from autograder.exercise.model import Exercise
from autograder.grading import GradingConfig


@pytest.fixture
def work(tmp_path: Path) -> SubmissionEntry:
    folder = tmp_path / "mia"
    folder.mkdir()
    (folder / "ex.py").write_text("x = 1")
    (folder / "notes.txt").write_text("")
    return SubmissionEntry("mia", folder)


def test_what_changes_nothing(work: SubmissionEntry) -> None:
    before = compute_submission_key(work, b"")
    os.utime(work.path / "ex.py", (1, 1))
    (work.path / "notes.txt").write_text("more")  # not read, whatever is in it
    assert compute_submission_key(work, b"") == before


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
def test_what_was_handed_in(work: SubmissionEntry, change: Callable[[Path], object]) -> None:
    before = compute_submission_key(work, b"")
    change(work.path)
    assert compute_submission_key(work, b"") != before


def test_every_student_has_another_one(work: SubmissionEntry) -> None:
    assert compute_submission_key(dataclasses.replace(work, student="ali"), b"") != compute_submission_key(work, b"")


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"secret": b"another"}, {"limits": Limits(cpu_seconds=3)}, {"feedback": "hint"}],
    ids=lambda changes: next(iter(changes)),
)
def test_the_terms(terms: GradingConfig, changes: Mapping[str, object]) -> None:
    assert compute_class_key({}, dataclasses.replace(terms, **changes)) != compute_class_key({}, terms)


def test_the_exercise(terms: GradingConfig, exercise: Exercise) -> None:
    files = exercise_files(exercise.folder)
    assert {"rnn_backprop.py", "rubric.py", "network.py"} <= files.keys()
    assert not any(name.startswith(("figures/", "handout/", ".")) or "__pycache__" in name for name in files)
    for name in files:
        assert compute_class_key({**files, name: files[name] + b"#"}, terms) != compute_class_key(files, terms)


def test_what_cannot_be_read_has_a_key_too(tmp_path: Path) -> None:
    assert compute_submission_key(SubmissionEntry("mia", tmp_path / "gone"), b"") == compute_submission_key(
        SubmissionEntry("mia", tmp_path / "gone"), b""
    )


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
