"""What students read before they begin: README.md and requirements.txt, the author's own or those of every exercise."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autograder.exercise.model import Exercise
from autograder.exercise.source import parse_cells

TEMPLATES = Path(__file__).with_name("templates")
NEEDED = {"numpy": ">=2.0", "matplotlib": ">=3.8", "jupyterlab": ">=4.0", "pytest": ">=7.4"}


def readme(exercise: Exercise) -> str:
    """Return the text of README.md: that of the exercise's `handout/`, else the one of every exercise."""
    own = _own(exercise, "README.md")
    if own is not None:
        return own
    environment = Environment(  # noqa: S701 - markdown, not HTML
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    return environment.get_template("README.md").render(
        title=_title(exercise),
        name=exercise.name,
        functions=[function.name for function in exercise.functions],
        example=exercise.functions[-1].name,
        case=exercise.diagnostic_cases[0].id if exercise.diagnostic_cases else "",
        has_hints=bool(exercise.hints),
        has_questions=bool(exercise.written),
    )


def requirements(exercise: Exercise) -> str:
    """Return the text of requirements.txt: that of the exercise's `handout/`, else what the source imports."""
    own = _own(exercise, "requirements.txt")
    if own is not None:
        return own
    imports_plots = "matplotlib" in exercise.source_text
    return "".join(f"{name}{version}\n" for name, version in NEEDED.items() if name != "matplotlib" or imports_plots)


def _own(exercise: Exercise, file: str) -> str | None:
    path = exercise.folder / "handout" / file
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _title(exercise: Exercise) -> str:
    """Return the first heading of the narrative, else the name."""
    for cell in parse_cells(exercise.source_text):
        for line in cell.source.splitlines() if cell.kind == "markdown" else ():
            if line.startswith("# # "):
                return line.removeprefix("# # ").strip()
    return exercise.name
