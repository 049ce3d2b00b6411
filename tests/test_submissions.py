"""Real submissions, each graded and compared with its expected.toml: see submissions/README.md."""

from __future__ import annotations

import atexit
import dataclasses
import json
import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Limits, find_course
from autograder.evaluation.report import Report
from autograder.exercise import source
from autograder.exercise.model import Exercise
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail
from autograder.submission.safe_files import MAX_BYTES
from tests.in_process import exercise

SUBMISSIONS = Path(__file__).parent / "submissions"
COURSE = find_course(Path(__file__).parent)
FAST = Limits(cpu_seconds=0.5, load_cpu_seconds=2)
FOLDERS = ("class", "honest", "mistakes", "two_mistakes", "true_sentences", "measured", "bad_input")
GRADIENTS = ("dJ_dV", "dJ_dW", "dJ_dU")
POINTS_WORDS: dict[str, Callable[[float, float], bool]] = {  # see submissions/README.md
    "all": lambda points, max_points: points == max_points,
    "some": lambda points, max_points: 0 < points < max_points,
    "less": lambda points, max_points: points < max_points,
    "none": lambda points, max_points: points == 0,
}


@dataclass(frozen=True)
class Expected:
    """The contents of an expected.toml."""

    about: str
    path: str = "."
    status: str = "graded"
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    points: dict[str, str] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)


def with_checks(original: Exercise, ending: str = "", **fields: Any) -> Exercise:
    """Return the exercise with these fields of the checks whose id has this ending."""
    checks = (dataclasses.replace(check, **fields) if check.id.endswith(ending) else check for check in original.checks)
    return dataclasses.replace(original, checks=tuple(checks))


@cache
def one_point_each() -> Exercise:
    """Return the exercise with one point for each check: expectations do not depend on the points of the rubric."""
    return with_checks(exercise(), points=1.0, role="points")


@cache
def jail() -> Jail:
    opened = Jail()
    atexit.register(opened.close)
    return opened


def grader(**settings: Any) -> Grader:
    return Grader(**{"exercise": one_point_each(), "jail": jail(), "limits": FAST, "seed": 1, **settings})


def grade(path: Path, seed: int = 1) -> Report:
    return grader(seed=seed).grade(path, path.name)


def folders(*parents: str) -> list[Any]:
    found = [file.parent for name in parents for file in sorted((SUBMISSIONS / name).glob("*/expected.toml"))]
    return [pytest.param(folder, id=folder.relative_to(SUBMISSIONS).as_posix()) for folder in found]


def report_text(report: Report) -> str:
    texts = [*(note.text for note in report.notes), *(check.message for check in report.checks)]
    return "\n".join(" ".join(text.split()) for text in texts)


