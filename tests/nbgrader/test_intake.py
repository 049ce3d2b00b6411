"""Whatever a student hands in becomes a notebook that nbgrader accepts, and the damage is named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Limits
from autograder.grading import released_files
from autograder.nbgrader.intake import normalize
from autograder.nbgrader.intake.attachments import copy_attachments, files_of_nbgrader
from autograder.nbgrader.intake.notebooks import NotebookDict, restore_attachments
from autograder.nbgrader.intake.recovery import recover_cells
from tests import courses
from tests.in_process import exercise
from tests.nbgrader import sample_submissions
from tests.nbgrader.sample_submissions import NOTEBOOK, SCRIPT

NAME = courses.NAME
RELEASE = sample_submissions.add_question(normalize.load_release(courses.ROOT / "assignments" / NAME))
RELEASED_CELLS = [cell["id"] for cell in RELEASE["cells"] if "nbgrader" in cell["metadata"]]


def take_in(folder: Path, files: dict[str, bytes]) -> normalize.NormalizedNotebook:
    folder = folder / NAME
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return normalize.normalize_submission(folder, NAME, released_files(exercise(), Limits()), RELEASE)


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    """Return the file of a right notebook after a change."""
    notebook = sample_submissions.answered_notebook("perfect")
    change(notebook)
    return sample_submissions.notebook_file(notebook)


def assert_sound(notebook: NotebookDict) -> None:
    """Check that the notebook is valid and holds every named cell of the release as it was released."""
    nbformat = pytest.importorskip("nbformat", reason="nbgrader is not installed: make test installs it")
    nbformat.validate(nbformat.reads(json.dumps(notebook), as_version=4))
    names = [cell["metadata"]["nbgrader"]["grade_id"] for cell in notebook["cells"] if cell["metadata"]]
    assert sorted(names) == sorted(RELEASED_CELLS)
    originals = {cell["id"]: cell for cell in RELEASE["cells"]}
    for cell in notebook["cells"]:
        if cell["metadata"]:
            original = originals[cell["id"]]
            assert cell["metadata"] == original["metadata"]
            assert cell["cell_type"] == original["cell_type"]
            assert not cell["metadata"]["nbgrader"]["locked"] or cell["source"] == original["source"]


def source_of(notebook: NotebookDict, name: str) -> str:
    return str(next(cell["source"] for cell in notebook["cells"] if cell["id"] == name))


def test_a_sound_notebook_is_left_alone(tmp_path: Path) -> None:
    normalized = take_in(tmp_path, changed(lambda notebook: None))
    assert (normalized.refusal_reason, normalized.repairs) == ("", ())
    assert_sound(normalized.notebook)
    assert [cell["id"] for cell in normalized.notebook["cells"] if cell["metadata"]] == RELEASED_CELLS


def set_metadata(name: str, **values: object) -> Callable[[dict[str, Any]], object]:
    return lambda notebook: sample_submissions.find_cell(notebook, name)["metadata"]["nbgrader"].update(values)


DAMAGES: dict[str, tuple[Callable[[], dict[str, bytes]], str]] = {
    "stripped": (
        lambda: sample_submissions.notebook_without_metadata("perfect"),
        "Cells recognised without what nbgrader knows them by: set_up, forward,",
    ),
    "copied": (
        lambda: sample_submissions.notebook_with_copied_cells("perfect"),
        "Cells found more than once, of which the last one counts here: dJ_dW and check_dJ_dW",
    ),
    "three checks": (
        lambda: sample_submissions.notebook_with_damaged_checks("perfect"),
        "Cells put back because they had become cells of another kind: check_dJ_dW",
    ),
    "old schema": (
        lambda: changed(set_metadata("forward", schema_version=1)),
        "marks of another version, which were renewed: forward",
    ),
    "typed over": (
        lambda: changed(
            lambda notebook: sample_submissions.find_cell(notebook, "check_forward").update(source="1 / 0")
        ),
        "Cells put back because they were changed: check_forward",
    ),
    "renamed cell": (
        lambda: changed(set_metadata("dJ_dU", grade_id="mine")),
        "Cells put back because they were missing: dJ_dU",
    ),
    "no cells": (
        lambda: sample_submissions.notebook_file({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}),
        "",
    ),
    "odd types": (
        lambda: changed(
            lambda notebook: notebook["cells"].append(
                {"cell_type": "code", "id": 7, "metadata": [], "source": ["a", "\ud800"], "outputs": "none"}
            )
        ),
        "",
    ),
    "a script": (
        lambda: {SCRIPT: (sample_submissions.CLASS_FOLDER / "perfect" / SCRIPT).read_bytes()},
        "was graded: there is no notebook",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_repaired_and_named(damage: str, tmp_path: Path) -> None:
    files, message = DAMAGES[damage]
    normalized = take_in(tmp_path, files())
    assert_sound(normalized.notebook)
    assert not normalized.refusal_reason
    assert message in " ".join(normalized.repairs)


def test_a_kind_of_damage_is_told_once_for_all_cells(tmp_path: Path) -> None:
    [sentence] = take_in(tmp_path, sample_submissions.notebook_without_metadata("perfect")).repairs
    assert sentence.endswith("and 5 more.")


@pytest.mark.parametrize("damage", ["stripped", "copied", "three checks", "a script"])
def test_repaired_work_shows_what_the_student_wrote(damage: str, tmp_path: Path) -> None:
    notebook = take_in(tmp_path, DAMAGES[damage][0]()).notebook
    written = sample_submissions.answered_notebook("perfect")
    for function in courses.ARGUMENTS:
        assert f"def {function}(" in source_of(notebook, function)
        assert source_of(notebook, function).strip()[-40:] in sample_submissions.find_cell(written, function)["source"]


def format_3(notebook: dict[str, Any]) -> bytes:
    cells = [{"cell_type": "code", "input": cell["source"], "metadata": {}} for cell in notebook["cells"]]
    return json.dumps({"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}], "metadata": {}}).encode()


@pytest.mark.parametrize(
    "file",
    [
        sample_submissions.truncated_notebook("perfect")[NOTEBOOK],
        format_3(sample_submissions.answered_notebook("perfect")),
        b"",
        b"\xff\xfe\x00",
        b"null",
        b'{"cells": [',
        b'{"cells": 3, "nbformat": 4}',
        b"[" * 100_000,
    ],
    ids=["cut short", "format 3", "empty", "not text", "null", "begun", "no cells", "deep"],
)
def test_refused_work_has_a_reason_and_a_notebook(file: bytes, tmp_path: Path) -> None:
    normalized = take_in(tmp_path, {NOTEBOOK: file})
    assert_sound(normalized.notebook)
    assert normalized.refusal_reason
    assert "0 points until somebody grades it by hand" in normalize.instructor_message("ada", normalized)


@pytest.mark.parametrize(
    "file",
    [
        sample_submissions.truncated_notebook("perfect")[NOTEBOOK],
        format_3(sample_submissions.answered_notebook("perfect")),
    ],
)
def test_what_can_be_recovered_is_shown(file: bytes, tmp_path: Path) -> None:
    assert "h[0] = h0" in source_of(take_in(tmp_path, {NOTEBOOK: file}).notebook, "forward")


def test_nothing_is_recovered_behind_what_is_no_cell(tmp_path: Path) -> None:
    file = tmp_path / NOTEBOOK
    file.write_text('{"cells": [{"source": "a"}, 1, {"source": "b"},')
    assert [cell["source"] for cell in recover_cells(file, NAME, 10_000_000)] == ["a"]


def test_ambiguous_file_names_are_refused(tmp_path: Path) -> None:
    [content] = sample_submissions.notebook_file(sample_submissions.answered_notebook("perfect")).values()
    twice = {f"{NAME} ({number}).ipynb": content for number in (1, 2)}
    normalized = take_in(tmp_path, twice)
    assert "it is unclear which one counts" in normalized.refusal_reason
    assert_sound(normalized.notebook)


PROMPT = "**My explanation** (double-click here to write):"
BLANK = f"{PROMPT}\n\nYOUR ANSWER HERE"
ANSWER = "The products vanish,\n\nor they explode: $\\prod_j W$."


def new_cell(source: str, kind: str = "markdown", **metadata: object) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": "new", "metadata": metadata, "source": source}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def answer_with(*cells: dict[str, Any]) -> dict[str, bytes]:
    """Return a right notebook with other cells in place of the one for the answer in words."""

    def replace(notebook: dict[str, Any]) -> None:
        place = notebook["cells"].index(sample_submissions.find_cell(notebook, "derivation"))
        notebook["cells"][place : place + 1] = cells

    return changed(replace)


def answer_cell(source: str, kind: str = "markdown") -> dict[str, Any]:
    return new_cell(source, kind, nbgrader={"grade_id": "derivation", "schema_version": 3}) | {"id": "derivation"}


FIGURE = re.sub(r"\(data:.*?\)", "(attachment:unrolled.png)", source_of(RELEASE, "cell-4-figure-1"))
"""A figure of the release, as earlier ones had it."""

MOVED_ANSWERS = {
    "no metadata": answer_with(new_cell(f"{PROMPT}\n\n{ANSWER}")),
    "prompt replaced": answer_with(new_cell(ANSWER)),
    "split, the rest without metadata": answer_with(answer_cell(BLANK), new_cell(ANSWER)),
    "split, both with metadata": answer_with(answer_cell(PROMPT), answer_cell(ANSWER)),
    "now raw": answer_with(answer_cell(ANSWER, "raw")),
    "now code": answer_with(answer_cell(ANSWER, "code")),
    "now raw, without metadata": answer_with(new_cell(f"{PROMPT}\n\n{ANSWER}", "raw")),
    "in comments": answer_with(new_cell("# " + ANSWER.replace("\n", "\n# "), "code")),
    "merged into the cell above": changed(
        lambda notebook: (
            notebook["cells"].remove(sample_submissions.find_cell(notebook, "derivation"))
            or notebook["cells"][-2].update(
                source=f"{''.join(notebook['cells'][-2]['source'])}\n\n{PROMPT}\n\n{ANSWER}"
            )
        )
    ),
    "copied, the copy blank": answer_with(answer_cell(ANSWER), answer_cell(BLANK)),
    "beside a blank cell without metadata": answer_with(new_cell(BLANK), new_cell(ANSWER)),
}


@pytest.mark.parametrize("way", MOVED_ANSWERS)
def test_an_answer_in_words_is_found_wherever_it_stands(way: str, tmp_path: Path) -> None:
    notebook = take_in(tmp_path, MOVED_ANSWERS[way]).notebook
    assert_sound(notebook)
    shown = source_of(notebook, "derivation")
    assert shown != BLANK  # nbgrader alone would give 0 points
    assert ANSWER in shown.replace("# ", "").replace("\n#\n", "\n\n")
    assert shown.count("The products vanish") == 1
    assert "Derive and program" not in shown


@pytest.mark.parametrize(
    "cells",
    [
        [answer_cell(BLANK)],
        [answer_cell(BLANK), new_cell("x = 1  # a note", "code")],
        [answer_cell(BLANK), new_cell(FIGURE)],
        [answer_cell(BLANK), new_cell('<a href="https://host/badge"><img src="badge.svg" alt="Open"/></a>\n\n---')],
    ],
    ids=["as handed out", "with code", "with a figure of the release", "with a badge"],
)
def test_an_answer_in_words_stays_blank_if_nothing_was_written(cells: list[dict[str, Any]], tmp_path: Path) -> None:
    normalized = take_in(tmp_path, answer_with(*cells))
    assert source_of(normalized.notebook, "derivation") == BLANK
    assert normalized.repairs == ()


def test_a_missing_answer_in_words_says_so(tmp_path: Path) -> None:
    notebook = take_in(tmp_path, answer_with()).notebook
    assert source_of(notebook, "derivation") == (
        f"{PROMPT}\n\n*This cell was missing from what was handed in. No other text was handed in.*"
    )


def test_a_picture_may_be_the_answer(tmp_path: Path) -> None:
    drawn = new_cell(f"![](data:image/png;base64,{'A' * 10_000})")
    shown = source_of(take_in(tmp_path, answer_with(answer_cell(BLANK), drawn)).notebook, "derivation")
    assert shown.endswith("*(a picture, shown in its own cell)*")


def test_a_long_text_in_place_of_an_answer_is_cut(tmp_path: Path) -> None:
    shown = source_of(take_in(tmp_path, answer_with(new_cell("word " * 100_000))).notebook, "derivation")
    assert len(shown) < 6_000
    assert shown.endswith("*It goes on in the other cells.*")


def test_answers_in_words_that_lost_their_names_keep_their_order(tmp_path: Path) -> None:
    release = json.loads(json.dumps(RELEASE))
    second = json.loads(json.dumps(sample_submissions.find_cell(release, "derivation")))
    second["metadata"]["nbgrader"]["grade_id"] = second["id"] = "second"
    release["cells"].append(second)
    cells = [new_cell(f"{PROMPT}\n\n{text}") for text in ("First.", "Second.")]
    (tmp_path / NOTEBOOK).write_bytes(answer_with(*cells)[NOTEBOOK])
    notebook = normalize.normalize_submission(tmp_path, NAME, released_files(exercise(), Limits()), release).notebook
    assert source_of(notebook, "derivation").endswith("First.")
    assert source_of(notebook, "second").endswith("Second.")


def test_a_script_quotes_its_own_text_as_the_answer_in_words(tmp_path: Path) -> None:
    script = (courses.ROOT / "assignments" / NAME / SCRIPT).read_text(encoding="utf-8")
    script = script.replace("raise NotImplementedError", "return np.zeros(3)\n    raise NotImplementedError")
    silent = take_in(tmp_path, {SCRIPT: script.encode()}).notebook
    assert source_of(silent, "derivation").endswith("No other text was handed in.*")
    (tmp_path / "again").mkdir()
    script += "\n# %% [markdown]\n# The products vanish.\n"
    assert source_of(take_in(tmp_path / "again", {SCRIPT: script.encode()}).notebook, "derivation").endswith(
        "\n\nThe products vanish."
    )


def test_an_answer_in_words_beside_a_script_is_kept(tmp_path: Path) -> None:
    notebook = json.loads((courses.ROOT / "assignments" / NAME / NOTEBOOK).read_text())
    sample_submissions.add_question(notebook)
    sample_submissions.find_cell(notebook, "derivation")["source"] = "The products vanish."
    script = {SCRIPT: (sample_submissions.CLASS_FOLDER / "perfect" / SCRIPT).read_bytes()}
    normalized = take_in(tmp_path, sample_submissions.notebook_file(notebook) | script).notebook
    assert source_of(normalized, "derivation") == "The products vanish."
    assert "h[0] = h0" in source_of(normalized, "forward")


def test_pictures_that_text_cells_lost_are_those_of_the_release(tmp_path: Path) -> None:
    released, own = ({"image/png": "b2xk"}, {"image/png": "bXk="})
    text = "![one](attachment:one.png) ![two](attachment:my%20two.png) ![three](attachment:three.png)"
    handed_out = new_cell(text) | {"attachments": dict.fromkeys(("one.png", "my two.png", "unused.png"), released)}
    lost = new_cell(text) | {"attachments": {"one.png": own}}
    (tmp_path / NOTEBOOK).write_bytes(changed(lambda notebook: notebook["cells"].append(lost))[NOTEBOOK])
    release = {**RELEASE, "cells": [*RELEASE["cells"], handed_out]}
    notebook = normalize.normalize_submission(tmp_path, NAME, released_files(exercise(), Limits()), release).notebook
    assert_sound(notebook)
    assert notebook["cells"][-1]["attachments"] == {"one.png": own, "my two.png": released}


def test_a_link_longer_than_any_file_name_is_not_decoded() -> None:
    """Ten megabytes of `%41` took 700 MiB."""
    cell = new_cell("![one](attachment:" + "%41" * 400 + ")")
    assert restore_attachments(cell, {"A" * 400: {"image/png": "b2xk"}}) == cell


def test_attachments_are_copied_without_links_and_notebooks(tmp_path: Path) -> None:
    folder, secret = tmp_path / "submission", tmp_path / "secret.txt"
    (folder / "deep").mkdir(parents=True)
    secret.write_text("of the course")
    for name in ("notes.txt", "deep/data.csv", "other.ipynb", "timestamp.txt"):
        (folder / name).write_text("mine")
    (folder / "linked.txt").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    assert copy_attachments(folder, tmp_path / "copy", files_of_nbgrader(NAME, ())) == ""
    copied = {path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*.*")}
    assert copied == {"notes.txt", "deep/data.csv"}


@pytest.mark.parametrize("name", ["network.py", "NETWORK.py", NOTEBOOK, f"{NAME}.html", "timestamp.txt"])
def test_a_folder_called_like_a_file_of_nbgrader_is_left_out_and_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "in" / name / "deep").mkdir(parents=True)
    for file in (f"{name}/x.txt", f"{name}/deep/y.txt", "notes.txt"):
        (tmp_path / "in" / file).touch()
    message = copy_attachments(tmp_path / "in", tmp_path / "copy", files_of_nbgrader(NAME, ["network.py"]))
    assert [path.name for path in (tmp_path / "copy").rglob("*")] == ["notes.txt"]
    assert message.startswith(f"{name} was handed in too")


def test_a_file_called_like_a_folder_that_is_handed_out_is_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "figures").touch()
    (tmp_path / "in" / "network.py").touch()  # replaced by the one that was handed out, which is no news
    written = files_of_nbgrader(NAME, ["network.py", "figures/a.png"])
    assert "figures" in copy_attachments(tmp_path / "in", tmp_path / "copy", written)
    assert not (tmp_path / "copy").exists()


def test_folders_in_each_other_are_copied_to_a_limit(tmp_path: Path) -> None:
    deep = tmp_path / "in" / "/".join("d" * 25)
    deep.mkdir(parents=True)
    (deep / "x.txt").touch()
    assert copy_attachments(tmp_path / "in", tmp_path / "copy", ()) == ""
    assert not (tmp_path / "copy").exists()
