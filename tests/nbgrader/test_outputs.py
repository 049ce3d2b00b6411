"""What is written into a grade cell, read as nbgrader reads it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from autograder.evaluation.report import CheckResult, Note, Report
from autograder.evaluation.report_codec import full_object, read_report
from autograder.nbgrader.autograding import cell_outputs
from autograder.student.feedback import ErrorMap, Feedback

MOST = 2.0
FEEDBACK = Feedback(
    symptom="dJ_dW is wrong.",
    facts=(("worst entry", "dJ_dW[0, 0]"),),
    map=ErrorMap("dJ_dW", "T = 2", ((0.0, float("inf")), (1e-9, 0.5)), "Most of it is wrong."),
)


def report(points: float, status: str = "graded", **more: Any) -> Report:
    checks = (
        CheckResult("f.value", "f", "The <value>", "fail", points, MOST, "f is wrong.", feedback=FEEDBACK),
        CheckResult("g.value", "g", "Another", "pass", 1.0, 1.0),
    )
    made = Report("toy", "ada", "graded", points + 1, MOST + 1, 7, "A", (Note("student", "Mind this."),), checks)
    return made if status == "graded" else replace(made, status=status, checks=(), **more)


def read_by_nbgrader(made: list[dict[str, Any]], most: float) -> float:
    nbformat = pytest.importorskip("nbformat", reason="nbgrader is not installed: make test installs it")
    from nbgrader.utils import determine_grade

    cell = nbformat.v4.new_code_cell("check('f')", outputs=nbformat.from_dict(made))
    cell.metadata = nbformat.from_dict({"nbgrader": {"grade": True, "solution": False, "points": most}})
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    return float(determine_grade(cell)[0])


@pytest.mark.parametrize("points", [0.0, 0.1 + 0.2, 1.0, 1.25, 2.0, 1e-7])
def test_nbgrader_reads_the_very_points(points: float) -> None:
    assert read_by_nbgrader(cell_outputs.check_cell_outputs(report(points), "f", MOST, True), MOST) == round(points, 6)


@pytest.mark.parametrize("points", [MOST + 1, -1.0])
def test_points_outside_what_the_cell_is_worth_stop_nobody(points: float) -> None:
    assert read_by_nbgrader(cell_outputs.check_cell_outputs(report(points), "f", MOST, True), MOST) in (0.0, MOST)


@pytest.mark.parametrize("status", ["refused", "grader_error"])
def test_without_a_verdict_there_are_no_points_but_a_reason(status: str) -> None:
    made = cell_outputs.check_cell_outputs(
        report(0.0, status, notes=(Note("student", "It is cut short."),)), "f", MOST, False
    )
    assert read_by_nbgrader(made, MOST) == 0
    assert "It is cut short." in made[0]["text"]


def test_every_check_of_the_function_is_shown_and_no_other() -> None:
    shown = [
        one
        for one in cell_outputs.check_cell_outputs(report(1.0), "f", MOST, True)
        if one["output_type"] == "display_data"
    ]
    assert [one["metadata"]["autograder"]["id"] for one in shown] == ["f.value"]
    page = shown[0]["data"]["text/html"]
    assert "The &lt;value&gt;" in page
    assert "dJ_dW[0, 0]" in page
    assert "Most of it is wrong." in page


def test_notes_stand_in_the_first_cell_alone() -> None:
    said = [cell_outputs.check_cell_outputs(report(1.0), "f", MOST, first)[0]["text"] for first in (True, False)]
    assert ["Mind this." in text for text in said] == [True, False]


def test_a_long_reason_fits_on_the_page() -> None:
    made = cell_outputs.check_cell_outputs(
        report(0.0, "refused", notes=(Note("student", "Hand it in anew. " * 20),)), "f", MOST, True
    )
    assert max(map(len, made[0]["text"].splitlines())) <= cell_outputs.MAX_LINE_LENGTH


def test_a_report_survives_the_pipe() -> None:
    assert read_report(json.loads(json.dumps(full_object(report(1.0))))) == report(1.0)
