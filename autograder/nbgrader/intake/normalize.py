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
from autograder.submission.cells import MAX_CELLS, CellsError, defined_functions, normalize_source, parse_script
from autograder.submission.reader import ARCHIVE_SUFFIX, ReleasedFiles, SubmissionRefused, read_submission
from autograder.submission.sanitize import one_line

CellDict = dict[str, Any]
NotebookDict = dict[str, Any]
CELL_TYPES = ("code", "markdown", "raw")


@dataclass(frozen=True)
class NormalizedNotebook:
    """A submission taken in: its notebook, why it cannot be graded (empty where it can), and what was put right.

    `is_placeholder` is for work that is graded, but of which nbgrader cannot show anything.
    """

    notebook: NotebookDict
    refusal_reason: str = ""
    repairs: tuple[str, ...] = ()
    is_placeholder: bool = False


def parse_release(text: str) -> NotebookDict:
    """The notebook that students got, from the text of its file. Raises ValueError where it is none."""
    notebook = json.loads(text)
    return {"cells": _parse_cells(notebook), "metadata": notebook["metadata"]}


class ReleaseNotFound(Exception):
    """A folder without the notebook that students got: one sentence."""


def load_release(folder: Path) -> NotebookDict:
    """The notebook that students got, in the folder that was handed out. Raises NoRelease."""
    name = folder.name
    try:
        return parse_release((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError):
        raise ReleaseNotFound(f"{folder} holds no {name}.ipynb: run `autograder release {name}`.") from None


def normalize_submission(
    path: Path, name: str, released_files: ReleasedFiles, release: NotebookDict
) -> NormalizedNotebook:
    """Take in the submission of the exercise `name` at `path`; `release` is the notebook that students got."""
    try:
        return _read_and_normalize(path, name, released_files, release)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission its picture only
        return placeholder_notebook(release, error)


def placeholder_notebook(release: NotebookDict, error: Exception) -> NormalizedNotebook:
    """The release's own notebook, in place of one that cannot be shown for this reason."""
    repair = f"It is graded, and its notebook cannot be shown ({type(error).__name__}: {one_line(str(error), 200)})."
    return replace(restore_cells(release, []), repairs=(repair,), is_placeholder=True)


def _read_and_normalize(
    path: Path, name: str, released_files: ReleasedFiles, release: NotebookDict
) -> NormalizedNotebook:
    try:
        submission = read_submission(path, name, released_files)
    except SubmissionRefused as reason:
        return replace(restore_cells(release, list(_recover_cells(path, name))), refusal_reason=str(reason), repairs=())
    data = _read_graded_file(submission.path, path)
    if submission.kind == "notebook":
        return restore_cells(release, _parse_cells(json.loads(_decode(data))))
    answers = _markdown_answers(submission.path.with_name(f"{name}.ipynb"), path)
    normalized = restore_cells(
        release, [*(_code_cell(cell.original_source) for cell in parse_script(_decode(data))), *answers]
    )
    return replace(normalized, repairs=(f"{one_line(submission.path.name, 80)} was graded, and no notebook.",))


def restore_cells(release: NotebookDict, student_cells: Sequence[CellDict]) -> NormalizedNotebook:
    """A notebook of the student's cells in which every named cell of the release has its place, once."""
    named = {_grade_id(cell): cell for cell in release["cells"] if _grade_id(cell)}
    shown = student_cells[:MAX_CELLS]
    chosen, repairs = _match_cells(named, shown)
    if len(shown) < len(student_cells):
        repairs.append(f"Only the first {MAX_CELLS} of its {len(student_cells)} cells are shown.")
    cells = [_stripped(cell) for cell in shown]
    for name, index in chosen.items():
        cells[index] = _with_release_metadata(named[name], cells[index])
    index = -1
    for name, original in named.items():
        if name in chosen:
            index = next(i for i, cell in enumerate(cells) if _grade_id(cell) == name)
        else:
            index += 1
            cells.insert(index, _restored_cell(original, cells, name))
    notebook = {"cells": _with_unique_ids(cells), "metadata": release["metadata"], "nbformat": 4, "nbformat_minor": 5}
    return NormalizedNotebook(notebook, "", tuple(repairs))


def _match_cells(named: dict[str, CellDict], student_cells: Sequence[CellDict]) -> tuple[dict[str, int], list[str]]:
    """Which of the student's cells stands for each named cell of the release, and what is wrong with the others."""
    chosen: dict[str, int] = {}
    repairs: list[str] = []
    for name, original in named.items():
        free = [i for i in range(len(student_cells)) if i not in chosen.values()]
        claims = [i for i in free if _grade_id(student_cells[i]) == name]
        candidates = [i for i in claims if student_cells[i]["cell_type"] == original["cell_type"]]
        if not claims:
            candidates = [i for i in free if _resembles(student_cells[i], name, original)]
        if len(claims) > 1:
            repairs.append(f"There were {len(claims)} cells called {name}: the last one stands for it here.")
        if not candidates:
            problem = "had become a cell of another kind" if claims else "was missing"
            repairs.append(f"The cell {name} {problem}: it was put back.")
            continue
        chosen[name] = _choose_candidate(candidates, student_cells, name)
        repairs += _differences(student_cells[chosen[name]], original, name, bool(claims))
    return chosen, repairs


def _choose_candidate(candidates: list[int], student_cells: Sequence[CellDict], name: str) -> int:
    """The last one that defines the function, since that is the one that counts; else the last one."""
    defining = [i for i in candidates if defined_functions(student_cells[i]["source"], [name])]
    return (defining or candidates)[-1]


def _resembles(cell: CellDict, name: str, original: CellDict) -> bool:
    """Whether a cell without its metadata is the one of the release, or its answer."""
    if cell["cell_type"] != original["cell_type"] or _grade_id(cell):
        return False
    if cell.get("id") == original["id"] or normalize_source(cell["source"]) == normalize_source(original["source"]):
        return True
    nbgrader_metadata = original["metadata"]["nbgrader"]
    if not nbgrader_metadata["solution"]:
        return False
    first = original["source"].split("\n")[0]
    return bool(defined_functions(cell["source"], [name])) or (
        nbgrader_metadata["grade"] and cell["source"].startswith(first)
    )


def _differences(cell: CellDict, original: CellDict, name: str, claimed: bool) -> Iterator[str]:
    if not claimed:
        yield f"The cell {name} had lost what nbgrader knows it by: it was put back."
    elif cell["metadata"]["nbgrader"].get("schema_version") != original["metadata"]["nbgrader"]["schema_version"]:
        yield f"The cell {name} had nbgrader's marks of another version: they were renewed."
    if _is_locked(original) and normalize_source(cell["source"]) != normalize_source(original["source"]):
        yield f"The cell {name} was changed: it was put back."


def _with_release_metadata(original: CellDict, cell: CellDict) -> CellDict:
    source = original["source"] if _is_locked(original) else cell["source"]
    return cell | {"id": original["id"], "metadata": original["metadata"], "source": source}


def _restored_cell(original: CellDict, cells: Sequence[CellDict], name: str) -> CellDict:
    elsewhere = any(defined_functions(cell["source"], [name]) for cell in cells if cell["cell_type"] == "code")
    if original["metadata"]["nbgrader"]["solution"] and elsewhere:
        return _stripped(original) | {
            "metadata": original["metadata"],
            "source": f"# {name} is written in another cell.",
        }
    return _stripped(original) | {"metadata": original["metadata"]}


def _with_unique_ids(cells: Sequence[CellDict]) -> list[CellDict]:
    """The cells with ids that are told apart: those of the release keep theirs."""
    used_ids = {cell["id"] for cell in cells if _grade_id(cell)}
    free_ids = (one for one in map("own-{}".format, count(1)) if one not in used_ids)
    return [cell if _grade_id(cell) else cell | {"id": next(free_ids)} for cell in cells]


# --- Reading ------------------------------------------------------------------------------------------------------


def _markdown_answers(notebook: Path, submission_path: Path) -> list[CellDict]:
    """The answers in words of a notebook beside a script: they cannot stand in the script."""
    try:
        cells = _parse_cells(json.loads(_decode(_read_graded_file(notebook, submission_path))))
    except (safe_files.UnreadableFileError, ValueError, RecursionError):
        return []
    return [cell for cell in cells if cell["cell_type"] == "markdown" and _grade_id(cell)]


def _read_graded_file(path: Path, submission_path: Path) -> bytes:
    """What the file holds that was graded: one on disk, or a member of the zip file on the way to it."""
    ancestors = [path, *path.parents]
    for place in ancestors[: ancestors.index(submission_path) + 1]:
        if place != path and place.suffix.lower() == ARCHIVE_SUFFIX and place.is_file():
            return archive.read_member(place, path.relative_to(place).as_posix())
    return safe_files.read_regular(path)


def _decode(data: bytes) -> str:
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _recover_cells(path: Path, name: str) -> Iterator[CellDict]:
    """The cells that can still be read of work that cannot be graded."""
    readers: dict[str, Callable[[str], Iterator[CellDict]]] = {
        ".ipynb": _recover_notebook_cells,
        ".py": _recover_script_cells,
    }
    for suffix, reader in readers.items():
        try:
            data = safe_files.read_regular(path / f"{name}{suffix}" if path.is_dir() else path)
        except safe_files.UnreadableFileError:
            continue
        yield from reader(_decode(data))
        return


def _recover_script_cells(text: str) -> Iterator[CellDict]:
    try:
        yield from (_code_cell(cell.original_source) for cell in parse_script(text))
    except CellsError:
        return


def _recover_notebook_cells(text: str) -> Iterator[CellDict]:
    """The cells of a notebook as far as it can be read: of an older format, or cut short."""
    try:
        yield from _parse_cells(json.loads(text))
        return
    except (ValueError, RecursionError):
        pass
    decoder = json.JSONDecoder()
    position = text.find("[", text.find('"cells"'))
    while position >= 0:
        position += 1 + len(text[position + 1 :]) - len(text[position + 1 :].lstrip())
        try:
            cell, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            return
        yield from _parse_cells({"cells": [cell]})
        position = text.find(",", position) if text[position:].lstrip().startswith(",") else -1


def _parse_cells(notebook: Any) -> list[CellDict]:
    """The cells of anything that came out of JSON, as far as they are cells."""
    if not isinstance(notebook, dict):
        return []
    found = notebook.get("cells")
    sheets = notebook.get("worksheets")
    if found is None and isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):  # formats before 4
        found = sheets[0].get("cells")
    return [_clean_cell(cell) for cell in found if isinstance(cell, dict)] if isinstance(found, list) else []


