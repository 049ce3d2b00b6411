"""solutions/NAME -> assignments/NAME: what students get, and nothing of the answers."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from autograder.exercise import source
from autograder.exercise.model import Exercise
from autograder.release.golden_file import golden_file_text
from autograder.submission.safe_files import write_atomically

STUDENT_FOLDER = Path(__file__).parents[1] / "student"
SHIPPED_MODULES = ("calls.py", "checks.py", "feedback.py", "layout.py")
IGNORED_NAMES = frozenset({"__pycache__", ".pytest_cache", ".ipynb_checkpoints", ".DS_Store"})
MIN_LEAK_LENGTH = 20  # a line of a solution with so many characters says something; `else:` does not


class ReleaseError(Exception):
    """A release that cannot be made: one sentence that says what is wrong and where."""


@dataclass(frozen=True)
class ReleaseFiles:
    """The files of a release by name: `student_files` are what students get, `source_files` the same with the model answers."""

    student_files: dict[str, bytes]
    source_files: dict[str, bytes]


def release_exercise(
    exercise: Exercise,
    folder: Path,
    source_folder: Path | None = None,
    before_write: Callable[[ReleaseFiles], None] = lambda built: None,
) -> Path:
    """Build what students get and put it into `folder`, in place of an older release. Returns the folder.

    nbgrader's source of it goes to `source_folder`. Beside each folder stands a list of what was built; where the files
    differ from it, somebody edited them, and they stay as they are. `before_write` is called before anything is written.
    Raises ReleaseError, and then leaves the older release as it was.
    """
    release_files = build_release(exercise)
    files_by_folder = {folder: release_files.student_files} | (
        {source_folder: release_files.source_files} if source_folder else {}
    )
    for target, files in files_by_folder.items():
        _refuse_edited(exercise, target, files)
    before_write(release_files)
    for target, files in files_by_folder.items():
        _install(files, target)
    return folder


def build_source(exercise: Exercise, folder: Path, source_folder: Path) -> ReleaseFiles:
    """nbgrader's source alone, for nbgrader to release it to `folder`; neither may be edited. Raises ReleaseError."""
    release_files = build_release(exercise)
    _refuse_edited(exercise, folder, release_files.student_files)
    _refuse_edited(exercise, source_folder, release_files.source_files)
    _install(release_files.source_files, source_folder)
    return release_files


