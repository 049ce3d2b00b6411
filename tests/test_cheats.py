"""Cheats that stock nbgrader rewards get no points here, and honest work graded beside each gets all of them.

tests/cheats/README.md says what they try, and what nbgrader gives them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import struct
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from autograder.course import find_course
from autograder.evaluation.call_plans import plan_calls
from autograder.evaluation.report import Report
from autograder.exercise import source
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import Grader, open_grader
from tests import courses

CHEATS = Path(__file__).parent / "cheats"
HONEST = CHEATS / "honest"
COURSE = find_course(Path(__file__).parent)
STOPS_STOCK, LAST = "copied_checks", "zz_last"  # stock nbgrader grades nobody after this one: it goes last there
NAMES = sorted(file.parent.name for file in CHEATS.glob("*/expected.toml") if file.parent != HONEST)


def submit(folder: Path, course: Path, name: str) -> Path:
    """Put a submission where nbgrader collects it. Returns its folder."""
    target = course / "submitted" / name / courses.NAME
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("expected.toml"))
    return target


def expected(name: str) -> dict[str, str]:
    return tomllib.loads((CHEATS / name / "expected.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    exercise = load_exercise(COURSE.exercise_folder(courses.NAME))
    with open_grader(COURSE, exercise, warn=lambda sentence: None, seed=1) as grader:
        yield grader


@pytest.fixture(scope="module")
def course_with_answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a course folder as it is while stock nbgrader grades: answers lie in notebooks and in the gradebook."""
    course = tmp_path_factory.mktemp("course")
    cells = source.parse_cells(
        (COURSE.exercise_folder(courses.NAME) / f"{courses.NAME}.py").read_text(encoding="utf-8")
    )
    tests = {f"check_{name}": courses.hidden_test(name, cells) for name in courses.ARGUMENTS}
    for name in [*NAMES, "honest"]:
        submitted = submit(CHEATS / name, course, name)
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


def messages(report: Report) -> str:
    return "\n".join([*(note.text for note in report.notes), *(check.message for check in report.checks)])


@pytest.mark.parametrize("name", NAMES)
def test_a_cheat_gets_no_points_and_costs_others_none(grader, course_with_answers, name, monkeypatch):
    monkeypatch.chdir(course_with_answers / "autograded" / name / courses.NAME)
    gradebook = (course_with_answers / "gradebook.db").read_bytes()
    report = grader.grade(course_with_answers / "submitted" / name / courses.NAME, name)
    assert (report.status, report.score) == ("graded", 0.0), messages(report)
    honest = grader.grade(course_with_answers / "submitted" / "honest" / courses.NAME, "honest")
    assert (honest.score, honest.notes) == (honest.max_score, ()), messages(honest)
    assert (course_with_answers / "gradebook.db").read_bytes() == gradebook


def with_answers(notebook: str, answers: Mapping[bytes, np.ndarray]) -> str:
    """Return the notebook of the cheat `white_space` with a table of answers, by key, at the ends of its lines."""
    data = b"".join(key + struct.pack("<I", array.size) + array.tobytes() for key, array in answers.items())
    white_space = "".join(" \t"[bit] for bit in np.unpackbits(np.frombuffer(data, np.uint8)))
    document = json.loads(notebook)
    for cell in document["cells"]:
        cell["source"] = "".join(cell["source"]).replace("\n.\n", f"\n.{white_space}\n")
    return json.dumps(document)


def answers_of(seed: int, exercise: Exercise) -> dict[bytes, np.ndarray]:
    """Return the right answers in all hidden cases of a seed, as the cheat looks them up."""
    answers = {}
    for plan in plan_calls(exercise, seed):
        hidden = {id for check in exercise.checks_of(plan.function.name) if check.hidden for id in check.cases}
        for id in hidden:
            planned = plan.cases[id]
            arrays = [planned.case.arrays[name] for name in ("U", "W", "V", *plan.function.arguments[1:])]
            text = plan.function.name.encode() + b"".join(array.tobytes() for array in arrays)
            answers[sha256(text).digest()[:8]] = np.concatenate([array.ravel() for array in planned.expected])
    return answers


