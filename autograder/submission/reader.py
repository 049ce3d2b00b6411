"""A file, a folder or a zip file that was handed in -> Submission: source text, never executed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from autograder.submission import archive, safe_files
from autograder.submission.cells import (
    Cell,
    CellsError,
    ParsedCell,
    defined_functions,
    normalize_source,
    parse_notebook,
    parse_script,
)
from autograder.submission.safe_files import UnreadableFileError
from autograder.submission.sanitize import join_names, one_line

MAX_ENTRIES = 10_000  # of a folder
ARCHIVE_SUFFIX = ".zip"
SOURCE_SUFFIXES = (".ipynb", ".py")  # where both were worked on, the first one counts

_COPY_WORD = "(?:copy|kopie|copie|copia)"


class SubmissionRefused(Exception):
    """Work that cannot be read: one sentence that says why, and what to do."""


@dataclass(frozen=True)
class ReleasedFiles:
    """What was handed out: the sources of its check cells, set-up cells and stub cells, and the names of its stubs."""

    check_cells: frozenset[str]
    setup_cells: frozenset[str]
    stub_cells: frozenset[str]
    stub_names: tuple[str, ...]


@dataclass(frozen=True)
class Submission:
    """What one person handed in; `cells` are to be run, in order.

    `code` is the student's own code, from which the seed is drawn: no set-up or check cell of the release, no outputs,
    no metadata, no trailing white space. `notes` say which file was taken, where that is not plain.
    """

    kind: Literal["notebook", "script"]
    cells: tuple[Cell, ...]
    code: str
    notes: tuple[str, ...]
    path: Path


def read_submission(path: Path, exercise_name: str, released: ReleasedFiles) -> Submission:
    """Read what lies at `path`: a script or a notebook of any name, or a folder or zip file with one of the right name.

    Raises Refused.
    """
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        raise SubmissionRefused(
            f"{one_line(str(path), 200)} cannot be read: {getattr(error, 'strerror', error)}."
        ) from None
    if stat.S_ISDIR(mode):
        return _read_folder(path, exercise_name, released)
    if path.suffix.lower() == ARCHIVE_SUFFIX:
        return _read_archive(path, exercise_name, released)
    if path.suffix.lower() not in SOURCE_SUFFIXES:
        raise SubmissionRefused(
            f"{_display_name(path)} is neither a notebook (.ipynb) nor a script (.py): hand in one of these."
        )
    file = _SubmittedFile(path, lambda: safe_files.read_regular(path))
    return _build_submission(file, _parse_cells(file), released, ())


@dataclass(frozen=True)
class _SubmittedFile:
    """A file that may be meant; in a zip file its path is made as if that were a folder."""

    path: Path
    read: Callable[[], bytes]


@dataclass(frozen=True)
class _Container:
    """A folder or a zip file: what to call it, where it is, the files in it, and how one of them is read."""

    description: str
    path: Path
    file_names: Sequence[str]
    read: Callable[[str], bytes]

    def file(self, name: str) -> _SubmittedFile:
        """One of its files."""
        return _SubmittedFile(self.path / name, lambda: self.read(name))


@dataclass(frozen=True)
class _NameMatches:
    """The files of one suffix that may be meant: of the expected name, and of names made from it by hosts."""

    expected_name: str
    exact: tuple[str, ...]
    copies: tuple[str, ...]

    @property
    def choice(self) -> str | None:
        """The one to take; None where there is none, or no telling."""
        candidates = self.exact or self.copies
        return candidates[0] if len(candidates) == 1 else None

    @property
    def ambiguous(self) -> tuple[str, ...]:
        """Those between which there is no telling."""
        return () if self.choice else self.exact or self.copies

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say about the choice."""
        if not self.exact:
            return (f"{join_names(self.copies)} was taken for {self.expected_name}.",)
        return (
            (f"{self.expected_name} was graded, and not {join_names(self.copies)} beside it.",) if self.copies else ()
        )


