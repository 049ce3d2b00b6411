"""Grading through pytest: each check is a test that fails with its message alone; no submission is imported."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLASS = ROOT / "tests" / "submissions" / "class"


def run_pytest(*args: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--exercise", "rnn_backprop", *map(str, args)]
    env = {**os.environ, "AUTOGRADER_SECRET": "tests"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_every_check_is_a_test_with_its_points(tmp_path: Path) -> None:
    xml = tmp_path / "junit.xml"
    result = run_pytest("--submission", CLASS / "perfect", "--junitxml", xml)
    assert result.returncode == 0, result.stdout
    cases = list(ET.parse(xml).getroot().iter("testcase"))
    properties = [{p.get("name"): p.get("value") for p in case.iter("property")} for case in cases]
    assert all(case["points"] == case["max_points"] and case["status"] == "pass" for case in properties)
    assert sum(float(case["points"] or "nan") for case in properties) > 0
    assert not any(set("[]") & set(case.get("name", "")) for case in cases)
    assert any("The plain case" in case.get("name", "") for case in cases)


def test_failure_shows_the_message_alone() -> None:
    result = run_pytest("--submission", CLASS / "truncated_bptt", "-k", "dJ_dW.plain")
    assert result.returncode == 1
    assert "dJ_dW is not the slope of J." in result.stdout
    assert "autograder/" not in result.stdout
    assert "1 failed" in result.stdout


def test_unreadable_submission_fails_with_the_reason(tmp_path: Path) -> None:
    result = run_pytest(f"--submission={tmp_path}", "-k", "forward.contract")
    assert result.returncode == 1
    assert "rnn_backprop.ipynb" in result.stdout


@pytest.mark.parametrize(
    ("args", "error_part"),
    [
        ([], "go together"),
        (["--submission", "not/there"], "no submission"),
        (["--submission", str(CLASS / "perfect"), "tests"], "takes no files"),
    ],
)
def test_wrong_usage(args: list[str], error_part: str) -> None:
    result = run_pytest(*args)
    assert result.returncode == 4
    assert error_part in result.stderr
    assert "Traceback" not in result.stderr


def hostile_submission(folder: Path) -> Path:
    """Make a submission whose files print a line if the grader imports them."""
    folder.mkdir()
    for name in ("conftest.py", "msgpack.py", "numpy.py", "network.py", "rnn_backprop.py"):
        (folder / name).write_text(f"print('imported {name}')", encoding="utf-8")
    return folder


def test_nothing_of_a_submission_is_imported(tmp_path: Path) -> None:
    result = run_pytest(f"--submission={hostile_submission(tmp_path / 'work')}", "-s")
    assert "imported" not in result.stdout + result.stderr
    assert "not there" in result.stdout or "no function called" in result.stdout


def test_refuses_to_run_inside_the_submission(tmp_path: Path) -> None:
    work = hostile_submission(tmp_path / "work")
    (work / "numpy.py").unlink()  # `python -m pytest` itself would import it before any plugin is asked
    result = run_pytest("--submission", ".", cwd=work)
    assert result.returncode == 4
    assert "inside the submission" in result.stderr
    assert "imported" not in result.stdout + result.stderr


def test_refuses_a_root_that_pytest_found_in_the_submission(tmp_path: Path) -> None:
    work = hostile_submission(tmp_path / "work")
    (work / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    result = run_pytest("--submission", work)
    assert result.returncode == 4
    assert "with an equals sign" in result.stderr
    assert "imported" not in result.stdout + result.stderr