def record_manifest(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the list of what was built into a folder, if that is what it holds."""
    if all((folder / name).is_file() and (folder / name).read_bytes() == files[name] for name in files):
        write_atomically(manifest_path(folder), _format_manifest(files))


def _refuse_edited(exercise: Exercise, folder: Path, files: Mapping[str, bytes]) -> None:
    manifest = _read_manifest(folder)
    changed = [
        name for name in sorted(manifest) if (folder / name).is_file() and _file_digest(folder / name) != manifest[name]
    ]
    if changed:
        raise ReleaseError(
            f"{folder} was edited by hand ({', '.join(changed)}), and it is built from {exercise.folder}: "
            "make the change there, move the edited file away, and try again."
        )
    extra = sorted(_file_names(folder) - files.keys() - manifest.keys())
    if extra:
        raise ReleaseError(f"{folder} holds {', '.join(extra)}, which no release makes: move it away, then try again.")


def _install(files: Mapping[str, bytes], folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as staging:
            write_files(files, Path(staging, "new"))
            _replace_folder(folder, Path(staging, "new"), Path(staging, "old"))
        write_atomically(manifest_path(folder), _format_manifest(files))
    except OSError as error:
        raise ReleaseError(f"{folder} cannot be written: {error.strerror or error}.") from None


def manifest_path(folder: Path) -> Path:
    """The list of what was built into a folder, as sha256sum writes and checks it."""
    return folder.with_name(f"{folder.name}.sha256")


def _format_manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def _read_manifest(folder: Path) -> dict[str, str]:
    path = manifest_path(folder)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {name: told for told, _, name in (line.partition("  ") for line in lines)}


def _file_digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _replace_folder(folder: Path, new: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def diff_release(exercise: Exercise, folder: Path) -> tuple[str, ...]:
    """What a release into `folder` would change, one sentence for each file; nothing when it is up to date."""
    files, existing = build_student_files(exercise), _file_names(folder)
    stale = _read_manifest(folder) != {name: sha256(content).hexdigest() for name, content in files.items()}
    missing = [f"{name} is missing." for name in sorted(files.keys() - existing)]
    extra = [f"{name} is there, and no release makes it." for name in sorted(existing - files.keys())]
    changed = [
        f"{name} differs from what a release makes."
        for name in sorted(files.keys() & existing)
        if (folder / name).read_bytes() != files[name]
    ]
    return (*missing, *extra, *changed, *([f"{manifest_path(folder).name} is out of date."] if stale else []))


def build_student_files(exercise: Exercise) -> dict[str, bytes]:
    """The files that students get, by name: the same bytes for the same exercise, wherever and whenever.

    Raises ReleaseError for a source that is wrong and for anything of a solution in what would be handed out.
    """
    return build_release(exercise).student_files


def build_release(exercise: Exercise) -> ReleaseFiles:
    """Those files, and nbgrader's source of them. Raises ReleaseError like `build_student_files`."""
    name = exercise.name
    text = (exercise.folder / f"{name}.py").read_text(encoding="utf-8")
    try:
        cells = source.parse_cells(text)
        _validate_cells(exercise, cells)
        files = {
            f"{name}.py": _build_script(exercise, cells),
            **exercise.support_modules,
            **{file: (STUDENT_FOLDER / file).read_text(encoding="utf-8") for file in SHIPPED_MODULES},
            "checks.json": golden_file_text(exercise),
            f"test_{name}.py": (STUDENT_FOLDER / "test_exercise.py").read_text(encoding="utf-8"),
            **{file: _read_handout(exercise, file) for file in ("README.md", "requirements.txt")},
        }
        source_notebook, student_notebook = _build_notebooks(exercise, text, cells, files)
    except source.SourceError as error:
        raise ReleaseError(f"{name}.py: {error}") from None
    files[f"{name}.ipynb"] = student_notebook
    _check_no_leaks(files, text)
    student_files = {file: content.encode() for file, content in sorted(files.items())}
    return ReleaseFiles(student_files, student_files | {f"{name}.ipynb": source_notebook.encode()})


def _validate_cells(exercise: Exercise, cells: tuple[source.ExerciseCell, ...]) -> None:
    """Every function has one solution cell and one check cell, there are no others, and no two share a name."""
    names = [function.name for function in exercise.functions]
    for kind in ("solution", "check", "hints"):
        cell_names = [cell.name for cell in cells if cell.kind == kind]
        for cell in cells:
            if cell.kind == kind and cell.name not in names:
                known = ", ".join(names)
                raise source.SourceError(f"Line {cell.line} names {cell.name}, and the rubric's functions are {known}.")
        for name in names:
            if cell_names.count(name) != 1 and not (kind == "hints" and name not in cell_names):
                raise source.SourceError(
                    f'There must be one cell # %% {kind}="{name}", and there are {cell_names.count(name)}.'
                )
    used_names = {"set_up", *names, *(f"check_{name}" for name in names)}
    for cell in cells:
        if cell.kind == "manual" and cell.name in used_names:
            raise source.SourceError(f"Line {cell.line} names {cell.name}, as another cell is: take another name.")
        used_names.add(cell.name)
    for check in exercise.visible_checks:
        if check.function not in names:
            raise ReleaseError(
                f"The visible check {check.title!r} is for {check.function}, which is no function of the rubric."
            )
    setup_count = sum(cell.kind == "setup" for cell in cells)
    if setup_count != 1:
        raise source.SourceError(f"There must be one cell # %% setup, and there are {setup_count}.")


def _build_script(exercise: Exercise, cells: tuple[source.ExerciseCell, ...]) -> str:
    """The same stubs for people who prefer an editor."""
    title = [
        "# %% [markdown]",
        f"# The functions of {exercise.name}.ipynb, for an editor: the derivation is in the notebook.",
        f"# `python {exercise.name}.py` and `pytest` check what you wrote.",
    ]
    code = [source.student_text(cell) for cell in cells if cell.kind in ("setup", "solution")]
    return "\n".join(title) + "\n" + "".join(f"\n# %%\n{cell}\n" for cell in [*code, source.SCRIPT_CHECK_CELL])


def _build_notebooks(
    exercise: Exercise, text: str, cells: tuple[source.ExerciseCell, ...], files: Mapping[str, str]
) -> tuple[str, str]:
    """The source notebook, and the students'."""
    try:
        from autograder.release import (
            notebook,  # only here: nbgrader takes two seconds to import, and graders need not have it
        )
    except ModuleNotFoundError as missing:
        raise ReleaseError(f"A release needs {missing.name}, which is not installed: run `make release`.") from None
    points = {
        function.name: sum(check.points for check in exercise.checks_of(function.name) if check.role != "note")
        for function in exercise.functions
    }
    source_notebook = notebook.make_source_notebook(text, cells, points, exercise.folder)
    with tempfile.TemporaryDirectory() as course:
        write_files({**files, f"{exercise.name}.ipynb": source_notebook}, Path(course, "source", exercise.name))
        with translate_nbgrader_errors(f"{exercise.name}.py: nbgrader cannot make the students' notebook of it"):
            folder = notebook.generate_assignment(Path(course), exercise.name)
        student_notebook = (folder / f"{exercise.name}.ipynb").read_text(encoding="utf-8")
    released_cells = source.extract_released_cells(text)
    for cell in json.loads(student_notebook)["cells"]:
        code = "".join(cell["source"]).strip()
        is_released_code = "nbgrader" in cell["metadata"] and cell["cell_type"] == "code"
        if (
            is_released_code
            and code not in released_cells.setup_cells | released_cells.check_cells | released_cells.stub_cells
        ):
            raise ReleaseError(f"nbgrader released a cell that the grader would not know again: {code[:40]!r}.")
    return source_notebook, student_notebook


@contextmanager
def translate_nbgrader_errors(prefix: str) -> Iterator[None]:
    """Make one sentence of whatever nbgrader stumbles over: it logs what went wrong and then raises without it."""
    from nbgrader.converters import NbGraderException

    errors: list[BaseException] = []
    handler, log = logging.Handler(), logging.getLogger("autograder.nbgrader")
    handler.emit = lambda record: errors.extend(filter(None, [sys.exception()]))  # type: ignore[method-assign]  # a handler of one use
    log.addHandler(handler)
    try:
        yield
    except NbGraderException as error:
        cause = errors[0] if errors else error
        reason = " ".join(f"{type(cause).__name__}: {cause}".split()).rstrip(".")
        raise ReleaseError(f"{prefix}: {reason}.") from None
    finally:
        log.removeHandler(handler)


def _read_handout(exercise: Exercise, file: str) -> str:
    path = exercise.folder / "handout" / file
    if not path.is_file():
        raise ReleaseError(f"The exercise {exercise.name} has no handout/{file}: students need it.")
    return path.read_text(encoding="utf-8")


def _check_no_leaks(files: Mapping[str, str], text: str) -> None:
    """Refuse to hand out a telling line of a solution, or a solution's marks."""
    long_lines = [line for line in source.solution_lines(text) if len(line) >= MIN_LEAK_LENGTH]
    secrets = (*long_lines, "BEGIN SOLUTION", "END SOLUTION")
    for name, content in files.items():
        lines = _notebook_lines(content) if name.endswith(".ipynb") else content.splitlines()
        for line in lines:
            leaked = next((secret for secret in secrets if secret in line), None)
            if leaked:
                raise ReleaseError(f"{name} would give away a line of the solution: {leaked!r}.")


def _notebook_lines(notebook: str) -> Iterator[str]:
    for cell in json.loads(notebook)["cells"]:
        yield from "".join(cell["source"]).splitlines()


def _file_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - IGNORED_NAMES if folder.is_dir() else set()


def write_files(files: Mapping[str, str] | Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
