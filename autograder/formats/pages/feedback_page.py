"""Reports as HTML: one file that needs no other, no script and no network, on light and dark screens.

`render_check` writes a single check for a page that another program makes, such as a notebook's output: it brings its
styles with each element and takes its colours from where it stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from autograder.evaluation.report import CheckResult, Report
from autograder.formats import fields
from autograder.formats.pages.environment import page_environment
from autograder.student import layout

# Readable on white and on black. A label stands beside each, for whoever cannot tell red from green.
_GREEN, _RED, _GREY = "#2e8b57", "#d1453b", "#808080"
STATUS_COLOURS = {**dict.fromkeys(fields.STATUS_LABELS, _RED), "pass": _GREEN, "not_attempted": _GREY}


def _paragraphs(text: str) -> list[str]:
    return [block.strip("\n") for block in fields.sanitize_multiline(text).split("\n\n") if block.strip()]


_ENVIRONMENT = page_environment(__file__, colours=STATUS_COLOURS, paragraphs=_paragraphs, layout=layout)


def render_check(check: CheckResult) -> str:
    """Return HTML of one check: its status, title, points and feedback."""
    return _ENVIRONMENT.get_template("check.html").render(check=check)


def render_page(reports: Sequence[Report], about: Sequence[str] = ()) -> str:
    """Return a page of one submission, or of several after a table. Nothing on it is for instructors only.

    Sentences `about` a single submission stand below its points.
    """
    functions = fields.function_names(reports)
    rows = [
        {
            "report": report,
            "headline": fields.headline(report),
            "points": [fields.format_score(*report.points_of(name)) if report.checks else "-" for name in functions],
            "total": fields.format_score(*map(float, fields.total(report))),
        }
        for report in reports
    ]
    return _ENVIRONMENT.get_template("page.html").render(rows=rows, functions=functions, about=about) + "\n"


def render_notice(title: str, sentences: Sequence[str]) -> str:
    """Return a page without a verdict: a title and some sentences."""
    return _ENVIRONMENT.get_template("notice.html").render(title=title, sentences=sentences) + "\n"


render = render_page  # the name that every format has
