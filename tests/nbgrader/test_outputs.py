"""The outputs of a grade cell, read as nbgrader reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from autograder.evaluation.report import CheckResult, Note, Report
from autograder.evaluation.report_codec import full_object, read_report
from autograder.nbgrader.autograding import cell_outputs
from autograder.student.feedback import ErrorMap, Feedback

MAX_POINTS = 2.0
FEEDBACK = Feedback(
    symptom="dJ_dW is wrong.",
    facts=(("worst entry", "dJ_dW[0, 0]"),),
    map=ErrorMap("dJ_dW", "T = 2", ((0.0, float("inf")), (1e-9, 0.5)), "Most of it is wrong."),
)


def report(points: float, status: str = "graded", **more: Any) -> Report:
    checks = (
        CheckResult("f.value", "f", "The <value>", "fail", points, MAX_POINTS, "f is wrong.", feedback=FEEDBACK),
        CheckResult("g.value", "g", "Another", "pass", 1.0, 1.0),
    )
    graded = Report(
        "exercise", "ada", "graded", points + 1, MAX_POINTS + 1, 7, "A", (Note("student", "Mind this."),), checks
    )
    return graded if status == "graded" else replace(graded, status=status, checks=(), **more)


def score_in_nbgrader(outputs: list[dict[str, Any]], max_points: float) -> float:
    nbformat = pytest.importorskip("nbformat", reason="nbgrader is not installed: make test installs it")
    from nbgrader.utils import determine_grade

    cell = nbformat.v4.new_code_cell("check('f')", outputs=nbformat.from_dict(outputs))
    cell.metadata = nbformat.from_dict({"nbgrader": {"grade": True, "solution": False, "points": max_points}})
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    return float(determine_grade(cell)[0])


@pytest.mark.parametrize("points", [0.0, 0.1 + 0.2, 1.0, 1.25, 2.0, 1e-7])
def test_nbgrader_reads_exactly_these_points(points: float) -> None:
    assert score_in_nbgrader(
        cell_outputs.check_cell_outputs(report(points), "f", MAX_POINTS, True), MAX_POINTS
    ) == round(points, 6)


@pytest.mark.parametrize("points", [MAX_POINTS + 1, -1.0])
def test_points_beyond_the_limits_of_the_cell_are_clipped(points: float) -> None:
    assert score_in_nbgrader(cell_outputs.check_cell_outputs(report(points), "f", MAX_POINTS, True), MAX_POINTS) in (
        0.0,
        MAX_POINTS,
    )


@pytest.mark.parametrize("status", ["refused", "grader_error"])
def test_without_a_verdict_there_are_no_points_but_a_reason(status: str) -> None:
    outputs = cell_outputs.check_cell_outputs(
        report(0.0, status, notes=(Note("student", "It is cut short."),)), "f", MAX_POINTS, False
    )
    assert score_in_nbgrader(outputs, MAX_POINTS) == 0
    assert "It is cut short." in outputs[0]["text"]


def test_every_check_of_the_function_is_shown_and_no_other() -> None:
    outputs = cell_outputs.check_cell_outputs(report(1.0), "f", MAX_POINTS, True)
    (shown,) = [output for output in outputs if output["output_type"] == "display_data"]
    assert [check["id"] for check in shown["metadata"]["autograder"]["checks"]] == ["f.value"]
    page = shown["data"]["text/html"]
    assert "The &lt;value&gt;" in page
    assert "dJ_dW[0, 0]" in page
    assert "Most of it is wrong." in page


def test_notes_stand_in_the_first_cell_only() -> None:
    texts = [cell_outputs.check_cell_outputs(report(1.0), "f", MAX_POINTS, first)[0]["text"] for first in (True, False)]
    assert ["Mind this." in text for text in texts] == [True, False]


def test_a_long_reason_fits_on_the_page() -> None:
    outputs = cell_outputs.check_cell_outputs(
        report(0.0, "refused", notes=(Note("student", "Hand it in anew. " * 20),)), "f", MAX_POINTS, True
    )
    assert max(map(len, outputs[0]["text"].splitlines())) <= cell_outputs.MAX_LINE_LENGTH


def test_a_report_survives_the_pipe() -> None:
    """The grader's process sends reports as lines of JSON."""
    assert read_report(json.loads(json.dumps(full_object(report(1.0))))) == report(1.0)
