"""Fixtures of the tests in a browser: Debian's chromium, driven by Playwright.

Screenshots go to build/screenshots/, which git ignores: look at them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests import courses
from tests.browser.jupyter import SCREENSHOTS

PROGRAM = shutil.which("chromium")
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing leaves this machine
)


@pytest.fixture(scope="module")  # not longer: Playwright does not start a second time beside a first one
def chromium() -> Iterator[Any]:
    """Start a browser without a window."""
    courses.skip_without_nbgrader()
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test installs it")
    if PROGRAM is None:
        pytest.skip("there is no chromium here: .ci/run installs it")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=PROGRAM, args=[*OPTIONS])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """Open a page of a common screen size."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    yield context.new_page()
    context.close()
