"""The visible checks as hosts get them: they read and run a submission as grading does, with what lies beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from autograder.bundles.hosts import github
from autograder.bundles.sources import collect_sources
from autograder.bundles.writing import write_folder
from autograder.course import Limits, find_course
from autograder.grading import Grader, read_or_refuse
from autograder.sandbox.host.jail import Jail
from autograder.submission.reader import SubmissionRefused
from tests.in_process import exercise
from tests.test_submissions import as_notebook

TESTS = Path(__file__).parents[1]
SUBMISSIONS = TESTS / "submissions"
NAME = "rnn_backprop"
# One of each way in which a function is there, or not, once the cells were run.
LOADED = [
    *(
        "missing_stub",
        "missing_stub_notebook",
        "renamed_stub",
        "stub_is_a_value",
        "syntax_error",
        "syntax_error_notebook",
    ),
    *("function_of_a_cell_that_stopped", "exit_while_loading", "class_that_cannot_be_defined", "not_installed_first"),
    *("star_import_of_a_file_beside", "timed_cell", "both_worked_on", "raises_while_loading_notebook"),
]

READ = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import visible_checks as v
def read(path):
    try:
        submission = v.read_submission(Path(path), "rnn_backprop", v._released_files())
    except v.SubmissionRefused as reason:
        return str(reason)
    return [submission.kind, [list(vars(cell).values()) for cell in submission.cells], list(submission.notes)]
print(json.dumps([read(path) for path in json.load(sys.stdin)]))
"""

LOAD = """
import json, os, sys
from dataclasses import asdict
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/given"]
import visible_checks as v
from autograder.bundles.run_cells import run_cells
functions = v._released_files().stub_names
for path in json.load(sys.stdin):
    if os.fork():
        os.wait()
        continue
    cells = v.read_submission(Path(path), "rnn_backprop", v._released_files()).cells
    Path("cells.json").write_text(json.dumps([asdict(cell) for cell in cells]))
    run_cells("rnn_backprop")
    found = [name for name in functions if callable(vars(sys.modules["rnn_backprop"]).get(name))]
    os.write(1, json.dumps(found).encode() + b"\\n")
    os._exit(0)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that holds visible_checks.py in a student's repository."""
    path = tmp_path_factory.mktemp("bundle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOGRADER_SECRET", "a-secret-of-the-tests")
        files = github(collect_sources(find_course(TESTS), NAME))
    beginning = "student-repository/.github/"
    write_folder(
        {name.removeprefix(beginning): data for name, data in files.items() if name.startswith(beginning)}, path
    )
    return path


def run_in_bundle(script: str, folder: Path, paths: Iterable[Path], *options: str, cwd: Path | None = None) -> str:
    """Run a script that finds the files of the bundle alone, not the package that is tested."""
    command = [sys.executable, "-I", *options, "-c", script, str(folder)]
    text = json.dumps([str(path) for path in paths])
    return subprocess.run(
        command, input=text, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True, timeout=60
    ).stdout


def visible_checks(folder: Path, work: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "visible_checks.py"), NAME, str(work), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_visible_checks_read_every_submission_as_grading_does(folder: Path) -> None:
    paths = sorted(path for path in SUBMISSIONS.glob("*/**/*") if path.is_dir() or path.suffix in (".py", ".ipynb"))

    def read(path: Path) -> Any:
        submission = read_or_refuse(exercise(), path, Limits())
        if isinstance(submission, SubmissionRefused):
            return str(submission)
        cells = [list(vars(cell).values()) for cell in submission.cells]
        return [submission.kind, cells, list(submission.notes)]

    without_site_packages = "-S"  # the standard library is all that the reader needs
    assert json.loads(run_in_bundle(READ, folder, paths, without_site_packages)) == [read(path) for path in paths]


@pytest.mark.skipif(os.name != "posix", reason="it forks a process for each submission")
def test_visible_checks_find_the_functions_that_grading_finds(folder: Path, tmp_path: Path) -> None:
    paths = [SUBMISSIONS / "bad_input" / name for name in LOADED]
    lines = run_in_bundle(LOAD, folder, paths, cwd=tmp_path).splitlines()
    found = {path.name: json.loads(line) for path, line in zip(paths, lines, strict=True)}
    with Jail() as jail:
        reports = [Grader(exercise(), jail, Limits(), seed=1).grade(path, path.name) for path in paths]
    names = [function.name for function in exercise().functions]
    missing = {
        report.submission: {check.function for check in report.checks if check.code == "function_missing"}
        for report in reports
    }
    assert found == {path.name: [name for name in names if name not in missing[path.name]] for path in paths}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return right work in a notebook with a byte order mark, odd cells, and a script beside it without any work."""
    reference = (SUBMISSIONS / "class" / "perfect" / f"{NAME}.py").read_text(encoding="utf-8")
    variables = f"import os\nopen({str(tmp_path / 'variables')!r}, 'w').write(' '.join(os.environ))"
    cells = ["%%time\n" + reference, variables, "1 / 0", 'raise SystemExit("::error::done")']
    (tmp_path / f"{NAME}.ipynb").write_text(as_notebook(cells), encoding="utf-8-sig")
    released = (find_course(TESTS).assignments / NAME / f"{NAME}.py").read_text(encoding="utf-8")
    (tmp_path / f"{NAME}.py").write_text(released.replace("    raise NotImpl", "    # raise NotImpl"), encoding="utf-8")
    for name in ("network.py", "checks.py", "conftest.py"):
        (tmp_path / name).write_text("raise ValueError('it is not imported')\n", encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_visible_checks_all_pass_on_right_work_with_odd_cells(
    folder: Path, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    process = visible_checks(folder, work, "--fail-under=100", f"--junit={tmp_path / 'junit.xml'}")
    assert process.returncode == 0, process.stdout + process.stderr
    *_, zero, ended, count = process.stdout.splitlines()
    assert "were worked on" not in process.stdout
    assert "code cell 3, line 1: ZeroDivisionError: division by zero." in zero
    assert "code cell 4, line 1: SystemExit: : :error: :done." in ended
    assert count == "15 of 15 visible checks pass."
    seen = (tmp_path / "variables").read_text(encoding="utf-8").split()
    assert ("PATH" in seen, "GITHUB_TOKEN" in seen) == (True, False)
    assert "<testcase" in (tmp_path / "junit.xml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_visible_checks_all_fail_with_the_reason(folder: Path, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.ipynb").write_text("{}", encoding="utf-8")
    refused = visible_checks(folder, tmp_path, "--fail-under=100")
    assert refused.returncode == 3
    assert refused.stdout.startswith(f"{NAME}.ipynb is not a notebook")
    assert refused.stdout.endswith("0 of 15 visible checks pass.\n")
    (tmp_path / f"{NAME}.ipynb").write_text(as_notebook(["import os\nos._exit(0)"]), encoding="utf-8")
    ended = visible_checks(folder, tmp_path)
    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-2:] == [
        "The checks ended before they were done: see the output above.",
        "0 of 15 visible checks pass.",
    ]
