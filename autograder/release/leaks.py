"""The leak test: whether a file for students holds a line of a solution or of a teacher cell."""

from __future__ import annotations

import json
from collections.abc import Mapping

from autograder.exercise.source import solution_lines

MIN_LEAK_LENGTH = 20  # characters: shorter lines, such as `else:`, give nothing away


def find_leak(files: Mapping[str, str], source_text: str, teacher_cell: str = "") -> tuple[str, str] | None:
    """Return the first file with a line of a solution or a solution's marker, and that text; None if all are clean.

    No line of `teacher_cell` may be in a file either, imports aside.
    """
    teacher_lines = (line.strip() for line in teacher_cell.splitlines() if not line.startswith(("import ", "from ")))
    secret_lines = (*solution_lines(source_text), *teacher_lines)
    long_lines = [line for line in secret_lines if len(line) >= MIN_LEAK_LENGTH]
    secrets = (*long_lines, "BEGIN SOLUTION", "END SOLUTION")
    for name, content in files.items():
        for line in _lines(name, content):
            for secret in secrets:
                if secret in line:
                    return name, secret
    return None


def _lines(name: str, content: str) -> list[str]:
    """Return the lines of a file. Those of a notebook are its cells', because JSON escapes quotation marks."""
    if not name.endswith(".ipynb"):
        return content.splitlines()
    return [line for cell in json.loads(content)["cells"] for line in "".join(cell["source"]).splitlines()]
