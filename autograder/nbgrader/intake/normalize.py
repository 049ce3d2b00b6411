"""What a student handed in -> a notebook that nbgrader can work with, and the reason where it cannot be graded.

The notebook is for people and for nbgrader: it shows what the student wrote, with every cell of the release in place
and in order. What is graded is the submission itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from autograder.submission import archive, safe_files
from autograder.submission.cells import MOST_CELLS, CellsError, defined_in, script_cells, tidy
from autograder.submission.reader import ARCHIVE, Refused, Released, read_submission
from autograder.submission.sanitize import plain

Cell = dict[str, Any]
Notebook = dict[str, Any]
KINDS = ("code", "markdown", "raw")


@dataclass(frozen=True)
class Taken:
    """A submission taken in: its notebook, why it cannot be graded (empty where it can), and what was put right.

    `not_shown` is for work that is graded, but of which nbgrader cannot show anything.
    """

    notebook: Notebook
    refused: str = ""
    mended: tuple[str, ...] = ()
    not_shown: bool = False


def release_of(text: str) -> Notebook:
    """The notebook that students got, from the text of its file. Raises ValueError where it is none."""
    notebook = json.loads(text)
    return {"cells": _cells(notebook), "metadata": notebook["metadata"]}


class NoRelease(Exception):
    """A folder without the notebook that students got: one sentence."""


def released_in(folder: Path) -> Notebook:
    """The notebook that students got, in the folder that was handed out. Raises NoRelease."""
    name = folder.name
    try:
        return release_of((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        raise NoRelease(f"{folder} holds no {name}.ipynb: run `autograder release {name}`.") from None


def take_in(path: Path, name: str, released: Released, release: Notebook) -> Taken:
    """Take in the submission of the exercise `name` at `path`; `release` is the notebook that students got."""
    try:
        return _taken(path, name, released, release)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission its picture only
        return not_shown(release, error)


def not_shown(release: Notebook, error: Exception) -> Taken:
    """The release's own notebook, in place of one that cannot be shown for this reason."""
    why = f"It is graded, and its notebook cannot be shown ({type(error).__name__}: {plain(str(error), 200)})."
    return replace(settled(release, []), mended=(why,), not_shown=True)


def _taken(path: Path, name: str, released: Released, release: Notebook) -> Taken:
    try:
        submission = read_submission(path, name, released)
    except Refused as reason:
        return replace(settled(release, list(_salvaged(path, name))), refused=str(reason), mended=())
    data = _content(submission.path, path)
    if submission.kind == "notebook":
        return settled(release, _cells(json.loads(_text(data))))
    answers = _answers_in_words(submission.path.with_name(f"{name}.ipynb"), path)
    taken = settled(release, [*(_code(cell.written) for cell in script_cells(_text(data))), *answers])
    return replace(taken, mended=(f"{plain(submission.path.name, 80)} was graded, and no notebook.",))


def settled(release: Notebook, written: Sequence[Cell]) -> Taken:
    """A notebook of the student's cells in which every named cell of the release has its place, once."""
    named = {_name(cell): cell for cell in release["cells"] if _name(cell)}
    shown = written[:MOST_CELLS]
    chosen, mended = _matched(named, shown)
    if len(shown) < len(written):
        mended.append(f"Only the first {MOST_CELLS} of its {len(written)} cells are shown.")
    cells = [_own(cell) for cell in shown]
    for name, place in chosen.items():
        cells[place] = _in_place_of(named[name], cells[place])
    place = -1
    for name, original in named.items():
        if name in chosen:
            place = next(i for i, cell in enumerate(cells) if _name(cell) == name)
        else:
            place += 1
            cells.insert(place, _put_back(original, cells, name))
    notebook = {"cells": _numbered(cells), "metadata": release["metadata"], "nbformat": 4, "nbformat_minor": 5}
    return Taken(notebook, "", tuple(mended))


