"""A file, a folder or a zip file that was handed in -> Submission: source text, never executed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal

from autograder.submission import archive, safe_files
from autograder.submission.cells import (
    Cell,
    CellsError,
    ParsedCell,
    defined_functions,
    has_code,
    normalize_source,
    parse_notebook,
)
from autograder.submission.notebook_json import MAX_RAW_BYTES, Content, read_file
from autograder.submission.notes import dropped_cell_notes, files_beside_notes
from autograder.submission.safe_files import UnreadableFileError
from autograder.submission.sanitize import join_names, one_line
from autograder.submission.script import parse_script
from autograder.submission.stub_lines import is_unwritten

MAX_ENTRIES = 10_000  # in a folder
ARCHIVE_SUFFIX = ".zip"
SOURCE_SUFFIXES = (".ipynb", ".py")  # if both were edited, the first one counts

MAX_RENAMED = 20  # files of other names that are read to find the one that holds the answers
MAX_COPIES = 5  # of the exercise's file: each is read, and for each its zip file is opened anew

_COPY_WORD = "(?:copy|kopie|copie|copia)"


class SubmissionRefused(Exception):
    """A submission that cannot be read: its text is one sentence that says why, and what to do."""


@dataclass(frozen=True)
class ReleasedFiles:
    """What was handed out: its check cells, stub cells, stubs and modules; and how large a file handed in may be."""

    check_cells: frozenset[str]
    stub_cells: frozenset[str]
    stub_names: tuple[str, ...]
    modules: tuple[str, ...] = ()
    max_bytes: int = safe_files.MAX_BYTES


@dataclass(frozen=True)
class Submission:
    """What one person handed in; `cells` are to be run, in order.

    `notes` say which file was graded if that is not obvious.
    """

    kind: Literal["notebook", "script"]
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]
    path: Path


def read_submission(path: Path, exercise_name: str, released: ReleasedFiles) -> Submission:
    """Read a script or notebook of any name, or the one in a folder or zip file that has the exercise's name.

    Folders and zip files are searched alike, three folders deep: of several files of that name the uppermost counts.

    Raises SubmissionRefused.
    """
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        reason = getattr(error, "strerror", error)
        raise SubmissionRefused(f"{_display_name(path)} cannot be read: {reason}.") from None
    if stat.S_ISDIR(mode):
        return _read_folder(path, exercise_name, released)
    if stat.S_ISLNK(mode):
        raise SubmissionRefused(f"{_display_name(path)} is a symbolic link: name, or hand in, the file itself.")
    if path.suffix.lower() == ARCHIVE_SUFFIX:
        return _read_archive(path, exercise_name, released)
    if path.suffix.lower() not in SOURCE_SUFFIXES:
        raise SubmissionRefused(
            f"{_display_name(path)} is neither a notebook (.ipynb) nor a script (.py): hand in one of these."
        )
    submission = _build_submission(path, _make_parser(read_file, released.max_bytes)(path), released, ())
    return _with_notes_on_files(submission, released, lambda name: os.path.lexists(path.with_name(name)))


@dataclass(frozen=True)
class _Container:
    """A folder or a zip file: what to call it, where it is, the files in it, and how to read the cells of one of them.

    The path of a file in a zip file is built as if the archive were a folder.
    """

    description: str
    path: Path
    file_names: Sequence[str]
    parse: Callable[[Path], tuple[ParsedCell, ...]]

    def ambiguous_error(self, names: Sequence[str], expected_name: str) -> SubmissionRefused:
        return SubmissionRefused(
            f"The {self.description} holds {join_names(names)}, and it is unclear which one counts: "
            f"keep one, and call it {expected_name}."
        )


@dataclass(frozen=True)
class _NameMatches:
    """The files of one suffix that may be meant: of the expected name, and copies.

    Copies are files that a browser or a host renamed, and files of the expected name in folders further down.
    """

    expected_name: str
    exact: tuple[str, ...]
    copies: tuple[str, ...]

    @property
    def candidates(self) -> tuple[str, ...]:
        """The files of the exact name; the copies if there are none."""
        return self.exact or self.copies


def _read_folder(folder: Path, exercise_name: str, released: ReleasedFiles) -> Submission:
    shown_name = _display_name(folder)
    try:
        names = list_folder(folder)
    except OSError as error:
        raise SubmissionRefused(f"The folder {shown_name} cannot be read: {error.strerror}.") from None
    if sum("/" not in name for name in names) > MAX_ENTRIES:
        raise SubmissionRefused(f"The folder {shown_name} holds more than {MAX_ENTRIES} files: hand in only your own.")
    matches = _match_names(names, exercise_name)
    archives = [name for name in names if name.lower().endswith(ARCHIVE_SUFFIX) and not name.startswith(".")]
    if len(archives) == 1 and not any(match.candidates for match in matches):
        return _read_archive(folder / archives[0], exercise_name, released)
    container = _Container(f"folder {shown_name}", folder, names, _make_parser(read_file, released.max_bytes))
    return _read_container(container, matches, exercise_name, released)


def list_folder(folder: Path) -> list[str]:
    """Return the names in a folder, then the files in folders below it, as far as a submission is looked for.

    Of a folder with more than MAX_ENTRIES names these alone are returned, one too many. Raises OSError.
    """
    names = _list_names(folder)
    return names if len(names) > MAX_ENTRIES else [*names, *_list_files_below(folder, names)]


def _list_names(folder: Path) -> list[str]:
    """Return the sorted names in a folder; one more than MAX_ENTRIES tells that there are too many."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in islice(entries, MAX_ENTRIES + 1))


