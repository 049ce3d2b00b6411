"""The gradebook that is written over one connection, read with nbgrader's own objects; exports to Canvas and Moodle."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course, Policy, find_course
from autograder.evaluation.report import CheckResult, Note, Report
from autograder.exercise.model import Exercise
from autograder.nbgrader.gradebook import session as gradebook_session
from autograder.nbgrader.gradebook.direct import RECORDER_ERRORS, Recorder, open_recorder
from autograder.nbgrader.gradebook.session import GradebookError
from autograder.nbgrader.intake import timestamps
from tests import courses
from tests.in_process import exercise
from tests.nbgrader import sample_submissions

NAME = courses.NAME
DUE = datetime(2026, 3, 2, 12)
SETTINGS = """c = get_config()
c.LateSubmissionPlugin.penalty_method = "zero"
c.CourseDirectory.autograded_directory = "marked"
"""


@pytest.fixture(scope="module")
def api() -> Any:
    return pytest.importorskip("nbgrader.api", reason="nbgrader is not installed: make test installs it")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    shutil.copytree(courses.ROOT / "assignments" / NAME, tmp_path / "assignments" / NAME)
    released = tmp_path / "assignments" / NAME / sample_submissions.NOTEBOOK
    released.write_text(json.dumps(sample_submissions.add_question(json.loads(released.read_text()))))
    (tmp_path / "nbgrader_config.py").write_text(SETTINGS)
    return replace(find_course(courses.ROOT), root=tmp_path, assignments=tmp_path / "assignments")


def asking() -> Exercise:
    """Return the exercise of a course that asks the written question."""
    return replace(exercise(), written={"derivation": 2.0})


def max_points(function: str) -> float:
    return round(sum(check.max_points for check in exercise().checks_of(function)), 6)


@pytest.fixture
def book(api: Any, course: Course) -> Iterator[Any]:
    """nbgrader's own session on a gradebook that knows the exercise."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    engine = create_engine(gradebook_session.default_url(course.root))
    api.Base.metadata.create_all(engine)
    with Session(engine) as session:
        assignment = api.Assignment(name=NAME, duedate=DUE)
        notebook = api.Notebook(name=NAME, assignment=assignment)
        for function in courses.ARGUMENTS:
            api.GradeCell(name=f"check_{function}", notebook=notebook, max_score=max_points(function), cell_type="code")
            api.SolutionCell(name=function, notebook=notebook)
        api.GradeCell(name="derivation", notebook=notebook, max_score=2, cell_type="markdown")
        api.SolutionCell(name="derivation", notebook=notebook)
        session.add_all([api.Course(id="default_course"), assignment])
        session.commit()
        yield session
    engine.dispose()


def recorder(course: Course, url: str = "") -> Recorder:
    return open_recorder(course, asking(), url, lambda sentence: None)


def submission(course: Course, student: str, when: str = "", files: dict[str, bytes] | None = None) -> Path:
    folder = course.root / "submitted" / student / NAME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not files:
        notebook = sample_submissions.answered_notebook("perfect")
        files = sample_submissions.notebook_file(notebook)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    if when:
        (folder / timestamps.TIMESTAMP_FILE).write_text(when)
    return folder


def report(student: str, *right: str) -> Report:
    """Return a report that gives these functions all their points."""
    checks = tuple(
        CheckResult(c.id, c.function, c.title, "pass", c.max_points * (c.function in right), c.max_points)
        for c in exercise().checks
    )
    score = round(sum(check.points for check in checks), 6)
    return Report(NAME, student, "graded", score, exercise().max_score, 1, "A", (), checks)


def refused(student: str) -> Report:
    return Report(NAME, student, "refused", 0.0, exercise().max_score, 0, "A", (Note("student", "It is cut short."),))


def grades(api: Any, book: Any, student: str) -> dict[str, Any]:
    book.expire_all()
    [submitted] = book.query(api.SubmittedAssignment).filter_by(student_id=student)
    return {grade.name: grade for grade in submitted.notebooks[0].grades}


