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
from autograder.release.golden_file import golden_numbers

STUDENT = Path(__file__).parents[1] / "student"
SHIPPED = ("calls.py", "checks.py", "feedback.py", "layout.py")
LEFTOVERS = frozenset({"__pycache__", ".pytest_cache", ".ipynb_checkpoints", ".DS_Store"})
TELLING = 20  # a line of a solution with so many characters says something; `else:` does not


class ReleaseError(Exception):
    """A release that cannot be made: one sentence that says what is wrong and where."""


@dataclass(frozen=True)
class Built:
    """The files of a release by name: `released` are what students get, `source` the same with the model answers."""

    released: dict[str, bytes]
    source: dict[str, bytes]


def release_exercise(
    exercise: Exercise,
    folder: Path,
    source_folder: Path | None = None,
    first: Callable[[Built], None] = lambda built: None,
) -> Path:
    """Build what students get and put it into `folder`, in place of an older release. Returns the folder.

    nbgrader's source of it goes to `source_folder`. Beside each folder stands a list of what was built; where the files
    differ from it, somebody edited them, and they stay as they are. `first` is called before anything is written.
    Raises ReleaseError, and then leaves the older release as it was.
    """
    built = build_all(exercise)
    places = {folder: built.released} | ({source_folder: built.source} if source_folder else {})
    for place, made in places.items():
        _refuse_edited(exercise, place, made)
    first(built)
    for place, made in places.items():
        _put(made, place)
    return folder


def build_source(exercise: Exercise, folder: Path, source_folder: Path) -> Built:
    """nbgrader's source alone, for nbgrader to release it to `folder`; neither may be edited. Raises ReleaseError."""
    built = build_all(exercise)
    _refuse_edited(exercise, folder, built.released)
    _refuse_edited(exercise, source_folder, built.source)
    _put(built.source, source_folder)
    return built


