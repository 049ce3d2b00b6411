"""Which of nbgrader's classes work on which assignment: ours on exercises, nbgrader's own on all others."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.converters import Autograde, GenerateAssignment, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from traitlets.config import Config

from autograder.nbgrader.autograding.converters import KitAutograde, KitGenerateAssignment
from autograder.nbgrader.config import configure
from autograder.nbgrader.exchange import exchange, zip_collect
from autograder.nbgrader.exercises import is_exercise
from autograder.release.install import release_exercise
from tests.in_process import other_exercise as exercise

NAME = exercise().name


@pytest.fixture
def course(tmp_path: Path) -> Path:
    shutil.copytree(
        exercise().folder, tmp_path / "solutions" / NAME, ignore=shutil.ignore_patterns("__pycache__", ".cache")
    )
    (tmp_path / "course.toml").write_text(f'release_as = {{ {NAME} = "hw3" }}\n', encoding="utf-8")
    return tmp_path


def folders(course: Path, assignment: str, **settings: str) -> CourseDirectory:
    return CourseDirectory(root=str(course), assignment_id=assignment, **settings)


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [("hw3", True), ("*", True), ("h[vw]?", True), (NAME, False), ("ps*", False), ("", False)],
)
def test_an_exercise_is_what_the_course_hands_out_as_one(course: Path, assignment: str, expected: bool) -> None:
    assert is_exercise(folders(course, assignment)) is expected


@pytest.mark.parametrize("settings", [None, "release_as = 3"])
@pytest.mark.parametrize(
    "structure", ["{nbgrader_step}/{student_id}/{assignment_id}", "{nbgrader_step}/{assignment_id}/{student_id}"]
)
def test_what_was_released_stays_an_exercise_without_settings(
    course: Path, settings: str | None, structure: str
) -> None:
    """nbgrader itself would run students' code in a kernel."""
    (course / "source").mkdir()
    (course / "source" / "hw3.sha256").touch()
    (course / "course.toml").unlink()
    if settings is not None:
        (course / "course.toml").write_text(settings, encoding="utf-8")
    assert is_exercise(folders(course, "hw3", directory_structure=structure))
    assert is_exercise(folders(course, "h*", directory_structure=structure))
    assert not is_exercise(folders(course, "ps1", directory_structure=structure))
    with pytest.raises(NbGraderException, match=r"course.toml"):
        KitAutograde(coursedir=folders(course, "hw3")).start()


@pytest.mark.parametrize(("ours", "stock"), [(KitAutograde, Autograde), (KitGenerateAssignment, GenerateAssignment)])
def test_a_converter_of_another_assignment_is_nbgrader_s_own(course: Path, ours: Any, stock: Any) -> None:
    settings = Config()
    settings[stock.__name__]["force"] = True
    assert type(ours(coursedir=folders(course, "hw3"))) is ours
    converter = ours(coursedir=folders(course, "ps1"), config=settings)
    assert type(converter) is stock
    assert converter.force


def test_plugins_of_the_exchange_work_on_exercises_alone(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Collect", "ReleaseFeedback"):
        monkeypatch.setattr(ExchangeFactory, name, getattr(ExchangeFactory, name))
    exchange.install()
    factory = ExchangeFactory()
    assert type(factory.Collect(coursedir=folders(course, "hw3"))) is exchange.Collect
    assert type(factory.Collect(coursedir=folders(course, "ps1"))) is ExchangeCollect
    assert type(factory.ReleaseFeedback(coursedir=folders(course, "hw3"))) is exchange.ReleaseFeedback
    assert type(factory.ReleaseFeedback(coursedir=folders(course, "ps1"))) is ExchangeReleaseFeedback


def test_an_exchange_of_the_hub_s_own_stays(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class OfTheHub(ExchangeCollect):
        """A plugin such as ngshare's."""

    monkeypatch.setattr(ExchangeFactory, "Collect", ExchangeFactory.Collect)
    exchange.install()
    factory = ExchangeFactory(config=Config({"ExchangeFactory": {"collect": OfTheHub}}))
    assert type(factory.Collect(coursedir=folders(course, "hw3"))) is OfTheHub


@pytest.mark.parametrize(
    ("assignment", "extractor", "collector", "suffixes"),
    [
        ("hw3", zip_collect.Extractor, zip_collect.FileCollector, {".ipynb", ".csv", ".py", ".zip"}),
        ("ps1", ExtractorPlugin, FileNameCollectorPlugin, {".ipynb", ".csv"}),
    ],
)
def test_downloads_are_unpacked_by_ours_for_exercises_alone(
    course: Path, assignment: str, extractor: Any, collector: Any, suffixes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ZipCollectApp, "init_plugins", ZipCollectApp.init_plugins)
    zip_collect.install()
    app = ZipCollectApp(config=Config({"FileNameCollectorPlugin": {"valid_ext": [".ipynb", ".csv"]}}))
    app.coursedir = folders(course, assignment)
    app.init_plugins()
    assert type(app.extractor_plugin_inst) is extractor
    assert type(app.collector_plugin_inst) is collector
    assert set(app.collector_plugin_inst.valid_ext) == suffixes


def test_configure_leaves_what_a_course_sets(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(__import__("sys").modules, "nbgrader.apps")
    settings = Config({"CourseDirectory": {"release_directory": "mine"}})
    configure(settings, str(course / "nbgrader_config.py"))
    assert settings == {"CourseDirectory": {"release_directory": "mine"}}
    configure(settings := Config(), str(course / "nbgrader_config.py"))
    assert settings == {"CourseDirectory": {"release_directory": "assignments"}}


def test_a_release_overwrites_no_assignment_of_its_name(course: Path) -> None:
    from autograder.release.build import ReleaseError

    source = course / "source" / "hw3"
    source.mkdir(parents=True)
    (source / f"{NAME}.ipynb").write_text("mine", encoding="utf-8")
    with pytest.raises(ReleaseError, match=rf"holds {NAME}.ipynb, which no release makes"):
        release_exercise(exercise(), course / "assignments" / "hw3", source)
    assert (source / f"{NAME}.ipynb").read_text(encoding="utf-8") == "mine"
