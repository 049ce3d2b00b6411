"""The Jinja environment of every page: its templates, what they may use, and what happens to each value they write.

All pages share `templates/`: a frame, a stylesheet, and parts such as a check, which a notebook's output shows as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.formats import fields
from autograder.formats.pages.mathematics import set_mathematics
from autograder.student import layout

TEMPLATES = Path(__file__).parent / "templates"


def page_environment(*folders: Path, **helpers: Any) -> Environment:
    """Return an environment for the templates in `folders` and for those that all pages share.

    Templates may use `fields`, `layout`, `paragraphs`, `text`, which sets mathematics, `look`, which names classes, and
    the `helpers`; an undefined name raises jinja2.UndefinedError. Values are escaped and sanitized as they are written,
    so templates may show text of students.
    """
    environment = Environment(
        loader=FileSystemLoader([*folders, TEMPLATES], encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Escaping stops HTML, but not characters that reorder or hide the text around them.
        finalize=_sanitize_value,
    )
    shared = {"fields": fields, "layout": layout, "paragraphs": _paragraphs, "text": set_mathematics, "look": classes}
    environment.globals.update({**shared, **helpers})
    return environment


def _sanitize_value(value: Any) -> Any:
    """Return a value without control characters and of bounded length, unless it is markup of ours."""
    return fields.sanitize_multiline(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _paragraphs(text: str) -> list[str]:
    return [block.strip("\n") for block in fields.sanitize_multiline(text).split("\n\n") if block.strip()]


def classes(*names: str, **declarations: str) -> Markup:
    """Return the attribute of an element that has these classes, and further declarations such as `background`."""
    attribute = Markup('class="{}"').format(" ".join(filter(None, names)))
    return attribute + Markup(' style="{}"').format(_declarations(declarations)) if declarations else attribute


def inline_styles(*names: str, **declarations: str) -> Markup:
    """Return the attribute of an element that brings the styles of these classes of check.css with it."""
    styles = [style for name in names if (style := _styles().get(name))]
    return Markup('style="{}"').format("; ".join([*styles, *filter(None, [_declarations(declarations)])]))


def _declarations(declarations: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in declarations.items())


@cache
def _styles() -> Mapping[str, str]:
    """Return the declarations of each class in check.css."""
    text = (TEMPLATES / "check.css").read_text(encoding="utf-8")
    return dict(re.findall(r"^\.([\w-]+) \{ (.*) \}$", text, re.MULTILINE))
