"""A new exercise: a small one that is sound as it stands, to be changed."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path(__file__).with_name("templates") / "new_exercise.py.in"


def write_new_exercise(folder: Path) -> Path:
    """Write the source of a new exercise into `folder`, which is named like it, and return its path.

    Raises FileExistsError if there is such a folder.
    """
    folder.mkdir(parents=True)
    file = folder / f"{folder.name}.py"
    title = folder.name.replace("_", " ").capitalize()
    file.write_text(TEMPLATE.read_text(encoding="utf-8").replace("@TITLE@", title), encoding="utf-8")
    return file