def _read_folder(folder: Path, exercise_name: str, released: ReleasedFiles) -> Submission:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in islice(entries, MAX_ENTRIES + 1))
    except OSError as error:
        raise SubmissionRefused(f"The folder {_display_name(folder)} cannot be read: {error.strerror}.") from None
    if len(names) > MAX_ENTRIES:
        raise SubmissionRefused(
            f"The folder {_display_name(folder)} holds more than {MAX_ENTRIES} files: hand in your own alone."
        )
    container = _Container(
        f"folder {_display_name(folder)}", folder, names, lambda name: safe_files.read_regular(folder / name)
    )
    matches = [_match_names(names, exercise_name, suffix) for suffix in SOURCE_SUFFIXES]
    archives = [name for name in names if name.lower().endswith(ARCHIVE_SUFFIX) and not name.startswith(".")]
    if len(archives) == 1 and not any(one.exact or one.copies for one in matches):
        return _read_archive(folder / archives[0], exercise_name, released)
    return _read_container(container, matches, exercise_name, released)


def _read_archive(path: Path, exercise_name: str, released: ReleasedFiles) -> Submission:
    try:
        names = archive.list_members(path)
    except UnreadableFileError as reason:
        raise SubmissionRefused(f"{_display_name(path)} {reason}.") from None
    container = _Container(f"zip file {_display_name(path)}", path, names, lambda name: archive.read_member(path, name))
    matches = [_match_names(names, exercise_name, suffix) for suffix in SOURCE_SUFFIXES]
    submission = _read_container(container, matches, exercise_name, released)
    member_path = one_line(submission.path.relative_to(path).as_posix(), 200)
    return replace(submission, notes=(f"{member_path} in {_display_name(path)} was graded.", *submission.notes))


def _read_container(
    container: _Container, matches: Sequence[_NameMatches], exercise_name: str, released: ReleasedFiles
) -> Submission:
    ambiguous = [name for one in matches for name in one.ambiguous]
    several_exact = any(len(one.exact) > 1 for one in matches)
    if several_exact or (ambiguous and not any(one.exact for one in matches)):
        raise SubmissionRefused(
            f"The {container.description} holds {join_names(ambiguous)}, and it is not plain which one is meant: "
            f"keep one, and call it {exercise_name}{Path(ambiguous[0]).suffix.lower()}."
        )
    choices = dict(_choose_file(container, one, released) for one in matches if one.choice is not None)
    if not choices:
        raise SubmissionRefused(_no_file_message(container, exercise_name))
    if ambiguous:
        choices = {
            file: (*notes, f"{join_names(ambiguous)} beside it did not count.") for file, notes in choices.items()
        }
    if len(choices) == 1:
        [(file, notes)] = choices.items()
        return _build_submission(file, _parse_cells(file), released, notes)
    return _choose_modified(choices, released)


def _choose_file(
    container: _Container, matches: _NameMatches, released: ReleasedFiles
) -> tuple[_SubmittedFile, tuple[str, ...]]:
    """The file to take of one suffix, and notes: a copy that was worked on, where the expected one was not."""
    assert matches.choice is not None
    file = container.file(matches.choice)
    if not (matches.exact and matches.copies and _is_unmodified(file, released)):
        return file, matches.notes
    modified_copies = [name for name in matches.copies if not _is_unmodified(container.file(name), released)]
    if len(modified_copies) > 1:
        raise SubmissionRefused(
            f"The {container.description} holds {join_names(modified_copies)}, and it is not plain which one is meant: "
            f"keep one, and call it {matches.expected_name}."
        )
    if not modified_copies:
        return file, matches.notes
    return container.file(modified_copies[0]), (
        f"{join_names(modified_copies)} was graded, since {matches.expected_name} is as it was handed out.",
    )


def _is_unmodified(file: _SubmittedFile, released: ReleasedFiles) -> bool:
    try:
        return not _has_student_work(_parse_cells(file), released)
    except SubmissionRefused:
        return False


def _match_names(names: Sequence[str], exercise_name: str, suffix: str) -> _NameMatches:
    expected_name = exercise_name + suffix
    copy_pattern = re.compile(
        rf"(?:{_COPY_WORD}[ _](?:of|von|de|di)[ _])*"  # Colab and Drive in front; browsers, Jupyter and desktops behind
        rf"{re.escape(exercise_name)}(?:[ _-]{{0,3}}(?:\(\d{{1,3}}\)|{_COPY_WORD}\d{{0,3}})|[ _-]{{1,3}}\d{{1,3}})*"
        rf"{re.escape(suffix)}",
        re.IGNORECASE,
    )
    base_names = {name: name.rpartition("/")[2] for name in names}
    return _NameMatches(
        expected_name,
        exact=tuple(name for name in names if base_names[name] == expected_name),
        copies=tuple(
            name for name in names if base_names[name] != expected_name and copy_pattern.fullmatch(base_names[name])
        ),
    )


