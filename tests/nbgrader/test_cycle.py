"""The whole way with nbgrader's own programs: from release and collecting to feedback, export and a regrade."""

from __future__ import annotations

import csv
import filecmp
import json
import re
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from tests import courses, leaks
from tests.nbgrader import sample_submissions
from tests.nbgrader.sample_submissions import NOTEBOOK, STUDENTS

pytestmark = pytest.mark.slow
NAME = courses.NAME
SETTINGS = """
c.Exchange.root = {exchange!r}
c.FileNameCollectorPlugin.named_regexp = {canvas!r}
c.AssignLatePenalties.plugin_class = "late.OnePointADay"
"""
LATE = """from nbgrader.plugins import LateSubmissionPlugin

class OnePointADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return -(-total_seconds_late // 86400)
"""
DAYS_LATE = 3
BY_CANVAS = "script"
"""Who handed in a zip file by Canvas, and not at the exchange."""

Scores = dict[str, dict[str, Any]]
"""By student: nbgrader's row of every grade cell, and the whole."""


def scores(course: Path) -> Scores:
    """What the gradebook holds: by student, the scores of cells, `total`, `penalty`, `waits` and comments."""
    grades = """select s.student_id, b.name, g.auto_score, g.manual_score, g.needs_manual_grade,
        n.late_submission_penalty from grade g join base_cell b on b.id = g.cell_id
        join submitted_notebook n on n.id = g.notebook_id join submitted_assignment s on s.id = n.assignment_id"""
    comments = """select s.student_id, b.name, c.auto_comment, c.manual_comment from comment c
        join base_cell b on b.id = c.cell_id join submitted_notebook n on n.id = c.notebook_id
        join submitted_assignment s on s.id = n.assignment_id"""
    found: Scores = {}
    with closing(sqlite3.connect(course / "gradebook.db")) as book:
        for student, cell, auto, manual, waits, penalty in book.execute(grades):
            mine = found.setdefault(student, {"cells": {}, "hand": {}, "waits": set(), "said": {}})
            mine["cells"][cell], mine["hand"][cell], mine["penalty"] = auto, manual, penalty
            mine["waits"] |= {cell} if waits else set()
        for student, cell, auto, manual in book.execute(comments):
            found[student]["said"][cell] = (auto, manual)
    return found


def at_the_exchange(exchange: Path, student: str, files: Mapping[str, bytes], when: str) -> None:
    """Put files where `nbgrader submit` puts them."""
    folder = exchange / "rnn" / "inbound" / f"{student}+{NAME}+{when}+{abs(hash((student, when)))}"
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "timestamp.txt").write_text(when)
    (folder / "submission_secret.txt").write_text(f"secret of {student}")


def downloaded_from_canvas(course: Path, student: str, files: Mapping[str, bytes]) -> None:
    """Put Canvas's download where `nbgrader zip_collect` finds it; the student handed in a zip file."""
    folder = course / "downloaded" / NAME / "archive"
    folder.mkdir(parents=True)
    own = {
        f"{student}_LATE_12345_67890_work.zip": sample_submissions.make_zip(
            {f"work/{name}": files[name] for name in files}
        )
    }
    (folder / "submissions.zip").write_bytes(sample_submissions.make_zip(own))


