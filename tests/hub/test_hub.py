"""Students on a real JupyterHub hand in and fetch feedback, while nobody touches the instructor's side."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from tests import courses
from tests.browser.conftest import chromium, page  # noqa: F401 - fixtures
from tests.browser.jupyter import SCREENSHOTS
from tests.courses import NAME
from tests.hub.jupyterhub import INSTRUCTOR, STUDENTS, Hub, jupyterhub, missing
from tests.watch.exchange import RIGHT, SAMPLES, WRONG, points_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=missing()),
]
PATIENCE_SECONDS = 180


@pytest.fixture(scope="module")
def hub() -> Any:
    with jupyterhub() as running:
        yield running


def log_in(tab: Any, hub: Hub, name: str, path: str) -> None:
    tab.set_default_timeout(1000 * PATIENCE_SECONDS)
    tab.goto(f"{hub.address}/hub/login?next=/hub/spawn/{name}")
    tab.fill("#username_input", name)
    tab.fill("#password_input", hub.secret)
    tab.click("#login_submit")
    tab.wait_for_url(re.compile(f"^{re.escape(hub.address)}/user/{name}/"))
    tab.goto(f"{hub.address}/user/{name}{path}")


def work(hub: Hub, name: str, sample: str) -> None:
    """Write a sample into the notebook that a student fetched, as the student."""
    notebook = hub.homes / name / NAME / f"{NAME}.ipynb"
    notebook.write_text(json.dumps(courses.notebook_from_script(SAMPLES / sample / f"{NAME}.py")))
    shutil.chown(notebook, name, name)


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def hand_in_and_fetch(tab: Any, hub: Hub, name: str, attempt: int) -> str:
    """Submit, wait for the page in the exchange, fetch feedback, and return what the browser shows of it."""
    pages = hub.course.parent / "exchange" / "rnn" / "feedback"
    before = set(pages.glob("*.html"))
    tab.locator("#fetched_assignments_list").get_by_role("button", name="Submit").click()
    wait_until(lambda: set(pages.glob("*.html")) - before)
    tab.locator("#refresh_assignments_list").click()
    tab.locator("#submitted_assignments_list").get_by_text(NAME).first.wait_for()
    tab.screenshot(path=SCREENSHOTS / f"hub-{name}-{attempt}.png")
    tab.locator("#submitted_assignments_list").get_by_role("button", name="Fetch Feedback").first.click()
    folder = hub.homes / name / NAME / "feedback"
    wait_until(lambda: len(list(folder.glob("*/*.html"))) == attempt)
    newest: Path = max(folder.glob("*/*.html"))
    shown = tab.context.new_page()
    shown.goto(f"{hub.address}/user/{name}/files/{newest.relative_to(hub.homes / name).as_posix()}")
    text: str = shown.inner_text("body")
    shown.screenshot(path=SCREENSHOTS / f"hub-{name}-{attempt}-feedback.png")
    shown.close()
    return text


def test_students_hand_in_and_have_the_answer(page: Any, chromium: Any, hub: Hub) -> None:  # noqa: F811 - fixtures
    ada, bob = STUDENTS
    for name, samples in ((ada, (WRONG, RIGHT)), (bob, (WRONG,))):
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        tab = context.new_page()
        log_in(tab, hub, name, "/lab")
        tab.get_by_role("menuitem", name="Nbgrader").click()
        tab.get_by_role("menuitem", name="Assignment List").click()
        tab.locator("#released_assignments_list").get_by_role("button", name="Fetch").click()
        wait_until((hub.homes / name / NAME / f"{NAME}.ipynb").exists)
        for attempt, sample in enumerate(samples, 1):
            work(hub, name, sample)
            text = hand_in_and_fetch(tab, hub, name, attempt)
            assert f"Attempt {attempt}, received" in text
            assert points_of(sample)[1] in text
        context.close()
    wait_until(lambda: courses.points_by_student(hub.course) == {ada: points_of(RIGHT)[0], bob: points_of(WRONG)[0]})
    log_in(page, hub, INSTRUCTOR, f"/formgrader/manage_submissions/{NAME}")
    page.get_by_text(ada).first.wait_for()
    page.screenshot(path=SCREENSHOTS / "hub-formgrader.png")
    shown = page.inner_text("body")
    assert all(name in shown for name in STUDENTS)
