"""A course with ordinary assignments and an exercise of the kit: the ordinary ones are graded as without the kit."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import courses
from tests.in_process import exercise
from tests.nbgrader.command_server import CommandServer

pytestmark = pytest.mark.slow
NAME = courses.NAME
ASSIGNMENT = "hw3"
ORDINARY = Path(__file__).with_name("ordinary")
SAMPLES = courses.ROOT / "tests" / "submissions" / "class"
HANDED_IN = "2026-03-01 10:00:00.000000 UTC"
SETTINGS = """c = get_config()
c.CourseDirectory.course_id = "methods"
c.Exchange.root = {exchange!r}
c.ClearSolutions.code_stub = {{"python": "pass  # your turn"}}
c.ClearSolutions.begin_solution_delimeter = "BEGIN SOLUTION"
c.Autograde.exclude_overwriting = {{"ps1": ["notes.txt"]}}
"""
EXPECTED = {("ada", "ps1"): 3.0, ("bob", "ps1"): 0.0, ("ada", "ps 2"): 1.5, ("bob", "ps 2"): 0.0}


@dataclass(frozen=True)
class Graded:
    """A course after a cycle: its folder, and what each step printed."""

    folder: Path
    output: dict[str, str]

    @property
    def scores(self) -> dict[tuple[str, str], float]:
        with (self.folder / "grades.csv").open(encoding="utf-8", newline="") as file:
            return {(row["student_id"], row["assignment"]): float(row["score"]) for row in csv.DictReader(file)}


def make_course(folder: Path) -> Path:
    """Make an ordinary course whose students hand in at the exchange, or have done so."""
    exchange = folder.with_name(f"{folder.name}-exchange")
    exchange.mkdir()
    exchange.chmod(0o777)
    shutil.copytree(ORDINARY, folder)
    (folder / "nbgrader_config.py").write_text(SETTINGS.format(exchange=str(exchange)), encoding="utf-8")
    return folder


def hand_in(course: Path, student: str, assignment: str, files: Path) -> None:
    """Put the files of a folder where `nbgrader submit` puts them."""
    inbound = course.with_name(f"{course.name}-exchange") / "methods" / "inbound"
    shutil.copytree(files, inbound / f"{student}+{assignment}+{HANDED_IN}+1")
    (inbound / f"{student}+{assignment}+{HANDED_IN}+1" / "timestamp.txt").write_text(HANDED_IN)


def run_cycle(server: CommandServer, course: Path, *more: str) -> Graded:
    """Run nbgrader's commands on the ordinary assignments and on `more`. "ps 2" does not go through the exchange."""
    output = {}
    for name in ("ps1", "ps 2", *more):
        output[f"generate {name}"] = server.run(course, "generate_assignment", name)
    for name in more:
        output[f"release {name}"] = server.run(course, "release_assignment", name)
    for student in ("ada", "bob"):  # collecting needs no released assignment
        hand_in(course, student, "ps1", course / "submitted" / student / "ps1")
        shutil.rmtree(course / "submitted" / student / "ps1")
    if more:
        hand_in(course, "ada", ASSIGNMENT, SAMPLES / "perfect")
        hand_in(course, "bob", ASSIGNMENT, SAMPLES / "transposed_W")
    for name in ("ps1", *more):
        output[f"collect {name}"] = server.run(course, "collect", name)
    for name in ("ps1", "ps 2", *more):
        output[f"autograde {name}"] = server.run(course, "autograde", name)
    for name in ("ps1", *more) if more else ():
        output[f"feedback {name}"] = server.run(course, "generate_feedback", name)
    output["export"] = server.run(course, "export")
    return Graded(course, output)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graded, Graded]:
    """Return the course without the kit, and with it."""
    courses.skip_without_nbgrader()
    folder = tmp_path_factory.mktemp("ordinary")
    with CommandServer() as server:
        alone = run_cycle(server, make_course(folder / "alone"))
        course = make_course(folder / "with kit")
        (course / "course.toml").write_text(f'release_as = {{ {NAME} = "{ASSIGNMENT}" }}\nassignments = "release"\n')
        courses.run_module(course, "autograder", "init")
        both = run_cycle(server, course, ASSIGNMENT)
        both.output["validate"] = server.run(course, "validate", "source/ps1/mean.ipynb")
        both.output["every"] = server.run(course, "autograde", "*", expected=(1,))
        both.output["canvas"] = server.run(course, "export", "--exporter=autograder.nbgrader.CanvasExporter")
        completed = courses.run_module(course, "autograder", "class", ASSIGNMENT, "submitted", "--gradebook", "--quiet")
        both.output["class"] = completed.stdout + completed.stderr
    return alone, both


