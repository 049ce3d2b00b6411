"""What the class of these tests hands in: work that lies in tests/submissions/, as notebooks, whole and damaged."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import courses

CLASS = courses.ROOT / "tests" / "submissions" / "class"
BAD_INPUT = courses.ROOT / "tests" / "submissions" / "bad_input"
NOTEBOOK = f"{courses.NAME}.ipynb"
SCRIPT = f"{courses.NAME}.py"

ON_TIME = "2026-03-01 10:00:00.000000 UTC"
LATE = "2100-03-05 10:00:00.000000 UTC"
DUE = "2100-03-02 12:00:00 UTC"  # not in the past: somebody hands in while the test runs

CANVAS = r".*/(?P<student_id>[^/_]+)_(?:LATE_)?\d+_\d+_(?P<file_id>.+)"
"""How Canvas calls the files of its download, for nbgrader's zip_collect."""

Notebook = dict[str, Any]


def notebook(name: str) -> Notebook:
    """The released notebook with the answers of a sample."""
    return courses.as_notebook(CLASS / name / SCRIPT)


def as_file(made: Notebook, name: str = NOTEBOOK) -> dict[str, bytes]:
    return {name: json.dumps(made, indent=1).encode()}


def cell(made: Notebook, name: str) -> dict[str, Any]:
    """The cell of a notebook that nbgrader knows by this name."""
    return next(one for one in made["cells"] if one["metadata"].get("nbgrader", {}).get("grade_id") == name)


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip file of these."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def cut_short(name: str) -> dict[str, bytes]:
    """Half of a file, as after a failed download: no JSON any more."""
    [(file, data)] = as_file(notebook(name)).items()
    return {file: data[: data.index(b"def dJ_dW")]}


def stripped(name: str) -> dict[str, bytes]:
    """No metadata, as after some converters."""
    made = notebook(name)
    for one in made["cells"]:
        one["metadata"] = {}
    return as_file(made)


def copied(name: str) -> dict[str, bytes]:
    """A solution cell and its check, copied with all their metadata, and old ones at that."""
    made = notebook(name)
    twice = [json.loads(json.dumps(cell(made, one))) for one in ("dJ_dW", "check_dJ_dW")]
    for one in twice:
        one["metadata"]["nbgrader"]["schema_version"] = 1
    made["cells"][-1:-1] = twice
    return as_file(made)


def without_checks(name: str) -> dict[str, bytes]:
    """A check cell deleted, one typed over, one made a markdown cell, and a name that a browser made."""
    made = notebook(name)
    made["cells"].remove(cell(made, "check_forward"))
    cell(made, "check_dJ_dV")["source"] = "print('all right')"
    retyped = cell(made, "check_dJ_dW")
    retyped["cell_type"] = "markdown"
    del retyped["outputs"], retyped["execution_count"]
    return as_file(made, f"{courses.NAME} (1).ipynb")


@dataclass(frozen=True)
class Student:
    """What one student hands in, and how many points of each function it must have: "all", "none" or "less".

    `waits` is for work that cannot be graded; `says` what the log must say of it.
    """

    files: Callable[[], dict[str, bytes]]
    points: dict[str, str] = field(default_factory=dict)
    handed_in: str = ON_TIME
    waits: bool = False
    says: str = ""


def _script(folder: Path) -> Callable[[], dict[str, bytes]]:
    return lambda: {SCRIPT: (folder / SCRIPT).read_bytes()}


def _notebook(name: str) -> Callable[[], dict[str, bytes]]:
    return lambda: as_file(notebook(name))


NONE = dict.fromkeys(courses.CALLS, "none")
EVERYBODY: dict[str, Student] = {
    "right": Student(_notebook("perfect")),
    "wrong": Student(_notebook("transposed_W"), {"dJ_dW": "less", "dJ_dU": "less"}),
    "blank": Student(lambda: {NOTEBOOK: (courses.ROOT / "assignments" / courses.NAME / NOTEBOOK).read_bytes()}, NONE),
    "hanging": Student(_notebook("hanging"), {"dJ_dU": "none"}),
    "crashing": Student(_notebook("crashing"), {"dJ_dU": "none"}),
    "memory": Student(_script(BAD_INPUT / "much_memory"), {"dJ_dW": "none"}, says="was graded, and no notebook"),
    "late": Student(_notebook("perfect"), handed_in=LATE),
    "again": Student(_notebook("perfect")),
    "script": Student(_script(CLASS / "perfect"), says="was graded, and no notebook"),
    "cut": Student(lambda: cut_short("perfect"), NONE, waits=True, says="is not a notebook (not valid JSON)"),
    "stripped": Student(lambda: stripped("perfect"), says="had lost what nbgrader knows it by"),
    "copied": Student(lambda: copied("perfect"), says="There were 2 cells called dJ_dW"),
    "renamed": Student(lambda: without_checks("perfect"), says="The cell check_forward was missing"),
}
