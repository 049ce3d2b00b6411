"""A student with the released folder in JupyterLab and in Notebook 7, as a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.jupyter import SCREENSHOTS, configure, jupyterlab
from tests.courses import NAME, ROOT
from tests.release.student_folder import ANSWERS

pytestmark = pytest.mark.slow

READY = "Python 3 (ipykernel) | Idle"
RIGHT_DJ_DV = (
    "return sum(np.outer(net.loss.gradient(p, q) @ net.g2.jacobian(p), s) for p, q, s in zip(y_hat, y, h[1:])) / len(x)"
)
RIGHT_LINE, WRONG_LINE = "later = delta_G1 @ net.W", "later = delta_G1 @ net.W.T"
OWN_CELLS = {
    "hint": 'hint("dJ_dW")',
    "case": """\
net, x, y, h, y_hat = case("dJ_dW", T=2, H=2, seed=0)
print("off by", np.abs(dJ_dW(net, x, y, h, y_hat) - expected("dJ_dW", T=2, H=2, seed=0)).max().round(6))""",
}
OVERFLOW = """() => [...document.querySelectorAll('mjx-container[display="true"]')].filter(formula => {
    const right = Math.max(...[...formula.querySelectorAll('mjx-c')].map(c => c.getBoundingClientRect().right));
    return right > formula.closest('.jp-RenderedMarkdown').getBoundingClientRect().right + 1;
}).map(formula => formula.closest('.jp-Cell').innerText.slice(0, 80))"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the released folder; two functions are written, dJ_dV is a stub, and dJ_dW is wrong.

    Below its check are cells of the student's own. Training is short.
    """
    folder = Path(shutil.copytree(ROOT / "assignments" / NAME, tmp_path / NAME))
    notebook = json.loads((folder / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    answers = {name: re.sub(r" *### .*\n?", "", answer) for name, answer in ANSWERS.items() if name != "dJ_dV"}
    answers["dJ_dW"] = answers["dJ_dW"].replace(RIGHT_LINE, WRONG_LINE)
    cells = []
    for cell in notebook["cells"]:
        cell["source"] = re.sub(r"\)  # (up to )?\d seconds", ", seconds=1)", "".join(cell["source"]))
        cell["source"] = answers.get(cell["id"], cell["source"])
        cells.append(cell)
        if cell["id"] == "check_dJ_dW":
            own = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
            cells += [{**own, "id": name, "source": source} for name, source in OWN_CELLS.items()]
    (folder / f"{NAME}.ipynb").write_text(json.dumps({**notebook, "cells": cells}), encoding="utf-8")
    return folder


@pytest.fixture
def lab(folder: Path, tmp_path: Path) -> Iterator[str]:
    # All cells are drawn, not those in view alone: formulas are measured everywhere.
    configure(tmp_path, "notebook-extension/tracker", {"windowingMode": "none"})
    with jupyterlab(folder, tmp_path) as address:
        yield address


class Student:
    """What a student does in JupyterLab; each picture is taken light, dark, and 520 pixels wide."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def write(self, function: str, code: str) -> None:
        """Paste a line of code over the line that raises NotImplementedError."""
        self.page.locator(".cm-line", has_text=f'"{function} is not written yet"').click()
        self.page.keyboard.press("End")
        self.page.keyboard.press("Shift+Home")
        self.page.keyboard.insert_text(code)

    def put_right(self) -> None:
        """Delete the end of the wrong line."""
        self.page.locator(".cm-line", has_text=WRONG_LINE).click()
        self.page.keyboard.press("End")
        for _ in WRONG_LINE[len(RIGHT_LINE) :]:
            self.page.keyboard.press("Backspace")

    def choose(self, *names: str) -> None:
        """Open a menu, and choose an entry of it or of a menu in it."""
        for name in names:
            self.page.locator(".lm-MenuBar-itemLabel, .lm-Menu-itemLabel").get_by_text(name, exact=True).click()

    def validate(self) -> tuple[str, bool]:
        """Click Validate; return what the dialog says, and whether it is about errors."""
        self.page.locator("jp-button.validate-button").click()
        dialog = self.page.locator(".jp-Dialog-content")
        dialog.wait_for()
        text, errors = dialog.inner_text(), self.page.locator(".nbgrader-ErrorDialog").count()
        self.page.screenshot(path=SCREENSHOTS / f"student-validates-{errors}.png")
        dialog.get_by_role("button").click()
        dialog.wait_for(state="detached")
        return text, bool(errors)

    def look(self, **places: Any) -> None:
        """Take pictures of some places, in every look; no formula is cut off."""
        sizes = {"light": (1280, 900), "dark": (1280, 900), "520": (520, 900)}
        for look, (width, height) in sizes.items():
            if look == "520":
                self.page.keyboard.press("Control+b")  # the side bar takes half of it
                self.page.set_viewport_size({"width": width, "height": height})
            else:
                self.choose("Settings", "Theme", f"JupyterLab {look.title()}")
            for name, place in places.items():
                place.evaluate("place => place.scrollIntoView()")
                self.page.wait_for_timeout(500)
                self.page.screenshot(path=SCREENSHOTS / f"student-{name}-{look}.png")
            assert self.page.evaluate(OVERFLOW) == []
        self.page.set_viewport_size({"width": 1280, "height": 900})
        self.page.keyboard.press("Control+b")


