"""Names of students: a folder may be called anything, and an odd name stops nbgrader's commands."""

from __future__ import annotations

import unicodedata
from glob import glob
from pathlib import Path

MAX_LENGTH = 128  # of a student's id in the gradebook


def name_problem(student: str) -> str:
    """Return why nbgrader cannot keep a student of this name, as the end of a sentence; empty if it can."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in student):
        return "its name holds characters that are no text: rename the folder"
    if len(student) > MAX_LENGTH:
        return f"its name has more than {MAX_LENGTH} characters: rename the folder"
    return ""


def matching_folders(pattern: str) -> list[Path]:
    """Return the folders that nbgrader's pattern names, sorted; one that is called like the pattern itself is meant."""
    if Path(pattern).is_dir():  # such as that of a student whose name holds brackets
        return [Path(pattern)]
    return [folder for folder in map(Path, sorted(glob(pattern))) if folder.is_dir()]  # noqa: PTH207 - a text
