#!/usr/bin/env python3
"""Run the visible checks of an exercise on a student's work in CI: python visible_checks.py EXERCISE FOLDER.

The work is read by the grader's own reader and its cells are run by the grader's own rules: both lie beside this file,
in kit/, and what students were given in given/. Needs numpy and pytest. Student code runs in the same process as the
checks and could make them say anything: this is feedback for the student, not a grade. Exit code 3 if fewer pass than
--fail-under PERCENT.
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

OWN_FOLDER = Path(__file__).resolve().parent
KIT, GIVEN = OWN_FOLDER / "kit", OWN_FOLDER / "given"
sys.path.insert(0, str(KIT))

from autograder.bundles import CELLS_FILE, PROBLEMS_FILE  # noqa: E402 - in a bundle, they lie in kit/
from autograder.submission.reader import ReleasedFiles, SubmissionRefused, read_submission  # noqa: E402 - likewise

SCRIPT = "from autograder.bundles.run_cells import run_cells\n\nrun_cells(__name__)\n"  # stands for the student's
TIMEOUT_SECONDS = 300
# Student code sees no other variable: a job's environment may hold tokens.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT")
MAX_MESSAGE_LENGTH = 1000  # characters of a message in an annotation
MAX_SUMMARY_LENGTH = 250_000  # characters of a summary, of which GitHub takes 1 MiB
BELOW_THRESHOLD = 3  # exit code


@dataclass(frozen=True)
class CheckOutcome:
    """A check: whether it passed, and its message if not."""

    name: str
    passed: bool
    message: str


@dataclass(frozen=True)
class Outcome:
    """All checks, and notes: which file was read, which cells stopped."""

    checks: list[CheckOutcome]
    notes: list[str]

    @property
    def passed_count(self) -> int:
        """How many checks pass."""
        return sum(check.passed for check in self.checks)


def run_checks(exercise: str, folder: Path, junit: Path | None = None) -> Outcome:
    """Run the checks on the notebook or script in `folder`. pytest's own report is copied to `junit`.

    Where they cannot be run, because the work cannot be read or does not end, each of them fails with the reason.
    """
    try:
        submission = read_submission(folder, exercise, _released_files())
    except SubmissionRefused as reason:
        return _all_failed(str(reason))
    with tempfile.TemporaryDirectory(prefix="visible-checks-") as name:
        work_folder = Path(name)
        shutil.copytree(GIVEN, work_folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        (work_folder / f"{exercise}.py").write_text(SCRIPT, encoding="utf-8")
        cells = json.dumps([asdict(cell) for cell in submission.cells])
        (work_folder / CELLS_FILE).write_text(cells, encoding="utf-8")
        if problem := _run_pytest(exercise, work_folder):
            return _all_failed(problem)
        if junit:
            shutil.copy(work_folder / "tests.xml", junit)
        suites = ET.parse(work_folder / "tests.xml")  # noqa: S314 - pytest wrote it
        notes = [*submission.notes, *_read_json(work_folder / PROBLEMS_FILE)]
        return Outcome([_parse_outcome(case) for case in suites.iter("testcase")], notes)


def _all_failed(reason: str) -> Outcome:
    names = [f"{check['function']}: {check['title']}" for check in _read_json(GIVEN / "checks.json")["checks"]]
    return Outcome([CheckOutcome(name, False, reason) for name in names], [reason])


def _released_files() -> ReleasedFiles:
    """Return what the reader needs to know about the released files."""
    facts = _read_json(OWN_FOLDER / "released.json")
    return ReleasedFiles(
        check_cells=frozenset(facts["check_cells"]),
        stub_cells=frozenset(facts["stub_cells"]),
        stub_names=tuple(facts["stub_names"]),
        modules=tuple(facts["modules"]),
        max_bytes=facts["max_bytes"],
    )


def _run_pytest(exercise: str, work_folder: Path) -> str:
    """Let pytest write tests.xml. Returns why it did not, empty if it did."""
    variables = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    try:
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--junitxml=tests.xml", f"test_{exercise}.py"],
            cwd=work_folder,
            env={**variables, "PYTHONPATH": str(KIT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            timeout=TIMEOUT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return f"The checks did not finish within {TIMEOUT_SECONDS} s: does a loop never end?"
    is_written = (work_folder / "tests.xml").is_file()
    return "" if is_written else "The checks ended before they were done: see the output above."


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _parse_outcome(case: ET.Element) -> CheckOutcome:
    name = case.get("name", "").removeprefix("test_check[").removesuffix("]")
    problem = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
    if problem is None:
        return CheckOutcome(name, True, "")
    # pytest shortens the message of a failure, but its text is whole; the text of a skipped test says where it stands.
    texts = [problem.get("message"), problem.text]
    message = next(filter(None, texts if problem.tag == "skipped" else reversed(texts)), "")
    return CheckOutcome(name, False, message.strip())


def workflow_commands(outcome: Outcome) -> str:
    """Return workflow commands of GitHub Actions, which annotate the first nine checks that fail."""
    failed = [check for check in outcome.checks if not check.passed]
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


def summary(outcome: Outcome) -> str:
    """Return notes and checks as Markdown, followed by the messages of checks that do not pass, as code."""
    title = f"## {outcome.passed_count} of {len(outcome.checks)} visible checks pass"
    notes = [f"- {_escape_markdown(note)}" for note in outcome.notes]
    rows = [f"| {_escape_markdown(check.name)} | {_verdict(check)} |" for check in outcome.checks]
    messages = list(dict.fromkeys(check.message for check in outcome.checks if check.message))
    # The fence is longer than any run of backticks in a message, so that no message can end it.
    fence = "`" * (3 + max((len(run) for text in messages for run in re.findall("`+", text)), default=0))
    blocks = [f"\n{fence}text\n{text}\n{fence}" for text in messages]
    lines = [title, "", *notes, "", "| check | |", "|:--|:--|", *rows, *blocks]
    return "\n".join(lines)[:MAX_SUMMARY_LENGTH] + "\n"


def _verdict(check: CheckOutcome) -> str:
    return "pass" if check.passed else "does not pass"


def _escape_markdown(text: str) -> str:
    return re.sub(r"([|<>`*_@\\])", r"\\\1", text)


def main() -> int:
    """Run the checks, print how many pass, and annotate the failed ones if this is GitHub Actions."""
    parser = argparse.ArgumentParser(description="The visible checks of an exercise on one student's work.")
    parser.add_argument("exercise")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--junit", type=Path, help="write the tests as JUnit XML there")
    parser.add_argument("--fail-under", type=float, default=0, metavar="PERCENT")
    arguments = parser.parse_args()
    outcome = run_checks(arguments.exercise, arguments.folder, arguments.junit)
    if os.environ.get("GITHUB_ACTIONS"):
        sys.stdout.write(workflow_commands(outcome))
    if file := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as summary_file:
            summary_file.write(summary(outcome))
    sys.stdout.write("".join(f"{note}\n" for note in outcome.notes))
    sys.stdout.write(f"{outcome.passed_count} of {len(outcome.checks)} visible checks pass.\n")
    return BELOW_THRESHOLD if 100 * outcome.passed_count < arguments.fail_under * len(outcome.checks) else 0


if __name__ == "__main__":
    sys.exit(main())
