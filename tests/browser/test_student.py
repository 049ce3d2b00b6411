"""A student with the released folder in JupyterLab, as a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.jupyter import SCREENSHOTS, jupyterlab
from tests.courses import NAME, ROOT
from tests.release.student_folder import ANSWERS

pytestmark = pytest.mark.slow

READY = "Python 3 (ipykernel) | Idle"
RIGHT = """\
e = [net.loss.gradient(*step) @ net.g2.jacobian(step[0]) for step in zip(y_hat, y)]
return np.array(e).T @ h[1:] / len(x)"""
WRONG = """\
e = [net.loss.gradient(*step) @ net.g2.jacobian(step[0]) @ net.V for step in zip(y_hat, y)]
return np.array(e).T @ h[:-1] / len(x)"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the released folder, as a student has it."""
    return Path(shutil.copytree(ROOT / "assignments" / NAME, tmp_path_factory.mktemp("student") / NAME))


@pytest.fixture(scope="module")
def lab(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with jupyterlab(folder, tmp_path_factory.mktemp("home")) as address:
        yield address


def open_notebook(page, lab, name):
    page.goto(f"{lab}/lab/tree/{name}.ipynb?reset")
    page.get_by_text(READY).wait_for()


def write(page, function, code):
    """Type `code` over the line that raises NotImplementedError."""
    stub = page.locator(".cm-line", has_text=f'raise NotImplementedError("{function} is not written yet")')
    stub.scroll_into_view_if_needed()
    stub.click()
    page.keyboard.press("End")
    page.keyboard.press("Shift+Home")
    page.keyboard.type(code)


def run_all(page):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def verdict(page, function):
    """Wait for the verdict of the check of one function, and return it."""
    headline = page.locator(
        ".jp-OutputArea-output", has=page.get_by_text(re.compile(rf"^{function}: .* checks pass, in \d+ cases$"))
    )
    headline.wait_for()
    headline.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # JupyterLab draws the cells around it when it has come into view
    return headline.inner_text()


def validate(page):
    """Click Validate, and return its dialog."""
    page.locator("jp-button.validate-button").click()
    dialog = page.locator(".jp-Dialog-content")
    dialog.wait_for()
    return dialog


def test_write_a_function_run_the_checks_and_validate(page, lab):
    open_notebook(page, lab, NAME)
    page.screenshot(path=SCREENSHOTS / "student-1-opens.png")
    figures = page.locator('.jp-Notebook img[src^="data:image/png"]')
    figures.first.scroll_into_view_if_needed()
    assert figures.first.evaluate("figure => figure.naturalWidth") > 0
    write(page, "dJ_dV", RIGHT)
    write(page, "dJ_dW", WRONG)
    run_all(page)
    assert verdict(page, "dJ_dV").startswith("dJ_dV: all")
    page.screenshot(path=SCREENSHOTS / "student-2-right.png")
    assert not verdict(page, "dJ_dW").startswith("dJ_dW: all")
    page.screenshot(path=SCREENSHOTS / "student-3-wrong.png")

    dialog = validate(page)
    page.screenshot(path=SCREENSHOTS / "student-4-validates.png")
    text = dialog.inner_text()
    assert page.locator(".nbgrader-ErrorDialog").count() == 1
    assert {name for name in ANSWERS if f'check("{name}")' in text} == {"forward", "dJ_dW", "dJ_dU"}
    assert "forward is not attempted yet" in text
    assert "Traceback" not in text
    assert "NotPassedError" not in text


def test_validate_when_everything_is_right(page, lab, folder):
    notebook = json.loads((folder / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = ANSWERS.get(cell["id"], cell["source"])
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "derivation":
            cell["source"] = "Three ways lead from the weights to the third state."
    (folder / "right.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    open_notebook(page, lab, "right")
    dialog = validate(page)
    page.screenshot(path=SCREENSHOTS / "student-5-all-right.png")
    assert page.locator(".nbgrader-SuccessDialog").count() == 1
    assert "Success" in dialog.inner_text()