def read_expected(folder: Path) -> Expected:
    return Expected(**tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8")))


def assert_verdict(report: Report, expected: Expected) -> None:
    assert report.status == expected.status, report_text(report)
    for part in expected.says:
        assert part in report_text(report)
    for part in expected.never_says:
        assert part not in report_text(report)
    if report.status != "graded":
        assert (report.score, report.checks) == (0.0, ())
        return
    for function in exercise().functions:
        points, max_points = report.points_of(function.name)
        word = expected.points.get(function.name, "all")
        failure = f"{function.name} has {points} of {max_points} points, expected {word}:\n{report_text(report)}"
        assert POINTS_WORDS[word](points, max_points), failure
    statuses = {check.id: check.status for check in report.checks}
    assert {id: statuses.get(id) for id in expected.checks} == expected.checks
    assert all(check.message for check in report.checks if check.status != "pass")
    assert report.score == round(sum(check.points for check in report.checks), 6)


def assert_expected(folder: Path, seed: int) -> None:
    expected = read_expected(folder)
    assert_verdict(grade(folder / expected.path, seed), expected)


@pytest.mark.parametrize("folder", folders(*FOLDERS))
def test_verdict(folder):
    assert_expected(folder, seed=1)


@pytest.mark.soak  # tests/unit/solutions/test_fairness.py shows without a jail that the seed changes no verdict
@pytest.mark.parametrize("seed", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("folder", folders("honest", "mistakes", "two_mistakes", "true_sentences", "measured"))
def test_verdict_with_more_seeds(folder, seed):
    assert_expected(folder, seed)


@pytest.mark.parametrize("folder", folders(*FOLDERS))
def test_expectations_fit_their_folder(folder):
    expected, parent = read_expected(folder), folder.parent.name
    assert expected.points.keys() <= {function.name for function in exercise().functions}
    assert expected.checks.keys() <= {check.id for check in exercise().checks}
    assert set(expected.points.values()) <= POINTS_WORDS.keys() - {"all"}
    if parent == "honest":
        assert (expected.status, expected.points) == ("graded", {})
    if parent in ("mistakes", "true_sentences", "measured"):
        assert expected.points, "it loses nothing"


def test_every_folder_is_graded():
    all_folders = {folder for parent in SUBMISSIONS.iterdir() if parent.is_dir() for folder in parent.iterdir()}
    assert all_folders == {parameter.values[0] for parameter in folders(*FOLDERS)}


@pytest.mark.parametrize("folder", folders("measured"))
def test_a_rubric_can_make_measuring_a_note(folder):
    with_notes = with_checks(one_point_each(), ".derived", role="note")
    report = grader(exercise=with_notes).grade(folder, "")
    assert_verdict(report, Expected("all points", checks={f"{name}.derived": "fail" for name in GRADIENTS}))
    assert report.score == report.max_score == with_notes.max_score == one_point_each().max_score - len(GRADIENTS)
    titles = {check.function: check.title for check in with_notes.checks if check.role == "note"}
    texts = [note.text for note in report.notes if note.audience == "student"]
    assert [text[: text.index(" is not right")] for text in texts] == [f"{titles[name]}: {name}" for name in GRADIENTS]


@pytest.mark.parametrize("folder", folders("measured"))
def test_a_rubric_can_make_deriving_a_condition(folder):
    strict = with_checks(one_point_each(), ".derived", role="condition")
    report = grader(exercise=strict).grade(folder, "")
    assert_verdict(report, Expected("nothing for what was measured", points=dict.fromkeys(GRADIENTS, "none")))
    withheld = [check for check in report.checks if check.id.endswith((".plain", ".slope")) and not check.points]
    assert len(withheld) == 2 * len(GRADIENTS)
    assert all("counts only together with the check “Derived" in check.message for check in withheld)
    derived = grader(exercise=strict).grade(SUBMISSIONS / "class" / "perfect", "")
    assert derived.score == derived.max_score == strict.max_score


def test_the_sample_class_is_the_one_that_the_demo_shows():
    assert {folder.name for folder in (SUBMISSIONS / "class").iterdir()} == {
        *("perfect", "blank", "truncated_bptt", "transposed_W", "hanging", "crashing", "notebook", "float32")
    }


def as_notebook(code: list[str]) -> str:
    cells = [
        {"cell_type": "code", "execution_count": None, "id": f"cell-{i}", "metadata": {}, "outputs": [], "source": text}
        for i, text in enumerate(code)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def as_script(code: list[str]) -> str:
    return "\n\n".join(f"# %%\n{text}" for text in code)


FORMS = {".py": as_script, ".ipynb": as_notebook}


@pytest.mark.parametrize("suffix", FORMS)
def test_the_reference_has_all_points(suffix, tmp_path):
    text = (exercise().folder / "rnn_backprop.py").read_text(encoding="utf-8")
    code = [cell.source for cell in source.parse_cells(text) if cell.kind not in ("markdown", "manual")]
    (tmp_path / f"rnn_backprop{suffix}").write_text(FORMS[suffix](code), encoding="utf-8")
    report, max_score = grader(exercise=exercise()).grade(tmp_path, ""), exercise().max_score
    assert (report.score, report.max_score, report.notes) == (max_score, max_score, ()), report_text(report)
    assert {check.status for check in report.checks} == {"pass"}


@pytest.mark.parametrize("name", ["rnn_backprop.py", "rnn_backprop.ipynb", ""], ids=["script", "notebook", "folder"])
def test_the_released_stubs_have_no_points_and_no_notes(name):
    report = grade(COURSE.assignments / "rnn_backprop" / name)
    assert (report.status, report.score) == ("graded", 0.0)
    assert {check.status for check in report.checks} == {"not_attempted"}
    assert report.notes == ()


def test_one_answer_in_the_released_folder_counts_as_in_the_released_form(tmp_path):
    released = COURSE.assignments / "rnn_backprop"
    text = (released / "rnn_backprop.py").read_text(encoding="utf-8")
    answer = (
        "e = [net.loss.gradient(*step) @ net.g2.jacobian(step[0]) for step in zip(y_hat, y)]\n"
        "    return np.array(e).T @ h[1:] / len(x)"
    )
    (tmp_path / "rnn_backprop.py").write_text(text.replace(source.stub_line("dJ_dV"), answer), encoding="utf-8")
    (tmp_path / "rnn_backprop.ipynb").write_bytes((released / "rnn_backprop.ipynb").read_bytes())
    unanswered = dict.fromkeys(("forward", "dJ_dW", "dJ_dU"), "none")
    assert_verdict(grade(tmp_path), Expected("the script alone was worked on", points=unanswered))


# --- Submissions that cannot lie in a repository ----------------------------------------------------------------------


def refusal(path: Path) -> str:
    report = grade(path)
    assert (report.status, report.score, report.checks) == ("refused", 0.0, ())
    (note,) = report.notes
    assert note.audience == "student"
    return note.text


def test_a_missing_path_is_refused(tmp_path):
    assert "rnn_backprop.py" in refusal(tmp_path / "rnn_backprop.py")


def test_an_empty_folder_is_refused(tmp_path):
    assert "rnn_backprop.ipynb" in refusal(tmp_path)


def test_a_symbolic_link_is_refused(tmp_path):
    (tmp_path / "rnn_backprop.py").symlink_to(SUBMISSIONS / "class" / "perfect" / "rnn_backprop.py")
    assert "symbolic link: hand in the file itself" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_named_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "rnn_backprop.py")
    assert "not a regular file" in refusal(tmp_path)


def test_a_device_is_refused():
    assert "neither a notebook (.ipynb) nor a script (.py)" in refusal(Path(os.devnull))


def test_a_file_over_the_size_limit_is_refused(tmp_path):
    with (tmp_path / "rnn_backprop.ipynb").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "is larger than 10 MB, outputs of a notebook not counted: take out what does not belong" in refusal(tmp_path)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="needs POSIX, and a user who may not read everything"
)
def test_an_unreadable_file_is_refused(tmp_path):
    (tmp_path / "rnn_backprop.py").touch(mode=0o000)
    assert "cannot be read" in refusal(tmp_path)


def test_a_function_that_waits_forever_times_out(tmp_path):
    script = tmp_path / "rnn_backprop.py"
    perfect = (SUBMISSIONS / "class" / "perfect" / "rnn_backprop.py").read_text(encoding="utf-8")
    script.write_text(
        perfect.replace("def dJ_dU(", "def dJ_dU(*_):\n    import time\n\n    time.sleep(3600)\n\n\ndef d(")
    )
    report = grader(limits=dataclasses.replace(FAST, wall_seconds=0.5)).grade(script, "")
    says = ("dJ_dU did not finish within 0.5 s, and", "does it wait for something?")
    assert_verdict(report, Expected("waits without end", says=says, points={"dJ_dU": "none"}))


def test_a_verdict_can_be_replayed():
    folder = SUBMISSIONS / "class" / "truncated_bptt"
    first = grader(secret=b"of this course", seed=None).grade(folder, "")
    assert grader(seed=first.seed).grade(folder, "") == first
    assert grader(secret=b"of another", seed=None).grade(folder, "").seed != first.seed


def test_an_error_of_the_grader_is_no_verdict():
    class Broken(Jail):
        def __init__(self) -> None:
            self.level = "E"

        def load_program(self, *_: object) -> Any:
            raise RuntimeError("the disk is full")

    report = grader(jail=Broken()).grade(SUBMISSIONS / "class" / "perfect", "p")
    assert (report.status, report.score) == ("grader_error", 0.0)
    assert [note.audience for note in report.notes] == ["instructor"]
    assert "the disk is full" in report.notes[0].text


def test_a_report_is_plain_data():
    report = grade(SUBMISSIONS / "class" / "hanging")
    decoded = json.loads(json.dumps(dataclasses.asdict(report)))
    assert (decoded["status"], decoded["score"], decoded["seed"]) == (report.status, report.score, report.seed)
    assert decoded["checks"] == [dataclasses.asdict(check) for check in report.checks]
