"""Cheats that stock nbgrader pays, handed in here: no points for any, and all of them for the honest one beside each.

See tests/cheats/README.md for what they try, and for what nbgrader gives them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from autograder.course import find_course
from autograder.evaluation.report import Report
from autograder.exercise import source
from autograder.exercise.loader import load_exercise
from autograder.grading import Grader, open_grader
from tests import courses

CHEATS = Path(__file__).parent / "cheats"
HONEST = CHEATS / "honest"
COURSE = find_course(Path(__file__).parent)
STOPS_STOCK, LAST = "copied_checks", "zz_last"  # stock nbgrader grades nobody after this one: it goes last there
NAMES = sorted(file.parent.name for file in CHEATS.glob("*/expected.toml") if file.parent != HONEST)


def handed_in(folder: Path, course: Path, name: str) -> Path:
    """Put a submission where nbgrader would have it."""
    there = course / "submitted" / name / courses.NAME
    shutil.copytree(folder, there, ignore=shutil.ignore_patterns("expected.toml"))
    return there


def expected(name: str) -> dict[str, str]:
    return tomllib.loads((CHEATS / name / "expected.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    exercise = load_exercise(COURSE.exercise_folder(courses.NAME))
    with open_grader(COURSE, exercise, warn=lambda sentence: None, seed=1) as one:
        yield one


@pytest.fixture(scope="module")
def baited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder as it is while stock nbgrader grades: the answers lie in notebooks and in the gradebook."""
    course = tmp_path_factory.mktemp("course")
    cells = source.parse_cells(
        (COURSE.exercise_folder(courses.NAME) / f"{courses.NAME}.py").read_text(encoding="utf-8")
    )
    tests = {f"check_{name}": courses.hidden_test(name, cells) for name in courses.ARGUMENTS}
    for name in [*NAMES, "honest"]:
        submitted = handed_in(CHEATS / name, course, name)
        autograded = course / "autograded" / name / courses.NAME
        shutil.copytree(submitted, autograded)
        notebook = json.loads((submitted / f"{courses.NAME}.ipynb").read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = tests.get(cell["id"], cell["source"])
        (autograded / f"{courses.NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook:
        gradebook.execute("CREATE TABLE source_cell (source TEXT)")
        gradebook.executemany("INSERT INTO source_cell VALUES (?)", [[test] for test in tests.values()])
        gradebook.commit()
    return course


def said(report: Report) -> str:
    return "\n".join([*(note.text for note in report.notes), *(check.message for check in report.checks)])


@pytest.mark.parametrize("name", NAMES)
def test_a_cheat_has_no_points_and_costs_the_next_one_none(grader, baited, name, monkeypatch):
    monkeypatch.chdir(baited / "autograded" / name / courses.NAME)
    gradebook = (baited / "gradebook.db").read_bytes()
    report = grader.grade(baited / "submitted" / name / courses.NAME, name)
    assert (report.status, report.score) == ("graded", 0.0), said(report)
    honest = grader.grade(baited / "submitted" / "honest" / courses.NAME, "honest")
    assert (honest.score, honest.notes) == (honest.max_score, ()), said(honest)
    assert (baited / "gradebook.db").read_bytes() == gradebook


@pytest.mark.slow
def test_with_this_kit_nbgrader_and_the_class_command_pay_none_of_them(tmp_path):
    courses.skip_without_nbgrader()
    course = courses.make_kit_course(tmp_path / "course")
    for name in NAMES:
        handed_in(CHEATS / name, course, name)
        handed_in(HONEST, course, f"{name}_beside")
    handed_in(HONEST, course, "honest")
    full = load_exercise(COURSE.exercise_folder(courses.NAME)).max_score
    right = {"honest": full}
    for name in NAMES:
        right |= {name: 0.0, f"{name}_beside": full}
    courses.run_module(course, "nbgrader", "autograde", courses.NAME)
    assert courses.points_by_student(course) == right
    (course / "gradebook.db").unlink()
    courses.run_module(course, "autograder", "release", courses.NAME)
    courses.run_module(course, "autograder", "class", courses.NAME, "submitted", "--gradebook")
    assert courses.points_by_student(course) == right


@pytest.fixture(scope="module")
def paid_by_stock(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, float]:
    """What each of them has from stock nbgrader, in one run."""
    courses.skip_without_nbgrader()
    course = courses.make_stock_course(tmp_path_factory.mktemp("stock") / "course")
    for name in [*NAMES, "honest"]:
        handed_in(CHEATS / name, course, LAST if name == STOPS_STOCK else name)
    done = courses.run_module(course, "nbgrader", "autograde", courses.NAME, expected=(1,))
    assert LAST in done.stderr.partition("Removing failed assignment")[2]  # this one, and none before it
    for _ in range(20):  # the daemon waits a little before it writes
        points = courses.points_by_student(course)
        if points["daemon"]:
            break
        time.sleep(1)
    return {**points, STOPS_STOCK: points[LAST]}


@pytest.mark.slow
def test_they_are_real_cheats(paid_by_stock):
    full = paid_by_stock["honest"]  # for the code; those who write their own scores have the rest as well
    given = {name: "full" if paid_by_stock[name] >= full else "nothing" for name in NAMES}
    assert given == {name: expected(name)["stock"] for name in NAMES}
    assert {paid_by_stock[name] for name in NAMES if given[name] == "nothing"} == {0.0}


def test_every_folder_says_what_it_tries():
    assert {folder.name for folder in CHEATS.iterdir() if folder.is_dir()} == {*NAMES, "honest"}
    assert all(expected(name)["about"] and expected(name)["stock"] in ("full", "nothing") for name in NAMES)