def test_nbgrader_reads_what_was_written(api: Any, book: Any, course: Course) -> None:
    recorder(course).record([("ada", submission(course, "ada", "2026-03-01 10:00:00 UTC"), report("ada", "forward"))])
    cell_grades = grades(api, book, "ada")
    assert {name: grade.auto_score for name, grade in cell_grades.items()} == {
        **dict.fromkeys((f"check_{function}" for function in courses.ARGUMENTS), 0.0),
        "check_forward": max_points("forward"),
        "derivation": 0.0,
    }
    [submitted] = book.query(api.SubmittedAssignment)
    assert (submitted.timestamp, submitted.total_seconds_late, submitted.needs_manual_grade) == (
        DUE - timedelta(days=1, hours=2),
        0,
        False,
    )
    comments = {comment.name: comment.auto_comment for comment in submitted.notebooks[0].comments}
    assert comments == {**dict.fromkeys(courses.ARGUMENTS), "derivation": "No response."}


def test_recording_again_keeps_manual_scores_and_lists_changes(api: Any, book: Any, course: Course) -> None:
    both = [(name, submission(course, name), report(name, "forward", "dJ_dV")) for name in ("ada", "bob")]
    assert recorder(course).record(both)[0] == []
    cell_grades = grades(api, book, "ada")
    cell_grades["derivation"].manual_score, cell_grades["derivation"].needs_manual_grade = 1.5, False
    cell_grades["check_dJ_dW"].extra_credit = 0.5
    book.commit()
    changes, _ = recorder(course).record([("ada", both[0][1], report("ada", "forward")), both[1]])
    before = max_points("forward") + max_points("dJ_dV") + 2
    assert changes == [
        f"ada: {before:g} before, {before - max_points('dJ_dV'):g} now ({-max_points('dJ_dV'):+g}): "
        f"dJ_dV {max_points('dJ_dV'):g} to 0",
        "Graded again: 2; changed: 1.",
    ]
    cell_grades = grades(api, book, "ada")
    assert (cell_grades["derivation"].manual_score, cell_grades["derivation"].needs_manual_grade) == (1.5, True)
    assert (cell_grades["check_dJ_dV"].auto_score, cell_grades["check_dJ_dV"].needs_manual_grade) == (0.0, False)


def test_refused_work_keeps_no_old_score(api: Any, book: Any, course: Course) -> None:
    recorder(course).record([("ada", submission(course, "ada"), report("ada", *courses.ARGUMENTS))])
    cut = submission(course, "ada", files=sample_submissions.truncated_notebook("perfect"))
    recorder(course).record([("ada", cut, refused("ada"))])
    scores = {name: (grade.auto_score, grade.needs_manual_grade) for name, grade in grades(api, book, "ada").items()}
    assert scores.pop("derivation") == (None, True)
    assert set(scores.values()) == {(0.0, True)}


def test_an_answer_in_words_that_is_not_found_waits_for_a_person(api: Any, book: Any, course: Course) -> None:
    notebook = sample_submissions.answered_notebook("perfect")
    notebook["cells"].remove(sample_submissions.find_cell(notebook, "derivation"))
    cut = submission(course, "ada", files=sample_submissions.notebook_file(notebook))
    _, totals = recorder(course).record([("ada", cut, report("ada", *courses.ARGUMENTS))])
    derivation = grades(api, book, "ada")["derivation"]
    assert (derivation.auto_score, derivation.needs_manual_grade) == (None, True)
    assert totals["ada"].state == "ungraded"


