"""What is fuzzed: each target reads bytes as if they came from a student, and fails unless the outcome is one of ours.

An outcome is a verdict, a refusal or a sentence about a student. Any other exception is a mistake of the kit.
"""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from autograder.classroom.roster import RosterError, match_roster, read_roster
from autograder.evaluation.report import Report
from autograder.evaluation.seeds import load_secret, submission_seed
from autograder.nbgrader.intake.normalize import load_release, normalize_submission
from autograder.nbgrader.intake.notebooks import NotebookDict
from autograder.nbgrader.intake.timestamps import TIMESTAMP_FILE, InvalidTimestamp, read_timestamp
from autograder.submission import archive
from autograder.submission.global_reads import global_reads
from autograder.submission.reader import ReleasedFiles, SubmissionRefused, read_submission
from autograder.submission.safe_files import MAX_BYTES, UnreadableFileError

ROOT = Path(__file__).parents[2]
NAME = "rnn_backprop"
FUNCTIONS = ("rnn_forward", "rnn_backward")
HEAD = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ['

folder = Path(tempfile.gettempdir())  # where the files are written: the fuzzer and the tests set their own


@cache
def released() -> tuple[ReleasedFiles, NotebookDict]:
    release = load_release(ROOT / "assignments" / NAME)
    sources = [cell["source"] for cell in release["cells"]]
    stubs = frozenset(source for source in sources if "NotImplementedError" in source)
    checks = frozenset(source for source in sources if source.startswith("check("))
    return ReleasedFiles(checks, stubs, FUNCTIONS), release


def check_sentence(reason: Exception) -> None:
    assert str(reason).isprintable()
    assert len(str(reason)) < 1000


def read_and_normalize(path: Path) -> None:
    released_files, release = released()
    try:
        submission = read_submission(path, NAME, released_files)
    except SubmissionRefused as reason:
        check_sentence(reason)
    else:
        global_reads(FUNCTIONS, [cell.source for cell in submission.cells])
        "".join(submission.notes).encode()
    normalized = normalize_submission(path, NAME, released_files, release)
    assert not normalized.is_placeholder, normalized.repairs
    json.dumps(normalized.notebook, ensure_ascii=False).encode()


def written(name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def script(data: bytes) -> None:
    read_and_normalize(written(f"{NAME}.py", data))


def notebook(data: bytes) -> None:
    read_and_normalize(written(f"{NAME}.ipynb", data))


def cut_notebook(data: bytes) -> None:
    notebook(HEAD.encode() + data)


def cell(data: bytes) -> None:
    """Read bytes as the text of a cell, in a notebook without a fault."""
    source = {"cell_type": "code", "metadata": {}, "source": data.decode("utf-8", "replace")}
    notebook(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [source]}).encode())


def zip_file(data: bytes) -> None:
    path = written("work.zip", data)
    try:
        for name in archive.list_members(path)[:20]:
            archive.read_member(path, name, MAX_BYTES)
    except UnreadableFileError as reason:
        check_sentence(reason)
    read_and_normalize(path)


def member_names(data: bytes) -> None:
    """Read lines as the names of files in a zip file without a fault."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in dict.fromkeys(data.decode("utf-8", "replace").split("\n")):
            file.writestr(zipfile.ZipInfo(name[:60_000] or "empty"), f"a = {len(name)}\n")
    zip_file(buffer.getvalue())


def timestamp(data: bytes) -> None:
    written(TIMESTAMP_FILE, data)
    try:
        time = read_timestamp(folder)
    except InvalidTimestamp:
        return
    assert time is not None
    assert time.tzinfo is None


def secret(data: bytes) -> None:
    course = SimpleNamespace(secret_file=written("secret", data))
    assert submission_seed(data, NAME, load_secret(course)) >= 0  # all that is read of a course


def roster(data: bytes) -> None:
    """Read a roster, and match its own text against it as names of submissions."""
    path = written("roster.csv", data)
    try:
        entries = read_roster(path)
    except RosterError as reason:
        check_sentence(reason)
        return
    names = [entry.display_name for entry in entries] + data.decode("utf-8", "replace").split("\n")
    match = match_roster([Report(NAME, name, "refused", 0.0, 1.0, 0, "A", ()) for name in names[:200]], entries)
    assert len(match.grades) == len(entries)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "script": script,
    "notebook": notebook,
    "cut_notebook": cut_notebook,
    "cell": cell,
    "zip_file": zip_file,
    "member_names": member_names,
    "timestamp": timestamp,
    "secret": secret,
    "roster": roster,
}

if __name__ == "__main__":
    print(*TARGETS)