def test_answers_to_the_hidden_cases_of_an_earlier_submission_earn_nothing(grader, tmp_path):
    # Without a seed of its own, the grader draws the cases from what is handed in.
    drawing = Grader(grader.exercise, grader.jail, grader.limits, secret=b"secret")
    notebook = (CHEATS / "white_space" / f"{courses.NAME}.ipynb").read_text(encoding="utf-8")
    file = tmp_path / f"{courses.NAME}.ipynb"
    file.write_text(notebook, encoding="utf-8")
    first = drawing.grade(tmp_path, "cheat")
    file.write_text(with_answers(notebook, answers_of(first.seed, grader.exercise)), encoding="utf-8")
    assert (first.score, drawing.grade(tmp_path, "cheat").score) == (0.0, 0.0)
    # The table does hold the answers: with the old cases it would earn what hidden cases are worth.
    repeating = Grader(grader.exercise, grader.jail, grader.limits, seed=first.seed)
    assert repeating.grade(tmp_path, "cheat").score > 5


def submit_odd_folders(course: Path) -> list[str]:
    """Hand in links, and honest work beside folders that are called like nbgrader's files. Returns who is honest."""
    linked = submit(HONEST, course, "linked") / f"{courses.NAME}.ipynb"
    linked.unlink()
    linked.with_suffix(".py").symlink_to(course / "solutions" / courses.NAME / f"{courses.NAME}.py")
    (course / "submitted" / "nobody").symlink_to(course / "submitted" / "honest")
    submit(HONEST, course, "a\nb")  # a name that nbgrader's patterns do not match
    names = ["network.py", "timestamp.txt", f"{courses.NAME}.html", "other.ipynb", "submission_secret.txt"]
    for name in names:
        folder = submit(HONEST, course, f"folder_{name}") / name
        folder.mkdir()
        (folder / "x.txt").touch()
    return [f"folder_{name}" for name in names]


@pytest.mark.slow
def test_nbgrader_with_this_kit_and_the_class_command_reward_no_cheat(tmp_path):
    courses.skip_without_nbgrader()
    course = courses.make_kit_course(tmp_path / "course")
    for name in NAMES:
        submit(CHEATS / name, course, name)
        submit(HONEST, course, f"{name}_beside")
    submit(HONEST, course, "honest")
    odd_names = submit_odd_folders(course)
    full = load_exercise(COURSE.exercise_folder(courses.NAME)).max_score
    expected_points = {"honest": full, "linked": 0.0, **dict.fromkeys(odd_names, full)}
    for name in NAMES:
        expected_points |= {name: 0.0, f"{name}_beside": full}
    courses.run_module(course, "nbgrader", "autograde", courses.NAME)
    assert courses.points_by_student(course) == expected_points
    (course / "gradebook.db").unlink()
    courses.run_module(course, "autograder", "release", courses.NAME)
    courses.run_module(course, "autograder", "class", courses.NAME, "submitted", "--gradebook")
    assert courses.points_by_student(course) == expected_points


@pytest.fixture(scope="module")
def stock_points(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, float]:
    """Return the points that stock nbgrader gives each of them, graded in one run."""
    courses.skip_without_nbgrader()
    course = courses.make_stock_course(tmp_path_factory.mktemp("stock") / "course")
    for name in [*NAMES, "honest"]:
        submit(CHEATS / name, course, LAST if name == STOPS_STOCK else name)
    completed = courses.run_module(course, "nbgrader", "autograde", courses.NAME, expected=(1,))
    assert LAST in completed.stderr.partition("Removing failed assignment")[2]  # this one, and none before it
    for _ in range(20):  # the daemon waits a little before it writes
        points = courses.points_by_student(course)
        if points["daemon"]:
            break
        time.sleep(1)
    return {**points, STOPS_STOCK: points[LAST]}


@pytest.mark.soak
def test_stock_nbgrader_rewards_the_cheats(stock_points):
    full = stock_points["honest"]  # for the code; those who write their own scores have the rest as well
    rewards = {name: "full" if stock_points[name] >= full else "nothing" for name in NAMES}
    assert rewards == {name: expected(name)["stock"] for name in NAMES}
    assert {stock_points[name] for name in NAMES if rewards[name] == "nothing"} == {0.0}


def test_every_cheat_describes_itself():
    assert {folder.name for folder in CHEATS.iterdir() if folder.is_dir()} == {*NAMES, "honest"}
    assert all(expected(name)["about"] and expected(name)["stock"] in ("full", "nothing") for name in NAMES)
