#!/usr/bin/env python3
"""The visible checks of an exercise on one student's work, for CI: python visible_checks.py EXERCISE FOLDER.

Needs numpy and pytest, and of the course only what students have anyway. Student code runs beside the checks here, and
whoever wants to can make them say anything: this is for the student to see, and no grade. Exit code 0 when the checks
were run, 3 when fewer pass than --fail-under PERCENT, 1 when they could not be run.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

SECONDS = 300
LONGEST = 1000  # characters of a message in an annotation
LONGEST_SUMMARY = 250_000  # characters of a summary, of which GitHub takes 1 MiB
CANNOT_RUN, BELOW_THRESHOLD = 1, 3


class CannotRun(Exception):
    """The checks could not be run: one sentence that says why."""


@dataclass(frozen=True)
class Test:
    """One check: passed or not, and what it says if not."""

    name: str
    passed: bool
    message: str


def run(exercise: str, folder: Path, given: Path, junit: Path | None = None) -> list[Test]:
    """Run the checks that lie in `given` on the notebook or script in `folder`; `junit` keeps pytest's own report.

    Raises CannotRun.
    """
    with tempfile.TemporaryDirectory(prefix="visible-checks-") as name:
        place = Path(name)
        for file in given.iterdir():
            if file.suffix in (".py", ".json") and file.name != f"{exercise}.py":
                shutil.copy(file, place)
        (place / f"{exercise}.py").write_text(work_of(exercise, folder), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "--junitxml=tests.xml", f"test_{exercise}.py"]
        try:
            subprocess.run(command, cwd=place, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)
            suites = ET.parse(place / "tests.xml")  # noqa: S314 - pytest wrote it
        except subprocess.TimeoutExpired:
            raise CannotRun(f"The checks did not finish within {SECONDS} s: does a loop never end?") from None
        except (OSError, ET.ParseError):
            raise CannotRun("The checks ended before they were done: see what stands above.") from None
        if junit:
            shutil.copy(place / "tests.xml", junit)
    return [_test(case) for case in suites.iter("testcase")]


def work_of(exercise: str, folder: Path) -> str:
    """The student's code: of the notebook, or of the script where only that was worked on. Raises CannotRun."""
    script, notebook = folder / f"{exercise}.py", folder / f"{exercise}.ipynb"
    sources = [_of_notebook(notebook)] if notebook.is_file() else []
    if script.is_file():
        sources.append(script.read_text(encoding="utf-8"))
    if not sources:
        raise CannotRun(f"There is neither {notebook.name} nor {script.name} in {folder}.")
    # whatever has the fewest stubs left was worked on; of equals, the notebook
    return min(sources, key=lambda source: len(set(re.findall(r'NotImplementedError\(\\*"\w+ is not', source))))


def _of_notebook(path: Path) -> str:
    """A script that runs the notebook's cells: one that fails stops none of the others."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise CannotRun(f"{path.name} is no notebook that can be read: save it once more.") from None
    # %magic, !shell and calls of check(...) are for Jupyter alone
    shown = [re.sub(r"(?m)^(?=[%!]|check\()", "# ", source) for source in sources if not source.startswith("%%")]
    blocks = [
        f"try:\n    exec(compile({source!r}, 'cell {number}', 'exec'), globals())\n"
        f"except Exception as error:\n    print('In cell {number}:', type(error).__name__, error)\n"
        for number, source in enumerate(shown, 1)
    ]
    return "\n".join(blocks)


def _test(case: ET.Element) -> Test:
    wrong = next((case.find(tag) for tag in ("failure", "error", "skipped") if case.find(tag) is not None), None)
    texts = [] if wrong is None else [wrong.get("message"), wrong.text]  # of a failure, pytest shortens the first
    message = next(filter(None, texts if wrong is not None and wrong.tag == "skipped" else reversed(texts)), "")
    name = case.get("name", "")
    return Test(name.removeprefix("test_check[").removesuffix("]"), wrong is None, message.strip())


def commands(tests: list[Test]) -> str:
    """Workflow commands of GitHub Actions: one for each of the first nine checks that fail."""
    failed = [test for test in tests if not test.passed]
    lines = [f"::error title={_escaped(test.name, ':,')}::{_escaped(test.message[:LONGEST])}" for test in failed[:9]]
    if len(failed) > 9:
        lines.append(f"::error title=More::{len(failed) - 9} more do not pass; the log has them all.")
    return "".join(f"{line}\n" for line in lines)


def _escaped(text: str, more: str = "") -> str:
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def summary(tests: list[Test]) -> str:
    """The checks as a Markdown table, and what those say that do not pass, as code."""
    head = [
        f"## {sum(test.passed for test in tests)} of {len(tests)} visible checks pass",
        "",
        "| check | |",
        "|:--|:--|",
    ]
    rows = [f"| {_plain(test.name)} | {'pass' if test.passed else 'does not pass'} |" for test in tests]
    said = list(dict.fromkeys(test.message for test in tests if test.message))
    fence = "`" * (3 + max((len(run) for text in said for run in re.findall("`+", text)), default=0))
    return "\n".join([*head, *rows, *(f"\n{fence}text\n{text}\n{fence}" for text in said)])[:LONGEST_SUMMARY] + "\n"


def _plain(text: str) -> str:
    return re.sub(r"([|<>`*_@\\])", r"\\\1", text)


def main() -> int:
    """Run the checks, and tell GitHub Actions where it is that."""
    parser = argparse.ArgumentParser(description="The visible checks of an exercise on one student's work.")
    parser.add_argument("exercise")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--given", type=Path, help="where the checks lie, when not in FOLDER")
    parser.add_argument("--junit", type=Path, help="write the tests as JUnit XML there")
    parser.add_argument("--fail-under", type=float, default=0, metavar="PERCENT")
    told = parser.parse_args()
    try:
        tests = run(told.exercise, told.folder, told.given or told.folder, told.junit)
    except CannotRun as reason:
        sys.stderr.write(f"{reason}\n")
        return CANNOT_RUN
    passed = sum(test.passed for test in tests)
    if os.environ.get("GITHUB_ACTIONS"):
        sys.stdout.write(commands(tests))
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(summary(tests))
    sys.stdout.write(f"{passed} of {len(tests)} visible checks pass.\n")
    return BELOW_THRESHOLD if 100 * passed < told.fail_under * len(tests) or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
