"""What a student handed in -> a notebook that nbgrader can work with, and the reason why it cannot be graded.

The notebook is for people and for nbgrader: it shows what the student wrote, with every cell of the release in place
and in order. What is graded is the submission itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from autograder.nbgrader.intake.damage import Damage, describe_damages
from autograder.nbgrader.intake.matching import is_locked, match_cells, written_functions
from autograder.nbgrader.intake.notebooks import (
    CellDict,
    NotebookDict,
    attachments_of,
    grade_id,
    named_cells,
    parse_cells,
    restore_attachments,
    strip_cell,
)
from autograder.nbgrader.intake.recovery import graded_cells, recover_cells
from autograder.nbgrader.intake.written_answers import (
    LEFT_BLANK,
    MISSING,
    as_answer,
    is_written_answer,
    own_text,
    quote_own_text,
)
from autograder.submission.cells import MAX_CELLS
from autograder.submission.reader import ReleasedFiles, SubmissionRefused, read_submission
from autograder.submission.sanitize import one_line
from autograder.submission.script import parse_text


class ReleaseNotFound(Exception):
    """A folder without the notebook that students got: one sentence."""


@dataclass(frozen=True)
class NormalizedNotebook:
    """A notebook for nbgrader, why the work cannot be graded (empty if it can), and a sentence for each kind of repair.

    `is_placeholder` is true for work that is graded, but cannot be shown: the notebook is the release's.
    """

    notebook: NotebookDict
    refusal_reason: str = ""
    repairs: tuple[str, ...] = ()
    is_placeholder: bool = False


def load_release(folder: Path, name: str = "") -> NotebookDict:
    """Return the notebook that students got, from their folder, with the text of their script as "script_text".

    `name` is the exercise's, where the folder has that of the assignment. Raises ReleaseNotFound.
    """
    name = name or folder.name
    try:
        notebook = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
        cells, metadata = parse_cells(notebook), notebook["metadata"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ReleaseNotFound(f"{folder} holds no {name}.ipynb: run `autograder release {name}`.") from None
    return {"cells": cells, "metadata": metadata, "script_text": _script_text(folder / f"{name}.py")}


def normalize_submission(
    path: Path, name: str, released_files: ReleasedFiles, release: NotebookDict
) -> NormalizedNotebook:
    """Return the submission of the exercise `name` at `path`; `release` is the notebook that students got."""
    try:
        try:
            submission = read_submission(path, name, released_files)
        except SubmissionRefused as reason:
            recovered = _restore_cells(release, recover_cells(path, name, released_files.max_bytes))
            return replace(recovered, refusal_reason=str(reason), repairs=())
        cells = graded_cells(submission, path, name, released_files.max_bytes, release)
        normalized = _restore_cells(release, cells)
        if submission.kind == "notebook":
            return normalized
        return replace(normalized, repairs=(f"{one_line(submission.path.name, 80)} was graded: there is no notebook.",))
    except Exception as error:  # noqa: BLE001 - whatever it is, it must cost one submission its picture only
        return placeholder_notebook(release, error)


def placeholder_notebook(release: NotebookDict, error: Exception) -> NormalizedNotebook:
    """Return the release's own notebook, in place of a notebook that cannot be shown because of `error`."""
    repair = f"It is graded, and its notebook cannot be shown ({type(error).__name__}: {one_line(str(error), 200)})."
    return replace(_restore_cells(release, []), repairs=(repair,), is_placeholder=True)


def instructor_message(student: str, normalized: NormalizedNotebook) -> str:
    """Return what an instructor should know about a submission; empty if all was as it should be."""
    if reason := normalized.refusal_reason:
        return f"{student}: {reason} It has 0 points until somebody grades it by hand or it is handed in again."
    return f"{student}: {' '.join(normalized.repairs)}" if normalized.repairs else ""


def _script_text(path: Path) -> str:
    try:
        return "\n".join(parse_text(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # an exercise may be released without a script
        return ""


def _restore_cells(release: NotebookDict, student_cells: Sequence[CellDict]) -> NormalizedNotebook:
    """Return a notebook of the student's cells that holds every named cell of the release exactly once."""
    named = named_cells(release)
    shown = student_cells[:MAX_CELLS]
    chosen, damages = match_cells(named, shown)
    answers = [name for name, cell in named.items() if is_written_answer(cell)]
    chosen_cells = set(chosen.values())
    others = [cell for i, cell in enumerate(shown) if i not in chosen_cells]
    elsewhere = own_text(others, release["cells"]) if answers else ""
    # Metadata is what nbgrader believes, so none of it comes from the student: the chosen cells get the release's.
    attachments = attachments_of(release["cells"])
    cells = [restore_attachments(strip_cell(cell), attachments) for cell in shown]
    for name, i in chosen.items():
        original, source = named[name], cells[i]["source"]
        source = original["source"] if is_locked(original) else source
        if name in answers:
            cells[i] = as_answer(cells[i])
            if elsewhere and source == original["source"]:
                source = quote_own_text(source, LEFT_BLANK, elsewhere)
                damages.append(Damage("left blank", name))
        cells[i] |= {"id": original["id"], "metadata": original["metadata"], "source": source}
    # A missing cell is put back behind the cell that precedes it in the release, or in front of all.
    written, previous = written_functions(cells, tuple(named)), -1
    for name, original in named.items():
        if name in chosen:
            previous = next(i for i, cell in enumerate(cells) if grade_id(cell) == name)
        else:
            previous += 1
            cells.insert(previous, _missing_cell(name, original, name in written, elsewhere))
    repairs = describe_damages(damages)
    if len(shown) < len(student_cells):
        repairs.append(f"Only its first {MAX_CELLS} cells are shown.")
    notebook = {"cells": _with_unique_ids(cells), "metadata": release["metadata"], "nbformat": 4, "nbformat_minor": 5}
    return NormalizedNotebook(notebook, repairs=tuple(repairs))


def _missing_cell(name: str, original: CellDict, is_written: bool, elsewhere: str) -> CellDict:
    """Return a cell of the release; if its function is written in another cell, no stub that would replace that.

    A written answer quotes the text that stands `elsewhere`.
    """
    cell = strip_cell(original) | {"metadata": original["metadata"]}
    if is_written_answer(original):
        cell["source"] = quote_own_text(original["source"], MISSING, elsewhere)
    elif original["metadata"]["nbgrader"]["solution"] and is_written:
        cell["source"] = f"# {name} is written in another cell."
    return cell


def _with_unique_ids(cells: Sequence[CellDict]) -> list[CellDict]:
    """Return the cells with an id of its own for each: cells of the release keep theirs."""
    used_ids = {cell["id"] for cell in cells if grade_id(cell)}
    free_ids = (new_id for new_id in map("own-{}".format, count(1)) if new_id not in used_ids)
    return [cell if grade_id(cell) else cell | {"id": next(free_ids)} for cell in cells]
