"""Names of students that nbgrader can keep: a folder may be called anything, and an odd name stops its commands."""

from __future__ import annotations

import unicodedata

MAX_LENGTH = 128  # of a student's id in the gradebook


def name_problem(student: str) -> str:
    """Return why nbgrader cannot keep a student of this name, as the end of a sentence; empty if it can."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in student):
        return "its name holds characters that are no text: rename the folder"
    if len(student) > MAX_LENGTH:
        return f"its name has more than {MAX_LENGTH} characters: rename the folder"
    return ""
