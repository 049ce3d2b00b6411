"""Reports as HTML: one file that needs no other, no script and no network, on light and dark screens.

`render_check` is one check, to be set into a page that somebody else made, such as a notebook's output: it brings its
styles with each element and takes its colours from where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields
from autograder.student.layout import entry, last, shade

# grey, green and red that are told from white and from black; every one of them stands beside a word
STATUS_COLOURS = {
    "pass": "#2e8b57",
    "fail": "#d1453b",
    "error": "#d1453b",
    "timeout": "#d1453b",
    "not_attempted": "#808080",
}


def render(reports: Sequence[Report]) -> str:
    """The reports as one page."""
    return render_page(reports)


def render_check(check: CheckResult) -> str:
    """HTML of one check: status, title, points and what it says. Styles inline, no script, nothing from outside."""
    return _environment().get_template("check.html").render(check=check)


def render_page(reports: Sequence[Report]) -> str:
    """A whole page: of one submission, or of several with a table in front. Nothing in it is for instructors only."""
    functions = list(dict.fromkeys(check.function for report in reports for check in report.checks))
    rows = [
        {
            "report": report,
            "headline": fields.headline(report),
            "points": [_format_score(*report.points_of(name)) if report.checks else "-" for name in functions],
            "total": _format_score(*map(float, fields.total(report))),
        }
        for report in reports
    ]
    return _environment().get_template("page.html").render(rows=rows, functions=functions) + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_sanitize_value,
    )
    environment.globals.update(
        colours=STATUS_COLOURS, words=fields.STATUS_LABELS, told=fields.student_notes, of=_format_score
    )
    environment.globals.update(entry=entry, last=last, shade=shade)
    environment.filters["paragraphs"] = _paragraphs
    return environment


def _sanitize_value(value: Any) -> Any:
    """Whatever a template writes: no control character reaches the page, and no text without end."""
    return fields.sanitize_multiline(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _paragraphs(text: str) -> list[str]:
    return [block.strip("\n") for block in fields.sanitize_multiline(text).split("\n\n") if block.strip()]


def _format_score(points: float, max_points: float) -> str:
    return f"{fields.format_points(points)}/{fields.format_points(max_points)}"
