"""What students write, in formgrader and in feedback pages: nothing of it runs, loads, covers or scores anything."""

from __future__ import annotations

import functools
import json
import shutil
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from autograder.nbgrader.config import put_alembic_on_path
from tests import courses
from tests.browser.jupyter import SCREENSHOTS, jupyterlab

pytest.importorskip("nbformat", reason="nbgrader is not installed: make test installs it")
from tests.browser import notebooks_of_payloads as payloads

pytestmark = pytest.mark.slow

ASSIGNMENT, NOTEBOOK = "ps1", "work"
STUDENTS = {place: place for place in payloads.PAYLOADS} | {"names": payloads.NAMES["names_student_id"]}

# Does what a person may do with what a student wrote: points at everything and clicks on it.
USE_EVERYTHING = """async () => {
    const open = XMLHttpRequest.prototype.open;
    XMLHttpRequest.prototype.open = function (method, ...more) {
        if (method !== "GET") ran(window.used);
        return open.call(this, method, ...more);
    };
    const used = element => element.isConnected && !element.closest(".panel-heading, .panel-footer, script, style");
    for (const element of [...document.querySelectorAll("#notebook-container *")].filter(used)) {
        window.used = element.textContent;
        for (const kind of ["mouseover", "click"])
            element.dispatchEvent(new MouseEvent(kind, {bubbles: true, cancelable: true}));
        if (element.matches("a, a *, button")) await new Promise(resolve => setTimeout(resolve, 10));
    }
    await new Promise(resolve => setTimeout(resolve, 200));
}"""
OVER_THE_HEAD_OF_THE_PAGE = """() => [100, 400, 800, 1100].flatMap(x => document.elementsFromPoint(x, 10))
    .filter(element => element.closest("#notebook-container *")).map(element => element.textContent)"""
TAKEN_IDS = """() => ["answer", "answer-comment"].map(id => document.getElementById(id))
    .filter(element => element && !element.matches("input, textarea")).map(element => element.textContent)"""


@dataclass(frozen=True)
class Watched:
    """A page, and what students' text did on it so far: names of payloads."""

    page: Any
    done: set[str]

    def visit(self, address: str) -> None:
        """Open a page, and use everything on it."""
        self.page.goto(address, wait_until="domcontentloaded")  # a payload may keep a page loading
        self.page.wait_for_function("!window.formgrader || (formgrader.grades && formgrader.grades.loaded)")
        self._note(self.page.evaluate(OVER_THE_HEAD_OF_THE_PAGE))
        if "/formgrader/" in self.page.url or "/stock/" in self.page.url:
            self._note(self.page.evaluate(TAKEN_IDS))
        self.page.evaluate(USE_EVERYTHING)

    def _note(self, texts: list[str]) -> None:
        names = [name for place in payloads.PAYLOADS.values() for name in place]
        self.done.update(name for name in names for text in texts if name in text)


@pytest.fixture
def watched(page: Any) -> Watched:
    """Return a page that notes calls of `ran`, whatever is asked of other sites, and what is sent to formgrader."""
    done: set[str] = set()

    def elsewhere(route: Any) -> None:
        done.update({route.request.url.rpartition("/")[2]} if payloads.OUTSIDE in route.request.url else ())
        if route.request.is_navigation_request() and route.request.frame.parent_frame is None:
            route.fulfill(status=204)  # the page stays
        else:
            route.abort()

    page.context.expose_binding("ran", lambda _, name: done.add(name))
    page.context.route(lambda url: not url.startswith(("http://127.0.0.1", "file:", "data:", "blob:")), elsewhere)
    page.on("dialog", lambda dialog: dialog.dismiss())
    return Watched(page, done)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a course with an assignment that is not the kit's, graded, and a student for each place of payloads."""
    from nbgrader.api import Gradebook

    folder = tmp_path_factory.mktemp("rendering") / "course"
    folder.mkdir()
    shutil.copy(courses.ROOT / "nbgrader_config.py", folder)
    put_alembic_on_path()
    with (
        warnings.catch_warnings(action="ignore"),  # about nbgrader's own queries
        Gradebook(f"sqlite:///{folder / 'gradebook.db'}", course_id="rnn") as gradebook,
    ):
        gradebook.add_assignment(ASSIGNMENT)
        gradebook.add_notebook(NOTEBOOK, ASSIGNMENT)
        cell = (payloads.ANSWER, NOTEBOOK, ASSIGNMENT)
        gradebook.add_grade_cell(*cell, max_score=payloads.MAX_POINTS, cell_type="markdown")
        gradebook.add_solution_cell(*cell)
        for place, student in STUDENTS.items():
            named = {key: payloads.NAMES[f"names_{key}"] for key in ("first_name", "last_name")}
            gradebook.add_student(student, **(named if place == "names" else {}))
            gradebook.add_submission(ASSIGNMENT, student)
            file = folder / "autograded" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
            file.parent.mkdir(parents=True)
            file.write_text(json.dumps(payloads.notebook_of("raw" if place == "names" else place)), encoding="utf-8")
    return folder


