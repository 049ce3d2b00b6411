"""An instructor in formgrader, nbgrader's own pages for grading, on a course of this kit."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import find_course
from autograder.exercise.loader import load_exercise
from tests import courses
from tests.browser.jupyter import SCREENSHOTS, jupyterlab
from tests.courses import NAME
from tests.nbgrader.sample_submissions import add_question

pytestmark = pytest.mark.slow

ORDINARY = courses.ROOT / "tests" / "nbgrader" / "ordinary"
SAMPLES = courses.ROOT / "tests" / "submissions" / "class"
STUDENTS = {"ada": "needs manual grading", "blaise": "needs manual grading", "carl": "needs manual grading"}
COMMENT = "The first two paths are very clear. Say also why h(k-1) is held fixed."


@pytest.fixture(scope="module")
def max_points() -> dict[str, float]:
    """Return the points of each function."""
    exercise = load_exercise(find_course(courses.ROOT).exercise_folder(NAME))
    return {name: sum(check.max_points for check in exercise.checks_of(name)) for name in courses.ARGUMENTS}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a course with three submissions: a right notebook, a script with a mistake, and a damaged notebook."""
    folder = courses.make_kit_course(tmp_path_factory.mktemp("instructor") / "course")
    exchange = folder / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)  # as nbgrader wants it
    with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(f"c.Exchange.root = {str(exchange)!r}\n")
    folders = {name: folder / "submitted" / name / NAME for name in STUDENTS}
    for submission in folders.values():
        submission.mkdir(parents=True)
        (submission / "timestamp.txt").write_text("2026-11-20 18:00:00 UTC", encoding="utf-8")
    right = add_question(courses.notebook_from_script(SAMPLES / "perfect" / f"{NAME}.py"))
    for cell in right["cells"]:
        if cell["id"] == "derivation":
            cell["source"] = "**My explanation**\n\nThree ways lead from $W$ to the state $h(3)$, one for each step."
    (folders["ada"] / f"{NAME}.ipynb").write_text(json.dumps(right), encoding="utf-8")
    shutil.copy(SAMPLES / "truncated_bptt" / f"{NAME}.py", folders["blaise"])
    (folders["carl"] / f"{NAME}.ipynb").write_text('{"cells": [', encoding="utf-8")
    for step in ("source", "submitted/ada"):  # an assignment that is not the kit's
        shutil.copytree(ORDINARY / step / "ps1", folder / step / "ps1")
    return folder


@pytest.fixture(scope="module")
def formgrader(course: Path) -> Iterator[str]:
    with jupyterlab(course, courses.home_folder(course)) as address:
        yield f"{address}/formgrader"


def released_files(course: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (course / "assignments" / NAME).iterdir() if path.is_file()}


def row(page, name):
    return page.locator("#main-table tr", has=page.get_by_text(name, exact=True))


def press(page, name, action):
    """Press a button in the row of a student or an assignment. Returns the log, after closing its box."""
    row(page, name).locator(f".{action} a").click()
    box = page.locator(".modal", has=page.get_by_text("Log Output"))
    box.wait_for()
    text = box.inner_text()
    page.wait_for_timeout(500)  # it fades in
    page.screenshot(path=SCREENSHOTS / f"instructor-{action}-{name}.png")
    box.locator(".modal-footer button").click()
    page.locator(".modal-backdrop").wait_for(state="detached")
    return text


def open_submission(page, formgrader, student):
    page.goto(f"{formgrader}/manage_students/{student}/{NAME}")
    page.locator("#main-table").get_by_role("link", name=NAME).click()
    page.locator("#check_forward").wait_for()
    page.wait_for_load_state("networkidle")


def points(page, name):
    """Return the automatic points of a function: they stand where a grader may type others."""
    return float(page.locator(f"#check_{name}[placeholder]").get_attribute("placeholder"))  # there once it is loaded