def _list_files_below(folder: Path, names: Sequence[str]) -> list[str]:
    """Return the files in the folders of that name, level by level, as paths within `folder`.

    What archive.list_members omits is omitted here: hidden folders, those that macOS adds, links, and what lies too
    deep. So is what lies behind MAX_ENTRIES, and what cannot be read.
    """
    files: list[str] = []
    level = list(names)
    for _ in range(archive.MAX_DEPTH):
        visible = (name for name in level if not name.rpartition("/")[2].startswith((".", "__MACOSX")))
        folders = [name for name in visible if stat.S_ISDIR(_mode(folder / name))]
        level = []
        for name in folders:
            with suppress(OSError):
                level += (f"{name}/{entry}" for entry in _list_names(folder / name))
            if len(files) + len(level) > MAX_ENTRIES:
                return files
        files += (name for name in level if stat.S_ISREG(_mode(folder / name)))
    return files


def _mode(path: Path) -> int:
    """Return the mode of a file, of a link itself; 0 if it cannot be read."""
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0


def _read_archive(path: Path, exercise_name: str, released: ReleasedFiles) -> Submission:
    shown_name = _display_name(path)
    try:
        names = archive.list_members(path)
    except UnreadableFileError as reason:
        raise SubmissionRefused(f"{shown_name} {reason}.") from None

    def read_member(file: Path, max_bytes: int) -> Content:
        return archive.read_member(path, file.relative_to(path).as_posix(), max_bytes)

    container = _Container(f"zip file {shown_name}", path, names, _make_parser(read_member, released.max_bytes))
    submission = _read_container(container, _match_names(names, exercise_name), exercise_name, released)
    member_path = one_line(submission.path.relative_to(path).as_posix(), 200)
    return replace(submission, notes=(f"{member_path} in {shown_name} was graded.", *submission.notes))


@cache
def _copy_pattern(exercise_name: str, suffix: str) -> re.Pattern[str]:
    """Return what fits the name of an exercise's file, and what programs make of it when they copy it."""
    # Colab and Drive put their words in front; browsers, Jupyter and desktops put theirs behind.
    return re.compile(
        rf"(?:{_COPY_WORD}[ _](?:of|von|de|di)[ _])*"
        rf"{re.escape(exercise_name)}(?:[ _-]{{0,3}}(?:\(\d{{1,3}}\)|{_COPY_WORD}\d{{0,3}})|[ _-]{{1,3}}\d{{1,3}})*"
        rf"{re.escape(suffix)}",
        re.IGNORECASE,
    )


def is_exercise_file(name: str, exercise_name: str) -> bool:
    """Return whether a file is called like the exercise, or like a copy of that."""
    return any(_copy_pattern(exercise_name, suffix).fullmatch(name) for suffix in SOURCE_SUFFIXES)


