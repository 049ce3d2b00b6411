"""The released checks, imported as students import them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.exercise.loader import load_exercise
from autograder.release.build import SHIPPED_MODULES, STUDENT_FOLDER
from autograder.release.golden_file import golden_file_text

EXERCISE = Path(__file__).resolve().parents[3] / "solutions" / "rnn_backprop"


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The released checks.py, imported as students import it."""
    folder = tmp_path_factory.mktemp("handout")
    exercise = load_exercise(EXERCISE)
    (folder / "checks.json").write_text(golden_file_text(exercise), encoding="utf-8")
    (folder / "network.py").write_text(exercise.support_modules["network.py"], encoding="utf-8")
    for file in SHIPPED_MODULES:
        (folder / file).write_text((STUDENT_FOLDER / file).read_text(encoding="utf-8"), encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("checks")
    finally:
        sys.path.remove(str(folder))
        for name in ("network", *(Path(file).stem for file in SHIPPED_MODULES)):
            sys.modules.pop(name, None)


@pytest.fixture(autouse=True)
def new_session(request: pytest.FixtureRequest) -> None:
    """Let each test begin as a student does: nothing has passed, no hint was shown."""
    if "checks" in request.fixturenames:
        session = request.getfixturevalue("checks").SESSION
        session.passed.clear()
        session.hints.clear()
