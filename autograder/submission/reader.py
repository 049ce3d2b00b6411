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
from autograder.submission.cells import Cell, CellsError, WrittenCell, defined_in, notebook_cells, script_cells, tidy
from autograder.submission.safe_files import MAX_BYTES as MAX_BYTES  # for those who ask how large a submission may be
from autograder.submission.safe_files import Unreadable
from autograder.submission.sanitize import listing, plain

MOST_ENTRIES = 10_000  # of a folder
ARCHIVE = ".zip"
SUFFIXES = (".ipynb", ".py")  # where both were worked on, the first one counts

_COPY = "(?:copy|kopie|copie|copia)"


class Refused(Exception):
    """Work that cannot be read: one sentence that says why, and what to do."""


@dataclass(frozen=True)
class Released:
    """What was handed out: the sources of its check cells, set-up cells and stub cells, and the names of its stubs."""

    check_cells: frozenset[str]
    set_up: frozenset[str]
    stub_cells: frozenset[str]
    stubs: tuple[str, ...]


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


def read_submission(path: Path, exercise_name: str, released: Released) -> Submission:
    """Read what lies at `path`: a script or a notebook of any name, or a folder or zip file with one of the right name.

    Raises Refused.
    """
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError) as error:  # a name with a null byte is a ValueError
        raise Refused(f"{plain(str(path), 200)} cannot be read: {getattr(error, 'strerror', error)}.") from None
    if stat.S_ISDIR(mode):
        return _from_folder(path, exercise_name, released)
    if path.suffix.lower() == ARCHIVE:
        return _from_archive(path, exercise_name, released)
    if path.suffix.lower() not in SUFFIXES:
        raise Refused(f"{_name(path)} is neither a notebook (.ipynb) nor a script (.py): hand in one of these.")
    file = _File(path, lambda: safe_files.content(path))
    return _submission(file, _cells(file), released, ())


@dataclass(frozen=True)
class _File:
    """A file that may be meant; in a zip file its path is made as if that were a folder."""

    path: Path
    read: Callable[[], bytes]


@dataclass(frozen=True)
class _Place:
    """A folder or a zip file: what to call it, where it is, the files in it, and how one of them is read."""

    called: str
    path: Path
    names: Sequence[str]
    read: Callable[[str], bytes]

    def file(self, name: str) -> _File:
        """One of its files."""
        return _File(self.path / name, lambda: self.read(name))


