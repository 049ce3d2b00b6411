"""The formats that reports are written in: one module each, each with a function from reports to one text.

Nothing of a format is imported before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from autograder.evaluation.report import Report


@dataclass(frozen=True)
class Format:
    """One way to write reports.

    `module` stands in this folder and has `render(reports) -> str`. `scope` is "one" where the reader expects a single
    submission, "any" where one or several may stand in a text, and "class" for a table with a row for each.
    """

    name: str
    module: str
    suffix: str
    scope: Literal["one", "any", "class"]
    description: str

    def render(self, reports: Sequence[Report], **options: Any) -> str:
        """The reports as text; exactly one report where the format holds one."""
        text: str = import_module(f"autograder.formats.{self.module}").render(reports, **options)
        return text


FORMATS: Mapping[str, Format] = {
    one.name: one
    for one in (
        Format("text", "text", ".txt", "any", "a table for a terminal; one submission in full"),
        Format("json", "json_report", ".json", "any", "all of it, for programs; schemas lie in the package"),
        Format("markdown", "markdown", ".md", "any", "GitHub-flavoured Markdown, for comments and summaries"),
        Format(
            "html", "pages.feedback_page", ".html", "any", "a page that needs no other file, no network and no script"
        ),
        Format("junit", "junit", ".xml", "any", "JUnit XML, which CI services show as tests"),
        Format("github", "hosts.github", ".log", "any", "annotations of GitHub Actions, and the step's summary"),
        Format("gradescope", "hosts.gradescope", ".json", "one", "Gradescope's results.json"),
        Format("prairielearn", "hosts.prairielearn", ".json", "one", "PrairieLearn's results.json"),
        Format("classroom50", "hosts.classroom50", ".json", "one", "Classroom 50's result.json, points in hundredths"),
        Format("csv", "class_csv", ".csv", "class", "points per function, for a spreadsheet"),
        Format("canvas", "lms.canvas", ".csv", "class", "a file for the import of Canvas's gradebook"),
        Format("moodle", "lms.moodle", ".csv", "class", "a file for Moodle's import of grades"),
    )
}


def markdown_table() -> str:
    """The formats as a Markdown table, as the README shows them."""
    scope_labels = {"one": "one submission", "any": "one or several", "class": "a class"}
    rows = [f"| `{one.name}` | {scope_labels[one.scope]} | {one.description} |" for one in FORMATS.values()]
    return "\n".join(["| format | holds | what it is |", "|:--|:--|:--|", *rows]) + "\n"