def _no_file_message(container: _Container, exercise_name: str) -> str:
    expected_names = f"{exercise_name}.ipynb or {exercise_name}.py"
    if not container.file_names:
        return f"The {container.description} is empty: hand in {expected_names}."
    return f"The {container.description} holds no {expected_names}, only {join_names(container.file_names)}: give your file its own name back."


def _choose_modified(choices: dict[_SubmittedFile, tuple[str, ...]], released: ReleasedFiles) -> Submission:
    """Of a notebook and a script beside it: the one that was worked on; of two, the notebook."""
    cells: dict[_SubmittedFile, tuple[ParsedCell, ...]] = {}
    reasons: list[str] = []
    for file in choices:
        try:
            cells[file] = _parse_cells(file)
        except SubmissionRefused as reason:
            reasons.append(str(reason))
    modified = [file for file in cells if _has_student_work(cells[file], released)]
    if reasons and not modified:
        raise SubmissionRefused(reasons[0])
    file = (modified or list(cells))[0]
    notes = (*choices[file], *reasons)
    if len(modified) == 2:
        file_names = join_names([one.path.name for one in modified])
        notes += (f"Both {file_names} were worked on: {_display_name(file.path)} was graded.",)
    return _build_submission(file, cells[file], released, notes)


def _has_student_work(cells: Iterable[ParsedCell], released: ReleasedFiles) -> bool:
    """Whether a cell that defines a stub is no longer the released one."""
    stub_cells = {normalize_source(source) for source in released.stub_cells}
    other_sources = [cell.original_source for cell in cells if normalize_source(cell.original_source) not in stub_cells]
    return any(defined_functions(source, released.stub_names) for source in other_sources)


def _build_submission(
    file: _SubmittedFile, cells: Iterable[ParsedCell], released: ReleasedFiles, notes: tuple[str, ...]
) -> Submission:
    check_cells = {normalize_source(source) for source in released.check_cells}
    setup_cells = {normalize_source(source) for source in released.setup_cells}
    student_cells = [
        cell for cell in cells if not cell.is_check and normalize_source(cell.original_source) not in check_cells
    ]
    sources = [
        source
        for cell in student_cells
        if (source := normalize_source(cell.original_source)) and source not in setup_cells
    ]
    return Submission(
        kind="notebook" if file.path.suffix.lower() == ".ipynb" else "script",
        cells=tuple(cell.runnable for cell in student_cells if cell.runnable.source.strip()),
        code="\n\n".join(sources),
        notes=(*notes, *_dropped_cell_notes(student_cells, released)),
        path=file.path,
    )


def _dropped_cell_notes(cells: Iterable[ParsedCell], released: ReleasedFiles) -> tuple[str, ...]:
    """What to say of the stubs in cells that a magic takes away."""
    affected = [
        (cell, names)
        for cell in cells
        if cell.non_python_magic and (names := defined_functions(cell.original_source, released.stub_names))
    ]
    return tuple(
        f"{cell.runnable.label} starts with {one_line(cell.non_python_magic, 40)}, so what it defines is not kept "
        f"({join_names(names)}): take that line away."
        for cell, names in affected
    )


def _parse_cells(file: _SubmittedFile) -> tuple[ParsedCell, ...]:
    try:
        text = _decode(file.read())
        return parse_notebook(text) if file.path.suffix.lower() == ".ipynb" else parse_script(text)
    except (CellsError, UnreadableFileError) as reason:
        raise SubmissionRefused(f"{_display_name(file.path)} {reason}.") from None


def _decode(data: bytes) -> str:
    """The text of a file, with plain newlines."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            f"is not UTF-8 text (see byte {error.start + 1}): save it as UTF-8 in your editor"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _display_name(path: Path) -> str:
    return one_line(path.name or str(path), 80)