def holds_exercise_file(folder: Path, exercise_name: str) -> bool:
    """Return whether a file in a folder, or in one below it, is called like the exercise. Raises OSError."""
    return any(is_exercise_file(name.rpartition("/")[2], exercise_name) for name in list_folder(folder))


def _match_names(names: Sequence[str], exercise_name: str) -> list[_NameMatches]:
    """Return the files that may be meant, for each suffix of a submission."""
    base_names = {name: name.rpartition("/")[2] for name in names}
    matches = []
    for suffix in SOURCE_SUFFIXES:
        copy_pattern = _copy_pattern(exercise_name, suffix)
        expected_name = exercise_name + suffix
        named = [name for name in names if base_names[name] == expected_name]
        depth = min((name.count("/") for name in named), default=0)
        exact = tuple(name for name in named if name.count("/") == depth)
        similar = (name for name in names if copy_pattern.fullmatch(base_names[name]))
        exact_names = frozenset(exact)  # there may be thousands
        matches.append(_NameMatches(expected_name, exact, tuple(name for name in similar if name not in exact_names)))
    return matches


def _read_container(
    container: _Container, matches: Sequence[_NameMatches], exercise_name: str, released: ReleasedFiles
) -> Submission:
    """Decide which file of a folder or zip file counts, and read it."""
    # Several copies of one suffix are no problem if a file of the other suffix has the exact name: it counts.
    ambiguous = [name for match in matches if len(match.candidates) > 1 for name in match.candidates]
    several_exact = any(len(match.exact) > 1 for match in matches)
    if several_exact or (ambiguous and not any(match.exact for match in matches)):
        raise container.ambiguous_error(ambiguous, exercise_name + Path(ambiguous[0]).suffix.lower())
    choices = [_choose_file(container, match, released) for match in matches if len(match.candidates) == 1]
    if not choices:
        if len(renamed := _find_renamed(container, released)) == 1:
            file = container.path / renamed[0]
            note = f"{join_names(renamed)} was taken for {exercise_name}{file.suffix.lower()}."
            return _build_submission(file, container.parse(file), released, (note,))
        expected_names = f"{exercise_name}.ipynb or {exercise_name}.py"
        if not container.file_names:
            raise SubmissionRefused(f"The {container.description} is empty: hand in {expected_names}.")
        raise SubmissionRefused(
            f"The {container.description} holds no {expected_names}, only {join_names(container.file_names)}: "
            "give your file its original name."
        )
    if ambiguous:
        ignored = f"{join_names(ambiguous)} beside it did not count."
        choices = [(file, (*notes, ignored)) for file, notes in choices]
    if len(choices) == 1:
        [(file, notes)] = choices
        submission = _build_submission(file, container.parse(file), released, notes)
    else:
        submission = _choose_edited(container, choices, released)
    folder = submission.path.relative_to(container.path).parent
    return _with_notes_on_files(submission, released, lambda name: (folder / name).as_posix() in container.file_names)


def _choose_file(container: _Container, matches: _NameMatches, released: ReleasedFiles) -> tuple[Path, tuple[str, ...]]:
    """Return the file of one suffix that counts, and notes about it."""
    file, name, copies = container.path / matches.candidates[0], matches.expected_name, matches.copies
    if not copies:
        return file, ()
    if not matches.exact:
        return file, (f"{join_names(copies)} was taken for {name}.",)
    # Somebody may have edited the browser's copy, "ex (1).ipynb", and left the file of the right name untouched.
    if _is_unedited(file, container, released):
        if len(copies) > MAX_COPIES:
            raise container.ambiguous_error(copies, name)
        edited = [copy for copy in copies if not _is_unedited(container.path / copy, container, released)]
        if len(edited) > 1:
            raise container.ambiguous_error(edited, name)
        if edited:
            note = f"{join_names(edited)} was graded, because {name} is as it was handed out."
            return container.path / edited[0], (note,)
    return file, (f"{name} was graded, and not {join_names(copies)} beside it.",)


def _is_unedited(file: Path, container: _Container, released: ReleasedFiles) -> bool:
    try:
        return not _has_student_work(container.parse(file), released)
    except SubmissionRefused:
        return False


