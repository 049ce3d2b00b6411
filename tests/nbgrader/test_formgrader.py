"""Formgrader's own handlers, mended: which folders it takes for courses, and what it lets a browser do with files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
from nbgrader.server_extensions.formgrader import apihandlers, handlers

from autograder.nbgrader.rendering import formgrader


@pytest.fixture(autouse=True)
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mend formgrader for one test."""
    for owner, name in (
        (handlers.BaseHandler, "exporter"),
        (handlers.BaseHandler, "render"),
        (apihandlers.BaseApiHandler, "content_security_policy"),
        (handlers.SubmissionFilesHandler, "content_security_policy"),
        (handlers.FormgraderHandler, "get"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    formgrader.install()


def test_files_of_students_and_answers_of_the_api_are_sandboxed() -> None:
    every_api_handler = [handler for _, handler, *_ in apihandlers.default_handlers]
    for handler in [handlers.SubmissionFilesHandler, *every_api_handler]:
        assert handler.content_security_policy.startswith("sandbox;")


@pytest.mark.parametrize("folder", ["course/submitted/ada/ps1", "course/submitted", "gone", "stranger"])
def test_settings_are_read_from_no_folder_that_students_fill(folder: str, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "course" / "submitted" / "ada" / "ps1").mkdir(parents=True)
    (tmp_path / "course" / "nbgrader_config.py").touch()
    (tmp_path / "stranger").mkdir()
    assert formgrader._may_be_course(tmp_path / "course")
    real, others = Path.stat, os.stat_result((0, 0, 0, 0, 4_000_002, 4_000_002, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda path, **more: others if path.name == "stranger" else real(path, **more))
    assert not formgrader._may_be_course(tmp_path / folder)


def test_a_page_escapes_what_stands_in_its_address() -> None:
    class Handler:
        """As little of a handler as the pages need."""

        settings = {"nbgrader_jinja2_env": _environment()}  # noqa: RUF012 - tornado reads it from the class

    page = formgrader._render_escaped(Handler(), "manage_students_assignments.tpl", student_id='<i>"x', base_url="")
    assert "<i>" not in page
    assert "&lt;i&gt;&#34;x" in page


def _environment():
    from jinja2 import Environment, FileSystemLoader

    return Environment(loader=FileSystemLoader([handlers.template_path]))  # as formgrader makes it
