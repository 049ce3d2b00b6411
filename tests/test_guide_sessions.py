"""The commands of the guides, run one after the other as a reader would run them, print what the guides show.

A line of a guide that ends in dots is the beginning of a printed line. Numbers that vary are those of VARYING.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from tests import courses
from tests.in_process import points_of
from tests.unit.test_guides import ROOT, TEXTS

BLOCK = re.compile(r"(?ms)^```(\w*)\n(.*?)^```|((?:^ {4}\S[^\n]*\n)+)")
PROGRAMS = r"(?:\.venv/bin/)?(?:autograder|nbgrader|pytest|make)\b|mkdir|echo|cat|git|\."
COMMAND = re.compile(
    rf"(?:\$ |(?=[A-Z_]+=\S* |\.venv/bin/|make |autograder |nbgrader ))((?:[A-Z_]+=\S* )?(?:{PROGRAMS}).*)"
)
VARYING = (
    (r"\d+ a second", "N a second"),
    (r"in \d+\.\d+ s\b", "in N s"),
)
CLASS = ROOT / "tests" / "submissions" / "class"
FAILING = {"--fail-under": 3, "pytest --exercise": 1}
"""The exit codes of commands that a guide shows because they fail."""
TESTED_ELSEWHERE = {
    "tests/release/test_new_and_preview.py": r"\S*autograder (new|lint|preview|verify|release|grade) NAME\b.*",
    "tests/nbgrader/test_hub.py": r"autograder doctor --hub",
    "tests/watch/test_cycle.py": r"autograder watch",
    "tests/unit/exercise/test_tutorial.py": r"autograder (lint|verify) ridge",
    "tests/unit/verification/test_verify.py": r"\S*autograder verify rnn_backprop( --html proof.html)?",
}
NOT_RUN = {
    "runs tests, as this does": r"(\w+=\S* )?\.venv/bin/pytest (tests/|-k|-m).*|make (lint|test|soak|hub|bench)\b.*",
    "changes files of the checkout": r"make (figures|release)",
    "shows a file of the system": r"cat /.*",
    "sets up the checkout that tests run in": r"git clone \.\.\. kit && make -C kit release|\. kit/.venv/bin/activate",
}


@dataclass(frozen=True)
class Example:
    """A command that a guide shows, and the lines that it shows below it."""

    command: str
    shown: tuple[str, ...]


def examples(guide: str) -> Iterator[Example]:
    """Yield the commands of a guide, in its order."""
    for language, fenced, indented in BLOCK.findall(TEXTS[guide]):
        lines = () if language not in ("", "console") else (fenced or re.sub(r"(?m)^ {4}", "", indented)).splitlines()
        starts = [number for number, line in enumerate(lines) if COMMAND.match(line)]
        for start, end in pairwise([*starts, len(lines)]):
            match = COMMAND.match(lines[start])
            assert match
            yield Example(re.split(r" +# ", match[1])[0].strip(), tuple(lines[start + 1 : end]))


class Session:
    """A shell in which the commands of a guide are run."""

    def __init__(self, folder: Path, replaced: dict[str, str]) -> None:
        self.folder, self.code, self.replaced = folder, 0, replaced
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.env = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "AUTOGRADER_SECRET": "tests"}

    def run(self, command: str) -> list[str]:
        """Run a command as the next line of the shell. Returns the lines that it printed, stderr last."""
        script = f"(exit {self.code}); {command}\ncode=$?; pwd > .pwd; exit $code"
        arguments = ["bash", "-c", script]
        done = subprocess.run(arguments, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False)
        [place] = [path for path in (self.folder / ".pwd", *self.folder.glob("*/.pwd")) if path.exists()]
        self.folder, self.code = Path(place.read_text().strip()), done.returncode
        place.unlink()
        printed = done.stdout + done.stderr
        for real, shown in self.replaced.items():
            printed = printed.replace(real, shown)
        return printed.splitlines()


def without_varying(line: str) -> str:
    """Return a line with the same word for each number that varies from run to run."""
    for pattern, word in VARYING:
        line = re.sub(pattern, word, line)
    return line.rstrip()


def missing(example: Example, printed: list[str]) -> list[str]:
    """Return the lines that a guide shows below a command and that the command did not print."""
    output = {without_varying(line) for line in printed}
    return [
        line
        for line in map(without_varying, example.shown)
        if line not in output
        and not (line.endswith("...") and any(other.startswith(line[:-3].rstrip()) for other in output))
    ]


def is_run(command: str) -> bool:
    """Return whether a session here runs the command."""
    return not any(re.fullmatch(pattern, command) for pattern in (*TESTED_ELSEWHERE.values(), *NOT_RUN.values()))


def play(guide: str, session: Session, before: dict[str, Callable[[Path], None]] | None = None) -> None:
    """Run the commands of a guide; what others do in between is in `before`, by the command that comes after it."""
    unseen = {}
    for example in examples(guide):
        if not is_run(example.command):
            continue
        for command, act in (before or {}).items():
            if example.command.startswith(command):
                act(session.folder)
        printed = session.run(example.command.replace("make demo", ".venv/bin/autograder demo"))
        assert session.code == next((code for word, code in FAILING.items() if word in example.command), 0), printed
        if lines := missing(example, printed):
            unseen[example.command] = f"the guide shows {lines}, and this was printed: {printed}"
    assert not unseen, "\n".join(f"{command}: {lines}" for command, lines in unseen.items())


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a folder that looks like a clone which `make demo` has set up."""
    if points_of("forward", "dJ_dV") != "4 of 10 points":
        pytest.skip("the guides show the points that the exercise came with")
    for name in ("assignments", "autograder", "solutions", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("course.toml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


@pytest.mark.slow
def test_the_guides_show_what_a_clone_prints(clone: Path) -> None:
    session = Session(clone, {})
    for guide in ("README.md", "autograder/classroom/README.md", "autograder/bundles/README.md"):
        play(guide, session)


def submit(course: Path, exchange: Path) -> None:
    """Hand in ada's script where `nbgrader submit` would put it."""
    when = "2026-11-21 10:00:00.000000 UTC"
    record = exchange / "rnn" / "inbound" / f"ada+{courses.NAME}+{when}+7"
    shutil.copytree(CLASS / "truncated_bptt", record)
    (record / "timestamp.txt").write_text(when)
    (record / "submission_secret.txt").write_text("ada's")


def download(course: Path, pattern: str) -> None:
    """Put Canvas's download of three students into the course, and the pattern of its names into the settings."""
    with (course / "nbgrader_config.py").open("a") as settings:
        settings.write(f"\n{pattern}\n")
    notebook = (CLASS / "notebook" / f"{courses.NAME}.ipynb").read_bytes()
    files = {
        "bob_12346_612346_rnn_backprop.ipynb": notebook,
        "dan_12347_612347_rnn_backprop.ipynb": notebook[:5000],
        "eve_12348_612348_rnn_backprop.py": (CLASS / "perfect" / f"{courses.NAME}.py").read_bytes(),
    }
    archive = course / "downloaded" / courses.NAME / "archive" / "submissions.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        for name, data in files.items():
            file.writestr(name, data)


@pytest.mark.soak
def test_the_guide_to_nbgrader_shows_what_a_course_prints(tmp_path: Path) -> None:
    courses.skip_without_nbgrader()
    guide = "autograder/nbgrader/README.md"
    exchange = tmp_path / "exchange"
    exchange.mkdir(mode=0o777)
    exchange.chmod(0o777)
    pattern = re.search(r"c\.FileNameCollectorPlugin\.named_regexp = r\"[^`]*\"", TEXTS[guide])
    assert pattern

    def set_exchange(course: Path) -> None:
        with (course / "nbgrader_config.py").open("a") as settings:
            settings.write(f"\nc.Exchange.root = {str(exchange)!r}\n")

    replaced = {str(ROOT): "/home/you/kit", str(tmp_path): "/home/you"}
    play(
        guide,
        Session(tmp_path, replaced),
        {
            "nbgrader release_assignment": set_exchange,
            "nbgrader collect": lambda course: submit(course, exchange),
            "nbgrader zip_collect": lambda course: download(course, pattern[0]),
        },
    )


@pytest.mark.parametrize("guide", TEXTS)
def test_commands_that_are_run_nowhere_are_few(guide: str) -> None:
    """Every command is run here, by the test that TESTED_ELSEWHERE names, or not at all for a reason of NOT_RUN."""
    played = (
        "README.md",
        "autograder/classroom/README.md",
        "autograder/bundles/README.md",
        "autograder/nbgrader/README.md",
    )
    assert [example.command for example in examples(guide) if is_run(example.command) and guide not in played] == []
    assert all((ROOT / test).is_file() for test in TESTED_ELSEWHERE)