def test_a_failure_of_the_grader_leaves_the_earlier_score(api: Any, book: Any, course: Course) -> None:
    warnings: list[str] = []
    writer = open_recorder(course, asking(), "", warnings.append)
    folder = submission(course, "ada")
    writer.record([("ada", folder, report("ada", "forward"))])
    before = {name: grade.auto_score for name, grade in grades(api, book, "ada").items()}
    failed = replace(refused("ada"), status="grader_error", notes=(Note("instructor", "RuntimeError: 1"),))
    writer.record([("ada", folder, failed), ("bob", submission(course, "bob"), replace(failed, submission="bob"))])
    assert {name: grade.auto_score for name, grade in grades(api, book, "ada").items()} == before
    assert f"the grader failed, so the {max_points('forward'):g} points from before stay" in " ".join(warnings)
    assert {grade.needs_manual_grade for grade in grades(api, book, "bob").values()} == {True}


@pytest.mark.parametrize(("extension", "penalty"), [(None, True), (timedelta(days=2), None)])
def test_late_work_gets_the_penalty_of_the_plugin(
    api: Any, book: Any, course: Course, extension: timedelta | None, penalty: bool | None
) -> None:
    late = ("ada", submission(course, "ada", "2026-03-03 12:00:00 UTC"), report("ada", "forward"))
    recorder(course).record([late])
    [submitted] = book.query(api.SubmittedAssignment)
    submitted.extension = extension
    book.commit()
    recorder(course).record([late])
    book.refresh(submitted.notebooks[0])
    assert submitted.notebooks[0].late_submission_penalty == (max_points("forward") if penalty else None)


@pytest.mark.parametrize(("grace", "penalty"), [(60, True), (3 * 1440, None)])
def test_work_within_the_grace_is_on_time(
    api: Any, book: Any, course: Course, grace: int, penalty: bool | None
) -> None:
    generous = replace(course, policies={"": Policy(grace_minutes=grace)})
    late = ("ada", submission(course, "ada", "2026-03-03 12:00:00 UTC"), report("ada", "forward"))
    recorder(generous).record([late])
    [submitted] = book.query(api.SubmittedAssignment)
    assert submitted.notebooks[0].late_submission_penalty == (max_points("forward") if penalty else None)


def test_autograde_knows_the_grace_too() -> None:
    from nbgrader.plugins import LateSubmissionPlugin
    from traitlets.config import Config, Configurable

    from autograder.nbgrader.autograding.preprocessors import AssignPenaltiesAfterGrace

    converter, exporter = Configurable(), Configurable()
    converter.grace_seconds, exporter.parent = 60, converter
    zero = Config({"LateSubmissionPlugin": {"penalty_method": "zero"}})
    step = AssignPenaltiesAfterGrace(config=zero, parent=exporter)
    step.init_plugin()
    assert isinstance(step.plugin_inst, LateSubmissionPlugin)
    assert [step.plugin_inst.late_submission_penalty("ada", 5, late) for late in (60, 61)] == [None, 5]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "\xff",
        "2026-03-01 10:00:00 /etc/localtime",
        "2026-03-01 10:00:00 ../../etc/localtime",
        "2026-99-01 10:00:00 UTC",
        "0001-01-01 00:00:00 +99999999999",
        "1 " * 99,
        "9" * 150,
    ],
)
def test_an_unreadable_timestamp_counts_as_on_time(api: Any, book: Any, course: Course, text: str) -> None:
    warnings: list[str] = []
    folder = submission(course, "ada")
    (folder / timestamps.TIMESTAMP_FILE).write_text(text, encoding="latin-1")
    open_recorder(course, asking(), "", warnings.append).record([("ada", folder, report("ada"))])
    assert "holds no time" in " ".join(warnings)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-01 10:00:00.000000 UTC", "2026-03-01 11:00:00+01:00", "2026-03-01T10:00:00", "2026-03-01 10:00"),
        *("2026-03-01 11:00:00 Europe/Berlin", "2026-03-01 05:00:00.5 America/New_York", "2026-03-01 11:00:00 CET"),
        *("2026-03-01 11:00:00 +0100", "2026-03-01 05:00:00 -05:00", "2026-03-01 11:00:00 3600", "1 Mar 2026 10am"),
    ],
)
def test_timestamps_are_in_utc(tmp_path: Path, text: str) -> None:
    (tmp_path / timestamps.TIMESTAMP_FILE).write_text(text)
    assert timestamps.read_timestamp(tmp_path).replace(microsecond=0) == DUE - timedelta(days=1, hours=2)


