"""nbgrader: its commands and its formgrader stay as they are, and grade with this engine.

The exporters are named in commands, `nbgrader export --exporter=autograder.nbgrader.CanvasExporter`, and loaded only
then: nbgrader takes two seconds to import.
"""

from __future__ import annotations

from typing import Any

EXPORTERS = ("CanvasExporter", "MoodleExporter")


def __getattr__(name: str) -> Any:
    if name not in EXPORTERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from autograder.nbgrader.gradebook import export

    return getattr(export, name)
