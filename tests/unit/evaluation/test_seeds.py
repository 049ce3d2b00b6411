"""Seeds: whatever a student changes, either the process is sent the same bytes or the hidden cases are others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Limits, find_course
from autograder.evaluation.seeds import submission_seed
from autograder.exercise.loader import load_exercise
from autograder.grading import program_of, released_files
from autograder.sandbox.host.bounded_cache import BoundedCache
from autograder.sandbox.host.submission_process import SubmissionSession
from autograder.sandbox.protocol import framing
from autograder.submission.cells import parse_notebook
from autograder.submission.reader import Submission, read_submission
from autograder.submission.script import parse_script
from tests import courses

COURSE = find_course(Path(__file__).parent)
EXERCISE = load_exercise(COURSE.exercise_folder(courses.NAME))
SAMPLE = Path(__file__).parents[2] / "submissions" / "class" / "perfect" / f"{courses.NAME}.py"
SCRIPT = SAMPLE.read_text(encoding="utf-8")


class RecordingProcess:
    """A process that runs nothing: it records what it is sent, and answers that everything is loaded."""

    def __init__(self) -> None:
        self.channel = self
        self.received = b""

    def start(self, *_: object) -> RecordingProcess:
        return self

    def send_frame(self, frame: bytes) -> None:
        self.received += frame

    def receive_frame(self, _: float) -> bytes:
        return framing.encode_message(("loaded",), 100)

    def cpu_seconds(self) -> float:
        return 0.0

    def usage(self, **_: object) -> tuple[float, int]:  # asked for on a slow machine alone
        return 0.0, 0


def view_and_seed(path: Path) -> tuple[bytes, int]:
    """Return what the process of a submission is sent before any case, and the submission's seed."""
    submission = read_submission(path, EXERCISE.name, released_files(EXERCISE, Limits()))
    program = program_of(EXERCISE, submission)
    process: Any = RecordingProcess()
    SubmissionSession(process, program, Limits(), BoundedCache(1)).ensure_loaded()
    return process.received, submission_seed(program.code, EXERCISE.name, b"secret")


def notebook_of(script: str) -> dict[str, Any]:
    notebook = jupytext.reads(script, "py:percent")
    return json.loads(nbformat.writes(notebook))


def write_script(folder: Path, change: Callable[[str], str] = lambda text: text, name: str = "rnn_backprop.py") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(change(SCRIPT).encode())
    return folder / name


def write_notebook(folder: Path, change: Callable[[dict[str, Any]], object] = lambda notebook: None) -> Path:
    notebook = notebook_of(SCRIPT)
    change(notebook)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rnn_backprop.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return folder / "rnn_backprop.ipynb"


def set_in_every_cell(**fields: object) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: [cell.update(fields) for cell in notebook["cells"]] and None


def add_cell(place: int, **cell: object) -> Callable[[dict[str, Any]], None]:
    return lambda notebook: notebook["cells"].insert(place, {"metadata": {}, "source": "", **cell})


