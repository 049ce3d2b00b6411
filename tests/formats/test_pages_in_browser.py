"""Every page as a browser shows it: readable by everybody, on a telephone too, with nothing loaded.

axe-core finds what a reader without eyes, colours or a mouse could not use; html5lib has parsed the pages before
(validators.py and the tests of each page).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import html5lib
import pytest

from autograder.exercise.model import Check, Mistake
from autograder.formats.pages import class_page, feedback_page
from autograder.verification.outcomes import MistakeOutcome, VerificationReport
from autograder.verification.page import render_html
from tests.formats import samples

pytestmark = pytest.mark.slow
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def verification_page() -> str:
    """A page of verify with a complaint, and a check that caught a mistake with one of two seeds."""
    checks = (Check("f.plain", "f", "The plain case", 1.0, ("a",)), Check("f.large", "f", "Large", 1.0, ("b",)))
    mistake = Mistake("W_transposed", "f", "Which index of W belongs to h(t)?", "(1)", "")
    outcomes = (
        MistakeOutcome(mistake, {"f.plain": 2, "f.large": 1}, (), (), {mistake.name: 2}),
        MistakeOutcome(replace(mistake, name="h0_dropped"), {"f.large": 2}, (2,), (), {None: 2}),
    )
    return render_html(VerificationReport("ex", checks, (), outcomes, (), {}, (1, 2), "A", 4, 1.0))


def class_of_samples() -> str:
    """A page whose students lie in two tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(class_page, "ROWS_OF_A_TABLE", 4)
        reports = [*samples.SAMPLES.values(), samples.FAILED]
        return class_page.render_page(reports, {"carol": "feedback/carol.html"}, {})


PAGES = {
    "wrong": lambda: feedback_page.render_page([samples.MIXED]),
    # All samples: a right, a refused and a hostile one among them.
    "several": lambda: feedback_page.render_page([*samples.SAMPLES.values(), samples.HUGE_REPORT]),
    "class": class_of_samples,
    "verify": verification_page,
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("needs chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The address of each page."""
    folder = tmp_path_factory.mktemp("pages")
    for name, render in PAGES.items():
        html = render()
        html5lib.HTMLParser(strict=True).parse(html)
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in PAGES}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_loaded(browser: Any, files: dict[str, str], scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 800}, offline=True)
    found: list[str] = []
    for name, address in files.items():
        page = context.new_page()
        page.on("dialog", lambda dialog: found.append(f"a script ran: {dialog.message}"))
        page.on("request", lambda request: found.append(request.url) if request.url not in files.values() else None)
        page.on("console", lambda message: found.append(message.text))
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            found.append(f"{name} is {width} pixels wide on a telephone")
        # What a theme can spoil is the contrast.
        results = Axe().run(page, options={"runOnly": ["color-contrast"]} if scheme == "dark" else None)
        if results.violations_count:
            found.append(f"{name}: {results.generate_report()}")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark == (scheme == "dark")
        page.close()
    context.close()
    assert found == []


def test_pages_need_no_script(browser: Any, files: dict[str, str]) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(files["several"])
    page.get_by_role("link", name="carol").click()
    assert page.url.endswith("#submission-4")
    assert page.get_by_text("smallest failing case").first.is_visible()
    page.goto(files["class"])
    assert page.get_by_role("img", name="Scores:").is_visible()
    assert page.get_by_role("link", name="carol").first.is_visible()
    assert page.get_by_role("button").count() == 0
    context.close()


def test_students_are_sorted_by_the_heading_that_is_pressed(browser: Any, files: dict[str, str]) -> None:
    page = browser.new_page()
    page.goto(files["class"])
    total = page.get_by_role("button", name="total").first
    totals = page.locator("table.students tbody td.total")
    total.press("Enter")
    assert totals.all_text_contents() == ["waits", "0", "0", "1", "2.25", "4"]
    total.press("Enter")
    assert totals.all_text_contents() == ["4", "2.25", "1", "0", "0", "waits"]
    assert page.locator("th[aria-sort=descending]").first.inner_text().startswith("total")
    page.close()