@pytest.mark.parametrize("name", ["network.py", f"{NAME}.ipynb", timestamps.TIMESTAMP_FILE])
def test_a_folder_called_like_a_file_costs_nobody_a_score(api: Any, book: Any, course: Course, name: str) -> None:
    source = course.root / "source" / NAME
    source.mkdir(parents=True)
    (source / "network.py").write_text("# handed out")
    warnings: list[str] = []
    script = {f"{NAME}.py": (sample_submissions.CLASS_FOLDER / "perfect" / f"{NAME}.py").read_bytes()}
    odd = submission(course, "mallory", files=script)
    (odd / name).mkdir()
    (odd / name / "x.txt").touch()
    both = [
        ("mallory", odd, report("mallory", "forward")),
        ("zoe", submission(course, "zoe"), report("zoe", "forward")),
    ]
    open_recorder(course, asking(), "", warnings.append).record(both)
    for student in ("mallory", "zoe"):
        assert grades(api, book, student)["check_forward"].auto_score == max_points("forward")
        assert (course.root / "marked" / student / NAME / "network.py").read_text() == "# handed out"
    assert any(line.startswith("mallory: ") and name in line for line in warnings)


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "\udcff", "x" * 200])
def test_a_name_that_nbgrader_cannot_keep_is_named_and_left_out(api: Any, book: Any, course: Course, name: str) -> None:
    warnings: list[str] = []
    both = [(student, submission(course, "x"), report(student, "forward")) for student in (name, "zoe")]
    open_recorder(course, asking(), "", warnings.append).record(both)
    assert [submitted.student_id for submitted in book.query(api.SubmittedAssignment)] == ["zoe"]
    assert [line.isprintable() and "is not in the gradebook" in line for line in warnings] == [True]


def test_settings_of_the_course_say_where_notebooks_go(book: Any, course: Course) -> None:
    recorder(course).record([("ada", submission(course, "ada"), report("ada", "forward"))])
    notebook = json.loads((course.root / "marked" / "ada" / NAME / sample_submissions.NOTEBOOK).read_text())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    results = [output["data"]["text/plain"] for output in outputs if "data" in output]
    assert str(max_points("forward")) in results


def test_without_a_gradebook_it_says_what_to_run(course: Course) -> None:
    with pytest.raises(GradebookError, match=r"There is no gradebook .*: run `autograder release EXERCISE`"):
        recorder(course)
    assert not (course.root / "gradebook.db").exists()


def test_without_the_assignment_it_says_what_to_run(api: Any, book: Any, course: Course) -> None:
    book.query(api.GradeCell).delete()
    book.commit()
    with pytest.raises(RECORDER_ERRORS, match=f"no assignment {NAME}: run `autograder release {NAME}`"):
        recorder(course)


def test_with_points_of_another_rubric_it_says_what_to_run(api: Any, book: Any, course: Course) -> None:
    book.query(api.GradeCell).filter_by(name="check_dJ_dW").one().max_score = 99
    book.commit()
    with pytest.raises(
        RECORDER_ERRORS, match=rf"The rubric gives {max_points('dJ_dW'):g} for check_dJ_dW, .*: run `autograder"
    ):
        recorder(course)


@pytest.mark.parametrize("url", ["nonsense", "nosuchdatabase://host/name", "sqlite:////nowhere/at/all.db"])
def test_an_unusable_address_is_an_error_in_one_line(course: Course, url: str) -> None:
    with pytest.raises(GradebookError) as raised:
        recorder(course, url)
    assert "\n" not in str(raised.value)


