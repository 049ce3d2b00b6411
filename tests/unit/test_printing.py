"""What the commands and nbgrader's log print: names and paths are text in it, on every terminal and in every log."""

from __future__ import annotations

import ast
import io
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import cli
from autograder.commands import common
from autograder.nbgrader import log

ROOT = Path(__file__).parents[2]
NAMES = {
    "a title and a colour": "\x1b]0;root\x07\x1b[31mada",
    "8-bit escapes": "ada\x9b31m",
    "a line of its own": "ada\n::error::obey",
    "an old command": "ada ##[error]obey",
    "a command of Azure": "##vso[task.setvariable variable=a]b",
    "right to left": "\u202eada",
    "moves back": "eve\b\b\bada\r",
    "a line separator": "ada\u2028::error::obey",
    "no text": os.fsdecode(b"ada\xff\xfe"),
}
OBEYED = ("::error", "##[", "##vso")


def assert_harmless(printed: str) -> None:
    (line,) = printed.split("\n")[:-1]
    assert line.isprintable()
    assert not any(command in line for command in OBEYED)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
class TestNamesAreText:
    def test_in_a_warning(self, name, capsys):
        common.warn(f"{name} handed in nothing.")
        assert_harmless(capsys.readouterr().err)

    def test_in_a_sentence(self, name, capsys):
        common.say(f"Results lie in {name}.")
        assert_harmless(capsys.readouterr().out)

    def test_in_the_error_of_a_command(self, name, capsys, monkeypatch):
        def fail(**_: object) -> None:
            raise common.CommandError(f"{name} cannot be read.")

        monkeypatch.setattr(cli.commands, "main", fail)
        with pytest.raises(SystemExit):
            cli.main()
        assert_harmless(capsys.readouterr().err)

    def test_in_the_log_of_nbgrader(self, name):
        stream, logger = io.StringIO(), logging.Logger("nbgrader")
        logger.addHandler(logging.StreamHandler(stream))
        log.make_harmless(logger)
        logger.warning("%s: %d points", name, 3)
        for line in stream.getvalue().splitlines(keepends=True):
            assert_harmless(line)


def test_text_of_several_lines_keeps_them_in_the_log():
    stream, logger = io.StringIO(), logging.Logger("nbgrader")
    logger.addHandler(logging.StreamHandler(stream))
    log.make_harmless(logging.LoggerAdapter(logger))
    logger.error("first\nsecond %")
    assert stream.getvalue() == "first\nsecond %\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_an_encoding_lacks_is_printed_as_an_escape(encoding, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    common.print_unencodable_text()
    print("\u65e5 \udcff")
    sys.stdout.flush()
    assert b"\\udcff" in written.getvalue()


@pytest.mark.skipif(os.name != "posix", reason="the encoding of Windows' console is its own")
def test_grading_ends_well_on_a_terminal_that_lacks_a_letter_of_the_name(tmp_path):
    shutil.copytree(ROOT / "tests" / "submissions" / "class" / "blank", tmp_path / "\u65e5\u672c")
    env = {**os.environ, "AUTOGRADER_SECRET": "tests", "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-m", "autograder", "grade", "rnn_backprop", str(tmp_path / "\u65e5\u672c")]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u65e5" in done.stdout


def test_every_command_prints_through_the_same_place():
    printing = set()
    for path in (ROOT / "autograder" / "commands").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("echo", "secho"):
                printing.add(path.name)
    assert printing == {"common.py"}
