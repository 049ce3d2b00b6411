"""The released folder of an exercise in the small form: JupyterLab in a browser, and pytest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.exercise.loader import load_exercise
from autograder.exercise.source import parse_cells, student_text
from tests.browser.jupyter import SCREENSHOTS, configure, jupyterlab
from tests.browser.test_student import READY, Student
from tests.in_process import ROOT

pytestmark = pytest.mark.slow


def write(page, function, code):
    """Write `code` in place of all that stands in the cell of a function."""
    editor = page.locator(".jp-CodeCell", has=page.get_by_text(f"def {function}(")).first.locator(".cm-content")
    editor.scroll_into_view_if_needed()
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(code)


def verdict(page, function):
    """Wait for the verdict of the check of one function, and return it."""
    headline = re.compile(rf"^{function}: .* checks pass, in \d+ cases$")
    output = page.locator(".jp-OutputArea-output", has=page.get_by_text(headline))
    output.wait_for()
    return output.inner_text()


@pytest.mark.parametrize(
    "name",
    ["layers", *(pytest.param(name, marks=pytest.mark.soak) for name in ("logistic_regression", "gru"))],
)
def test_a_known_mistake_is_red_and_the_answer_is_green(page, name, tmp_path):
    from autograder.release.build import build_release

    exercise = load_exercise(ROOT / "tests" / "exercises" / name)
    cells = [cell for cell in parse_cells(exercise.source_text) if cell.kind == "solution"]
    mistake = exercise.mistakes[-1]
    folder = tmp_path / name
    folder.mkdir()
    for file, content in build_release(exercise).student_files.items():
        (folder / file).write_bytes(content)
    configure(tmp_path, "notebook-extension/tracker", {"windowingMode": "none"})  # all cells are drawn
    with jupyterlab(folder, tmp_path) as lab:
        page.goto(f"{lab}/lab/tree/{name}.ipynb?reset")
        page.get_by_text(READY).wait_for()
        for cell in cells:
            write(page, cell.name, mistake.source if cell.name == mistake.function else cell.source)
        Student(page).choose("Run", "Run All Cells")
        red = verdict(page, mistake.function)
        assert not red.startswith(f"{mistake.function}: all")
        assert "smallest failing case" in red
        page.screenshot(path=SCREENSHOTS / f"{name}-1-wrong.png")
        write(page, mistake.function, next(cell.source for cell in cells if cell.name == mistake.function))
        Student(page).choose("Run", "Run All Cells")
        page.get_by_text("Grading goes beyond these checks").first.wait_for()
        for cell in cells:
            assert verdict(page, cell.name).startswith(f"{cell.name}: all")
        page.screenshot(path=SCREENSHOTS / f"{name}-2-right.png")

    script = Path(folder / f"{name}.py")
    text = script.read_text(encoding="utf-8")
    for cell in cells:
        text = text.replace(student_text(cell), cell.source)
    script.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=folder, check=False)
    assert done.returncode == 0
