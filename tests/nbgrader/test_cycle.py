"""A whole cycle with nbgrader's own programs: from release and collecting to feedback, export and a regrade."""

from __future__ import annotations

import csv
import filecmp
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
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
from tests.nbgrader.command_server import CommandServer
from tests.nbgrader.sample_submissions import NOTEBOOK, STUDENTS

pytestmark = pytest.mark.slow
NAME = courses.NAME
SETTINGS = """
c.Exchange.root = {exchange!r}
c.FileNameCollectorPlugin.named_regexp = {canvas!r}
c.AssignLatePenalties.plugin_class = "late.OnePointADay"
"""
LATE_PLUGIN = """from nbgrader.plugins import LateSubmissionPlugin

class OnePointADay(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return -(-total_seconds_late // 86400)
"""
DAYS_LATE = 3
BY_CANVAS = "script"
"""The student who handed in a zip file on Canvas, and not at the exchange."""

Scores = dict[str, dict[str, Any]]
"""By student: automatic and manual scores by cell, comments, the cells that wait for a person, and the penalty."""


def read_scores(course: Path) -> Scores:
    """Return what the gradebook holds."""
    grades = """select s.student_id, b.name, g.auto_score, g.manual_score, g.needs_manual_grade,
        n.late_submission_penalty from grade g join base_cell b on b.id = g.cell_id
        join submitted_notebook n on n.id = g.notebook_id join submitted_assignment s on s.id = n.assignment_id"""
    comments = """select s.student_id, b.name, c.auto_comment, c.manual_comment from comment c
        join base_cell b on b.id = c.cell_id join submitted_notebook n on n.id = c.notebook_id
        join submitted_assignment s on s.id = n.assignment_id"""
    scores: Scores = {}
    with closing(sqlite3.connect(course / "gradebook.db")) as book:
        for student, cell, auto, manual, waits, penalty in book.execute(grades):
            entry = scores.setdefault(student, {"cells": {}, "manual": {}, "waits": set(), "comments": {}})
            entry["cells"][cell], entry["manual"][cell], entry["penalty"] = auto, manual, penalty
            entry["waits"] |= {cell} if waits else set()
        for student, cell, auto, manual in book.execute(comments):
            scores[student]["comments"][cell] = (auto, manual)
    return scores


def submit_at_exchange(exchange: Path, student: str, files: Mapping[str, bytes], when: str) -> None:
    """Put files where `nbgrader submit` puts them."""
    folder = exchange / "rnn" / "inbound" / f"{student}+{NAME}+{when}+{abs(hash((student, when)))}"
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "timestamp.txt").write_text(when)
    (folder / "submission_secret.txt").write_text(f"secret of {student}")


def download_from_canvas(course: Path, student: str, files: Mapping[str, bytes]) -> None:
    """Put Canvas's download where `nbgrader zip_collect` finds it; the student handed in a zip file."""
    folder = course / "downloaded" / NAME / "archive"
    folder.mkdir(parents=True)
    members = {
        f"{student}_LATE_12345_67890_work.zip": sample_submissions.make_zip(
            {f"work/{name}": files[name] for name in files}
        )
    }
    (folder / "submissions.zip").write_bytes(sample_submissions.make_zip(members))


@dataclass(frozen=True)
class Cycle:
    """The output of the programs, and what the gradebook held after each step."""

    course: Path
    output: dict[str, str]
    scores: dict[str, Scores]
    exercise: Exercise

    def max_points(self, function: str) -> float:
        return sum(check.max_points for check in self.exercise.checks_of(function))


@pytest.fixture(scope="module")
def server() -> Iterator[CommandServer]:
    courses.skip_without_nbgrader()
    with CommandServer() as server:
        yield server