def submission_of(course: Path, student: str) -> str:
    """Return the id under which formgrader shows a student's notebook."""
    query = """
        SELECT submitted_notebook.id FROM submitted_notebook JOIN submitted_assignment
        ON submitted_assignment.id = submitted_notebook.assignment_id WHERE student_id = ?
    """
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook:
        return str(gradebook.execute(query, [student]).fetchone()[0])


@pytest.fixture(scope="module")
def formgrader(course: Path) -> Iterator[str]:
    with jupyterlab(course, courses.home_folder(course)) as address:
        yield f"{address}/formgrader"


def test_in_formgrader_nothing_of_a_submission_does_anything(watched, course, formgrader):
    for student in STUDENTS.values():
        watched.visit(f"{formgrader}/submissions/{submission_of(course, student)}/")
    watched.page.screenshot(path=SCREENSHOTS / "rendering-formgrader.png")
    assert watched.done == set()
    assert set(courses.points_by_student(course).values()) == {0.0}


def test_in_formgrader_names_of_students_are_text(watched, course, formgrader):
    student = quote(payloads.NAMES["names_student_id"])
    for page in ("manage_students", f"manage_students/{student}", f"manage_students/{student}/{ASSIGNMENT}"):
        watched.visit(f"{formgrader}/{page}")
    for page in ("manage_assignments", f"manage_submissions/{ASSIGNMENT}", f"gradebook/{ASSIGNMENT}/{NOTEBOOK}"):
        watched.visit(f"{formgrader}/{page}")
    watched.page.goto(f"{formgrader}/api/students")  # JSON, which is served as HTML, in a sandbox
    assert watched.done == set()


def test_in_feedback_pages_nothing_of_a_submission_does_anything(watched, course):
    courses.run_module(course, "nbgrader", "generate_feedback", ASSIGNMENT, expected=(1,))
    pages = sorted((course / "feedback").rglob("*.html"))
    assert len(pages) == len(STUDENTS) - 1  # nbgrader makes none for a cell that it does not know
    for page in pages:
        watched.visit(page.as_uri())
    watched.page.screenshot(path=SCREENSHOTS / "rendering-feedback.png")
    assert watched.done == set()


def test_in_a_stock_page_they_do_what_they_are_for(watched, course, formgrader):
    """Otherwise, the tests above could not fail."""
    from nbconvert.exporters import HTMLExporter
    from nbgrader.server_extensions.formgrader import handlers
    from traitlets.config import Config

    stock = {"template_name": "formgrade", "extra_template_basedirs": [handlers.template_path]}
    exporter = HTMLExporter(config=Config(HTMLExporter=stock))
    address = formgrader.removesuffix("/formgrader")
    for place in payloads.PAYLOADS:
        student = STUDENTS[place]
        resources = {
            "assignment_id": ASSIGNMENT,
            "notebook_id": NOTEBOOK,
            "student": student,
            "base_url": "",
            "submission_id": submission_of(course, student),
            "index": 0,
            "total": 1,
            "notebook_path": "x",
        }
        html, _ = exporter.from_notebook_node(payloads.notebook_of(place), resources=resources)
        show = functools.partial(lambda html, route: route.fulfill(body=html, content_type="text/html"), html)
        watched.page.route(f"**/stock/{place}", show)
        watched.visit(f"{address}/stock/{place}")
    names = {name for place in payloads.PAYLOADS.values() for name in place}
    assert names - watched.done == payloads.HARMLESS_IN_STOCK
