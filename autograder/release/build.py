"""solutions/NAME -> the files of assignments/NAME, in memory: what students get, and nothing of the answers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.exercise import source
from autograder.exercise.model import Exercise
from autograder.release import handout
from autograder.release.golden_file import golden_file_text
from autograder.release.leaks import find_leak

STUDENT_FOLDER = Path(__file__).parents[1] / "student"
SHIPPED_MODULES = (
    "arguments.py",
    "asking.py",
    "calls.py",
    "checks.py",
    "explain.py",
    "feedback.py",
    "golden.py",
    "layout.py",
    "patterns.py",
    "results.py",
    "rules.py",
    "slope.py",
    "time_limit.py",
)


class ReleaseError(Exception):
    """A release that cannot be made: its text is one sentence that says what is wrong and where."""


@dataclass(frozen=True)
class ReleaseFiles:
    """The files of a release by name: `student_files` for students, `source_files` the same with the model answers."""

    student_files: dict[str, bytes]
    source_files: dict[str, bytes]


def build_release(exercise: Exercise) -> ReleaseFiles:
    """Build the files for students, and nbgrader's source of them: the same bytes on every machine.

    Raises ReleaseError if the source is wrong, or if a file for students would hold a part of a solution.
    """
    name = exercise.name
    full_text = exercise.source_text
    try:
        cells = source.parse_cells(full_text)
        if exercise.written:
            max_points = exercise.max_score + sum(exercise.written.values())
            text = source.with_points_of_questions(full_text, cells, max_points)
        else:
            text, cells = source.without_written_questions(full_text, cells)
        files = {
            f"{name}.py": _build_script(exercise, cells),
            **exercise.support_modules,
            **exercise.notebook_modules,
            **{file: (STUDENT_FOLDER / file).read_text(encoding="utf-8") for file in SHIPPED_MODULES},
            "checks.json": golden_file_text(exercise),
            f"test_{name}.py": (STUDENT_FOLDER / "test_exercise.py").read_text(encoding="utf-8"),
            "README.md": handout.readme(exercise),
            "requirements.txt": handout.requirements(exercise),
        }
        # nbgrader gets the other files too, as they are part of the assignment that it registers and releases.
        source_notebook, files[f"{name}.ipynb"] = _build_notebooks(exercise, text, cells, files)
    except source.SourceError as error:
        raise ReleaseError(f"{name}.py, line {error.line}: {error}") from None
    # Last of all, because a leak may come from any file: a handout, a visible check's title, a markdown cell.
    if leak := find_leak(files, full_text, exercise.teacher_cell):
        raise ReleaseError(f"{leak[0]} would give away a line of the solution: {leak[1]!r}.")
    student_files = {file: content.encode() for file, content in files.items()}
    student_files[f"{name}_files.zip"] = _pack(student_files, without=(f"{name}.py", f"{name}.ipynb", "README.md"))
    student_files = dict(sorted(student_files.items()))
    return ReleaseFiles(student_files, student_files | {f"{name}.ipynb": source_notebook.encode()})


def _pack(files: Mapping[str, bytes], without: Sequence[str]) -> bytes:
    """Return a zip file of all files but some: one upload where a notebook is opened alone, as in Colab.

    It is not compressed, because compressed bytes differ between versions of zlib, and a release must not.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(files.keys() - set(without)):
            entry = zipfile.ZipInfo(file)  # of no particular time
            entry.create_system = 3  # whatever system this is
            archive.writestr(entry, files[file])
    return packed.getvalue()


def _build_script(exercise: Exercise, cells: Sequence[source.ExerciseCell]) -> str:
    """Return the .py with the same stubs, for students who prefer an editor."""
    title = [
        "# %% [markdown]",
        f"# The functions of {exercise.name}.ipynb, for an editor: the derivation is in the notebook.",
        f"# `python {exercise.name}.py` and `pytest` check what you wrote.",
    ]
    code = [source.student_text(cell) for cell in cells if cell.kind in ("setup", "solution")]
    return "\n".join(title) + "\n" + "".join(f"\n# %%\n{cell}\n" for cell in [*code, source.SCRIPT_CHECK_CELL])


def _build_notebooks(
    exercise: Exercise, text: str, cells: Sequence[source.ExerciseCell], files: Mapping[str, str]
) -> tuple[str, str]:
    """Return nbgrader's source notebook and the student's notebook."""
    try:
        from autograder.release import notebook  # late: nbgrader and jupytext, 4 s; not everywhere installed
    except ModuleNotFoundError as missing:
        raise ReleaseError(
            f"A release needs {missing.name}, which is not installed: "
            "install the kit's extra `release`, or run `make release` in a clone."
        ) from None
    points = {
        function.name: sum(check.points for check in exercise.checks_of(function.name) if check.role != "note")
        for function in exercise.functions
    }
    source_notebook = notebook.make_source_notebook(text, cells, points, exercise.folder)
    sources = {file: content.encode() for file, content in files.items()}
    sources[f"{exercise.name}.ipynb"] = source_notebook.encode()
    try:
        student_notebook = notebook.generate_assignment(exercise.name, sources)
    except notebook.NbgraderError as error:
        raise ReleaseError(f"{exercise.name}.py: nbgrader cannot make the students' notebook of it: {error}.") from None
    _require_recognizable_cells(student_notebook, text)
    return source_notebook, student_notebook


def _require_recognizable_cells(student_notebook: str, text: str) -> None:
    """Refuse a notebook of which the grader, which reads the source as text, would not recognize the released cells."""
    released = source.extract_released_cells(text)
    known_sources = released.setup_cells | released.check_cells | released.stub_cells
    for cell in json.loads(student_notebook)["cells"]:
        code = "".join(cell["source"]).strip()
        if "nbgrader" in cell["metadata"] and cell["cell_type"] == "code" and code not in known_sources:
            raise ReleaseError(f"nbgrader released a cell that the grader would not know again: {code[:40]!r}.")
