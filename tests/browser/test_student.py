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


OWN_CELLS = {
    "hint": 'hint("dJ_dW")',
    "case": """\
net, x, y, h, y_hat = case("dJ_dW", T=2, H=1, seed=0)
print("in hand:", np.abs(dJ_dW(net, x, y, h, y_hat) - expected("dJ_dW", T=2, H=1, seed=0)).max())""",
}
OVERFLOW = """() => [...document.querySelectorAll('mjx-container[display="true"]')].filter(formula => {
    const right = Math.max(...[...formula.querySelectorAll('mjx-c')].map(c => c.getBoundingClientRect().right));
    return right > formula.closest('.jp-RenderedMarkdown').getBoundingClientRect().right + 1;
}).map(formula => formula.closest('.jp-Cell').innerText.slice(0, 80))"""


def walking_notebook(folder: Path) -> None:
    """Write walk.ipynb: one function is wrong, below its check are cells of the student's own, training is short."""
    notebook = json.loads((folder / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    answers = {**ANSWERS, "dJ_dW": ANSWERS["dJ_dW"].replace("later = delta_G1 @ net.W", "later = delta_G1 @ net.W.T")}
    cells = []
    for cell in notebook["cells"]:
        cell["source"] = re.sub(r"\)  # (up to )?\d seconds", ", seconds=1)", "".join(cell["source"]))
        cell["source"] = answers.get(cell["id"], cell["source"])
        cells.append(cell)
        if cell["id"] == "check_dJ_dW":
            own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
            cells += [{**own, "id": name, "source": source} for name, source in OWN_CELLS.items()]
    (folder / "walk.ipynb").write_text(json.dumps({**notebook, "cells": cells}), encoding="utf-8")


def configure(home: Path, theme: str) -> None:
    """Choose a theme of JupyterLab, and let it draw all cells, not those in view alone."""
    settings = {"apputils-extension/themes": {"theme": theme}, "notebook-extension/tracker": {"windowingMode": "none"}}
    for name, content in settings.items():
        file = home / "jupyter_config_dir" / "lab" / "user-settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")


def test_walk_through_the_notebook(page, folder, tmp_path):
    """Wrong, hint, case in hand, right, and training at the end; then the same in the dark, and 520 pixels wide."""
    walking_notebook(folder)
    configure(tmp_path, "JupyterLab Light")
    with jupyterlab(folder, tmp_path) as lab:
        open_notebook(page, lab, "walk")
        run_all(page)
        wrong = verdict(page, "dJ_dW")
        assert "smallest failing case" in wrong
        assert 'case("dJ_dW", T=2, H=2, seed=0)' in wrong
        assert page.get_by_text(re.compile("^Hint 1 of 3 for dJ_dW: ")).is_visible()
        page.get_by_text(re.compile(r"^in hand: ")).wait_for()
        page.screenshot(path=SCREENSHOTS / "student-6-hint-and-case.png")
        page.locator('img[alt^="as they are"]').wait_for()

        line = page.locator(".cm-line", has_text="later = delta_G1 @ net.W.T")
        line.click()
        page.keyboard.press("End")
        page.keyboard.press("Backspace")
        page.keyboard.press("Backspace")
        run_all(page)
        page.get_by_text(re.compile("Grading goes beyond these checks")).first.wait_for()
        assert verdict(page, "dJ_dW").startswith("dJ_dW: all 4 checks pass")
        trained = page.locator('img[alt^="n = 5"][alt*="n = 20"]')
        trained.wait_for()
        page.locator('img[alt^="as they are"]').wait_for()
        page.wait_for_timeout(2000)  # the last picture of all
        trained.scroll_into_view_if_needed()
        page.screenshot(path=SCREENSHOTS / "student-7-trained.png")
        assert page.evaluate(OVERFLOW) == []
        page.locator(".jp-Notebook").press("Escape")
        page.keyboard.press("Control+s")
        page.wait_for_timeout(2000)
        for theme, width in (("JupyterLab Dark", 1280), ("JupyterLab Light", 520)):
            configure(tmp_path, theme)
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{lab}/lab/tree/walk.ipynb?reset")
            page.get_by_text(READY).wait_for(state="attached")
            if width < 600:
                page.keyboard.press("Control+b")  # the side bar takes half of it
            page.locator('mjx-container[display="true"]').last.wait_for(state="attached")
            verdict(page, "dJ_dW")
            page.screenshot(path=SCREENSHOTS / f"student-8-{width}.png")
            assert page.evaluate(OVERFLOW) == []