UNSEEN_IN_SCRIPTS = {
    "as it is": lambda text: text,
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: f"\ufeff{text}",
    "blank lines around cells": lambda text: text.replace("# %%\n", "\n\n# %%\n   \n"),
    "titles of cells": lambda text: text.replace("# %%\n", "# %% 0101 a title\n"),
    "cells of words": lambda text: text.replace("# %%\n", "# %% [markdown]\n# 0101\n# %%\n"),
    "cells of comments": lambda text: text.replace("# %%\n", "# %%\n# 0101\n# %%\n"),
}
SEEN_IN_SCRIPTS = {
    "white space at the end of a line": lambda text: text.replace("):\n", "): \n", 1),
    "a comment": lambda text: text.replace("return", "# 0101\n    return", 1),
    "a blank line within a cell": lambda text: text.replace("    return", "\n    return", 1),
    "a cell more": lambda text: f"{text}\n# %%\nTABLE = '0101'\n",
    "a form feed": lambda text: text.replace("    return", "\f    return", 1),
    "cells split otherwise": lambda text: text.replace("# %%\n", "", 2),
}
UNSEEN_IN_NOTEBOOKS = {
    "as it is": lambda notebook: None,
    "ids": lambda notebook: [cell.update(id=f"x{i}") for i, cell in enumerate(notebook["cells"])],
    "metadata of cells": set_in_every_cell(metadata={"tags": ["0101"]}),
    "metadata of the notebook": lambda notebook: notebook.update(metadata={"kernelspec": {"name": "0101"}}),
    "outputs and execution counts": set_in_every_cell(outputs=[{"output_type": "stream"}], execution_count=5),
    "words, which change the labels of no cell": add_cell(0, cell_type="markdown", source="0101"),
    "an empty cell, which changes all labels": add_cell(0, cell_type="code"),
    "a cell of comments": add_cell(1, cell_type="code", source="# 0101"),
    "a cell that is not Python": add_cell(1, cell_type="code", source="%%bash\necho 0101"),
    "a copy of a check": add_cell(1, cell_type="code", source=min(EXERCISE.check_cells)),
    "a cell marked as a check": add_cell(
        1, cell_type="code", source="T = 1", metadata={"nbgrader": {"grade_id": "check_x", "grade": True}}
    ),
    "source in one string": lambda notebook: [
        cell.update(source="".join(cell["source"])) for cell in notebook["cells"]
    ],
}


class TestView:
    @pytest.mark.parametrize("change", UNSEEN_IN_SCRIPTS.values(), ids=UNSEEN_IN_SCRIPTS)
    def test_what_stands_around_the_code_of_a_script_is_neither_sent_nor_in_the_seed(self, change, tmp_path):
        assert view_and_seed(write_script(tmp_path / "b", change)) == view_and_seed(write_script(tmp_path / "a"))

    @pytest.mark.parametrize("change", UNSEEN_IN_NOTEBOOKS.values(), ids=UNSEEN_IN_NOTEBOOKS)
    def test_what_stands_around_the_code_of_a_notebook_is_neither_sent_nor_in_the_seed(self, change, tmp_path):
        assert view_and_seed(write_notebook(tmp_path / "b", change)) == view_and_seed(write_script(tmp_path / "a"))

    @pytest.mark.parametrize("change", SEEN_IN_SCRIPTS.values(), ids=SEEN_IN_SCRIPTS)
    def test_what_is_sent_in_other_bytes_has_another_seed(self, change, tmp_path):
        view, seed = view_and_seed(write_script(tmp_path / "a"))
        other_view, other_seed = view_and_seed(write_script(tmp_path / "b", change))
        assert other_view != view
        assert other_seed != seed

    def test_names_of_files_and_folders_are_neither_sent_nor_in_the_seed(self, tmp_path):
        path = write_script(tmp_path / "ada", name="rnn_backprop (1).py")
        assert view_and_seed(path.parent) == view_and_seed(write_script(tmp_path / "zoe" / "attempt 0101"))

    @given(
        st.text(st.sampled_from("ab#%'\"\\\t\f \n([:"), max_size=30), st.text(st.sampled_from("a \t\n#"), max_size=4)
    )
    def test_any_change_of_a_text_is_sent_with_another_seed_or_not_at_all(self, text, change):
        for parse in (parse_script, lambda source: parse_notebook(one_cell_notebook(source))):
            programs = [program_of(EXERCISE, submission_of(parse(source))) for source in (text, text + change + "\n1")]
            seeds = {submission_seed(program.code, "", b"") for program in programs}
            assert len(seeds) == len({tuple(cell.source for cell in program.cells) for program in programs})


def one_cell_notebook(source: str) -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": source}]})


def submission_of(cells: Any) -> Submission:
    return Submission("script", tuple(cell.runnable for cell in cells), (), Path("x.py"))


@given(st.binary(), st.text(), st.binary())
def test_seed_depends_on_code_exercise_and_secret(code, exercise, secret):
    seed = submission_seed(code, exercise, secret)
    assert 0 <= seed < 2**53
    others = ((code + b"#", exercise, secret), (code, exercise + "#", secret), (code, exercise, secret + b"#"))
    assert len({seed, *(submission_seed(*other) for other in others)}) == 4
