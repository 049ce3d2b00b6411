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
def entry(tmp_path: Path) -> SubmissionEntry:
    folder = tmp_path / "mia"
    folder.mkdir()
    (folder / "ex.py").write_text("x = 1")
    (folder / "notes.txt").write_text("")
    return SubmissionEntry("mia", tmp_path, folder.name)


def test_submission_key_ignores_time_and_unread_content(entry: SubmissionEntry) -> None:
    before = compute_submission_key(entry, b"")
    os.utime(entry.path / "ex.py", (1, 1))
    (entry.path / "notes.txt").write_text("more")  # not read, whatever is in it
    assert compute_submission_key(entry, b"") == before


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
def test_submission_key_depends_on_the_submission(entry: SubmissionEntry, change: Callable[[Path], object]) -> None:
    before = compute_submission_key(entry, b"")
    change(entry.path)
    assert compute_submission_key(entry, b"") != before


def test_submission_key_depends_on_the_student(entry: SubmissionEntry) -> None:
    assert compute_submission_key(dataclasses.replace(entry, student="ali"), b"") != compute_submission_key(entry, b"")


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"secret": b"another"}, {"limits": Limits(cpu_seconds=3)}, {"feedback": "hint"}],
    ids=lambda changes: next(iter(changes)),
)
def test_class_key_depends_on_the_grading_config(config: GradingConfig, changes: Mapping[str, object]) -> None:
    assert compute_class_key({}, dataclasses.replace(config, **changes)) != compute_class_key({}, config)


def test_class_key_depends_on_every_exercise_file(config: GradingConfig, exercise: Exercise) -> None:
    files = exercise_files(exercise.folder)
    assert {"rnn_backprop.py", "rubric.py", "network.py"} <= files.keys()
    assert not any(name.startswith(("figures/", "handout/", ".")) or "__pycache__" in name for name in files)
    for name in files:
        assert compute_class_key({**files, name: files[name] + b"#"}, config) != compute_class_key(files, config)


def test_submission_key_of_a_missing_file(tmp_path: Path) -> None:
    assert compute_submission_key(SubmissionEntry("mia", tmp_path, "gone"), b"") == compute_submission_key(
        SubmissionEntry("mia", tmp_path, "gone"), b""
    )


def test_verdict_modules_are_all_that_grading_loads() -> None:
    """Else results would be kept although the code that made them has changed."""
    code = (
        "import sys, autograder.grading; print(*(getattr(m, '__file__', '') for m in sys.modules.values()), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    package = Path(autograder.__file__).parent
    loaded = {Path(line) for line in done.stdout.splitlines() if line.startswith(str(package))}
    assert len(loaded) > 40
    assert loaded - set(cache_keys.verdict_modules()) == {package / "__init__.py"}
