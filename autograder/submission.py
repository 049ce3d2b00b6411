"""A file or a folder that was handed in -> Submission: source text, never executed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from autograder.cells import Cell, CellsError, WrittenCell, defined_in, notebook_cells, script_cells, tidy
from autograder.text import listing, plain

MAX_BYTES = 10_000_000
MOST_ENTRIES = 10_000  # of a folder, that are looked at
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
    """Read what lies at `path`: a script or a notebook of any name, or a folder that holds one of the exercise's name.

    Raises Refused.
    """
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        raise Refused(f"{plain(str(path), 200)} cannot be read: {error.strerror}.") from None
    if stat.S_ISDIR(mode):
        return _from_folder(path, exercise_name, released)
    if path.suffix.lower() not in SUFFIXES:
        raise Refused(f"{_name(path)} is neither a notebook (.ipynb) nor a script (.py): hand in one of these.")
    return _submission(path, _cells(path), released, ())


@dataclass(frozen=True)
class _Found:
    """The files of one suffix in a folder that may be meant: the expected name, and names made from it by hosts."""

    expected: str
    exact: bool
    copies: tuple[str, ...]

    @property
    def choice(self) -> str | None:
        """The one to take; None where there is none, or no telling."""
        if self.exact:
            return self.expected
        return self.copies[0] if len(self.copies) == 1 else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What to say about the choice."""
        if not self.exact:
            return (f"{listing(self.copies)} was taken for {self.expected}.",)
        return (f"{self.expected} was graded, and not {listing(self.copies)} beside it.",) if self.copies else ()


def _from_folder(folder: Path, exercise_name: str, released: Released) -> Submission:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in islice(entries, MOST_ENTRIES))
    except OSError as error:
        raise Refused(f"The folder {_name(folder)} cannot be read: {error.strerror}.") from None
    found = [_find(names, exercise_name, suffix) for suffix in SUFFIXES]
    rivals = [name for one in found if one.choice is None for name in one.copies]
    if rivals and not any(one.exact for one in found):
        raise Refused(
            f"The folder {_name(folder)} holds {listing(rivals)}, and it is not plain which one is meant: "
            f"keep one, and call it {exercise_name}{Path(rivals[0]).suffix.lower()}."
        )
    choices = {folder / one.choice: one.notes for one in found if one.choice is not None}
    if not choices:
        raise Refused(_nothing(folder, names, exercise_name))
    if rivals:
        choices = {path: (*notes, f"{listing(rivals)} beside it did not count.") for path, notes in choices.items()}
    if len(choices) == 1:
        [(path, notes)] = choices.items()
        return _submission(path, _cells(path), released, notes)
    return _worked_on(choices, released)


def _find(names: Sequence[str], exercise_name: str, suffix: str) -> _Found:
    expected = exercise_name + suffix
    copy = re.compile(
        rf"(?:{_COPY}[ _](?:of|von|de|di)[ _])*"  # Colab and Drive in front; browsers, Jupyter and desktops behind
        rf"{re.escape(exercise_name)}(?:[ _-]{{0,3}}(?:\(\d{{1,3}}\)|{_COPY}\d{{0,3}})|[ _-]{{1,3}}\d{{1,3}})*"
        rf"{re.escape(suffix)}",
        re.IGNORECASE,
    )
    copies = tuple(name for name in names if name != expected and copy.fullmatch(name))
    return _Found(expected, expected in names, copies)


def _nothing(folder: Path, names: Sequence[str], exercise_name: str) -> str:
    wanted = f"{exercise_name}.ipynb or {exercise_name}.py"
    if not names:
        return f"The folder {_name(folder)} is empty: hand in {wanted}."
    return f"The folder {_name(folder)} holds no {wanted}, only {listing(names)}: give your file its own name back."


def _worked_on(choices: dict[Path, tuple[str, ...]], released: Released) -> Submission:
    """Of a notebook and a script beside it: the one that was worked on; of two, the notebook."""
    cells: dict[Path, tuple[WrittenCell, ...]] = {}
    reasons: list[str] = []
    for path in choices:
        try:
            cells[path] = _cells(path)
        except Refused as reason:
            reasons.append(str(reason))
    worked = [path for path in cells if _differs(cells[path], released)]
    if reasons and not worked:
        raise Refused(reasons[0])
    path = (worked or list(cells))[0]
    notes = (*choices[path], *reasons)
    if len(worked) == 2:
        notes += (f"Both {listing([one.name for one in worked])} were worked on: {_name(path)} was graded.",)
    return _submission(path, cells[path], released, notes)


def _differs(cells: Iterable[WrittenCell], released: Released) -> bool:
    """Whether a cell that defines a stub is no longer the released one."""
    stub_cells = {tidy(source) for source in released.stub_cells}
    own = [cell.written for cell in cells if tidy(cell.written) not in stub_cells]
    return any(defined_in(source, released.stubs) for source in own)


def _submission(path: Path, cells: Iterable[WrittenCell], released: Released, notes: tuple[str, ...]) -> Submission:
    check_cells = {tidy(source) for source in released.check_cells}
    set_up = {tidy(source) for source in released.set_up}
    kept = [cell for cell in cells if not cell.is_check and tidy(cell.written) not in check_cells]
    code = [source for cell in kept if (source := tidy(cell.written)) and source not in set_up]
    return Submission(
        kind="notebook" if path.suffix.lower() == ".ipynb" else "script",
        cells=tuple(cell.cell for cell in kept if cell.cell.source.strip()),
        code="\n\n".join(code),
        notes=notes,
        path=path,
    )


def _cells(path: Path) -> tuple[WrittenCell, ...]:
    text = _text(path)
    try:
        return notebook_cells(text) if path.suffix.lower() == ".ipynb" else script_cells(text)
    except CellsError as reason:
        raise Refused(f"{_name(path)} {reason}.") from None


def _text(path: Path) -> str:
    """The text of a regular file, with plain newlines."""
    try:
        data = _bytes(path)
    except OSError as error:
        raise Refused(f"{_name(path)} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise Refused(
            f"{_name(path)} is larger than {MAX_BYTES // 1_000_000} MB: clear the outputs of the notebook "
            "(in Jupyter: Edit, Clear Outputs of All Cells), save it and hand it in again."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"{_name(path)} is not UTF-8 text (see byte {error.start + 1}): save it as UTF-8 in your editor."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _bytes(path: Path) -> bytes:
    """What a regular file holds, up to one byte over the cap. Links, pipes and devices are not opened."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        raise Refused(f"{_name(path)} is a symbolic link: hand in the file itself.")
    not_regular = Refused(f"{_name(path)} is not a regular file: hand in a notebook or a script.")
    if not stat.S_ISREG(mode):
        raise not_regular
    careful = [getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")]
    descriptor = os.open(path, os.O_RDONLY | sum(careful))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # it was exchanged meanwhile
            raise not_regular
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def _name(path: Path) -> str:
    return plain(path.name or str(path), 80)