def _clean_cell(cell: dict[str, Any]) -> CellDict:
    """A cell with a source that is a text and metadata that are a dictionary, whatever it was."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    source = source if isinstance(source, str) else ""
    cleaned: CellDict = {
        "id": cell.get("id") if isinstance(cell.get("id"), str) else "",
        "cell_type": cell.get("cell_type") if cell.get("cell_type") in CELL_TYPES else "code",
        "metadata": cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {},
        "source": source.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\r", "\n"),
    }
    attached = cell.get("attachments")
    return (
        cleaned | {"attachments": attached} if _is_attachments(attached) and cleaned["cell_type"] != "code" else cleaned
    )


def _is_attachments(attached: object) -> bool:
    return isinstance(attached, dict) and all(
        isinstance(bundle, dict)
        and bundle
        and all(isinstance(data, str) and (kind + data).isascii() for kind, data in bundle.items())
        for bundle in attached.values()
    )


def _code_cell(source: str) -> CellDict:
    return {"id": "", "cell_type": "code", "metadata": {}, "source": source.strip("\n")}


def _stripped(cell: CellDict) -> CellDict:
    """A cell without what nbgrader and others said of it, and without outputs."""
    stripped = {key: cell[key] for key in ("id", "cell_type", "source", "attachments") if key in cell}
    return (
        stripped | {"metadata": {}} | ({"execution_count": None, "outputs": []} if cell["cell_type"] == "code" else {})
    )


def _grade_id(cell: CellDict) -> str:
    nbgrader_metadata = cell["metadata"].get("nbgrader")
    name = nbgrader_metadata.get("grade_id") if isinstance(nbgrader_metadata, dict) else None
    return name if isinstance(name, str) else ""


def _is_locked(cell: CellDict) -> bool:
    return bool(cell["metadata"]["nbgrader"]["locked"])


def instructor_message(student: str, normalized: NormalizedNotebook) -> str:
    """What an instructor is told of a submission that was not as it should be; empty where it was."""
    if normalized.refusal_reason:
        return f"{student}: {normalized.refusal_reason} It has 0 points until somebody grades it by hand or it is handed in again."
    return f"{student}: {' '.join(normalized.repairs)}" if normalized.repairs else ""