def _choose_edited(
    container: _Container, choices: Iterable[tuple[Path, tuple[str, ...]]], released: ReleasedFiles
) -> Submission:
    """Read the notebook or the script, whichever was edited; the notebook if both were or neither."""
    readable: list[tuple[Path, tuple[str, ...], tuple[ParsedCell, ...]]] = []
    reasons: list[str] = []
    for file, notes in choices:
        try:
            readable.append((file, notes, container.parse(file)))
        except SubmissionRefused as reason:
            reasons.append(str(reason))
    edited = [candidate for candidate in readable if _has_student_work(candidate[2], released)]
    if reasons and not edited:  # the work may be in the file that cannot be read
        raise SubmissionRefused(reasons[0])
    file, notes, cells = (edited or readable)[0]
    notes += tuple(reasons)
    if len(edited) == 2:
        file_names = join_names([other.name for other, _, _ in edited])
        notes += (f"Both {file_names} were worked on: {_display_name(file)} was graded.",)
    return _build_submission(file, cells, released, notes)


def _find_renamed(container: _Container, released: ReleasedFiles) -> list[str]:
    """Return the files that define stubs, whatever they are called; few files are looked into."""
    sources = [name for name in container.file_names if name.lower().endswith(SOURCE_SUFFIXES)]
    visible = [name for name in sources if not name.rpartition("/")[2].startswith(".")]
    renamed = []
    for name in visible[:MAX_RENAMED]:
        with suppress(SubmissionRefused):
            cells = container.parse(container.path / name)
            if any(defined_functions(cell.original_source, released.stub_names) for cell in cells):
                renamed.append(name)
    return renamed


def _has_student_work(cells: Iterable[ParsedCell], released: ReleasedFiles) -> bool:
    """Return whether a cell defines a stub in another way than the released one, and than stubs of other releases."""
    stub_cells = {normalize_source(source) for source in released.stub_cells}
    sources = [cell.original_source for cell in cells if normalize_source(cell.original_source) not in stub_cells]
    return any(
        not is_unwritten(name, source) for source in sources for name in defined_functions(source, released.stub_names)
    )


def _build_submission(
    file: Path, cells: Iterable[ParsedCell], released: ReleasedFiles, notes: tuple[str, ...]
) -> Submission:
    check_cells = {normalize_source(source) for source in released.check_cells}  # they are not run
    student_cells = [
        cell for cell in cells if not cell.is_check and normalize_source(cell.original_source) not in check_cells
    ]
    return Submission(
        kind="notebook" if file.suffix.lower() == ".ipynb" else "script",
        cells=tuple(cell.runnable for cell in student_cells if has_code(cell.runnable.source)),
        notes=(*notes, *dropped_cell_notes(student_cells, released.stub_names)),
        path=file,
    )


def _with_notes_on_files(submission: Submission, released: ReleasedFiles, exists: Callable[[str], bool]) -> Submission:
    notes = files_beside_notes(submission.cells, (*released.modules, submission.path.stem), exists)
    return replace(submission, notes=(*submission.notes, *notes))


def _make_parser(read: Callable[[Path, int], Content], max_bytes: int) -> Callable[[Path], tuple[ParsedCell, ...]]:
    """Return what parses the files of one container, each once: only so much of all of them is read."""
    bytes_read = raw_bytes_read = 0

    def read_counted(file: Path) -> bytes:
        nonlocal bytes_read, raw_bytes_read
        if bytes_read > max_bytes or raw_bytes_read > MAX_RAW_BYTES:
            raise UnreadableFileError("is one of several large files: hand in only your own")
        content = read(file, max_bytes)
        bytes_read += len(content.data)
        raw_bytes_read += content.raw_size
        return content.data

    return cache(lambda file: _parse_cells(file, read_counted))


def _parse_cells(file: Path, read: Callable[[Path], bytes]) -> tuple[ParsedCell, ...]:
    try:
        text = read(file).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        return parse_notebook(text) if file.suffix.lower() == ".ipynb" else parse_script(text)
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text (see byte {error.start + 1}): save it as UTF-8 in your editor"
    except (CellsError, UnreadableFileError) as error:
        reason = str(error)
    raise SubmissionRefused(f"{_display_name(file)} {reason}.")


def _display_name(path: Path) -> str:
    return one_line(path.name or str(path), 80)
