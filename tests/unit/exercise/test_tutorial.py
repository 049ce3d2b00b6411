"""The tutorial of solutions/README.md: its blocks make an exercise, and its commands say what is printed there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from autograder import cli

README = Path(__file__).parents[3] / "solutions" / "README.md"
TUTORIAL = README.read_text(encoding="utf-8").split("## Write an exercise")[1].split("## The small form")[0]
BLOCKS = re.findall(r"```(python|console)\n(.*?)```", TUTORIAL, re.DOTALL)
NAME = "ridge"


@pytest.mark.slow
def test_the_tutorial_writes_an_exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "course.toml").write_text('exercises = "."\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTOGRADER_SECRET", "of the tutorial")
    source = tmp_path / NAME / f"{NAME}.py"
    source.parent.mkdir()
    commands = []
    for language, block in BLOCKS:
        if language == "python":
            with source.open("a", encoding="utf-8") as file:
                file.write(block)
            continue
        command, *printed = block.splitlines()
        arguments = command.removeprefix("$ autograder ").split()
        result = CliRunner().invoke(cli.commands, arguments, catch_exceptions=False)
        assert (result.exit_code, [line for line in printed if line not in result.output]) == (0, [])
        commands.append(arguments[0])
    assert commands == ["lint", "verify"]
    result = CliRunner().invoke(cli.commands, ["lint", NAME], catch_exceptions=False)
    assert result.output == "ridge is sound: 6 checks, 3.5 points, for loss, dJ_dw.\n"
    assert 50 <= len(source.read_text(encoding="utf-8").splitlines()) <= 75
