"""nbgrader: its commands and its formgrader stay as they are, and grade with this engine.

In comes what nbgrader collected in `submitted/`; out go autograded notebooks, scores in its gradebook, and files for
Canvas and Moodle. Imports grading, release, formats and the rooms below them. Open `config.py` first, then
`exercises.py`: ours work on exercises, nbgrader's own classes on all other assignments. The sub-rooms follow a
submission: exchange, intake, autograding, gradebook, rendering.

Commands name the exporters as members of this package: `nbgrader export --exporter=autograder.nbgrader.CanvasExporter`.
"""

from __future__ import annotations

from typing import Any

EXPORTERS = ("CanvasExporter", "MoodleExporter")


def __getattr__(name: str) -> Any:
    if name not in EXPORTERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from autograder.nbgrader.gradebook import export  # late: nbgrader, 2 s

    return getattr(export, name)
