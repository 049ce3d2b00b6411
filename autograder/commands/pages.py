"""The pages of a class: one for the lecturer, and one of feedback for each student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from autograder.commands import common

if TYPE_CHECKING:
    from autograder.evaluation.report import Report
    from autograder.exercise.model import Exercise
    from autograder.formats.totals import Total


def write_pages(exercise: Exercise, reports: Sequence[Report], results: Path, totals: Mapping[str, Total]) -> Path:
    """Write the page of the class, and the page of each submission that it links to; return the path of the first."""
    # late: jinja2 and rich, 115 ms
    from autograder.classroom.store import distinct_file_names
    from autograder.formats.pages import class_page, feedback_page

    file_names = distinct_file_names((report.submission for report in reports), ".html")
    links = {submission: f"feedback/{quote(file_name)}" for submission, file_name in file_names.items()}
    sentences = {
        (mistake.function, mistake.name): f"{mistake.hint} See equation {mistake.equation} of the notebook."
        for mistake in exercise.mistakes
    }
    with common.explain_os_errors(results, "written", common.GRADER_ERROR):
        (results / "feedback").mkdir(exist_ok=True)
        for report in reports:
            feedback = feedback_page.render_page([report])
            (results / "feedback" / file_names[report.submission]).write_text(feedback, encoding="utf-8")
        page = results / "class.html"
        page.write_text(class_page.render_page(reports, links, sentences, totals), encoding="utf-8")
    return page
