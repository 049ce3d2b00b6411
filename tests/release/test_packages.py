"""Wheel and sdist: the wheel holds the package alone, without an exercise, an answer or a test; the sdist the clone."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from autograder import __version__
from autograder.exercise.source import solution_lines
from autograder.release.leaks import MIN_LEAK_LENGTH
from tests.courses import ROOT
from tests.unit.test_guides import GUIDES

SHIPPED = "autograder/student/test_exercise.py"
"""What students get to check themselves: the one test that belongs to the package."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Build the wheel; return its files."""
    pytest.importorskip("flit_core", reason="flit_core is not installed: make test installs it")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "flit_core.wheel", "--outdir", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    [path] = folder.glob(f"rnn_backprop_autograder-{__version__}-py3-none-any.whl")
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_every_file_of_the_package(wheel: dict[str, bytes]) -> None:
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "autograder").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert "autograder/py.typed" in package
    assert {name for name in wheel if ".dist-info/" not in name} == package


def test_the_wheel_holds_no_test_of_the_kit(wheel: dict[str, bytes]) -> None:
    assert [name for name in wheel if re.search(r"(^|/)(test_|conftest)|^tests/", name)] == [SHIPPED]


def test_the_wheel_holds_no_answer(wheel: dict[str, bytes]) -> None:
    text = "\n".join(data.decode(errors="replace") for data in wheel.values())
    sources = [folder / f"{folder.name}.py" for folder in (ROOT / "solutions").iterdir() if folder.is_dir()]
    answers = [line for source in sources for line in solution_lines(source.read_text(encoding="utf-8"))]
    assert len(answers) > 10
    telling = [line for line in answers if len(line) >= MIN_LEAK_LENGTH and not line.endswith(":")]
    assert [line for line in telling if line in text] == []


@pytest.mark.slow
def test_the_sdist_holds_the_guides_and_no_cache(tmp_path: Path) -> None:
    pytest.importorskip("flit_core", reason="flit_core is not installed: make test installs it")
    code = "import sys; from flit_core import buildapi; buildapi.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(tmp_path / f"rnn_backprop_autograder-{__version__}.tar.gz") as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert set(GUIDES) <= names
    assert [name for name in names if re.search(r"(^|/)(\.cache|__pycache__|node_modules)/", name)] == []
