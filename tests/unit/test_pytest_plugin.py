"""Grading through pytest: each check a test, our sentence alone, and nothing of a submission imported."""

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
    done = run_pytest("--submission", CLASS / "perfect", "--junitxml", xml)
    assert done.returncode == 0, done.stdout
    cases = list(ET.parse(xml).getroot().iter("testcase"))
    kept = [{p.get("name"): p.get("value") for p in case.iter("property")} for case in cases]
    assert all(one["points"] == one["max_points"] and one["status"] == "pass" for one in kept)
    assert sum(float(one["points"] or "nan") for one in kept) > 0
    assert not any(set("[]") & set(case.get("name", "")) for case in cases)
    assert any("The plain case" in case.get("name", "") for case in cases)


def test_failure_is_our_sentence_alone() -> None:
    done = run_pytest("--submission", CLASS / "truncated_bptt", "-k", "dJ_dW.plain")
    assert done.returncode == 1
    assert "dJ_dW is not the slope of J." in done.stdout
    assert "autograder/" not in done.stdout
    assert "1 failed" in done.stdout


def test_unreadable_submission_fails_with_the_reason(tmp_path: Path) -> None:
    done = run_pytest(f"--submission={tmp_path}", "-k", "forward.contract")
    assert done.returncode == 1
    assert "rnn_backprop.ipynb" in done.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "go together"),
        (["--submission", "not/there"], "no submission"),
        (["--submission", str(CLASS / "perfect"), "tests"], "takes no files"),
    ],
)
def test_wrong_usage(args: list[str], says: str) -> None:
    done = run_pytest(*args)
    assert done.returncode == 4
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def trap(folder: Path) -> Path:
    """A submission whose every file says so when it is imported by the grader."""
    folder.mkdir()
    for name in ("conftest.py", "msgpack.py", "numpy.py", "network.py", "rnn_backprop.py"):
        (folder / name).write_text(f"print('imported {name}')", encoding="utf-8")
    return folder


def test_nothing_of_a_submission_is_imported(tmp_path: Path) -> None:
    done = run_pytest(f"--submission={trap(tmp_path / 'work')}", "-s")
    assert "imported" not in done.stdout + done.stderr
    assert "not there" in done.stdout or "no function called" in done.stdout


def test_refuses_to_stand_in_the_submission(tmp_path: Path) -> None:
    work = trap(tmp_path / "work")
    (work / "numpy.py").unlink()  # `python -m pytest` itself would import it before any plugin is asked
    done = run_pytest("--submission", ".", cwd=work)
    assert done.returncode == 4
    assert "inside the submission" in done.stderr
    assert "imported" not in done.stdout + done.stderr


def test_refuses_a_root_that_pytest_found_in_the_submission(tmp_path: Path) -> None:
    work = trap(tmp_path / "work")
    (work / "pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    done = run_pytest("--submission", work)
    assert done.returncode == 4
    assert "with an equals sign" in done.stderr
    assert "imported" not in done.stdout + done.stderr
