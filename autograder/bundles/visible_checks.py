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

TIMEOUT_SECONDS = 300
MAX_MESSAGE_LENGTH = 1000  # characters of a message in an annotation
MAX_SUMMARY_LENGTH = 250_000  # characters of a summary, of which GitHub takes 1 MiB
CANNOT_RUN, BELOW_THRESHOLD = 1, 3


class RunError(Exception):
    """The checks could not be run: one sentence that says why."""


@dataclass(frozen=True)
class CheckOutcome:
    """One check: passed or not, and what it says if not."""

    name: str
    passed: bool
    message: str


def run_checks(exercise: str, folder: Path, checks_folder: Path, junit: Path | None = None) -> list[CheckOutcome]:
    """Run the checks that lie in `checks_folder` on the notebook or script in `folder`; `junit` keeps pytest's own report.

    Raises CannotRun.
    """
    with tempfile.TemporaryDirectory(prefix="visible-checks-") as name:
        work_folder = Path(name)
        for file in checks_folder.iterdir():
            if file.suffix in (".py", ".json") and file.name != f"{exercise}.py":
                shutil.copy(file, work_folder)
        (work_folder / f"{exercise}.py").write_text(read_student_code(exercise, folder), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "--junitxml=tests.xml", f"test_{exercise}.py"]
        try:
            subprocess.run(command, cwd=work_folder, timeout=TIMEOUT_SECONDS, check=False, stdin=subprocess.DEVNULL)
            suites = ET.parse(work_folder / "tests.xml")  # noqa: S314 - pytest wrote it
        except subprocess.TimeoutExpired:
            raise RunError(f"The checks did not finish within {TIMEOUT_SECONDS} s: does a loop never end?") from None
        except (OSError, ET.ParseError):
            raise RunError("The checks ended before they were done: see what stands above.") from None
        if junit:
            shutil.copy(work_folder / "tests.xml", junit)
    return [_parse_outcome(case) for case in suites.iter("testcase")]


def read_student_code(exercise: str, folder: Path) -> str:
    """The student's code: of the notebook, or of the script where only that was worked on. Raises CannotRun."""
    script, notebook = folder / f"{exercise}.py", folder / f"{exercise}.ipynb"
    sources = [_notebook_script(notebook)] if notebook.is_file() else []
    if script.is_file():
        sources.append(script.read_text(encoding="utf-8"))
    if not sources:
        raise RunError(f"There is neither {notebook.name} nor {script.name} in {folder}.")
    # whatever has the fewest stubs left was worked on; of equals, the notebook
    return min(sources, key=lambda source: len(set(re.findall(r'NotImplementedError\(\\*"\w+ is not', source))))


def _notebook_script(path: Path) -> str:
    """A script that runs the notebook's cells: one that fails stops none of the others."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise RunError(f"{path.name} is no notebook that can be read: save it once more.") from None
    # %magic, !shell and calls of check(...) are for Jupyter alone
    runnable_sources = [
        re.sub(r"(?m)^(?=[%!]|check\()", "# ", source) for source in sources if not source.startswith("%%")
    ]
    blocks = [
        f"try:\n    exec(compile({source!r}, 'cell {number}', 'exec'), globals())\n"
        f"except Exception as error:\n    print('In cell {number}:', type(error).__name__, error)\n"
        for number, source in enumerate(runnable_sources, 1)
    ]
    return "\n".join(blocks)


def _parse_outcome(case: ET.Element) -> CheckOutcome:
    problem = next((case.find(tag) for tag in ("failure", "error", "skipped") if case.find(tag) is not None), None)
    texts = [] if problem is None else [problem.get("message"), problem.text]  # of a failure, pytest shortens the first
    message = next(filter(None, texts if problem is not None and problem.tag == "skipped" else reversed(texts)), "")
    name = case.get("name", "")
    return CheckOutcome(name.removeprefix("test_check[").removesuffix("]"), problem is None, message.strip())


def workflow_commands(tests: list[CheckOutcome]) -> str:
    """Workflow commands of GitHub Actions: one for each of the first nine checks that fail."""
    failed = [test for test in tests if not test.passed]
    lines = [
        f"::error title={_escape_command(test.name, ':,')}::{_escape_command(test.message[:MAX_MESSAGE_LENGTH])}"
        for test in failed[:9]
    ]
    if len(failed) > 9:
        lines.append(f"::error title=More::{len(failed) - 9} more do not pass; the log has them all.")
    return "".join(f"{line}\n" for line in lines)


def _escape_command(text: str, extra_characters: str = "") -> str:
    for character in f"%\r\n{extra_characters}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def summary(tests: list[CheckOutcome]) -> str:
    """The checks as a Markdown table, and what those say that do not pass, as code."""
    head = [
        f"## {sum(test.passed for test in tests)} of {len(tests)} visible checks pass",
        "",
        "| check | |",
        "|:--|:--|",
    ]
    rows = [f"| {_escape_markdown(test.name)} | {'pass' if test.passed else 'does not pass'} |" for test in tests]
    messages = list(dict.fromkeys(test.message for test in tests if test.message))
    fence = "`" * (3 + max((len(run) for text in messages for run in re.findall("`+", text)), default=0))
    return (
        "\n".join([*head, *rows, *(f"\n{fence}text\n{text}\n{fence}" for text in messages)])[:MAX_SUMMARY_LENGTH] + "\n"
    )


def _escape_markdown(text: str) -> str:
    return re.sub(r"([|<>`*_@\\])", r"\\\1", text)


def main() -> int:
    """Run the checks, and tell GitHub Actions where it is that."""
    parser = argparse.ArgumentParser(description="The visible checks of an exercise on one student's work.")
    parser.add_argument("exercise")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--given", type=Path, help="where the checks lie, when not in FOLDER")
    parser.add_argument("--junit", type=Path, help="write the tests as JUnit XML there")
    parser.add_argument("--fail-under", type=float, default=0, metavar="PERCENT")
    arguments = parser.parse_args()
    try:
        tests = run_checks(arguments.exercise, arguments.folder, arguments.given or arguments.folder, arguments.junit)
    except RunError as reason:
        sys.stderr.write(f"{reason}\n")
        return CANNOT_RUN
    passed = sum(test.passed for test in tests)
    if os.environ.get("GITHUB_ACTIONS"):
        sys.stdout.write(workflow_commands(tests))
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as out:
            out.write(summary(tests))
    sys.stdout.write(f"{passed} of {len(tests)} visible checks pass.\n")
    return BELOW_THRESHOLD if 100 * passed < arguments.fail_under * len(tests) or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