def test_a_relative_address_starts_at_the_folder_of_the_course(book: Any, course: Course) -> None:
    assert recorder(course, "sqlite:///gradebook.db").record([]) == ([], {})


def test_settings_that_raise_are_a_gradebook_error(course: Course) -> None:
    (course.root / "nbgrader_config.py").write_text("1 / 0")
    with pytest.raises(GradebookError, match=r"nbgrader_config.py cannot be read: ZeroDivisionError"):
        recorder(course)


# --- Exports ------------------------------------------------------------------------------------------------------


def exported(api: Any, course: Course, name: str, **settings: Any) -> dict[str, dict[str, str]]:
    """Export the gradebook. Returns the rows by student."""
    from nbgrader.apps.exportapp import ExportApp
    from nbgrader.coursedir import CourseDirectory

    from autograder.nbgrader.gradebook import export

    app = ExportApp()
    app.coursedir = CourseDirectory(root=str(course.root), autograded_directory="marked")
    plugin = getattr(export, name)(parent=app, to=str(course.root / "out.csv"), **settings)
    with api.Gradebook(gradebook_session.default_url(course.root), "default_course") as gradebook:
        plugin.export(gradebook)
    with (course.root / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row.get("SIS Login ID", row.get("Username", "")): row for row in rows}


@pytest.fixture
def graded(api: Any, book: Any, course: Course) -> Course:
    """Ada is graded, bob waits for a person, =eve submitted in nothing, and dan is excused."""
    book.add_all([api.Student(id="=eve", first_name="Eve"), api.Student(id="dan", first_name="Dan", last_name="Doe")])
    book.commit()
    cut = submission(course, "bob", files=sample_submissions.truncated_notebook("perfect"))
    rows = [("ada", submission(course, "ada"), report("ada", "forward")), ("bob", cut, refused("bob"))]
    recorder(course).record(rows)
    return course


def test_canvas_tells_excused_missing_and_waiting_apart(api: Any, graded: Course) -> None:
    rows = exported(api, graded, "CanvasExporter", excused=["dan"])
    assert {student: row[NAME] for student, row in rows.items()} == {
        "": f"{exercise().max_score + 2:g}",
        "ada": f"{max_points('forward'):g}",
        "bob": "-",
        "'=eve": "",
        "dan": "EX",
    }
    assert rows["dan"]["Student"] == "Doe, Dan"


def test_moodle_has_a_column_of_states(api: Any, graded: Course) -> None:
    rows = exported(api, graded, "MoodleExporter", excused=["dan"])
    assert {student: (row[NAME], row[f"{NAME} (state)"]) for student, row in rows.items()} == {
        "ada": (f"{max_points('forward'):g}", "graded"),
        "bob": ("", "ungraded"),
        "'=eve": ("", "missing"),
        "dan": ("", "excused"),
    }


@pytest.mark.parametrize("columns", ["function", "check"])
def test_columns_add_up(api: Any, graded: Course, columns: str) -> None:
    row = exported(api, graded, "CanvasExporter", columns=columns)["ada"]
    parts = {name: float(points) for name, points in row.items() if name.startswith(NAME)}
    functions = [check.id for check in exercise().checks] if columns == "check" else list(courses.ARGUMENTS)
    assert list(parts) == [f"{NAME} {name}" for name in (*functions, "derivation")]
    assert sum(parts.values()) == max_points("forward")


def test_points_given_by_hand_are_a_column_beside_the_checks(api: Any, book: Any, graded: Course) -> None:
    cell_grades = grades(api, book, "ada")
    cell_grades["check_dJ_dV"].manual_score = 1.0
    book.commit()
    assert float(exported(api, graded, "CanvasExporter", columns="check")["ada"][f"{NAME} dJ_dV by hand"]) == 1.0