def test_ordinary_assignments_have_the_scores_that_they_have_without_the_kit(graded: tuple[Graded, Graded]) -> None:
    alone, both = graded
    assert alone.scores == EXPECTED
    assert {key: score for key, score in both.scores.items() if key[1] != ASSIGNMENT} == EXPECTED


@pytest.mark.parametrize("folder", ["release/ps1", "release/ps 2", "autograded/ada/ps1", "autograded/bob/ps 2"])
def test_ordinary_assignments_have_the_same_files(graded: tuple[Graded, Graded], folder: str) -> None:
    alone, both = ({path.name: _content(path) for path in (course.folder / folder).iterdir()} for course in graded)
    assert alone == both


def _content(file: Path) -> object:
    """Return what a file holds, without the times at which a kernel ran the cells of a notebook."""
    if file.suffix != ".ipynb":
        return file.read_bytes()
    notebook = json.loads(file.read_text(encoding="utf-8"))
    return [{key: cell.get(key) for key in ("id", "source", "outputs")} for cell in notebook["cells"]]


def test_the_exercise_is_an_assignment_of_another_name(graded: tuple[Graded, Graded]) -> None:
    course, scores = graded[1].folder, graded[1].scores
    full = exercise().max_score
    assert scores["ada", ASSIGNMENT] == full
    assert 0 < scores["bob", ASSIGNMENT] < full
    for folder in ("source", "release", "autograded/ada", "submitted/ada", "feedback/ada", "grades"):
        assert (course / folder / ASSIGNMENT).is_dir()
        assert not (course / folder / NAME).exists()
    assert (course / "release" / ASSIGNMENT / f"{NAME}.ipynb").is_file()
    assert (course / "autograded" / "ada" / ASSIGNMENT / f"{NAME}.ipynb").is_file()
    header = (course / "canvas.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.endswith(f"{ASSIGNMENT},ps 2,ps1")
    command = ("class", ASSIGNMENT, "submitted", "--quiet", "--format", "canvas")
    for arguments in (command, ("export", f"grades/{ASSIGNMENT}", "--for", "moodle")):
        header = courses.run_module(course, "autograder", *arguments).stdout.splitlines()[0]
        assert ASSIGNMENT in header.split(",")
        assert NAME not in header


def test_the_seed_is_that_of_the_exercise_s_own_name(graded: tuple[Graded, Graded], tmp_path: Path) -> None:
    course = graded[1].folder
    shutil.copytree(course / "solutions", tmp_path / "solutions")
    shutil.copy(course / ".course-secret", tmp_path)
    (tmp_path / "course.toml").touch()
    submission = str(course / "submitted" / "bob" / ASSIGNMENT)
    printed = courses.run_module(tmp_path, "autograder", "grade", NAME, submission, "--format", "json").stdout
    kept = json.loads((course / "grades" / ASSIGNMENT / "bob.json").read_text(encoding="utf-8"))
    assert kept["seed"] == json.loads(printed)["seed"]


def test_both_ways_of_grading_agree_on_the_exercise(graded: tuple[Graded, Graded]) -> None:
    assert "Graded again: 2; changed: 0." in graded[1].output["class"]


def test_settings_of_the_course_do_not_reach_the_exercise(graded: tuple[Graded, Graded]) -> None:
    course = graded[1].folder
    assert "your turn" in (course / "release" / "ps1" / "mean.ipynb").read_text(encoding="utf-8")
    released, own = (
        (folder / f"{NAME}.ipynb").read_bytes()
        for folder in (course / "release" / ASSIGNMENT, courses.ROOT / "assignments" / NAME)
    )
    assert released == own


def test_validating_an_ordinary_assignment_runs_its_tests(graded: tuple[Graded, Graded]) -> None:
    assert "Success! Your notebook passes all the tests." in graded[1].output["validate"]


def test_a_pattern_does_not_lead_an_exercise_to_nbgrader_s_kernel(graded: tuple[Graded, Graded]) -> None:
    assert "There is no exercise called '*'; there are: rnn_backprop, softmax_regression." in graded[1].output["every"]


def test_feedback_of_an_ordinary_assignment_is_cleaned(graded: tuple[Graded, Graded]) -> None:
    page = (graded[1].folder / "feedback" / "ada" / "ps1" / "mean.html").read_text(encoding="utf-8")
    assert "contain: paint" in page  # the style of the kit's exporter
    assert "The mean is what is left" in page
