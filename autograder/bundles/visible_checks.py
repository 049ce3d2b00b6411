#!/usr/bin/env python3
"""Run the visible checks of an exercise on a student's work in CI: python visible_checks.py EXERCISE FOLDER.

Needs numpy, pytest, and the files that students have. Student code runs in the same process as the checks and could
make them say anything: this is feedback for the student, not a grade. Exit code 0 if the checks ran, 3 if fewer pass
than --fail-under PERCENT, 1 if they could not be run.
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
# Student code sees no other variable: a job's environment may hold tokens.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")
MAX_MESSAGE_LENGTH = 1000  # characters of a message in an annotation
MAX_SUMMARY_LENGTH = 250_000  # characters of a summary, of which GitHub takes 1 MiB
CANNOT_RUN, BELOW_THRESHOLD = 1, 3


class RunError(Exception):
    """The checks could not be run: one sentence that says why."""


@dataclass(frozen=True)
class CheckOutcome:
    """A check: whether it passed, and its message if not."""

    name: str
    passed: bool
    message: str


def run_checks(exercise: str, folder: Path, checks_folder: Path, junit: Path | None = None) -> list[CheckOutcome]:
    """Run the checks in `checks_folder` on the notebook or script in `folder`. Raises RunError.

    pytest's own report is copied to `junit`.
    """
    with tempfile.TemporaryDirectory(prefix="visible-checks-") as name:
        work_folder = Path(name)
        for file in checks_folder.iterdir():
            if file.suffix in (".py", ".json") and file.name != f"{exercise}.py":
                shutil.copy(file, work_folder)
        (work_folder / f"{exercise}.py").write_text(read_student_code(exercise, folder), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "--junitxml=tests.xml", f"test_{exercise}.py"]
        try:
            subprocess.run(
                command,
                cwd=work_folder,
                env={name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ},
                timeout=TIMEOUT_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            suites = ET.parse(work_folder / "tests.xml")  # noqa: S314 - pytest wrote it
        except subprocess.TimeoutExpired:
            raise RunError(f"The checks did not finish within {TIMEOUT_SECONDS} s: does a loop never end?") from None
        except (OSError, ET.ParseError):
            raise RunError("The checks ended before they were done: see what stands above.") from None
        if junit:
            shutil.copy(work_folder / "tests.xml", junit)
    return [_parse_outcome(case) for case in suites.iter("testcase")]


def read_student_code(exercise: str, folder: Path) -> str:
    """Return the code of the notebook, or of the script if that was worked on instead. Raises RunError."""
    script, notebook = folder / f"{exercise}.py", folder / f"{exercise}.ipynb"
    sources = [_notebook_script(notebook)] if notebook.is_file() else []
    if script.is_file():
        sources.append(script.read_text(encoding="utf-8"))
    if not sources:
        raise RunError(f"There is neither {notebook.name} nor {script.name} in {folder}.")
    # Whichever has the fewest stubs left was worked on; if both have as many, the notebook.
    return min(sources, key=lambda source: len(set(re.findall(r'NotImplementedError\(\\*"\w+ is not', source))))


def _notebook_script(path: Path) -> str:
    """Return a script that runs the notebook's cells, each even if another fails."""
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        raise RunError(f"{path.name} is no notebook that can be read: save it once more.") from None
    # Only Jupyter understands %magic, !shell and calls of check(...): they become comments.
    python_sources = [re.sub(r"(?m)^(?=[%!]|check\()", "# ", text) for text in sources if not text.startswith("%%")]
    blocks = [
        f"try:\n    exec(compile({source!r}, 'cell {number}', 'exec'), globals())\n"
        f"except Exception as error:\n    print('In cell {number}:', type(error).__name__, error)\n"
        for number, source in enumerate(python_sources, 1)
    ]
    return "\n".join(blocks)


def _parse_outcome(case: ET.Element) -> CheckOutcome:
    name = case.get("name", "").removeprefix("test_check[").removesuffix("]")
    problem = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
    if problem is None:
        return CheckOutcome(name, True, "")
    # pytest shortens the message of a failure, but its text is whole; the text of a skipped test says where it stands.
    texts = [problem.get("message"), problem.text]
    message = next(filter(None, texts if problem.tag == "skipped" else reversed(texts)), "")
    return CheckOutcome(name, False, message.strip())


def workflow_commands(outcomes: list[CheckOutcome]) -> str:
    """Return workflow commands of GitHub Actions, which annotate the first nine checks that fail."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    lines = [
        f"::error title={_escape_command(check.name, ':,')}::{_escape_command(check.message[:MAX_MESSAGE_LENGTH])}"
        for check in failed[:9]
    ]
    if len(failed) > 9:
        lines.append(f"::error title=More::{len(failed) - 9} more do not pass; the log has them all.")
    return "".join(f"{line}\n" for line in lines)


def _escape_command(text: str, extra_characters: str = "") -> str:
    for character in f"%\r\n{extra_characters}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def summary(outcomes: list[CheckOutcome]) -> str:
    """Return the checks as a Markdown table, followed by the messages of those that do not pass, as code."""
    title = f"## {sum(check.passed for check in outcomes)} of {len(outcomes)} visible checks pass"
    rows = [f"| {_escape_markdown(check.name)} | {'pass' if check.passed else 'does not pass'} |" for check in outcomes]
    messages = list(dict.fromkeys(check.message for check in outcomes if check.message))
    # The fence is longer than any run of backticks in a message, so that no message can end it.
    fence = "`" * (3 + max((len(run) for text in messages for run in re.findall("`+", text)), default=0))
    blocks = [f"\n{fence}text\n{text}\n{fence}" for text in messages]
    return "\n".join([title, "", "| check | |", "|:--|:--|", *rows, *blocks])[:MAX_SUMMARY_LENGTH] + "\n"


def _escape_markdown(text: str) -> str:
    return re.sub(r"([|<>`*_@\\])", r"\\\1", text)


def main() -> int:
    """Run the checks, print how many pass, and annotate the failed ones if this is GitHub Actions."""
    parser = argparse.ArgumentParser(description="The visible checks of an exercise on one student's work.")
    parser.add_argument("exercise")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--given", type=Path, help="where the checks lie, when not in FOLDER")
    parser.add_argument("--junit", type=Path, help="write the tests as JUnit XML there")
    parser.add_argument("--fail-under", type=float, default=0, metavar="PERCENT")
    arguments = parser.parse_args()
    try:
        outcomes = run_checks(
            arguments.exercise, arguments.folder, arguments.given or arguments.folder, arguments.junit
        )
    except RunError as reason:
        sys.stderr.write(f"{reason}\n")
        return CANNOT_RUN
    passed_count = sum(outcome.passed for outcome in outcomes)
    if os.environ.get("GITHUB_ACTIONS"):
        sys.stdout.write(workflow_commands(outcomes))
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as summary_file:
            summary_file.write(summary(outcomes))
    sys.stdout.write(f"{passed_count} of {len(outcomes)} visible checks pass.\n")
    return BELOW_THRESHOLD if 100 * passed_count < arguments.fail_under * len(outcomes) or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