def test_a_notebook_with_an_output_for_each_check_has_the_same_columns(api: Any, graded: Course) -> None:
    """As versions before this one wrote them."""
    before = exported(api, graded, "CanvasExporter", columns="check")
    for file in (graded.root / "marked").glob(f"*/{NAME}/{NAME}.ipynb"):
        notebook = json.loads(file.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            described = [
                output["metadata"]["autograder"] for output in cell.get("outputs", ()) if output.get("metadata")
            ]
            if described:
                cell["outputs"] = [{"metadata": {"autograder": check}} for check in described[0]["checks"]]
        file.chmod(0o644)
        file.write_text(json.dumps(notebook), encoding="utf-8")
    assert exported(api, graded, "CanvasExporter", columns="check") == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": [1]}', '{"cells": 1}', "[" * 100_000])
def test_an_odd_notebook_costs_nobody_the_export(api: Any, graded: Course, text: str) -> None:
    before = exported(api, graded, "CanvasExporter")
    notebook = next((graded.root / "marked").glob(f"*/{NAME}/{NAME}.ipynb"))
    notebook.chmod(0o644)
    notebook.write_text(text)
    assert exported(api, graded, "CanvasExporter") == before


def test_without_an_assignment_it_says_what_to_run(
    api: Any, graded: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        exported(api, graded, "CanvasExporter", assignment=["another"])
    assert "no assignment another: run `autograder release" in capsys.readouterr().err
    assert not (graded.root / "out.csv").exists()


def test_a_column_may_have_a_name_that_canvas_knows(api: Any, graded: Course) -> None:
    assert "BPTT (1234)" in exported(api, graded, "CanvasExporter", titles={NAME: "BPTT (1234)"})["ada"]


def feedback_pages(course: Course, *students: str) -> dict[str, str]:
    """Run nbgrader's generate_feedback as this kit does, and return the pages of students."""
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config

    from autograder.nbgrader.rendering import exporter, feedback_pages

    config = Config(
        CourseDirectory={"root": str(course.root), "assignment_id": NAME, "autograded_directory": "marked"},
        GenerateFeedback={"exporter_class": exporter.CleaningExporter},
    )
    feedback_pages.KitGenerateFeedback(coursedir=CourseDirectory(config=config), config=config).start()
    files = {student: course.root / "feedback" / student / NAME / f"{NAME}.html" for student in students}
    return {student: file.read_text(encoding="utf-8") for student, file in files.items()}


def test_everybody_gets_a_page_of_feedback(
    api: Any, book: Any, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder.nbgrader.rendering.exporter import CleaningExporter

    (course.root / "course.toml").touch()
    shutil.copytree(courses.ROOT / "solutions" / NAME, course.root / "solutions" / NAME)
    reports = {"ada [2]": report("ada [2]", "forward"), "cut": refused("cut"), "odd": report("odd", "forward")}
    odd = sample_submissions.answered_notebook("perfect")
    odd["cells"][0]["source"] = "Nobody can show this."
    files = {"cut": {f"{NAME}.pdf": b"%PDF"}, "odd": sample_submissions.notebook_file(odd)}
    recorder(course).record(
        [(name, submission(course, name, files=files.get(name)), reports[name]) for name in reports]
    )
    stock = CleaningExporter.markdown2html

    def failing(exporter: CleaningExporter, context: Any, source: str) -> Any:
        if source == odd["cells"][0]["source"]:
            raise ValueError(source)
        return stock(exporter, context, source)

    failing.jinja_pass_arg = stock.jinja_pass_arg  # what jinja2's decorator sets
    monkeypatch.setattr(CleaningExporter, "markdown2html", failing)
    pages = feedback_pages(course, *reports)
    assert "It is cut short." in pages["cut"]
    assert "Nobody can show" not in pages["odd"]
    for student, page in pages.items():
        assert '<a href="#check_forward">forward</a>' in page, student
        assert "Test cell" not in page
    assert '<a href="#derivation">Written response: derivation</a>' in pages["ada [2]"]
    assert '<a href="#comment-derivation">Comment on derivation</a>' in pages["ada [2]"]
