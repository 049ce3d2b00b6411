"""A notebook -> HTML, for nbgrader's own templates: every value is escaped, unless it is HTML that was cleaned.

nbgrader's templates, and those of nbconvert that they extend, write most values as they are: ids, counts and widths as
well as text. So this exporter escapes whatever a template writes; only HTML that a filter has cleaned is exempt.
"""

# mypy: allow-untyped-calls
# nbconvert says that it is typed, and is in part

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, pass_context
from markupsafe import Markup, escape
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import strip_files_prefix
from nbformat import NotebookNode
from traitlets import default

from autograder.nbgrader.rendering.cleaner import clean, disarm_tex

OUTPUT_TYPES = ("text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "text/plain")
"""The kinds of output that are shown, best first: no script, no widget, no SVG."""

CLEANED_FILTERS = ("ansi2html", "highlight_code")
KEPT_METADATA = ("magics_language", "raw_mimetype")  # tags would be classes, and `transient` hides a cell

STYLE = ".rendered_html, .output_subarea { contain: paint; overflow-x: auto }"  # formulas, too, stay within their cell


class CleaningExporter(HTMLExporter):
    """nbconvert's exporter of HTML, on whose pages nothing runs that comes from the notebook."""

    @default("sanitize_html")
    def _sanitize_html_default(self) -> bool:
        return True

    def _register_filter(self, environ: Environment, name: str, jinja_filter: Any) -> Any:
        """Add a filter to the templates; nbconvert does so for each notebook, with some of them."""
        if name in _OWN_FILTERS:
            jinja_filter = _OWN_FILTERS[name]
        elif name in CLEANED_FILTERS and not isinstance(
            jinja_filter, type | str
        ):  # nbconvert makes those filters first
            jinja_filter = _cleaned(jinja_filter)
        return super()._register_filter(environ, name, jinja_filter)

    @pass_context
    def markdown2html(self, context: Any, source: str) -> Markup:
        """Return Markdown as cleaned HTML, after `files/` before an address: `javascript:` may stand behind it."""
        cell = context.get("cell", {})
        pictures = {name: bundle for name, bundle in cell.get("attachments", {}).items() if bundle}
        shown = {**context, "cell": {**cell, "attachments": _Attachments(pictures)}}
        return Markup(clean(strip_files_prefix(super().markdown2html(shown, source))))  # noqa: S704 - cleaned

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()
        environment.autoescape = True
        return environment

    def _preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        nb, resources = super()._preprocess(nb, resources)
        styles = resources.get("inlining", {})
        styles["css"] = [Markup(css) for css in [*styles.get("css", []), STYLE]]  # noqa: S704 - pygments' colours
        nb["cells"] = [_shown_cell(cell) for cell in nb.cells]
        return nb, resources


class _Attachments(dict[str, Any]):
    """A cell's attachments by name, also as an address spells it. Any other name has a picture without an address.

    nbconvert makes no page at all of a notebook that lacks a picture; without an address, its text is shown.
    """

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        return self.get(unquote(name), {"text/plain": ""})


def _cleaned(jinja_filter: Callable[..., Any]) -> Callable[..., Markup]:
    def clean_result(*arguments: Any, **named: Any) -> Markup:
        return Markup(clean(str(jinja_filter(*arguments, **named))))  # noqa: S704 - cleaned

    return clean_result


def _shown_types(data: Mapping[str, Any]) -> list[str]:
    """Return the kind of output to show, as a list of one, or of none."""
    return [name for name in OUTPUT_TYPES if name in data][:1]


def _shown_cell(cell: NotebookNode) -> NotebookNode:
    """Return a cell with what a page shows of it: metadata would become classes, addresses and unquoted attributes."""
    metadata = {key: cell.metadata[key] for key in KEPT_METADATA if isinstance(cell.metadata.get(key), str)}
    if isinstance(cell.metadata.get("nbgrader"), dict):
        metadata["nbgrader"] = cell.metadata["nbgrader"]
    shown = NotebookNode({**cell, "metadata": NotebookNode(metadata)})
    if cell.cell_type == "code":
        if cell.get("execution_count") is None:
            shown["execution_count"] = "\N{NO-BREAK SPACE}"  # what the template writes, as an entity
        shown["outputs"] = [_shown_output(output) for output in cell.outputs]
    return shown


def _shown_output(output: NotebookNode) -> NotebookNode:
    """Return an output with the kinds of data that are shown, and of its metadata the size of a picture."""
    if "data" not in output:
        return output
    data = NotebookNode({key: value for key, value in output["data"].items() if key in OUTPUT_TYPES})
    if "text/latex" in data:
        data["text/latex"] = disarm_tex(str(data["text/latex"]))
    return NotebookNode({**output, "data": data, "metadata": _picture_sizes(output.get("metadata", {}))})


def _picture_sizes(metadata: Mapping[str, Any]) -> NotebookNode:
    """Return the whole numbers that say how wide and high pictures are, by kind of data."""
    described = {key: value for key, value in metadata.items() if key in OUTPUT_TYPES and isinstance(value, dict)}
    return NotebookNode(
        {
            kind: NotebookNode(
                {key: size for key, size in sizes.items() if key in ("width", "height") and _is_size(size)}
            )
            for kind, sizes in described.items()
        }
    )


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and 0 < value < 10_000


_OWN_FILTERS = {
    "clean_html": lambda html: html if isinstance(html, Markup) else Markup(clean(str(html))),  # noqa: S704 - cleaned
    "escape_html": escape,  # nbconvert's returns plain text, which would be escaped again
    "escape_html_keep_quotes": escape,
    "filter_data_type": _shown_types,
    "strip_files_prefix": lambda html: html,  # done by markdown2html, before it cleans
}