@dataclass(frozen=True)
class Ran:
    """What the programs said, and what the gradebook held after each step."""

    course: Path
    said: dict[str, str]
    scores: dict[str, Scores]
    exercise: Exercise

    def most(self, function: str) -> float:
        return sum(check.max_points for check in self.exercise.checks_of(function))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
    course, exchange = tmp_path_factory.mktemp("cycle") / "course", tmp_path_factory.mktemp("exchange")
    exchange.chmod(0o777)
    said: dict[str, str] = {}
    after: dict[str, Scores] = {}

    def nbgrader(step: str, *arguments: str, where: Path = course) -> None:
        done = courses.run_module(where, "nbgrader", *arguments)
        said[step] = done.stdout + done.stderr
        after[step] = scores(course)

    courses.make_kit_course(course)
    (course / "late.py").write_text(LATE)
    with (course / "nbgrader_config.py").open("a") as settings:
        settings.write(SETTINGS.format(exchange=str(exchange), canvas=sample_submissions.CANVAS_NAME_PATTERN))
    before = {path.name: path.read_bytes() for path in (course / "assignments" / NAME).iterdir()}
    nbgrader("generate", "generate_assignment", NAME, "--force")
    assert {path.name: path.read_bytes() for path in (course / "assignments" / NAME).iterdir()} == before
    edited = course / "build" / "source" / NAME / NOTEBOOK
    edited.write_bytes(edited.read_bytes() + b"\n")
    said["edited"] = courses.run_module(
        course, "nbgrader", "generate_assignment", NAME, "--force", expected=(1,)
    ).stderr
    assert edited.read_bytes().endswith(b"\n\n")
    assert {path.name: path.read_bytes() for path in (course / "assignments" / NAME).iterdir()} == before
    edited.write_bytes(edited.read_bytes()[:-1])
    nbgrader("due", "db", "assignment", "add", NAME, f"--duedate={sample_submissions.DUE_DATE}")
    nbgrader("release", "release_assignment", NAME)

    everybody = dict(STUDENTS)
    student = tmp_path_factory.mktemp("student")
    (student / "nbgrader_config.py").write_text(
        f"c = get_config()\nc.CourseDirectory.course_id = 'rnn'\nc.Exchange.root = {str(exchange)!r}\n"
    )
    courses.run_module(student, "nbgrader", "fetch_assignment", NAME)
    for file, data in everybody.pop("right").files().items():
        (student / NAME / file).write_bytes(data)
    said["handed out"] = " ".join(sorted(path.name for path in (student / NAME).iterdir()))
    courses.run_module(student, "nbgrader", "submit", NAME, "--student=right")
    downloaded_from_canvas(course, BY_CANVAS, everybody.pop(BY_CANVAS).files())
    for name, one in everybody.items():
        at_the_exchange(exchange, name, one.files(), one.submitted_at)
    at_the_exchange(exchange, "again", STUDENTS["wrong"].files(), "2026-02-27 10:00:00.000000 UTC")

    nbgrader("collect", "collect", NAME)
    nbgrader("zip_collect", "zip_collect", NAME)
    nbgrader("autograde", "autograde", NAME)
    nbgrader("feedback", "generate_feedback", NAME)
    nbgrader("release feedback", "release_feedback", NAME)
    nbgrader("export", "export")
    nbgrader("canvas", "export", "--exporter=autograder.nbgrader.CanvasExporter", "--CanvasExporter.columns=function")
    nbgrader("moodle", "export", "--exporter=autograder.nbgrader.MoodleExporter")

    by_hand(course)
    crashing = sample_submissions.notebook_file(sample_submissions.answered_notebook("crashing"))
    at_the_exchange(exchange, "stripped", crashing, "2026-03-01 11:00:00.000000 UTC")
    at_the_exchange(
        exchange, "copied", sample_submissions.truncated_notebook("perfect"), "2026-03-01 11:00:00.000000 UTC"
    )
    nbgrader("collect again", "collect", NAME, "--update")
    nbgrader("autograde again", "autograde", NAME)

    mend_the_rubric(course)
    before_mending = courses.run_module(course, "nbgrader", "autograde", NAME, expected=(1,))
    said["not released"] = before_mending.stderr
    courses.run_module(course, "autograder", "release", NAME)
    shutil.copytree(course, course.with_name("fast"))
    shutil.copytree(courses.home_folder(course), courses.home_folder(course.with_name("fast")))
    nbgrader("regrade", "autograde", NAME, "--force")
    fast = course.with_name("fast")
    done = courses.run_module(fast, "autograder", "class", NAME, "submitted", "--gradebook")
    said["fast"], after["fast"] = done.stdout + done.stderr, scores(fast)
    mended = load_exercise(course / "solutions" / NAME)
    return Ran(course, said, after, mended)


def by_hand(course: Path) -> None:
    """What a person gives in formgrader: points for a question and for a cell of the grader, and a comment."""
    cell = "select b.id from base_cell b where b.name = ? and b.type = ?"
    mine = """select n.id from submitted_notebook n join submitted_assignment s on s.id = n.assignment_id
        where s.student_id = ?"""
    with closing(sqlite3.connect(course / "gradebook.db")) as book, book:
        for student, name, points in (("right", "derivation", 1.5), ("wrong", "check_dJ_dW", 2.0)):
            book.execute(
                f"update grade set manual_score = ?, needs_manual_grade = 0 "
                f"where cell_id = ({cell}) and notebook_id = ({mine})",
                (points, name, "GradeCell", student),
            )
        book.execute(
            f"update comment set manual_comment = 'Well said.' where cell_id = ({cell}) and notebook_id = ({mine})",
            ("derivation", "SolutionCell", "right"),
        )


def mend_the_rubric(course: Path) -> None:
    """Give a check of dJ_dV, which everybody but a few has right, twice its points."""
    file = course / "solutions" / NAME / "rubric.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text + "\nimport dataclasses\nCHECKS = tuple(\n"
        "    dataclasses.replace(one, points=2 * one.points) if one.id == 'dJ_dV.plain' else one\n"
        "    for one in CHECKS\n)\n",
        encoding="utf-8",
    )