@dataclass(frozen=True)
class _Found:
    """The files of one suffix that may be meant: of the expected name, and of names made from it by hosts."""

    expected: str
    exact: tuple[str, ...]
    copies: tuple[str, ...]

    @property
    def choice(self) -> str | None:
        """The one to take; None where there is none, or no telling."""
        best = self.exact or self.copies
        return best[0] if len(best) == 1 else None

    @property
    def rivals(self) -> tuple[str, ...]:
        """Those between which there is no telling."""
        return () if self.choice else self.exact or self.copies

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say about the choice."""
        if not self.exact:
            return (f"{listing(self.copies)} was taken for {self.expected}.",)
        return (f"{self.expected} was graded, and not {listing(self.copies)} beside it.",) if self.copies else ()


def _from_folder(folder: Path, exercise_name: str, released: Released) -> Submission:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in islice(entries, MOST_ENTRIES + 1))
    except OSError as error:
        raise Refused(f"The folder {_name(folder)} cannot be read: {error.strerror}.") from None
    if len(names) > MOST_ENTRIES:
        raise Refused(f"The folder {_name(folder)} holds more than {MOST_ENTRIES} files: hand in your own alone.")
    place = _Place(f"folder {_name(folder)}", folder, names, lambda name: safe_files.content(folder / name))
    found = [_find(names, exercise_name, suffix) for suffix in SUFFIXES]
    archives = [name for name in names if name.lower().endswith(ARCHIVE) and not name.startswith(".")]
    if len(archives) == 1 and not any(one.exact or one.copies for one in found):
        return _from_archive(folder / archives[0], exercise_name, released)
    return _from_place(place, found, exercise_name, released)


def _from_archive(path: Path, exercise_name: str, released: Released) -> Submission:
    try:
        names = archive.names(path)
    except Unreadable as reason:
        raise Refused(f"{_name(path)} {reason}.") from None
    place = _Place(f"zip file {_name(path)}", path, names, lambda name: archive.content(path, name))
    found = [_find(names, exercise_name, suffix) for suffix in SUFFIXES]
    submission = _from_place(place, found, exercise_name, released)
    inside = plain(submission.path.relative_to(path).as_posix(), 200)
    return replace(submission, notes=(f"{inside} in {_name(path)} was graded.", *submission.notes))


def _from_place(place: _Place, found: Sequence[_Found], exercise_name: str, released: Released) -> Submission:
    rivals = [name for one in found for name in one.rivals]
    several = any(len(one.exact) > 1 for one in found)
    if several or (rivals and not any(one.exact for one in found)):
        raise Refused(
            f"The {place.called} holds {listing(rivals)}, and it is not plain which one is meant: "
            f"keep one, and call it {exercise_name}{Path(rivals[0]).suffix.lower()}."
        )
    choices = dict(_choice(place, one, released) for one in found if one.choice is not None)
    if not choices:
        raise Refused(_nothing(place, exercise_name))
    if rivals:
        choices = {file: (*notes, f"{listing(rivals)} beside it did not count.") for file, notes in choices.items()}
    if len(choices) == 1:
        [(file, notes)] = choices.items()
        return _submission(file, _cells(file), released, notes)
    return _worked_on(choices, released)


def _choice(place: _Place, found: _Found, released: Released) -> tuple[_File, tuple[str, ...]]:
    """The file to take of one suffix, and notes: a copy that was worked on, where the expected one was not."""
    assert found.choice is not None
    file = place.file(found.choice)
    if not (found.exact and found.copies and _untouched(file, released)):
        return file, found.notes
    worked = [name for name in found.copies if not _untouched(place.file(name), released)]
    if len(worked) > 1:
        raise Refused(
            f"The {place.called} holds {listing(worked)}, and it is not plain which one is meant: "
            f"keep one, and call it {found.expected}."
        )
    if not worked:
        return file, found.notes
    return place.file(worked[0]), (f"{listing(worked)} was graded, since {found.expected} is as it was handed out.",)


def _untouched(file: _File, released: Released) -> bool:
    try:
        return not _differs(_cells(file), released)
    except Refused:
        return False


def _find(names: Sequence[str], exercise_name: str, suffix: str) -> _Found:
    expected = exercise_name + suffix
    copy = re.compile(
        rf"(?:{_COPY}[ _](?:of|von|de|di)[ _])*"  # Colab and Drive in front; browsers, Jupyter and desktops behind
        rf"{re.escape(exercise_name)}(?:[ _-]{{0,3}}(?:\(\d{{1,3}}\)|{_COPY}\d{{0,3}})|[ _-]{{1,3}}\d{{1,3}})*"
        rf"{re.escape(suffix)}",
        re.IGNORECASE,
    )
    last = {name: name.rpartition("/")[2] for name in names}
    return _Found(
        expected,
        exact=tuple(name for name in names if last[name] == expected),
        copies=tuple(name for name in names if last[name] != expected and copy.fullmatch(last[name])),
    )


def _nothing(place: _Place, exercise_name: str) -> str:
    wanted = f"{exercise_name}.ipynb or {exercise_name}.py"
    if not place.names:
        return f"The {place.called} is empty: hand in {wanted}."
    return f"The {place.called} holds no {wanted}, only {listing(place.names)}: give your file its own name back."


def _worked_on(choices: dict[_File, tuple[str, ...]], released: Released) -> Submission:
    """Of a notebook and a script beside it: the one that was worked on; of two, the notebook."""
    cells: dict[_File, tuple[WrittenCell, ...]] = {}
    reasons: list[str] = []
    for file in choices:
        try:
            cells[file] = _cells(file)
        except Refused as reason:
            reasons.append(str(reason))
    worked = [file for file in cells if _differs(cells[file], released)]
    if reasons and not worked:
        raise Refused(reasons[0])
    file = (worked or list(cells))[0]
    notes = (*choices[file], *reasons)
    if len(worked) == 2:
        both = listing([one.path.name for one in worked])
        notes += (f"Both {both} were worked on: {_name(file.path)} was graded.",)
    return _submission(file, cells[file], released, notes)


def _differs(cells: Iterable[WrittenCell], released: Released) -> bool:
    """Whether a cell that defines a stub is no longer the released one."""
    stub_cells = {tidy(source) for source in released.stub_cells}
    own = [cell.written for cell in cells if tidy(cell.written) not in stub_cells]
    return any(defined_in(source, released.stubs) for source in own)


def _submission(file: _File, cells: Iterable[WrittenCell], released: Released, notes: tuple[str, ...]) -> Submission:
    check_cells = {tidy(source) for source in released.check_cells}
    set_up = {tidy(source) for source in released.set_up}
    kept = [cell for cell in cells if not cell.is_check and tidy(cell.written) not in check_cells]
    code = [source for cell in kept if (source := tidy(cell.written)) and source not in set_up]
    return Submission(
        kind="notebook" if file.path.suffix.lower() == ".ipynb" else "script",
        cells=tuple(cell.cell for cell in kept if cell.cell.source.strip()),
        code="\n\n".join(code),
        notes=(*notes, *_dropped(kept, released)),
        path=file.path,
    )


def _dropped(cells: Iterable[WrittenCell], released: Released) -> tuple[str, ...]:
    """What to say of the stubs in cells that a magic takes away."""
    found = [(cell, names) for cell in cells if cell.dropped and (names := defined_in(cell.written, released.stubs))]
    return tuple(
        f"{cell.cell.label} starts with {plain(cell.dropped, 40)}, so what it defines is not kept "
        f"({listing(names)}): take that line away."
        for cell, names in found
    )


def _cells(file: _File) -> tuple[WrittenCell, ...]:
    try:
        text = _text(file.read())
        return notebook_cells(text) if file.path.suffix.lower() == ".ipynb" else script_cells(text)
    except (CellsError, Unreadable) as reason:
        raise Refused(f"{_name(file.path)} {reason}.") from None


def _text(data: bytes) -> str:
    """The text of a file, with plain newlines."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 text (see byte {error.start + 1}): save it as UTF-8 in your editor") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _name(path: Path) -> str:
    return plain(path.name or str(path), 80)
