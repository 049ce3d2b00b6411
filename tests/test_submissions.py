"""Real submissions, each graded and compared with the verdict that lies beside it: see submissions/README.md."""

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
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.grading import Grader
from autograder.sandbox.host.jail import Jail
from autograder.submission.safe_files import MAX_BYTES

SUBMISSIONS = Path(__file__).parent / "submissions"
COURSE = find_course(Path(__file__).parent)
FAST = Limits(cpu_seconds=0.5, load_cpu_seconds=2)
ROOMS = ("class", "honest", "mistakes", "measured", "bad_input")
GRADIENTS = ("dJ_dV", "dJ_dW", "dJ_dU")
WORDS: dict[str, Callable[[float, float], bool]] = {
    "all": lambda points, most: points == most,
    "some": lambda points, most: 0 < points < most,
    "less": lambda points, most: points < most,
    "none": lambda points, most: points == 0,
}


@dataclass(frozen=True)
class Expected:
    """What an expected.toml says."""

    about: str
    path: str = "."
    status: str = "graded"
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    points: dict[str, str] = field(default_factory=dict)
    checks: dict[str, str] = field(default_factory=dict)


@cache
def exercise() -> Exercise:
    return load_exercise(COURSE.exercise_folder("rnn_backprop"))


def with_checks(changed: Exercise, ending: str = "", **settings: Any) -> Exercise:
    checks = (
        dataclasses.replace(check, **settings) if check.id.endswith(ending) else check for check in changed.checks
    )
    return dataclasses.replace(changed, checks=tuple(checks))


@cache
def one_point_each() -> Exercise:
    """The exercise with checks that all count, and all the same: expected is what is found, not what it is worth."""
    return with_checks(exercise(), points=1.0, role="points")


@cache
def jail() -> Jail:
    opened = Jail()
    atexit.register(opened.close)
    return opened


def grader(**settings: Any) -> Grader:
    return Grader(**{"exercise": one_point_each(), "jail": jail(), "limits": FAST, "seed": 1, **settings})


def graded(path: Path, seed: int = 1) -> Report:
    return grader(seed=seed).grade(path, path.name)


def folders(*rooms: str) -> list[Any]:
    found = (file.parent for room in rooms for file in sorted((SUBMISSIONS / room).glob("*/expected.toml")))
    return [pytest.param(folder, id=folder.relative_to(SUBMISSIONS).as_posix()) for folder in found]


def said(report: Report) -> str:
    told = [*(note.text for note in report.notes), *(check.message for check in report.checks)]
    return "\n".join(" ".join(text.split()) for text in told)


def expected_in(folder: Path) -> Expected:
    return Expected(**tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8")))


def compare(report: Report, expected: Expected) -> None:
    assert report.status == expected.status, said(report)
    for part in expected.says:
        assert part in said(report)
    for part in expected.never_says:
        assert part not in said(report)
    if report.status != "graded":
        assert (report.score, report.checks) == (0.0, ())
        return
    for function in exercise().functions:
        points, most = report.points_of(function.name)
        wanted = expected.points.get(function.name, "all")
        right = WORDS[wanted](points, most)
        assert right, f"{function.name} has {points} of {most} points, and {wanted} is expected:\n{said(report)}"
    statuses = {check.id: check.status for check in report.checks}
    assert {id: statuses.get(id) for id in expected.checks} == expected.checks
    assert all(check.message for check in report.checks if check.status != "pass")
    assert report.score == round(sum(check.points for check in report.checks), 6)


def judge(folder: Path, seed: int) -> None:
    expected = expected_in(folder)
    compare(graded(folder / expected.path, seed), expected)


@pytest.mark.parametrize("folder", folders(*ROOMS))
def test_verdict(folder):
    judge(folder, seed=1)


@pytest.mark.parametrize("folder", folders("honest", "mistakes", "measured"))
def test_verdict_with_other_numbers(folder):
    judge(folder, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 7))
@pytest.mark.parametrize("folder", folders("honest", "mistakes", "measured"))
def test_verdict_is_no_luck_of_the_draw(folder, seed):
    judge(folder, seed)


@pytest.mark.parametrize("folder", folders(*ROOMS))
def test_what_is_expected_fits_its_room(folder):
    expected, room = expected_in(folder), folder.parent.name
    assert expected.points.keys() <= {function.name for function in exercise().functions}
    assert expected.checks.keys() <= {check.id for check in exercise().checks}
    assert set(expected.points.values()) <= WORDS.keys() - {"all"}
    if room == "honest":
        assert (expected.status, expected.points) == ("graded", {})
    if room in ("mistakes", "measured"):
        assert expected.points, "it loses nothing"


def test_every_folder_is_judged():
    there = {folder for room in SUBMISSIONS.iterdir() if room.is_dir() for folder in room.iterdir()}
    assert there == {parameter.values[0] for parameter in folders(*ROOMS)}