@pytest.fixture(scope="module")
def cycle(server: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> Cycle:
    course, exchange = tmp_path_factory.mktemp("cycle") / "course", tmp_path_factory.mktemp("exchange")
    exchange.chmod(0o777)
    output: dict[str, str] = {}
    after: dict[str, Scores] = {}

    def nbgrader(step: str, *arguments: str) -> None:
        output[step] = server.run(course, *arguments)
        after[step] = read_scores(course)

    courses.make_kit_course(course)
    (course / "late.py").write_text(LATE_PLUGIN)
    with (course / "nbgrader_config.py").open("a") as settings:
        settings.write(SETTINGS.format(exchange=str(exchange), canvas=sample_submissions.CANVAS_NAME_PATTERN))
    before = {path.name: path.read_bytes() for path in (course / "assignments" / NAME).iterdir()}
    nbgrader("generate", "generate_assignment", NAME, "--force")
    assert {path.name: path.read_bytes() for path in (course / "assignments" / NAME).iterdir()} == before
    edited = course / "source" / NAME / NOTEBOOK
    edited.write_bytes(edited.read_bytes() + b"\n")
    output["edited"] = server.run(course, "generate_assignment", NAME, "--force", expected=(1,))
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
    server.run(student, "fetch_assignment", NAME)
    for file, data in everybody.pop("right").files().items():
        (student / NAME / file).write_bytes(data)
    output["handed out"] = " ".join(sorted(path.name for path in (student / NAME).iterdir()))
    server.run(student, "submit", NAME, "--student=right")
    download_from_canvas(course, BY_CANVAS, everybody.pop(BY_CANVAS).files())
    for name, sample in everybody.items():
        submit_at_exchange(exchange, name, sample.files(), sample.submitted_at)
    submit_at_exchange(exchange, "again", STUDENTS["wrong"].files(), "2026-02-27 10:00:00.000000 UTC")

    nbgrader("collect", "collect", NAME)
    nbgrader("zip_collect", "zip_collect", NAME)
    nbgrader("autograde", "autograde", NAME)
    nbgrader("feedback", "generate_feedback", NAME)
    nbgrader("release feedback", "release_feedback", NAME)
    nbgrader("export", "export")
    nbgrader("canvas", "export", "--exporter=autograder.nbgrader.CanvasExporter", "--CanvasExporter.columns=function")
    nbgrader("moodle", "export", "--exporter=autograder.nbgrader.MoodleExporter")

    grade_by_hand(course)
    crashing = sample_submissions.notebook_file(sample_submissions.answered_notebook("crashing"))
    submit_at_exchange(exchange, "stripped", crashing, "2026-03-01 11:00:00.000000 UTC")
    submit_at_exchange(
        exchange, "copied", sample_submissions.truncated_notebook("perfect"), "2026-03-01 11:00:00.000000 UTC"
    )
    nbgrader("collect again", "collect", NAME, "--update")
    nbgrader("autograde again", "autograde", NAME)

    change_rubric(course)
    output["not released"] = server.run(course, "autograde", NAME, expected=(1,))
    courses.run_module(course, "autograder", "release", NAME)
    shutil.copytree(course, course.with_name("fast"))
    shutil.copytree(courses.home_folder(course), courses.home_folder(course.with_name("fast")))
    nbgrader("regrade", "autograde", NAME, "--force")
    fast = course.with_name("fast")
    completed = courses.run_module(fast, "autograder", "class", NAME, "submitted", "--gradebook")
    output["fast"], after["fast"] = completed.stdout + completed.stderr, read_scores(fast)
    changed_exercise = load_exercise(course / "solutions" / NAME)
    return Cycle(course, output, after, changed_exercise)


def grade_by_hand(course: Path) -> None:
    """Write what formgrader writes for a person: points for a question and for a check cell, and a comment."""
    cell = "select b.id from base_cell b where b.name = ? and b.type = ?"
    notebook = """select n.id from submitted_notebook n join submitted_assignment s on s.id = n.assignment_id
        where s.student_id = ?"""
    with closing(sqlite3.connect(course / "gradebook.db")) as book, book:
        for student, name, points in (("right", "derivation", 1.5), ("wrong", "check_dJ_dW", 2.0)):
            book.execute(
                f"update grade set manual_score = ?, needs_manual_grade = 0 "
                f"where cell_id = ({cell}) and notebook_id = ({notebook})",
                (points, name, "GradeCell", student),
            )
        book.execute(
            f"update comment set manual_comment = 'Well said.' where cell_id = ({cell}) and notebook_id = ({notebook})",
            ("derivation", "SolutionCell", "right"),
        )


def change_rubric(course: Path) -> None:
    """Double the points of a check of dJ_dV, which all but a few students have right."""
    file = course / "solutions" / NAME / "rubric.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text + "\nimport dataclasses\nCHECKS = tuple(\n"
        "    dataclasses.replace(check, points=2 * check.points) if check.id == 'dJ_dV.plain' else check\n"
        "    for check in CHECKS\n)\n",
        encoding="utf-8",
    )


def total(grades: Mapping[str, Any]) -> float:
    """Return a student's score: points given by hand count before the grader's."""
    manual, auto = grades["manual"], grades["cells"]
    points = [auto[cell] or 0.0 if manual[cell] is None else manual[cell] for cell in auto]
    return float(round(sum(points) - (grades["penalty"] or 0), 6))


def read_rows(file: Path) -> dict[str, dict[str, str]]:
    """Return the rows of an exported file by student."""
    with file.open(encoding="utf-8", newline="") as lines:
        exported = list(csv.DictReader(lines))
    key = next(name for name in ("student_id", "SIS Login ID", "Username") if name in exported[0])
    return {row[key]: row for row in exported}


def test_what_is_handed_out_is_the_assignment(cycle: Cycle) -> None:
    names = sorted(path.name for path in (cycle.course / "assignments" / NAME).iterdir())
    assert cycle.output["handed out"].split() == names


def test_a_source_edited_by_hand_is_refused_in_a_sentence(cycle: Cycle) -> None:
    assert f"was edited by hand ({NOTEBOOK})" in cycle.output["edited"]
    assert "Traceback" not in cycle.output["edited"]


@pytest.mark.parametrize("student", sorted(STUDENTS))
def test_everybody_has_the_expected_points(cycle: Cycle, student: str) -> None:
    grades = cycle.scores["autograde"][student]
    for function in courses.ARGUMENTS:
        points, maximum = grades["cells"][f"check_{function}"], max_points_before(cycle, function)
        expected = STUDENTS[student].points.get(function, "all")
        assert {"all": points == maximum, "none": points == 0, "less": 0 < points < maximum}[expected], (
            f"{function}: {points}"
        )


def max_points_before(cycle: Cycle, function: str) -> float:
    """Return the maximum of a function before the rubric was changed: somebody has it."""
    return max(grades["cells"][f"check_{function}"] for grades in cycle.scores["autograde"].values())


@pytest.mark.parametrize("student", sorted(STUDENTS))
def test_the_log_names_what_was_wrong_with_a_submission(cycle: Cycle, student: str) -> None:
    lines = [
        line for line in cycle.output["autograde"].splitlines() if f"] {student}: " in line and "before" not in line
    ]
    assert STUDENTS[student].log_message in " ".join(lines)
    assert bool(lines) == bool(STUDENTS[student].log_message)


def test_only_refused_work_and_absent_answers_wait_for_a_person(cycle: Cycle) -> None:
    for student, grades in cycle.scores["autograde"].items():
        absent = {"derivation"} if STUDENTS[student].lacks_answer else set()
        assert grades["waits"] == (set(grades["cells"]) if STUDENTS[student].needs_manual_grade else absent), student


def test_the_log_counts_submissions(cycle: Cycle) -> None:
    counted = re.findall(rf"Submission (\d+) of {len(STUDENTS)}: (\w+)", cycle.output["autograde"])
    assert counted == [(str(number), student) for number, student in enumerate(sorted(STUDENTS), start=1)]


def test_collecting_names_students_whose_work_is_refused(cycle: Cycle) -> None:
    assert re.findall(r"(\w+): .*not valid JSON", cycle.output["collect"]) == ["cut"]


def test_a_late_penalty_is_that_of_the_plugin(cycle: Cycle) -> None:
    penalties = {student: grades["penalty"] for student, grades in cycle.scores["autograde"].items()}
    assert penalties.pop("late") == DAYS_LATE
    assert set(penalties.values()) == {None}


def test_the_exported_scores_are_those_of_the_gradebook(cycle: Cycle) -> None:
    exported = {student: float(row["score"]) for student, row in read_rows(cycle.course / "grades.csv").items()}
    assert exported == {student: total(grades) for student, grades in cycle.scores["autograde"].items()}


def test_canvas_gets_the_points_of_each_function(cycle: Cycle) -> None:
    exported = read_rows(cycle.course / "canvas.csv")
    maxima = exported.pop("")
    for student, grades in cycle.scores["autograde"].items():
        for function in courses.ARGUMENTS:
            points = exported[student][f"{NAME} {function}"]  # refused work has 0 until a person gives it more
            assert float(points) == grades["cells"][f"check_{function}"]
    for function in courses.ARGUMENTS:
        assert float(maxima[f"{NAME} {function}"]) == max_points_before(cycle, function)
    assert float(exported["late"][f"{NAME} late penalty"]) == -DAYS_LATE


def test_moodle_gets_no_points_for_work_that_waits(cycle: Cycle) -> None:
    exported = read_rows(cycle.course / "moodle.csv")
    assert (exported["cut"][NAME], exported["cut"][f"{NAME} (state)"]) == ("", "ungraded")
    graded = {student: float(row[NAME]) for student, row in exported.items() if row[f"{NAME} (state)"] == "graded"}
    in_gradebook = cycle.scores["autograde"].items()
    assert graded == {student: total(grades) for student, grades in in_gradebook if not grades["waits"]}


class PageText(HTMLParser):
    """The text of a page, without its styles and scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.element = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.element = tag

    def handle_endtag(self, tag: str) -> None:
        self.element = ""

    def handle_data(self, data: str) -> None:
        if self.element not in ("style", "script"):
            self.texts.append(data)


def feedback_of(cycle: Cycle, student: str) -> str:
    page = (cycle.course / "feedback" / student / NAME / f"{NAME}.html").read_text(encoding="utf-8")
    return "".join(PageText(page).texts)


def test_feedback_shows_every_check(cycle: Cycle) -> None:
    page = feedback_of(cycle, "wrong")
    assert [check.title for check in cycle.exercise.checks if check.title not in page] == []
    assert "dJ_dW is not right" in page or "dJ_dW is not the slope" in page


def test_feedback_says_why_there_are_no_points(cycle: Cycle) -> None:
    assert "not valid JSON" in feedback_of(cycle, "cut")
    assert "def dJ_dV" in feedback_of(cycle, "cut")  # what could be read of it is shown


@pytest.mark.parametrize("student", ["wrong", "crashing", "hanging", "cut"])
def test_feedback_gives_nothing_away(cycle: Cycle, student: str) -> None:
    page = feedback_of(cycle, student)
    assert "Traceback" not in page
    assert str(courses.ROOT) not in page
    assert str(cycle.course) not in page
    submitted = (cycle.course / "submitted" / student / NAME / NOTEBOOK).read_text(encoding="utf-8")
    assert [line for line in leaks.revealing_lines() if line in page and json.dumps(line)[1:-1] not in submitted] == []
    result_file = cycle.course.with_name("fast") / "grades" / NAME / f"{student}.json"
    seed = json.loads(result_file.read_text(encoding="utf-8"))["seed"]
    assert set(leaks.NUMBER_PATTERN.findall(page)) & leaks.hidden_numbers(seed) == set()


def test_released_feedback_lies_at_the_exchange(cycle: Cycle) -> None:
    released = set(re.findall(r"Releasing feedback for student '(\w+)'", cycle.output["release feedback"]))
    assert released == set(STUDENTS) - {BY_CANVAS}
    assert f"send out their page in feedback: {BY_CANVAS}" in cycle.output["release feedback"]


def test_points_and_comments_given_by_hand_survive(cycle: Cycle) -> None:
    for step in ("autograde again", "regrade", "fast"):
        assert cycle.scores[step]["right"]["manual"]["derivation"] == 1.5
        assert cycle.scores[step]["right"]["comments"]["derivation"][1] == "Well said."
        assert cycle.scores[step]["wrong"]["manual"]["check_dJ_dW"] == 2.0


def test_only_new_work_is_graded_again(cycle: Cycle) -> None:
    graded = set(re.findall(r"Autograding \S*/autograded/(\w+)/", cycle.output["autograde again"]))
    assert graded == {"stripped", "copied"}


def test_no_old_score_is_kept(cycle: Cycle) -> None:
    grades = cycle.scores["autograde again"]["copied"]
    assert {points for cell, points in grades["cells"].items() if cell != "derivation"} == {0.0}
    assert grades["waits"] == set(grades["cells"])
    crashed = cycle.scores["autograde again"]["stripped"]["cells"]
    assert crashed["check_dJ_dU"] == 0
    assert crashed["check_forward"] > 0


def test_changed_scores_are_listed(cycle: Cycle) -> None:
    before, after = cycle.scores["autograde"], cycle.scores["autograde again"]
    listed = dict(re.findall(r"(\w+): [\d.]+ before, [\d.]+ now \(([-+\d.]+)\)", cycle.output["autograde again"]))
    changed = {name: round(total(after[name]) - total(before[name]), 6) for name in ("stripped", "copied")}
    assert {student: float(difference) for student, difference in listed.items()} == changed


def test_a_changed_rubric_has_to_be_released_first(cycle: Cycle) -> None:
    assert f"run `autograder release {NAME}`" in cycle.output["not released"]
    assert "Traceback" not in cycle.output["not released"]


def test_a_regrade_changes_only_what_it_should(cycle: Cycle) -> None:
    before, after = cycle.scores["autograde again"], cycle.scores["regrade"]
    plain = next(check for check in cycle.exercise.checks if check.id == "dJ_dV.plain")
    for student, grades in after.items():
        changed = {
            cell: points - before[student]["cells"][cell]
            for cell, points in grades["cells"].items()
            if points != before[student]["cells"][cell]
        }
        assert changed in ({}, {"check_dJ_dV": plain.points / 2}), student
    listed = set(re.findall(r"(\w+): [\d.]+ before", cycle.output["regrade"]))
    assert listed == {student for student in after if total(after[student]) != total(before[student])}
    assert "right" in listed


def test_the_class_command_gives_the_same_scores(cycle: Cycle) -> None:
    assert cycle.scores["fast"] == cycle.scores["regrade"]
    pattern = r"\w+: [\d.]+ before, [\d.]+ now \(.*\)"
    assert re.findall(pattern, cycle.output["fast"]) == re.findall(pattern, cycle.output["regrade"])


def test_the_class_command_leaves_the_same_notebooks(cycle: Cycle) -> None:
    nbformat = pytest.importorskip("nbformat")
    for student in STUDENTS:
        stock, fast = (
            course / "autograded" / student / NAME for course in (cycle.course, cycle.course.with_name("fast"))
        )
        assert filecmp.dircmp(stock, fast).diff_files in ([], [NOTEBOOK])
        assert {path.name for path in stock.iterdir()} == {path.name for path in fast.iterdir()}
        notebooks = [nbformat.read(folder / NOTEBOOK, as_version=4) for folder in (stock, fast)]
        assert notebooks[0] == notebooks[1]
