"""The source of an exercise in the small form, written out in full: set-up, check cells, no teacher cell.

All that releases, grades or verifies an exercise reads the full form alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from autograder.exercise.source import BEGIN, END, ExerciseCell

_CHECKS_IMPORT = "from checks import check, hint, slope"
_MISSING_FILE = """except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"{missing.name}.py is not beside this file: put all files of the exercise into one folder "
        "(in Colab: the folder icon on the left, then Upload) and run this cell again."
    ) from None"""


def is_small_form(folder: Path) -> bool:
    """Return whether a folder holds an exercise in the small form: a source, and no rubric.py."""
    return (folder / f"{folder.name}.py").is_file() and not (folder / "rubric.py").is_file()


def write_out(text: str, cells: Sequence[ExerciseCell], own_modules: Collection[str]) -> str:
    """Return the full form of a source: `own_modules` are those that lie beside it and are released with it."""
    lines = text.splitlines()
    ends = [cell.line - 1 for cell in cells[1:]] + [len(lines)]
    bodies = {cell.line: "\n".join(lines[cell.line : end]).rstrip() for cell, end in zip(cells, ends, strict=True)}
    checked = {cell.name for cell in cells if cell.kind == "check"}
    written: list[str] = []
    for cell, following in zip(cells, [*cells[1:], None], strict=True):
        if cell.kind == "setup":
            written.append(f"# %% setup\n{_setup(cell.source, own_modules)}")
        elif cell.kind == "solution":
            written.append(f'# %% solution="{cell.name}"\n{bodies[cell.line]}')
        elif cell.kind != "teacher":
            written.append(f"{lines[cell.line - 1]}\n{bodies[cell.line]}")
        # The check of a function stands below it, and below its hints if those come next.
        hints_follow = following is not None and (following.kind, following.name) == ("hints", cell.name)
        if cell.kind in ("solution", "hints") and cell.name not in checked and not hints_follow:
            written.append(f'# %% check="{cell.name}"\n# check("{cell.name}")')
            checked.add(cell.name)
    return "\n\n".join(written) + "\n"


def _setup(source: str, own_modules: Collection[str]) -> str:
    """Return a set-up cell that also imports what checks.py offers, and says which file is missing if one is."""
    if re.search(r"^\s*(from|import) checks\b", source, flags=re.MULTILINE):
        return source
    names = "|".join(map(re.escape, ["checks", *own_modules]))
    is_own = re.compile(rf"(from|import) ({names})\b.*[^(]$")
    lines = source.splitlines()
    own = [line for line in lines if is_own.match(line)]
    rest = "\n".join(line for line in lines if line not in own).strip()
    imports = "\n".join(f"    {line}" for line in (_CHECKS_IMPORT, *own))
    return f"{rest}\n\ntry:\n{imports}\n{_MISSING_FILE}".lstrip()


def function_texts(cells: Sequence[ExerciseCell]) -> Mapping[str, str]:
    """Return the model answers by name, without docstrings and solution markers."""
    return {cell.name: functions_in(cell.source)[cell.name] for cell in cells if cell.kind == "solution"}


def functions_in(text: str) -> Mapping[str, str]:
    """Return the functions of a text by name, without docstrings and solution markers."""
    lines, functions = text.splitlines(), {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            first = node.body[ast.get_docstring(node) is not None] if len(node.body) > 1 else node.body[0]
            head, body = lines[node.lineno - 1 : node.body[0].lineno - 1], lines[first.lineno - 1 : node.end_lineno]
            functions[node.name] = "\n".join(line for line in [*head, *body] if line.strip() not in (BEGIN, END))
    return functions