def take_picture(page, name, cell):
    """Save a screenshot of the page with a cell in view."""
    page.locator(f"#{cell}").scroll_into_view_if_needed()
    page.evaluate("scrollBy(0, 300)")
    page.wait_for_timeout(300)
    page.screenshot(path=SCREENSHOTS / f"instructor-{name}.png")


def test_autograde_comment_and_see_the_gradebook(page, course, formgrader, max_points):
    page.goto(f"{formgrader}/manage_assignments")
    page.locator("#main-table").get_by_text(NAME, exact=True).wait_for()
    page.screenshot(path=SCREENSHOTS / "instructor-1-assignments.png")
    release = released_files(course)
    assert "Success" in press(page, NAME, "assign")
    assert released_files(course) == release

    page.goto(f"{formgrader}/manage_submissions/{NAME}")
    row(page, "ada").get_by_text("needs autograding").wait_for()
    for student, status in STUDENTS.items():
        assert "Success" in press(page, student, "autograde")
        row(page, student).get_by_text(status, exact=True).wait_for()
    page.screenshot(path=SCREENSHOTS / "instructor-2-submissions.png")

    open_submission(page, formgrader, "ada")
    assert [points(page, name) for name in max_points] == list(max_points.values())
    take_picture(page, "3-right", "check_forward")
    page.locator("#derivation").fill("1.5")
    page.locator("#derivation-comment").fill(COMMENT)
    page.keyboard.press("Tab")
    page.wait_for_load_state("networkidle")
    take_picture(page, "4-comment", "derivation")

    open_submission(page, formgrader, "blaise")
    assert points(page, "dJ_dV") == max_points["dJ_dV"]
    assert 0 < points(page, "dJ_dW") < max_points["dJ_dW"]
    take_picture(page, "5-wrong", "check_dJ_dW")

    open_submission(page, formgrader, "carl")
    assert [points(page, name) for name in max_points] == [0.0] * len(max_points)
    assert page.get_by_text("is not a notebook").first.is_visible()
    take_picture(page, "6-damaged", "check_forward")

    page.goto(f"{formgrader}/gradebook/{NAME}/{NAME}")
    page.get_by_text("Submission #1").wait_for()
    whole = f"{sum(max_points.values()) + 1.5:g} / {sum(max_points.values()) + 2:g}"
    assert page.get_by_text(whole, exact=True).count() == 1
    page.screenshot(path=SCREENSHOTS / "instructor-7-gradebook.png")
    page.goto(f"{formgrader}/manage_students")
    page.wait_for_load_state("networkidle")
    page.screenshot(path=SCREENSHOTS / "instructor-8-students.png")

    page.goto(f"{formgrader}/manage_submissions/{NAME}")
    for student in STUDENTS:
        assert "Success" in press(page, student, "generate-feedback")
        feedback = course / "feedback" / student / NAME / f"{NAME}.html"
        text = feedback.read_text(encoding="utf-8")
        assert (COMMENT in text) == (student == "ada")
        page.goto(feedback.as_uri())
        assert "Traceback" not in page.inner_text("body")
        page.wait_for_timeout(500)
        page.screenshot(path=SCREENSHOTS / f"feedback-{student}.png", full_page=True)
        page.goto(f"{formgrader}/manage_submissions/{NAME}")


def test_an_ordinary_assignment_is_generated_and_graded_by_nbgrader_s_kernel(page, course, formgrader):
    page.goto(f"{formgrader}/manage_assignments")
    assert "Success" in press(page, "ps1", "assign")
    assert "raise NotImplementedError()" in (course / "assignments" / "ps1" / "mean.ipynb").read_text(encoding="utf-8")
    page.goto(f"{formgrader}/manage_submissions/ps1")
    assert "Success" in press(page, "ada", "autograde")
    row(page, "ada").get_by_text("needs manual grading", exact=True).wait_for()
    page.goto(f"{formgrader}/manage_students/ada/ps1")
    page.locator("#main-table").get_by_role("link", name="mean").click()
    page.locator("#check_mean").wait_for()
    page.wait_for_load_state("networkidle")
    assert points(page, "mean") == 3
