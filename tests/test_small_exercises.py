"""Every exercise in the small form proves itself: the reference has all points, and every known mistake is caught."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder import cli

ROOT = Path(__file__).parents[1]
FOLDERS = [*(ROOT / "tests" / "exercises").glob("*/"), ROOT / "solutions" / "softmax_regression"]


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_verify_is_content(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    result = CliRunner().invoke(cli.commands, ["verify", folder.name], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "reference  all points" in result.output
