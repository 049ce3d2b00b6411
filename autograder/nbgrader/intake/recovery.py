"""The cells of a submission: of the file that was graded, or whatever can still be read of one that was refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from autograder.nbgrader.intake.notebooks import (
    CellDict,
    NotebookDict,
    code_cell,
    decode_text,
    markdown_cell,
    parse_cells,
)
from autograder.nbgrader.intake.written_answers import own_text_cells
from autograder.submission import archive
from autograder.submission.cells import MAX_CELLS, CellsError
from autograder.submission.notebook_json import OUTPUTS, OUTPUTS_AND_PICTURES, TooManyValuesError, load_json, read_file
from autograder.submission.reader import ARCHIVE_SUFFIX, SOURCE_SUFFIXES, Submission
from autograder.submission.safe_files import UnreadableFileError
from autograder.submission.script import parse_script, parse_text

_LIST_START, _NEXT_ITEM = re.compile(r"\[\s*"), re.compile(r"\s*,\s*")


def graded_cells(
    submission: Submission, path: Path, name: str, max_bytes: int, release: NotebookDict
) -> list[CellDict]:
    """Return the cells of what was graded of the submission of the exercise `name` at `path`.

    Answers in words are few in a script: those in the notebook beside it, and what the script itself holds of text
    that was not handed out in the `release`, follow its code.
    """
    text = decode_text(_read_graded_file(submission.path, path, max_bytes))
    if submission.kind == "notebook":
        return parse_cells(load_json(text))
    beside = submission.path.with_name(f"{name}.ipynb")
    words = [*map(markdown_cell, parse_text(text)), *_cells_beside(beside, path, max_bytes)]
    released = [*release["cells"], markdown_cell(release["script_text"])]
    return [*_script_cells(text), *own_text_cells(words, released)]


def recover_cells(path: Path, name: str, max_bytes: int) -> list[CellDict]:
    """Return the cells that can be read of work that was refused."""
    for file in [path / f"{name}{suffix}" for suffix in SOURCE_SUFFIXES] if path.is_dir() else [path]:
        parse = _script_cells if file.suffix.lower() == ".py" else _recover_notebook_cells
        try:
            content = read_file(file, max_bytes)
            return list(islice(parse(decode_text(content.data)), MAX_CELLS))
        except UnreadableFileError:
            continue
        except CellsError:
            break
    return []


def _script_cells(text: str) -> Iterator[CellDict]:
    return (code_cell(cell.original_source) for cell in parse_script(text))


def _cells_beside(notebook: Path, submission_path: Path, max_bytes: int) -> list[CellDict]:
    try:
        return parse_cells(load_json(decode_text(_read_graded_file(notebook, submission_path, max_bytes))))
    except (UnreadableFileError, ValueError):
        return []


def _read_graded_file(path: Path, submission_path: Path, max_bytes: int) -> bytes:
    """Return the content of a file that `path` names, without the pictures in its texts if they are too large."""
    with suppress(UnreadableFileError):
        return _read(path, submission_path, max_bytes, OUTPUTS)
    return _read(path, submission_path, max_bytes, OUTPUTS_AND_PICTURES)


def _read(path: Path, submission_path: Path, max_bytes: int, left_out: Sequence[str]) -> bytes:
    """Return the content of a file on disk, or of a member of a zip file on the way to it."""
    # submission.reader makes paths into a zip file as if that were a folder.
    ancestors = [path, *path.parents]
    for parent in ancestors[1 : ancestors.index(submission_path) + 1]:
        if parent.suffix.lower() == ARCHIVE_SUFFIX and parent.is_file():
            return archive.read_member(parent, path.relative_to(parent).as_posix(), max_bytes, left_out).data
    return read_file(path, max_bytes, left_out).data


def _recover_notebook_cells(text: str) -> Iterator[CellDict]:
    try:
        yield from parse_cells(load_json(text))
        return
    except TooManyValuesError:
        return
    except ValueError:
        pass
    # The file was cut short: decode its list of cells item by item, until one is not complete.
    decoder = json.JSONDecoder()
    start = text.find("[", text.find('"cells"'))
    separator = _LIST_START.match(text, start) if start >= 0 else None
    while separator:
        try:
            cell, end = decoder.raw_decode(text, separator.end())
        except (ValueError, RecursionError):
            return
        if not isinstance(cell, dict):  # nor are the others cells, and there may be a million
            return
        yield from parse_cells({"cells": [cell]})
        separator = _NEXT_ITEM.match(text, end)
