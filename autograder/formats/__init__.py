"""Reports go in, one text comes out: for a terminal, a program, a host, a gradebook or a browser.

Each format is a module with `render(reports) -> str`; FORMATS lists them. `hosts/` holds the formats of CI services and
autograding hosts, `lms/` those of gradebooks, `pages/` HTML. The room may import `evaluation/`, `student/` and
`submission/`. Open `fields.py` first, which all formats share, then `junit.py` as an example of one.
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
    """One way to write reports, in the module `module` of this folder.

    `scope` is "one" where a text holds a single submission, "any" where it holds one or several, and "class" for a
    table with a row per submission.
    """

    name: str
    module: str
    suffix: str
    scope: Literal["one", "any", "class"]
    description: str

    def render(self, reports: Sequence[Report], **options: Any) -> str:
        """Return the reports as text. Raises ValueError for several reports where a text holds a single one."""
        # late: only the format that is used is loaded; rich and jinja2, 100 ms each
        text: str = import_module(f"autograder.formats.{self.module}").render(reports, **options)
        return text


_FORMATS = (
    Format("text", "text", ".txt", "any", "a table for a terminal; one submission in full"),
    Format("json", "json_report", ".json", "any", "everything, for programs; its schemas are in the package"),
    Format("markdown", "markdown", ".md", "any", "GitHub-flavoured Markdown, for comments and summaries"),
    Format("html", "pages.feedback_page", ".html", "any", "a page that needs no other file, no network and no script"),
    Format("junit", "junit", ".xml", "any", "JUnit XML, which CI services show as tests"),
    Format("github", "hosts.github", ".log", "any", "annotations of GitHub Actions, and the step's summary"),
    Format("gradescope", "hosts.gradescope", ".json", "one", "Gradescope's results.json"),
    Format("prairielearn", "hosts.prairielearn", ".json", "one", "PrairieLearn's results.json"),
    Format("classroom50", "hosts.classroom50", ".json", "one", "Classroom 50's result.json, points in hundredths"),
    Format("csv", "class_csv", ".csv", "class", "points per function, for a spreadsheet"),
    Format("canvas", "lms.canvas", ".csv", "class", "a file for the import of Canvas's gradebook"),
    Format("moodle", "lms.moodle", ".csv", "class", "a file for Moodle's import of grades"),
)
FORMATS: Mapping[str, Format] = {format.name: format for format in _FORMATS}


def markdown_table() -> str:
    """Return the formats as a Markdown table, as the guide of bundles/ shows them."""
    scope_labels = {"one": "one submission", "any": "one or several", "class": "a class"}
    rows = [f"| `{format.name}` | {scope_labels[format.scope]} | {format.description} |" for format in _FORMATS]
    return "\n".join(["| format | holds | what it is |", "|:--|:--|:--|", *rows]) + "\n"
