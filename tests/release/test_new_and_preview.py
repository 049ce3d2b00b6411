"""The loop of writing: a new exercise is sound as it stands, and its preview shows what students see."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from click.testing import CliRunner

pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
from autograder import cli
from autograder.exercise.loader import load_exercise
from autograder.release.preview import open_preview


def run(*arguments: str, exit_code: int = 0) -> str:
    result = CliRunner().invoke(cli.commands, arguments)
    assert (result.exit_code == 0) == (exit_code == 0), result.output
    return f"{result.output}{result.exception or ''}"


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "course.toml").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOGRADER_SECRET", "of a new course")
    return tmp_path


def test_a_new_exercise_is_sound(course: Path) -> None:
    assert "Wrote solutions/line/line.py: change it as you like." in run("new", "line")
    assert run("lint", "line").startswith("line is sound: 5 checks, 3 points")


def test_a_new_exercise_takes_no_name_that_is_taken(course: Path) -> None:
    run("new", "line")
    assert "solutions/line exists already: choose another name." in run("new", "line", exit_code=2)
    assert "'a-b' cannot name an exercise" in run("new", "a-b", exit_code=2)


@pytest.mark.slow
def test_a_new_exercise_is_proved_released_and_shown(course: Path) -> None:
    run("new", "line")
    assert "mistakes   3 of 3 caught" in run("verify", "line")
    run("release", "line")
    notebook = json.loads((course / "assignments" / "line" / "line.ipynb").read_text(encoding="utf-8"))
    assert sum("NotImplementedError" in "".join(cell["source"]) for cell in notebook["cells"]) == 2
    exercise = load_exercise(course / "solutions" / "line")
    with open_preview(course / "work", course / "page.html") as preview:
        preview.show(exercise)
        first = (course / "page.html").read_text(encoding="utf-8")
        preview.show(exercise, reload=True)  # in the same kernel
    second = (course / "page.html").read_text(encoding="utf-8")
    for page in (first, second):
        assert "predict: all 2 checks pass" in page
        assert "dJ_dw: all 2 checks pass" in page
        assert "NotImplementedError" not in page
    assert 'http-equiv="refresh"' in second


@pytest.mark.slow
def test_a_preview_that_watches_shows_what_is_saved_and_outlives_what_is_wrong(course: Path) -> None:
    run("new", "line")
    source, page = course / "solutions" / "line" / "line.py", course / "build" / "preview" / "line.html"
    command = [sys.executable, "-m", "autograder", "preview", "line", "--watch", "--no-open"]
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    preview = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    )
    too_long = Timer(240, preview.kill)
    too_long.start()

    def save(old: str, new: str) -> None:
        text = source.read_text(encoding="utf-8")
        assert old in text
        source.write_text(text.replace(old, new), encoding="utf-8")

    try:
        lines = iter(preview.stdout or ())
        assert next(lines) == "The page is build/preview/line.html.\n"
        save("asks for a straight", "asks for a really straight")
        assert next(lines) == "Shown again.\n"
        assert "asks for a really straight" in page.read_text(encoding="utf-8")
        save("y_hat = w * x + b", "y_hat = w * x + b + ")
        assert next(lines) == "line.py, line 24: SyntaxError: invalid syntax.\n"
        save("y_hat = w * x + b + ", "y_hat = w * x + b")
        assert next(lines) == "Shown again.\n"
    finally:
        too_long.cancel()
        preview.send_signal(signal.SIGINT)
        preview.communicate(timeout=60)