def note_built(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the list of what was built into a folder, if that is what it holds."""
    if all((folder / name).is_file() and (folder / name).read_bytes() == files[name] for name in files):
        list_of(folder).write_bytes(_list(files))


def _refuse_edited(exercise: Exercise, folder: Path, made: Mapping[str, bytes]) -> None:
    listed = _listed(folder)
    changed = [name for name in sorted(listed) if (folder / name).is_file() and _sum(folder / name) != listed[name]]
    if changed:
        raise ReleaseError(
            f"{folder} was edited by hand ({', '.join(changed)}), and it is built from {exercise.folder}: "
            "make the change there, move the edited file away, and try again."
        )
    extra = sorted(_names(folder) - made.keys() - listed.keys())
    if extra:
        raise ReleaseError(f"{folder} holds {', '.join(extra)}, which no release makes: move it away, then try again.")


def _put(files: Mapping[str, bytes], folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
            write_files(files, Path(beside, "new"))
            _replace(folder, Path(beside, "new"), Path(beside, "old"))
        list_of(folder).write_bytes(_list(files))
    except OSError as error:
        raise ReleaseError(f"{folder} cannot be written: {error.strerror or error}.") from None


def list_of(folder: Path) -> Path:
    """The list of what was built into a folder, as sha256sum writes and checks it."""
    return folder.with_name(f"{folder.name}.sha256")


def _list(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)).encode()


def _listed(folder: Path) -> dict[str, str]:
    file = list_of(folder)
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return {name: told for told, _, name in (line.partition("  ") for line in lines)}


def _sum(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def _replace(folder: Path, new: Path, old: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def differences(exercise: Exercise, folder: Path) -> tuple[str, ...]:
    """What a release into `folder` would change, one sentence for each file; nothing when it is up to date."""
    files, there = build(exercise), _names(folder)
    stale = _listed(folder) != {name: sha256(content).hexdigest() for name, content in files.items()}
    missing = [f"{name} is missing." for name in sorted(files.keys() - there)]
    extra = [f"{name} is there, and no release makes it." for name in sorted(there - files.keys())]
    changed = [
        f"{name} differs from what a release makes."
        for name in sorted(files.keys() & there)
        if (folder / name).read_bytes() != files[name]
    ]
    return (*missing, *extra, *changed, *([f"{list_of(folder).name} is out of date."] if stale else []))


def build(exercise: Exercise) -> dict[str, bytes]:
    """The files that students get, by name: the same bytes for the same exercise, wherever and whenever.

    Raises ReleaseError for a source that is wrong and for anything of a solution in what would be handed out.
    """
    return build_all(exercise).released


def build_all(exercise: Exercise) -> Built:
    """Those files, and nbgrader's source of them. Raises ReleaseError like `build`."""
    name = exercise.name
    text = (exercise.folder / f"{name}.py").read_text(encoding="utf-8")
    try:
        cells = source.cells(text)
        _complete(exercise, cells)
        files = {
            f"{name}.py": _script(exercise, cells),
            **exercise.given,
            **{file: (STUDENT / file).read_text(encoding="utf-8") for file in SHIPPED},
            "checks.json": golden_numbers(exercise),
            f"test_{name}.py": (STUDENT / "test_exercise.py").read_text(encoding="utf-8"),
            **{file: _handout(exercise, file) for file in ("README.md", "requirements.txt")},
        }
        made, released = _notebook(exercise, text, cells, files)
    except source.SourceError as error:
        raise ReleaseError(f"{name}.py: {error}") from None
    files[f"{name}.ipynb"] = released
    _keeps_its_secrets(files, text)
    handed_out = {file: content.encode() for file, content in sorted(files.items())}
    return Built(handed_out, handed_out | {f"{name}.ipynb": made.encode()})


def _complete(exercise: Exercise, cells: tuple[source.Cell, ...]) -> None:
    """Every function has one solution cell and one check cell, there are no others, and no two share a name."""
    names = [function.name for function in exercise.functions]
    for kind in ("solution", "check", "hints"):
        there = [cell.name for cell in cells if cell.kind == kind]
        for cell in cells:
            if cell.kind == kind and cell.name not in names:
                known = ", ".join(names)
                raise source.SourceError(f"Line {cell.line} names {cell.name}, and the rubric's functions are {known}.")
        for name in names:
            if there.count(name) != 1 and not (kind == "hints" and name not in there):
                raise source.SourceError(
                    f'There must be one cell # %% {kind}="{name}", and there are {there.count(name)}.'
                )
    taken = {"set_up", *names, *(f"check_{name}" for name in names)}
    for cell in cells:
        if cell.kind == "manual" and cell.name in taken:
            raise source.SourceError(f"Line {cell.line} names {cell.name}, as another cell is: take another name.")
        taken.add(cell.name)
    for check in exercise.visible:
        if check.function not in names:
            raise ReleaseError(
                f"The visible check {check.title!r} is for {check.function}, which is no function of the rubric."
            )
    set_up = sum(cell.kind == "setup" for cell in cells)
    if set_up != 1:
        raise source.SourceError(f"There must be one cell # %% setup, and there are {set_up}.")


def _script(exercise: Exercise, cells: tuple[source.Cell, ...]) -> str:
    """The same stubs for people who prefer an editor."""
    title = [
        "# %% [markdown]",
        f"# The functions of {exercise.name}.ipynb, for an editor: the derivation is in the notebook.",
        f"# `python {exercise.name}.py` and `pytest` check what you wrote.",
    ]
    code = [source.released(cell) for cell in cells if cell.kind in ("setup", "solution")]
    return "\n".join(title) + "\n" + "".join(f"\n# %%\n{cell}\n" for cell in [*code, source.SCRIPT_END])


def _notebook(
    exercise: Exercise, text: str, cells: tuple[source.Cell, ...], files: Mapping[str, str]
) -> tuple[str, str]:
    """The source notebook, and the students'."""
    try:
        from autograder.release import (
            notebook,  # only here: nbgrader takes two seconds to import, and graders need not have it
        )
    except ModuleNotFoundError as missing:
        raise ReleaseError(f"A release needs {missing.name}, which is not installed: run `make release`.") from None
    points = {
        function.name: sum(check.points for check in exercise.checks_of(function.name) if check.counts != "note")
        for function in exercise.functions
    }
    made = notebook.source_notebook(text, cells, points, exercise.folder)
    with tempfile.TemporaryDirectory() as course:
        write_files({**files, f"{exercise.name}.ipynb": made}, Path(course, "source", exercise.name))
        with told_why(f"{exercise.name}.py: nbgrader cannot make the students' notebook of it"):
            folder = notebook.generate_assignment(Path(course), exercise.name)
        released = (folder / f"{exercise.name}.ipynb").read_text(encoding="utf-8")
    known = source.source_cells(text)
    for cell in json.loads(released)["cells"]:
        code = "".join(cell["source"]).strip()
        ours = "nbgrader" in cell["metadata"] and cell["cell_type"] == "code"
        if ours and code not in known.set_up | known.check_cells | known.stub_cells:
            raise ReleaseError(f"nbgrader released a cell that the grader would not know again: {code[:40]!r}.")
    return made, released


@contextmanager
def told_why(what: str) -> Iterator[None]:
    """Make one sentence of whatever nbgrader stumbles over: it logs what went wrong and then raises without it."""
    from nbgrader.converters import NbGraderException

    errors: list[BaseException] = []
    keep, log = logging.Handler(), logging.getLogger("autograder.nbgrader")
    keep.emit = lambda record: errors.extend(filter(None, [sys.exception()]))  # type: ignore[method-assign]  # a handler of one use
    log.addHandler(keep)
    try:
        yield
    except NbGraderException as error:
        first = errors[0] if errors else error
        why = " ".join(f"{type(first).__name__}: {first}".split()).rstrip(".")
        raise ReleaseError(f"{what}: {why}.") from None
    finally:
        log.removeHandler(keep)


def _handout(exercise: Exercise, file: str) -> str:
    path = exercise.folder / "handout" / file
    if not path.is_file():
        raise ReleaseError(f"The exercise {exercise.name} has no handout/{file}: students need it.")
    return path.read_text(encoding="utf-8")


def _keeps_its_secrets(files: Mapping[str, str], text: str) -> None:
    """Refuse to hand out a telling line of a solution, or a solution's marks."""
    telling = [line for line in source.solution_lines(text) if len(line) >= TELLING]
    secrets = (*telling, "BEGIN SOLUTION", "END SOLUTION")
    for name, content in files.items():
        lines = _lines(content) if name.endswith(".ipynb") else content.splitlines()
        for line in lines:
            told = next((secret for secret in secrets if secret in line), None)
            if told:
                raise ReleaseError(f"{name} would give away a line of the solution: {told!r}.")


def _lines(notebook: str) -> Iterator[str]:
    for cell in json.loads(notebook)["cells"]:
        yield from "".join(cell["source"]).splitlines()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - LEFTOVERS if folder.is_dir() else set()


def write_files(files: Mapping[str, str] | Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