def total(mine: Mapping[str, Any]) -> float:
    """What a student has: points by hand go before those of the grader."""
    by_hand, auto = mine["hand"], mine["cells"]
    points = [auto[cell] or 0.0 if by_hand[cell] is None else by_hand[cell] for cell in auto]
    return float(round(sum(points) - (mine["penalty"] or 0), 6))


def rows(file: Path) -> dict[str, dict[str, str]]:
    """The rows of an exported file by student."""
    with file.open(encoding="utf-8", newline="") as opened:
        found = list(csv.DictReader(opened))
    key = next(name for name in ("student_id", "SIS Login ID", "Username") if name in found[0])
    return {row[key]: row for row in found}


def test_what_is_handed_out_is_the_assignment(ran: Ran) -> None:
    names = sorted(path.name for path in (ran.course / "assignments" / NAME).iterdir())
    assert ran.said["handed out"].split() == names


def test_a_source_edited_by_hand_is_refused_in_a_sentence(ran: Ran) -> None:
    assert f"was edited by hand ({NOTEBOOK})" in ran.said["edited"]
    assert "Traceback" not in ran.said["edited"]


@pytest.mark.parametrize("student", sorted(STUDENTS))
def test_everybody_has_the_points_that_belong_to_them(ran: Ran, student: str) -> None:
    mine = ran.scores["autograde"][student]
    for function in courses.ARGUMENTS:
        got, most = mine["cells"][f"check_{function}"], mostly(ran, function)
        expected = STUDENTS[student].points.get(function, "all")
        assert {"all": got == most, "none": got == 0, "less": 0 < got < most}[expected], (function, got)


def mostly(ran: Ran, function: str) -> float:
    """The points of a function before the rubric was mended."""
    return max(mine["cells"][f"check_{function}"] for mine in ran.scores["autograde"].values())


@pytest.mark.parametrize("student", sorted(STUDENTS))
def test_what_was_not_as_it_should_be_is_named(ran: Ran, student: str) -> None:
    lines = [line for line in ran.said["autograde"].splitlines() if f"] {student}: " in line and "before" not in line]
    assert STUDENTS[student].log_message in " ".join(lines)
    assert bool(lines) == bool(STUDENTS[student].log_message)


def test_only_who_cannot_be_graded_waits_for_a_person(ran: Ran) -> None:
    waiting = {student for student, mine in ran.scores["autograde"].items() if mine["waits"]}
    assert waiting == {student for student, one in STUDENTS.items() if one.needs_manual_grade}


def test_collecting_names_who_cannot_be_graded(ran: Ran) -> None:
    assert re.findall(r"(\w+): .*not valid JSON", ran.said["collect"]) == ["cut"]


def test_a_late_penalty_is_that_of_the_plugin(ran: Ran) -> None:
    penalties = {student: mine["penalty"] for student, mine in ran.scores["autograde"].items()}
    assert penalties.pop("late") == DAYS_LATE
    assert set(penalties.values()) == {None}


def test_the_exported_scores_are_those_of_the_gradebook(ran: Ran) -> None:
    exported = {student: float(row["score"]) for student, row in rows(ran.course / "grades.csv").items()}
    assert exported == {student: total(mine) for student, mine in ran.scores["autograde"].items()}


def test_canvas_gets_the_points_of_each_function(ran: Ran) -> None:
    found = rows(ran.course / "canvas.csv")
    possible = found.pop("")
    for student, mine in ran.scores["autograde"].items():
        for function in courses.ARGUMENTS:
            points, waits = found[student][f"{NAME} {function}"], STUDENTS[student].needs_manual_grade
            assert points == "-" if waits else float(points) == mine["cells"][f"check_{function}"]
    assert [float(possible[f"{NAME} {one}"]) for one in courses.ARGUMENTS] == [
        mostly(ran, one) for one in courses.ARGUMENTS
    ]
    assert float(found["late"][f"{NAME} late penalty"]) == -DAYS_LATE


def test_moodle_gets_no_points_for_work_that_waits(ran: Ran) -> None:
    found = rows(ran.course / "moodle.csv")
    assert (found["cut"][NAME], found["cut"][f"{NAME} (state)"]) == ("", "ungraded")
    graded = {student: float(row[NAME]) for student, row in found.items() if row[f"{NAME} (state)"] == "graded"}
    scores = ran.scores["autograde"]
    assert graded == {student: total(mine) for student, mine in scores.items() if not mine["waits"]}


