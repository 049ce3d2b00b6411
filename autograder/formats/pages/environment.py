"""The Jinja environment of every page: what templates may use, and what happens to each value that they write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.formats import fields


def page_environment(module: str, **helpers: Any) -> Environment:
    """Return an environment for the folder `templates` beside the file `module`.

    Templates may use `fields` and the `helpers` by name; an undefined name raises jinja2.UndefinedError. Values are
    escaped and sanitized as they are written, so templates may show text of students.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(module).parent / "templates", encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Escaping stops HTML, but not characters that reorder or hide the text around them.
        finalize=_sanitize_value,
    )
    environment.globals.update(fields=fields, **helpers)
    return environment


def _sanitize_value(value: Any) -> Any:
    """Return a value without control characters and of bounded length, unless it is markup of ours."""
    return fields.sanitize_multiline(value) if isinstance(value, str) and not isinstance(value, Markup) else value