@pytest.mark.parametrize("folder", folders("measured"))
def test_a_rubric_can_make_measuring_a_note(folder):
    noted = with_checks(one_point_each(), ".derived", role="note")
    report = grader(exercise=noted).grade(folder, "")
    compare(report, Expected("all points", checks={f"{name}.derived": "fail" for name in GRADIENTS}))
    assert report.score == report.max_score == noted.max_score == one_point_each().max_score - len(GRADIENTS)
    titles = {check.function: check.title for check in noted.checks if check.role == "note"}
    told = [note.text for note in report.notes if note.audience == "student"]
    assert [text[: text.index(" is not right")] for text in told] == [f"{titles[name]}: {name}" for name in GRADIENTS]


@pytest.mark.parametrize("folder", folders("measured"))
def test_a_rubric_can_make_deriving_a_condition(folder):
    strict = with_checks(one_point_each(), ".derived", role="condition")
    report = grader(exercise=strict).grade(folder, "")
    compare(report, Expected("nothing for what was measured", points=dict.fromkeys(GRADIENTS, "none")))
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
    report, most = grader(exercise=exercise()).grade(tmp_path, ""), exercise().max_score
    assert (report.score, report.max_score, report.notes) == (most, most, ()), said(report)
    assert {check.status for check in report.checks} == {"pass"}


@pytest.mark.parametrize("name", ["rnn_backprop.py", "rnn_backprop.ipynb", ""], ids=["script", "notebook", "folder"])
def test_the_released_stubs_have_no_points_and_no_reproach(name):
    report = graded(COURSE.assignments / "rnn_backprop" / name)
    assert (report.status, report.score) == ("graded", 0.0)
    assert {check.status for check in report.checks} == {"not_attempted"}
    assert report.notes == ()


def test_one_answer_in_the_released_folder_counts_as_in_the_released_form(tmp_path):
    released = COURSE.assignments / "rnn_backprop"
    text = (released / "rnn_backprop.py").read_text(encoding="utf-8")
    right = (
        "e = [net.loss.gradient(*step) @ net.g2.jacobian(step[0]) for step in zip(y_hat, y)]\n"
        "    return np.array(e).T @ h[1:] / len(x)"
    )
    (tmp_path / "rnn_backprop.py").write_text(text.replace(source.stub_line("dJ_dV"), right), encoding="utf-8")
    (tmp_path / "rnn_backprop.ipynb").write_bytes((released / "rnn_backprop.ipynb").read_bytes())
    left_alone = dict.fromkeys(("forward", "dJ_dW", "dJ_dU"), "none")
    compare(graded(tmp_path), Expected("the script alone was worked on", points=left_alone))


# What cannot lie in a repository


def refusal(path: Path) -> str:
    report = graded(path)
    assert (report.status, report.score, report.checks) == ("refused", 0.0, ())
    (note,) = report.notes
    assert note.audience == "student"
    return note.text


def test_a_path_that_is_not_there(tmp_path):
    assert "rnn_backprop.py" in refusal(tmp_path / "rnn_backprop.py")


def test_an_empty_folder(tmp_path):
    assert "rnn_backprop.ipynb" in refusal(tmp_path)


def test_a_symbolic_link(tmp_path):
    (tmp_path / "rnn_backprop.py").symlink_to(SUBMISSIONS / "class" / "perfect" / "rnn_backprop.py")
    assert "symbolic link: hand in the file itself" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_named_pipe(tmp_path):
    os.mkfifo(tmp_path / "rnn_backprop.py")
    assert "not a regular file" in refusal(tmp_path)


def test_a_device():
    assert "neither a notebook (.ipynb) nor a script (.py)" in refusal(Path(os.devnull))


def test_a_file_over_the_cap(tmp_path):
    with (tmp_path / "rnn_backprop.ipynb").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "is larger than 10 MB: clear the outputs" in refusal(tmp_path)


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="needs POSIX, and a user who may not read everything"
)
def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "rnn_backprop.py").touch(mode=0o000)
    assert "cannot be read" in refusal(tmp_path)


def test_a_function_that_waits_without_end(tmp_path):
    script = tmp_path / "rnn_backprop.py"
    perfect = (SUBMISSIONS / "class" / "perfect" / "rnn_backprop.py").read_text(encoding="utf-8")
    script.write_text(
        perfect.replace("def dJ_dU(", "def dJ_dU(*_):\n    import time\n\n    time.sleep(3600)\n\n\ndef d(")
    )
    report = grader(limits=dataclasses.replace(FAST, wall_seconds=0.5)).grade(script, "")
    says = ("dJ_dU did not finish within 0.5 s, and", "does it wait for something?")
    compare(report, Expected("waits without end", says=says, points={"dJ_dU": "none"}))


def test_a_verdict_can_be_replayed():
    folder = SUBMISSIONS / "class" / "truncated_bptt"
    first = grader(secret=b"of this course", seed=None).grade(folder, "")
    assert grader(seed=first.seed).grade(folder, "") == first
    assert grader(secret=b"of another", seed=None).grade(folder, "").seed != first.seed


def test_a_fault_of_the_grader_is_no_verdict_on_the_student():
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
    report = graded(SUBMISSIONS / "class" / "hanging")
    told = json.loads(json.dumps(dataclasses.asdict(report)))
    assert (told["status"], told["score"], told["seed"]) == (report.status, report.score, report.seed)
    assert told["checks"] == [dataclasses.asdict(check) for check in report.checks]