class Words(HTMLParser):
    """The text of a page, without its styles and scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside not in ("style", "script"):
            self.found.append(data)


def feedback_of(ran: Ran, student: str) -> str:
    page = (ran.course / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    return "".join(Words(page).found)


def test_feedback_shows_every_check(ran: Ran) -> None:
    page = feedback_of(ran, "wrong")
    assert [one.title for one in ran.exercise.checks if one.title not in page] == []
    assert "dJ_dW is not right" in page or "dJ_dW is not the slope" in page


def test_feedback_says_why_there_are_no_points(ran: Ran) -> None:
    assert "not valid JSON" in feedback_of(ran, "cut")
    assert "def dJ_dV" in feedback_of(ran, "cut")  # what could be read of it is shown


@pytest.mark.parametrize("student", ["wrong", "crashing", "hanging", "cut"])
def test_feedback_gives_nothing_away(ran: Ran, student: str) -> None:
    page = feedback_of(ran, student)
    assert "Traceback" not in page
    assert str(courses.ROOT) not in page
    assert str(ran.course) not in page
    own = (ran.course / "submitted" / student / NAME / NOTEBOOK).read_text(encoding="utf-8")
    assert [line for line in leaks.revealing_lines() if line in page and json.dumps(line)[1:-1] not in own] == []
    kept = ran.course.with_name("fast") / "grades" / NAME / f"{student}.json"
    seed = json.loads(kept.read_text(encoding="utf-8"))["seed"]
    assert set(leaks.NUMBER_PATTERN.findall(page)) & leaks.hidden_numbers(seed) == set()


def test_released_feedback_lies_at_the_exchange(ran: Ran) -> None:
    released = set(re.findall(r"Releasing feedback for student '(\w+)'", ran.said["release feedback"]))
    assert released == set(STUDENTS) - {BY_CANVAS}
    assert f"send them their page in feedback yourself: {BY_CANVAS}" in ran.said["release feedback"]


def test_points_and_comments_given_by_hand_survive(ran: Ran) -> None:
    for step in ("autograde again", "regrade", "fast"):
        assert ran.scores[step]["right"]["hand"]["derivation"] == 1.5
        assert ran.scores[step]["right"]["said"]["derivation"][1] == "Well said."
        assert ran.scores[step]["wrong"]["hand"]["check_dJ_dW"] == 2.0


def test_only_new_work_is_graded_again(ran: Ran) -> None:
    graded = set(re.findall(r"Autograding \S*/autograded/(\w+)/", ran.said["autograde again"]))
    assert graded == {"stripped", "copied"}


def test_no_old_score_is_kept(ran: Ran) -> None:
    mine = ran.scores["autograde again"]["copied"]
    assert set(mine["cells"].values()) == {0.0}
    assert mine["waits"] == set(mine["cells"])
    crashed = ran.scores["autograde again"]["stripped"]["cells"]
    assert crashed["check_dJ_dU"] == 0
    assert crashed["check_forward"] > 0


def test_who_has_other_points_is_listed(ran: Ran) -> None:
    before, after = ran.scores["autograde"], ran.scores["autograde again"]
    listed = dict(re.findall(r"(\w+): [\d.]+ before, [\d.]+ now \(([-+\d.]+)\)", ran.said["autograde again"]))
    changed = {one: round(total(after[one]) - total(before[one]), 6) for one in ("stripped", "copied")}
    assert {student: float(by) for student, by in listed.items()} == changed


def test_a_mended_rubric_has_to_be_released_first(ran: Ran) -> None:
    assert f"run `autograder release {NAME}`" in ran.said["not released"]
    assert "Traceback" not in ran.said["not released"]


def test_a_regrade_changes_only_what_it_should(ran: Ran) -> None:
    before, after = ran.scores["autograde again"], ran.scores["regrade"]
    plain = next(one for one in ran.exercise.checks if one.id == "dJ_dV.plain")
    for student, mine in after.items():
        changed = {
            cell: by - before[student]["cells"][cell]
            for cell, by in mine["cells"].items()
            if by != before[student]["cells"][cell]
        }
        assert changed in ({}, {"check_dJ_dV": plain.points / 2}), student
    listed = set(re.findall(r"(\w+): [\d.]+ before", ran.said["regrade"]))
    assert listed == {one for one in after if total(after[one]) != total(before[one])}
    assert "right" in listed


def test_the_fast_way_gives_the_same_scores(ran: Ran) -> None:
    assert ran.scores["fast"] == ran.scores["regrade"]
    pattern = r"\w+: [\d.]+ before, [\d.]+ now \(.*\)"
    assert re.findall(pattern, ran.said["fast"]) == re.findall(pattern, ran.said["regrade"])


def test_the_fast_way_leaves_the_same_notebooks(ran: Ran) -> None:
    nbformat = pytest.importorskip("nbformat")
    for student in STUDENTS:
        stock, fast = (course / "autograded" / student / NAME for course in (ran.course, ran.course.with_name("fast")))
        assert filecmp.dircmp(stock, fast).diff_files in ([], [NOTEBOOK])
        assert {path.name for path in stock.iterdir()} == {path.name for path in fast.iterdir()}
        one, other = (nbformat.read(folder / NOTEBOOK, as_version=4) for folder in (stock, fast))
        assert one == other