def test_walk_through_the_notebook(page: Any, lab: str) -> None:
    """Wrong, hint, case in hand, right, and training at the end, in the light, in the dark, and 520 pixels wide."""
    student = Student(page)
    page.goto(f"{lab}/lab/tree/{NAME}.ipynb?reset")
    page.get_by_text(READY).wait_for()
    page.screenshot(path=SCREENSHOTS / "student-opens.png")
    figure = page.locator('.jp-Notebook img[src^="data:image/png"]').first
    assert figure.evaluate("figure => figure.naturalWidth") > 0

    student.choose("Run", "Run All Cells")
    page.get_by_text(re.compile("^This cell needs all four functions: dJ_dV")).last.wait_for()
    headline = page.get_by_text("dJ_dW: 1 of 4 checks pass")
    wrong = page.locator(".jp-OutputArea-output", has=headline).inner_text()
    assert "smallest failing case" in wrong
    assert 'case("dJ_dW", T=2, H=2, seed=0)' in wrong
    assert page.get_by_text(re.compile("^Hint 1 of 3 for dJ_dW: ")).is_visible()
    assert page.get_by_text(re.compile(r"^off by 0\.\d")).is_visible()
    student.look(wrong=headline)

    text, has_errors = student.validate()
    assert has_errors
    assert {name for name in ANSWERS if f'check("{name}")' in text} == {"dJ_dV", "dJ_dW"}
    assert "dJ_dV is not attempted yet" in text
    assert not {"Traceback", "NotPassedError"} & set(re.findall(r"\w+", text))

    student.write("dJ_dV", RIGHT_DJ_DV)
    student.put_right()
    student.choose("Run", "Run All Cells")
    page.get_by_text("Grading goes beyond these checks").first.wait_for()
    page.locator('img[alt^="as they are: "]').wait_for()
    page.get_by_text(READY).wait_for()  # the last picture is drawn
    headlines = [page.get_by_text(f"{name}: all 4 checks pass") for name in ("dJ_dV", "dJ_dW")]
    assert all(headline.is_visible() for headline in headlines)
    assert page.get_by_text("off by 0.0").is_visible()
    student.look(right=headlines[1], trained=page.locator('img[alt*="n = 20: "]'))
    text, has_errors = student.validate()
    assert "Success" in text
    assert not has_errors

    page.goto(f"{lab}/notebooks/{NAME}.ipynb")  # Notebook 7, of the same server
    page.locator('mjx-container[display="true"]').last.wait_for(state="attached")
    headlines[1].wait_for()
    page.locator(".cm-line", has_text='hint("dJ_dW")').click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text(re.compile("^Hint 3 of 3 for dJ_dW: ")).wait_for()
    page.screenshot(path=SCREENSHOTS / "student-notebook-7.png")
    assert page.evaluate(OVERFLOW) == []
