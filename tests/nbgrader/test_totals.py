"""One total: whoever asks for a student's points, gradebook, page, file or export, gets the same to the cent."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from autograder.classroom.store import Columns, ResultStore, serialize_result
from autograder.commands import export as export_command
from autograder.course import Course
from autograder.evaluation.report import Report
from autograder.formats.pages import class_page
from autograder.formats.totals import Total, mean_and_median
from autograder.nbgrader.gradebook import session as gradebook_session
from tests import courses
from tests.nbgrader import sample_submissions
from tests.nbgrader import test_gradebook as base

api, book, course = base.api, base.book, base.course
NAME = courses.NAME
LATE = "2026-03-03 12:00:00 UTC"
PLUGIN = """from nbgrader.plugins import BasePlugin
class Third(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score / 3
"""
SETTINGS = base.SETTINGS.replace(
    'LateSubmissionPlugin.penalty_method = "zero"', 'AssignLatePenalties.plugin_class = "late.Third"'
)
SETTINGS += 'c.Exporter.excused = ["excused"]\n'
# Each student's answers, time, and what a person does in formgrader: (cell, column, points).
STUDENTS: dict[str, tuple[tuple[str, ...], str, tuple[tuple[str, str, float], ...]]] = {
    "right": (tuple(courses.ARGUMENTS), "", ()),
    "part": (("forward", "dJ_dW"), "", ()),
    "late": (("forward", "dJ_dW"), LATE, ()),
    "extended": (("forward",), LATE, ()),
    "dropped": (("dJ_dV",), "", ()),
    "answered": (("forward",), "", (("derivation", "manual_score", 1.35),)),
    "extra": (("forward",), "", (("check_forward", "extra_credit", 0.1),)),
    "corrected": (("forward",), LATE, (("check_dJ_dW", "manual_score", 0.7),)),
    "refused": ((), "", ()),
    "failed": ((), "", ()),
    "excused": (("forward",), "", ()),
}


@pytest.fixture
def class_(
    api: Any, book: Any, course: Course, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[Report], Mapping[str, Total]]:
    """Everybody of the table in gradebook and results folder, and `missing`, who handed in nothing."""
    solutions = courses.ROOT / "solutions"
    (course.root / "course.toml").write_text(f'exercises = "{solutions.as_posix()}"\nwritten_questions = true\n')
    (course.root / "nbgrader_config.py").write_text(SETTINGS)
    (course.root / "late.py").write_text(PLUGIN)
    monkeypatch.chdir(course.root)
    book.add(api.Student(id="missing"))
    book.commit()
    reports = [report_of(student) for student in STUDENTS]
    results = [(r.submission, base.submission(course, r.submission, STUDENTS[r.submission][1]), r) for r in reports]
    cut = sample_submissions.truncated_notebook("perfect")
    results = [(s, base.submission(course, s, files=cut) if s == "refused" else p, r) for s, p, r in results]
    recorder = base.recorder(course)
    recorder.record(results)
    for submitted in book.query(api.SubmittedAssignment):
        if submitted.student_id == "extended":
            submitted.extension = timedelta(days=3)
        grades = {grade.name: grade for grade in submitted.notebooks[0].grades}
        for cell, column, points in STUDENTS[submitted.student_id][2]:
            setattr(grades[cell], column, points)
    book.commit()
    _, totals = recorder.record(results)
    columns = Columns((), tuple(courses.ARGUMENTS), {"derivation": 2.0})
    with ResultStore(course.root / "grades", columns) as store:
        for report in reports:
            store.save(serialize_result(report, "key", 0.1, columns))
        store.write_scores(totals)
    return reports, totals


def report_of(student: str) -> Report:
    if student == "refused":
        return base.refused(student)
    if student == "failed":
        return base.replace(base.refused(student), status="grader_error")
    return base.report(student, *STUDENTS[student][0])


def cents(text: str) -> Decimal | None:
    """Return points as they are shown; None for a word, a dash or nothing."""
    return round(Decimal(text), 2) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def exported_by_command(host: str, column: str) -> dict[str, Decimal | None]:
    done = CliRunner().invoke(export_command.command, ["grades", "--for", host], catch_exceptions=False)
    rows = csv.DictReader(io.StringIO(done.stdout))
    return {row[column]: cents(row[NAME]) for row in rows if row[column]}


def test_every_face_shows_the_same_total(api: Any, book: Any, course: Course, class_: tuple[list[Report], Any]) -> None:
    reports, totals = class_
    expected = {student: None if total.points is None else round(total.points, 2) for student, total in totals.items()}
    full = {function: Decimal(str(base.max_points(function))) for function in courses.ARGUMENTS}
    two_thirds = Decimal(2) / 3
    assert expected == {
        "right": sum(full.values()),
        "part": full["forward"] + full["dJ_dW"],
        "late": round((full["forward"] + full["dJ_dW"]) * two_thirds, 2),
        "extended": full["forward"],
        "dropped": full["dJ_dV"],
        "answered": full["forward"] + Decimal("1.35"),
        "extra": full["forward"] + Decimal("0.1"),
        "corrected": round((full["forward"] + Decimal("0.7")) * two_thirds, 2),
        "refused": None,  # its written answer may stand in the file, and waits for a person
        "failed": None,
        "excused": None,
    }
    with (course.root / "grades" / "scores.csv").open(encoding="utf-8", newline="") as file:
        assert {row["student"]: cents(row["total"]) for row in csv.DictReader(file)} == expected
    page = class_page.render_page(reports, {}, {}, totals)
    shown = re.findall(r'<th scope="row" class="name">(\w+)</th>.*?<td class="number total">(.*?)</td>', page)
    assert {student: cents(text) for student, text in shown} == expected
    average = mean_and_median(totals.values())
    assert average is not None
    for name, number in zip(("mean", "median"), average, strict=True):
        assert f"<dt>{name} of {base.exercise().max_score + 2:g}</dt><dd>{number:.2f}</dd>" in page
    assert exported_by_command("canvas", "SIS Login ID") == expected
    assert exported_by_command("moodle", "Username") == expected
    for exporter in ("CanvasExporter", "MoodleExporter"):
        rows = base.exported(api, course, exporter, excused=["excused"])
        assert {s: cents(row[NAME]) for s, row in rows.items() if s} == {**expected, "missing": None}


def test_nbgrader_adds_up_to_the_same(
    api: Any, course: Course, class_: tuple[list[Report], Mapping[str, Total]]
) -> None:
    with api.Gradebook(gradebook_session.default_url(course.root), "default_course") as gradebook:
        graded = {student: total for student, total in class_[1].items() if total.state != "excused"}
        for student, total in graded.items():
            submission = gradebook.find_submission(NAME, student)
            points = max(0.0, submission.score - (submission.late_submission_penalty or 0.0))
            assert round(Decimal(points), 2) == round(total.so_far, 2)
            assert (total.points is None) <= submission.needs_manual_grade


def test_a_dry_run_lists_what_the_run_changes_and_writes_nothing(book: Any, course: Course) -> None:
    def contents() -> dict[Path, tuple[bytes, int]]:
        return {f: (f.read_bytes(), f.stat().st_mtime_ns) for f in course.root.rglob("*") if f.is_file()}

    both = [(name, base.submission(course, name), base.report(name, "forward", "dJ_dV")) for name in ("ada", "bob")]
    base.recorder(course).record(both)
    both = [("ada", both[0][1], base.report("ada", "forward")), both[1]]
    both.append(("eve", base.submission(course, "eve"), base.report("eve")))
    before = contents()
    dry = base.recorder(course).record(both, dry_run=True)
    assert contents() == before
    assert base.recorder(course).record(both) == dry
    points = base.max_points("dJ_dV")
    assert dry[0][0].endswith(f"({-points:+g}): dJ_dV {points:g} to 0")
    assert contents() != before
