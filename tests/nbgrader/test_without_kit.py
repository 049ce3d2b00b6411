"""A course's nbgrader_config.py where the kit cannot be used: nothing runs an exercise, and all else goes on."""

from __future__ import annotations

import json
import shutil
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from tests import courses
from tests.browser.jupyter import jupyterlab

NAME = courses.NAME
ORDINARY = Path(__file__).with_name("ordinary")
WHY = "No module named 'numpy'"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Make a course with an ordinary assignment and a released exercise, one submission of each."""
    courses.skip_without_nbgrader()
    folder = tmp_path / "course"
    shutil.copytree(ORDINARY, folder)
    shutil.copy(courses.ROOT / "nbgrader_config.py", folder)
    released = courses.ROOT / "assignments"
    for step in ("source", "release", "submitted/ada"):
        shutil.copytree(released / NAME, folder / step / NAME)
    shutil.copy(released / f"{NAME}.sha256", folder / "source")
    return folder


@pytest.fixture
def environment_without_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let programs that a test starts find a package that fails in place of the kit."""
    package = tmp_path / "broken" / "autograder"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f'raise ModuleNotFoundError("{WHY}")\n')
    monkeypatch.setenv("PYTHONPATH", str(package.parent))


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return nbgrader's module of all converters, as it is again after the test."""
    courses.skip_without_nbgrader()
    import nbgrader.converters.base as base

    monkeypatch.setattr(base.BaseConverter, "start", base.BaseConverter.start)
    return base


def load_settings(course: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load the nbgrader_config.py of a course as nbgrader does, with a kit that raises."""
    from traitlets.config.loader import PyFileConfigLoader

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("autograder.nbgrader.config.configure", fail)
    return PyFileConfigLoader("nbgrader_config.py", str(course)).load_config()


@pytest.mark.parametrize("assignment", [NAME, "*"])
@pytest.mark.parametrize("converter", ["Autograde", "GenerateAssignment", "GenerateFeedback"])
def test_an_exercise_is_refused_with_the_reason(
    converter: str,
    assignment: str,
    course: Path,
    base: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    from nbgrader import converters
    from nbgrader.coursedir import CourseDirectory

    load_settings(course, monkeypatch)
    folders = CourseDirectory(root=str(course), assignment_id=assignment)
    with pytest.raises(base.NbGraderException, match=r"kit cannot be used here \(RuntimeError: broken\)"):
        getattr(converters, converter)(coursedir=folders).start()
    assert "neither generated nor graded" in caplog.text


def test_settings_that_are_read_again_ask_once(course: Path, base: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Formgrader reads them for every page."""
    started = []
    monkeypatch.setattr(base.BaseConverter, "start", lambda converter: started.append(converter))
    for _ in range(3):
        settings = load_settings(course, monkeypatch)
    from nbgrader.converters import Autograde
    from nbgrader.coursedir import CourseDirectory

    Autograde(coursedir=CourseDirectory(root=str(course), assignment_id="ps1")).start()
    assert len(started) == 1
    assert base.BaseConverter.start.of_nbgrader is not base.BaseConverter.start
    assert not hasattr(base.BaseConverter.start.of_nbgrader, "of_nbgrader")
    assert settings == {"CourseDirectory": {"course_id": "rnn"}}


def test_every_course_gets_the_same_lines() -> None:
    lines = (courses.ROOT / "autograder" / "nbgrader" / "course_files" / "kit.py.in").read_text(encoding="utf-8")
    assert (courses.ROOT / "nbgrader_config.py").read_text(encoding="utf-8").endswith(lines)


class Formgrader:
    """Formgrader's interface for programs, which its pages use."""

    def __init__(self, address: str) -> None:
        cookies = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))
        self._address = address
        self._opener.open(f"{address}/lab").close()
        self._token = next(cookie.value for cookie in cookies if cookie.name == "_xsrf")

    def get(self, path: str) -> str:
        with self._opener.open(f"{self._address}/formgrader/{path}") as answer:
            return str(answer.read().decode())

    def press(self, path: str) -> Any:
        """Do what a button of a page does, and return the answer."""
        address = f"{self._address}/formgrader/api/{urllib.parse.quote(path)}"
        request = urllib.request.Request(address, data=b"", headers={"X-XSRFToken": str(self._token)})
        with self._opener.open(request) as answer:
            return json.loads(answer.read())


@pytest.mark.slow
def test_a_server_without_the_kit_runs_and_says_why_exercises_fail(course: Path, environment_without_kit: None) -> None:
    home = courses.home_folder(course)
    with jupyterlab(course, home) as address:
        formgrader = Formgrader(address)
        assert "nbgrader formgrade" in formgrader.get("manage_assignments")
        listed = {assignment["name"] for assignment in json.loads(formgrader.get("api/assignments"))}
        assert listed == {NAME, "ps1", "ps 2"}
        for action in (f"assignment/{NAME}/assign", f"submission/{NAME}/ada/autograde"):
            refused = formgrader.press(action)
            assert not refused["success"]
            assert WHY in refused["log"]
            assert "in the environment where the kit is installed" in refused["log"]
        assert formgrader.press("assignment/ps1/assign")["success"]
        assert formgrader.press("submission/ps1/bob/autograde")["success"]
    assert WHY in (home / "jupyter.log").read_text(encoding="utf-8")
    assert not (course / "autograded" / "ada" / NAME).exists()
    completed = courses.run_module(course, "nbgrader", "autograde", NAME, expected=(1,))
    assert WHY in completed.stderr
    assert "Traceback" not in completed.stderr
