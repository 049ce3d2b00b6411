"""nbgrader's formgrader: its pages and its exporter, mended where they trust what students wrote.

Formgrader may have been started before it read the settings of this course, so its classes are changed in place.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from markupsafe import escape

BASE = "nbgrader.server_extensions.formgrader.base"
HANDLERS = "nbgrader.server_extensions.formgrader.handlers"
CONFIG_FILE = "nbgrader_config.py"

ONLY_TO_READ = "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'"
"""The policy of what is served as it is: a browser shows it, runs nothing of it, and keeps it apart from the pages."""


def install() -> None:
    """Mend formgrader, if this process runs it. nbgrader's commands do not, and importing it takes them a second."""
    if HANDLERS not in sys.modules:
        return
    base, handlers = sys.modules[BASE], sys.modules[HANDLERS]
    base.BaseHandler.exporter = property(_cleaning_exporter)
    base.BaseHandler.render = _render_escaped
    # JSON is served as HTML there, and students' files as what their names say.
    for handler in (base.BaseApiHandler, handlers.SubmissionFilesHandler):
        handler.content_security_policy = ONLY_TO_READ
    handler = handlers.FormgraderHandler
    if not hasattr(handler.get, "of_this_kit"):
        handler.get = _only_for_courses(handler.get)


def _cleaning_exporter(handler: Any) -> Any:
    """Return formgrader's exporter of submissions, after replacing the stock one by ours."""
    from autograder.nbgrader.rendering.exporter import CleaningExporter  # late: nbconvert, 1 s

    exporter = handler.settings["nbgrader_exporter"]
    if not isinstance(exporter, CleaningExporter):
        exporter = CleaningExporter(config=exporter.config)  # type: ignore[no-untyped-call]  # nbconvert is typed in part
        handler.settings["nbgrader_exporter"] = exporter
    return exporter


def _render_escaped(handler: Any, name: str, **values: Any) -> Any:
    """Render a page of formgrader, whose templates write names of students and files from the address as they are."""
    escaped = {key: str(escape(value)) if isinstance(value, str) else value for key, value in values.items()}
    return handler.settings["nbgrader_jinja2_env"].get_template(name).render(**escaped)


def _only_for_courses(get: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return the handler of `?path=`, which executes the nbgrader_config.py there, for folders of courses only."""

    @functools.wraps(get)
    def checked_get(handler: Any) -> Any:
        path = handler.get_argument("path", "")
        if path and not _may_be_course(Path(path).resolve()):
            handler.log.error("%s is inside a course, or belongs to somebody else: open its formgrader there.", path)
            return handler.write_error(403)
        return get(handler)

    checked_get.of_this_kit = True  # type: ignore[attr-defined]  # a mark on the method, so that it is replaced once
    return checked_get


def _may_be_course(folder: Path) -> bool:
    """Return whether a folder is in no other course, where submissions lie, and is its user's own or its group's."""
    if any((parent / CONFIG_FILE).exists() for parent in folder.parents):
        return False
    try:
        status = folder.stat()
    except OSError:
        return False
    return status.st_uid in (0, os.getuid()) or status.st_gid in (os.getgid(), *os.getgroups())
