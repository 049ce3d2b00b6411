"""autograder init: what it adds to a course, what it leaves alone, and what it refuses."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
from autograder import cli
from autograder.commands.common import CommandError
from autograder.course import Limits, find_course, read_course
from autograder.nbgrader import course_setup
from autograder.nbgrader.gradebook.settings import read_settings
from tests import courses

NAME = courses.NAME
KITS = find_course(courses.ROOT).exercise_names()
OWN_SETTINGS = """c = get_config()
c.CourseDirectory.course_id = "methods"
c.CourseDirectory.source_directory = "masters"
c.CourseDirectory.release_directory = "for students"
c.GenerateFeedback.exporter_class = "nbconvert.exporters.HTMLExporter"
c.Exchange.root = "/srv/exchange\""""  # no newline at the end


def init(folder: Path, *arguments: str) -> str:
    """Run autograder init. Returns what it printed."""
    result = CliRunner().invoke(cli.commands, ["init", str(folder), *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return str(result.output)


def refused(folder: Path, *arguments: str) -> str:
    """Run autograder init, which must fail. Returns its sentence."""
    result = CliRunner().invoke(cli.commands, ["init", str(folder), *arguments])
    assert isinstance(result.exception, CommandError)
    return str(result.exception)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def existing(tmp_path: Path) -> Path:
    """Make a course that nbgrader works in already, with folders of its own names."""
    folder = tmp_path / "my course"
    for name, text in {
        "nbgrader_config.py": OWN_SETTINGS,
        ".gitignore": "*.pyc\n/grades/",
        "masters/ps1/mean.ipynb": "{}",
        "solutions/ps1.pdf": "by hand",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_new_course_is_made_from_nothing(tmp_path: Path) -> None:
    printed = init(tmp_path / "methods")
    course = read_course(tmp_path / "methods")
    assert course.exercise_names() == KITS
    assert read_settings(course.root).course_id == "methods"
    assert read_settings(course.root).folder("release", ".", NAME).parent == course.assignments
    ignored = (course.root / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".course-secret", "/submitted/", f"/source/{NAME}/"} <= set(ignored)
    assert "/source/" not in ignored
    assert f"autograder release {NAME}" in printed


def test_done_again_it_does_nothing(tmp_path: Path) -> None:
    init(tmp_path)
    before = contents(tmp_path)
    assert init(tmp_path) == "Nothing to do: the course has all that the kit adds.\n"
    assert contents(tmp_path) == before


def test_an_existing_course_keeps_all_that_it_has(existing: Path) -> None:
    before = contents(existing)
    printed = init(existing)
    after = contents(existing)
    for name in ("masters/ps1/mean.ipynb", "solutions/ps1.pdf"):
        assert after[name] == before[name]
    for name in ("nbgrader_config.py", ".gitignore"):
        assert after[name].startswith(before[name] + b"\n")
    assert "Added the kit to nbgrader_config.py, below your own settings." in printed
    assert (
        ".course-secret, /build/, /masters/*.sha256, /masters/rnn_backprop/, /masters/softmax_regression/." in printed
    )  # and not /grades/, which is there
    assert b"/submitted/" not in after[".gitignore"]
    settings = read_settings(existing)
    assert settings.course_id == "methods"
    assert settings.config.GenerateFeedback.exporter_class == "nbconvert.exporters.HTMLExporter"
    assert read_course(existing).assignments == existing / "for students"
    assert init(existing).startswith("Nothing to do")


def test_settings_in_another_file_keep_the_course_s_name(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    init(tmp_path)
    assert read_settings(tmp_path).course_id == ""


def test_own_settings_of_the_kit_stay(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text(f'exercises = "ex"\nrelease_as = {{ {NAME} = "hw3" }}\n', encoding="utf-8")
    init(tmp_path)
    assert (tmp_path / "ex" / NAME / "rubric.py").is_file()
    assert (tmp_path / "course.toml").read_text(encoding="utf-8").startswith('exercises = "ex"')
    assert "/source/hw3/" in (tmp_path / ".gitignore").read_text(encoding="utf-8")


def test_an_assignment_of_the_exercise_s_name_is_not_taken_over(existing: Path) -> None:
    (existing / "masters" / NAME).mkdir()
    before = contents(existing)
    message = refused(existing)
    assert f'write release_as = {{ {NAME} = "another name" }}' in message
    assert {name: data for name, data in contents(existing).items() if name != "course.toml"} == before
    with (existing / "course.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'[release_as]\n{NAME} = "hw3"\n')
    init(existing)
    assert read_course(existing).exercise_of("hw3") == NAME


def test_two_folders_for_what_students_get_are_refused(existing: Path) -> None:
    (existing / "course.toml").touch()
    before = contents(existing)
    assert 'write assignments = "for students" there' in refused(existing)
    assert contents(existing) == before


def test_an_exercise_of_its_own_is_copied(tmp_path: Path) -> None:
    own = courses.ROOT / "tests" / "exercises" / "heat_equation"
    init(tmp_path, "--exercise", str(own))
    assert read_course(tmp_path).exercise_names() == [own.name]
    init(tmp_path, "--exercise", str(courses.ROOT / "solutions" / NAME))
    assert read_course(tmp_path).exercise_names() == sorted([NAME, own.name])


def test_a_folder_without_a_rubric_is_no_exercise(tmp_path: Path) -> None:
    assert "is not an exercise" in refused(tmp_path / "course", "--exercise", str(tmp_path))


def test_an_exercise_that_was_changed_in_the_course_stays(tmp_path: Path) -> None:
    init(tmp_path)
    rubric = tmp_path / "solutions" / NAME / "rubric.py"
    rubric.write_text("# mine\n", encoding="utf-8")
    init(tmp_path, "--exercise", str(courses.ROOT / "solutions" / NAME))
    assert rubric.read_text(encoding="utf-8") == "# mine\n"


def test_settings_that_cannot_be_read_are_named(existing: Path) -> None:
    (existing / "nbgrader_config.py").write_text("1 / 0\n", encoding="utf-8")
    assert "nbgrader_config.py cannot be read: ZeroDivisionError" in refused(existing)


def test_a_kit_without_exercises_asks_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course_setup, "KIT_EXERCISES", tmp_path / "none")
    printed = init(tmp_path / "course")
    assert "There is no exercise yet: autograder init --exercise PATH" in printed


def test_a_clone_of_the_kit_is_a_course_already(tmp_path: Path) -> None:
    for name in ("course.toml", "nbgrader_config.py", ".gitignore"):
        shutil.copy(courses.ROOT / name, tmp_path)
    shutil.copytree(courses.ROOT / "solutions" / NAME, tmp_path / "solutions" / NAME)
    assert init(tmp_path).startswith("Nothing to do")


def test_the_suggested_settings_can_be_taken(tmp_path: Path) -> None:
    init(tmp_path)
    file = tmp_path / "course.toml"
    text = file.read_text(encoding="utf-8").replace("EXERCISE", NAME)
    file.write_text(re.sub(r"^# (\[|\w+ = )", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    course = read_course(tmp_path)
    assert (course.assignment_of(NAME), course.isolation, course.feedback) == ("hw3", "B", "hint")
    assert course.limits == Limits()


@pytest.mark.slow
def test_a_package_without_its_clone_makes_a_course(tmp_path: Path) -> None:
    """A wheel holds the package alone: here it lies in a folder of its own."""
    shutil.copytree(courses.ROOT / "autograder", tmp_path / "site" / "autograder")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    exercise = str(courses.ROOT / "solutions" / NAME)
    (tmp_path / "course").mkdir()
    for arguments in (["init"], ["init", "--exercise", exercise], ["release", NAME]):
        command = [sys.executable, "-m", "autograder", *arguments]
        subprocess.run(command, cwd=tmp_path / "course", env=environment, check=True, capture_output=True)
    released = (courses.ROOT / "assignments" / NAME / f"{NAME}.ipynb").read_bytes()
    assert (tmp_path / "course" / "release" / NAME / f"{NAME}.ipynb").read_bytes() == released