def _matched(named: dict[str, Cell], written: Sequence[Cell]) -> tuple[dict[str, int], list[str]]:
    """Which of the student's cells stands for each named cell of the release, and what is wrong with the others."""
    chosen: dict[str, int] = {}
    mended: list[str] = []
    for name, original in named.items():
        free = [i for i in range(len(written)) if i not in chosen.values()]
        claims = [i for i in free if _name(written[i]) == name]
        candidates = [i for i in claims if written[i]["cell_type"] == original["cell_type"]]
        if not claims:
            candidates = [i for i in free if _recognised(written[i], name, original)]
        if len(claims) > 1:
            mended.append(f"There were {len(claims)} cells called {name}: the last one stands for it here.")
        if not candidates:
            what = "had become a cell of another kind" if claims else "was missing"
            mended.append(f"The cell {name} {what}: it was put back.")
            continue
        chosen[name] = _best(candidates, written, name)
        mended += _differences(written[chosen[name]], original, name, bool(claims))
    return chosen, mended


def _best(candidates: list[int], written: Sequence[Cell], name: str) -> int:
    """The last one that defines the function, since that is the one that counts; else the last one."""
    defining = [i for i in candidates if defined_in(written[i]["source"], [name])]
    return (defining or candidates)[-1]


def _recognised(cell: Cell, name: str, original: Cell) -> bool:
    """Whether a cell without its metadata is the one of the release, or its answer."""
    if cell["cell_type"] != original["cell_type"] or _name(cell):
        return False
    if cell.get("id") == original["id"] or tidy(cell["source"]) == tidy(original["source"]):
        return True
    ours = original["metadata"]["nbgrader"]
    if not ours["solution"]:
        return False
    first = original["source"].split("\n")[0]
    return bool(defined_in(cell["source"], [name])) or (ours["grade"] and cell["source"].startswith(first))


def _differences(cell: Cell, original: Cell, name: str, claimed: bool) -> Iterator[str]:
    if not claimed:
        yield f"The cell {name} had lost what nbgrader knows it by: it was put back."
    elif cell["metadata"]["nbgrader"].get("schema_version") != original["metadata"]["nbgrader"]["schema_version"]:
        yield f"The cell {name} had nbgrader's marks of another version: they were renewed."
    if _locked(original) and tidy(cell["source"]) != tidy(original["source"]):
        yield f"The cell {name} was changed: it was put back."


def _in_place_of(original: Cell, cell: Cell) -> Cell:
    source = original["source"] if _locked(original) else cell["source"]
    return cell | {"id": original["id"], "metadata": original["metadata"], "source": source}


def _put_back(original: Cell, cells: Sequence[Cell], name: str) -> Cell:
    elsewhere = any(defined_in(cell["source"], [name]) for cell in cells if cell["cell_type"] == "code")
    if original["metadata"]["nbgrader"]["solution"] and elsewhere:
        return _own(original) | {"metadata": original["metadata"], "source": f"# {name} is written in another cell."}
    return _own(original) | {"metadata": original["metadata"]}


def _numbered(cells: Sequence[Cell]) -> list[Cell]:
    """The cells with ids that are told apart: those of the release keep theirs."""
    taken = {cell["id"] for cell in cells if _name(cell)}
    free = (one for one in map("own-{}".format, count(1)) if one not in taken)
    return [cell if _name(cell) else cell | {"id": next(free)} for cell in cells]


# --- Reading ------------------------------------------------------------------------------------------------------


def _answers_in_words(notebook: Path, handed_in: Path) -> list[Cell]:
    """The answers in words of a notebook beside a script: they cannot stand in the script."""
    try:
        cells = _cells(json.loads(_text(_content(notebook, handed_in))))
    except (safe_files.Unreadable, ValueError, RecursionError):
        return []
    return [cell for cell in cells if cell["cell_type"] == "markdown" and _name(cell)]


