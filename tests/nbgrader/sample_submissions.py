"""What the class of these tests hands in: the samples of tests/submissions/ as notebooks, whole and damaged."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import courses

CLASS_FOLDER = courses.ROOT / "tests" / "submissions" / "class"
BAD_INPUT_FOLDER = courses.ROOT / "tests" / "submissions" / "bad_input"
NOTEBOOK = f"{courses.NAME}.ipynb"
SCRIPT = f"{courses.NAME}.py"

ON_TIME = "2026-03-01 10:00:00.000000 UTC"
LATE = "2100-03-05 10:00:00.000000 UTC"
DUE_DATE = "2100-03-02 12:00:00 UTC"  # not in the past: somebody hands in while the test runs

CANVAS_NAME_PATTERN = r".*/(?P<student_id>[^/_]+)_(?:LATE_)?\d+_\d+_(?P<file_id>.+)"
"""The names of the files in Canvas's download, for nbgrader's zip_collect."""

Notebook = dict[str, Any]


def answered_notebook(name: str) -> Notebook:
    """Return the released notebook with the answers of a sample, and the written question of a course that asks it."""
    return add_question(courses.notebook_from_script(CLASS_FOLDER / name / SCRIPT))


def notebook_file(notebook: Notebook, name: str = NOTEBOOK) -> dict[str, bytes]:
    return {name: json.dumps(notebook, indent=1).encode()}


def find_cell(notebook: Notebook, name: str) -> dict[str, Any]:
    """Return the cell that nbgrader knows by this name."""
    return next(cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == name)


def make_zip(files: Mapping[str, bytes]) -> bytes:
    """Return a zip file of these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def add_question(notebook: dict[str, Any]) -> dict[str, Any]:
    """Add the written question to a released notebook, as a course that asks it has it."""
    flags = {
        "schema_version": 3,
        "grade_id": "derivation",
        "grade": True,
        "solution": True,
        "locked": False,
        "points": 2,
    }
    answer = {
        "cell_type": "markdown",
        "id": "derivation",
        "metadata": {"nbgrader": {**flags, "cell_type": "markdown"}},
        "source": "**My explanation** (double-click here to write):\n\nYOUR ANSWER HERE",
    }
    notebook["cells"].insert(-1, answer)
    return notebook


def truncated_notebook(name: str) -> dict[str, bytes]:
    """Return half of a file, as after a failed download: no JSON any more."""
    [(file, data)] = notebook_file(answered_notebook(name)).items()
    return {file: data[: data.index(b"def dJ_dW")]}


def notebook_without_metadata(name: str) -> dict[str, bytes]:
    """Return a notebook without metadata, as some converters leave it."""
    notebook = answered_notebook(name)
    for cell in notebook["cells"]:
        cell["metadata"] = {}
    return notebook_file(notebook)


def notebook_with_copied_cells(name: str) -> dict[str, bytes]:
    """Return a notebook with copies of a solution cell and its check, with metadata of an old version."""
    notebook = answered_notebook(name)
    copies = [json.loads(json.dumps(find_cell(notebook, cell))) for cell in ("dJ_dW", "check_dJ_dW")]
    for cell in copies:
        cell["metadata"]["nbgrader"]["schema_version"] = 1
    notebook["cells"][-1:-1] = copies
    return notebook_file(notebook)


def notebook_with_damaged_checks(name: str) -> dict[str, bytes]:
    """Return a notebook with a check cell deleted, one overwritten and one turned to markdown, named by a browser."""
    notebook = answered_notebook(name)
    notebook["cells"].remove(find_cell(notebook, "check_forward"))
    find_cell(notebook, "check_dJ_dV")["source"] = "print('all right')"
    retyped = find_cell(notebook, "check_dJ_dW")
    retyped["cell_type"] = "markdown"
    del retyped["outputs"], retyped["execution_count"]
    return notebook_file(notebook, f"{courses.NAME} (1).ipynb")


@dataclass(frozen=True)
class SampleStudent:
    """What one student hands in, and the points of each function that are expected: "all", "none" or "less".

    `needs_manual_grade` is for work that cannot be graded, `lacks_answer` for work without the cell of the written
    question; `log_message` is what the log must say about it.
    """

    files: Callable[[], dict[str, bytes]]
    points: dict[str, str] = field(default_factory=dict)
    submitted_at: str = ON_TIME
    needs_manual_grade: bool = False
    lacks_answer: bool = False
    log_message: str = ""


def _script_files(folder: Path) -> Callable[[], dict[str, bytes]]:
    return lambda: {SCRIPT: (folder / SCRIPT).read_bytes()}


def _notebook_files(name: str) -> Callable[[], dict[str, bytes]]:
    return lambda: notebook_file(answered_notebook(name))


NO_POINTS = dict.fromkeys(courses.ARGUMENTS, "none")
STUDENTS: dict[str, SampleStudent] = {
    "right": SampleStudent(_notebook_files("perfect")),
    "wrong": SampleStudent(_notebook_files("transposed_W"), {"dJ_dW": "less", "dJ_dU": "less"}),
    "blank": SampleStudent(
        lambda: notebook_file(
            add_question(json.loads((courses.ROOT / "assignments" / courses.NAME / NOTEBOOK).read_text()))
        ),
        NO_POINTS,
    ),
    "hanging": SampleStudent(_notebook_files("hanging"), {"dJ_dU": "none"}),
    "crashing": SampleStudent(_notebook_files("crashing"), {"dJ_dU": "none"}),
    "memory": SampleStudent(
        _script_files(BAD_INPUT_FOLDER / "much_memory"),
        {"dJ_dW": "none"},
        lacks_answer=True,
        log_message="was graded: there is no notebook",
    ),
    "late": SampleStudent(_notebook_files("perfect"), submitted_at=LATE),
    "again": SampleStudent(_notebook_files("perfect")),
    "script": SampleStudent(
        _script_files(CLASS_FOLDER / "perfect"), lacks_answer=True, log_message="was graded: there is no notebook"
    ),
    "cut": SampleStudent(
        lambda: truncated_notebook("perfect"),
        NO_POINTS,
        needs_manual_grade=True,
        log_message="is not a notebook (not valid JSON)",
    ),
    "stripped": SampleStudent(
        lambda: notebook_without_metadata("perfect"), log_message="Cells recognised without what nbgrader knows them by"
    ),
    "copied": SampleStudent(
        lambda: notebook_with_copied_cells("perfect"),
        log_message="Cells found more than once, of which the last one counts here: dJ_dW",
    ),
    "renamed": SampleStudent(
        lambda: notebook_with_damaged_checks("perfect"),
        log_message="Cells put back because they were missing: check_forward",
    ),
}