def _content(path: Path, handed_in: Path) -> bytes:
    """What the file holds that was graded: one on disk, or a member of the zip file on the way to it."""
    above = [path, *path.parents]
    for place in above[: above.index(handed_in) + 1]:
        if place != path and place.suffix.lower() == ARCHIVE and place.is_file():
            return archive.content(place, path.relative_to(place).as_posix())
    return safe_files.content(path)


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _salvaged(path: Path, name: str) -> Iterator[Cell]:
    """The cells that can still be read of work that cannot be graded."""
    readers: dict[str, Callable[[str], Iterator[Cell]]] = {".ipynb": _salvaged_cells, ".py": _salvaged_script}
    for suffix, reader in readers.items():
        try:
            data = safe_files.content(path / f"{name}{suffix}" if path.is_dir() else path)
        except safe_files.Unreadable:
            continue
        yield from reader(_text(data))
        return


def _salvaged_script(text: str) -> Iterator[Cell]:
    try:
        yield from (_code(cell.written) for cell in script_cells(text))
    except CellsError:
        return


def _salvaged_cells(text: str) -> Iterator[Cell]:
    """The cells of a notebook as far as it can be read: of an older format, or cut short."""
    try:
        yield from _cells(json.loads(text))
        return
    except (ValueError, RecursionError):
        pass
    decoder = json.JSONDecoder()
    place = text.find("[", text.find('"cells"'))
    while place >= 0:
        place += 1 + len(text[place + 1 :]) - len(text[place + 1 :].lstrip())
        try:
            cell, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        yield from _cells({"cells": [cell]})
        place = text.find(",", place) if text[place:].lstrip().startswith(",") else -1


def _cells(notebook: Any) -> list[Cell]:
    """The cells of anything that came out of JSON, as far as they are cells."""
    if not isinstance(notebook, dict):
        return []
    found = notebook.get("cells")
    sheets = notebook.get("worksheets")
    if found is None and isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):  # formats before 4
        found = sheets[0].get("cells")
    return [_cell(cell) for cell in found if isinstance(cell, dict)] if isinstance(found, list) else []


def _cell(cell: dict[str, Any]) -> Cell:
    """A cell with a source that is a text and metadata that are a dictionary, whatever it was."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    source = source if isinstance(source, str) else ""
    made: Cell = {
        "id": cell.get("id") if isinstance(cell.get("id"), str) else "",
        "cell_type": cell.get("cell_type") if cell.get("cell_type") in KINDS else "code",
        "metadata": cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {},
        "source": source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n"),
    }
    attached = cell.get("attachments")
    return made | {"attachments": attached} if _is_attachments(attached) and made["cell_type"] != "code" else made


def _is_attachments(attached: object) -> bool:
    return isinstance(attached, dict) and all(
        isinstance(bundle, dict)
        and bundle
        and all(isinstance(data, str) and (kind + data).isascii() for kind, data in bundle.items())
        for bundle in attached.values()
    )


def _code(source: str) -> Cell:
    return {"id": "", "cell_type": "code", "metadata": {}, "source": source.strip("\n")}


def _own(cell: Cell) -> Cell:
    """A cell without what nbgrader and others said of it, and without outputs."""
    kept = {key: cell[key] for key in ("id", "cell_type", "source", "attachments") if key in cell}
    return kept | {"metadata": {}} | ({"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else {})


def _name(cell: Cell) -> str:
    ours = cell["metadata"].get("nbgrader")
    name = ours.get("grade_id") if isinstance(ours, dict) else None
    return name if isinstance(name, str) else ""


def _locked(cell: Cell) -> bool:
    return bool(cell["metadata"]["nbgrader"]["locked"])


def sentence(student: str, taken: Taken) -> str:
    """What an instructor is told of a submission that was not as it should be; empty where it was."""
    if taken.refused:
        return f"{student}: {taken.refused} It has 0 points until somebody grades it by hand or it is handed in again."
    return f"{student}: {' '.join(taken.mended)}" if taken.mended else ""
