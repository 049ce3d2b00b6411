"""Course folders to grade in: of this kit, of stock nbgrader as its own guide configures it, and of otter.

This kit is compared with the others: which cheats they reward, and how long they take.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from autograder.course import find_course
from autograder.exercise import source
from autograder.exercise.loader import load_exercise
from autograder.exercise.model import Exercise
from autograder.submission.cells import defined_functions
from autograder.submission.script import parse_script

ROOT = Path(__file__).resolve().parents[1]
NAME = "rnn_backprop"
ARGUMENTS = {"forward": "net, x, h0", **dict.fromkeys(("dJ_dV", "dJ_dW", "dJ_dU"), "net, x, y, h, y_hat")}

# The usual hidden test: the reference, cases made from it, and numpy's own comparison.
HIDDEN_TEST_TEMPLATE = """
### BEGIN HIDDEN TESTS
from network import ACTIVATIONS, LOSSES
{references}

def test_{name}(T, H, D, K, seed):
    rng = np.random.default_rng(seed)
    shapes = {{"U": (H, D), "W": (H, H), "V": (K, H), "b_h": (H,), "b_y": (K,)}}
    weights = {{key: 0.3 * rng.normal(size=shape) for key, shape in shapes.items()}}
    net = RNN(**weights, g1=ACTIVATIONS["tanh"], g2=ACTIVATIONS["softmax"], loss=LOSSES["cross_entropy"])
    x, y, h0 = rng.normal(size=(T, D)), np.eye(K)[rng.integers(K, size=T)], rng.normal(size=H)
    h, y_hat = reference_forward(net, x, h0)
    expected, got = reference_{name}({arguments}), {name}({arguments})
    for actual, right in zip(got, expected) if {several} else [(got, expected)]:
        np.testing.assert_allclose(actual, right, rtol=1e-6, atol=1e-9)


for seed in range(8):
    test_{name}(T=3 + seed, H=3, D=2, K=4, seed=seed)
### END HIDDEN TESTS
"""

OTTER_TEST_TEMPLATE = """OK_FORMAT = False
from otter.test_files import test_case
name = {name!r}
points = 1


@test_case(hidden=True)
def test(env):
    exec({code!r}, dict(env))
"""

NBGRADER_CONFIG = """c = get_config()
c.CourseDirectory.course_id = "stock"
c.Exchange.root = "exchange"
"""


def skip_without_nbgrader() -> None:
    """Skip a test where nbgrader is not installed; importing it to see would take two seconds."""
    if importlib.util.find_spec("nbgrader") is None:
        pytest.skip("nbgrader is not installed: make test installs it")


def clean_environment(home: Path) -> dict[str, str]:
    """Return an environment with the programs of this Python, an empty home, and no settings of the user."""
    home_variables = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    folders = {name: str(home / name.lower()) for name in home_variables}
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "IPYTHON", "PYTEST"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"  # alembic, which nbgrader calls
    return {**inherited, **folders, "PATH": path, "JUPYTER_PLATFORM_DIRS": "1", "OPENBLAS_NUM_THREADS": "1"}


def home_folder(course: Path) -> Path:
    """Return the home folder that programs get in a course folder."""
    return course.parent / f"{course.name}-home"


def run_module(
    course: Path, module: str, *arguments: str, expected: Iterable[int] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run `nbgrader ARGUMENTS` or `autograder ARGUMENTS` in a course folder, and check the exit code."""
    completed = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=course,
        env=clean_environment(home_folder(course)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode in expected, (
        f"{module} {' '.join(arguments)}: {completed.returncode}\n{completed.stderr[-4000:]}"
    )
    return completed


def make_kit_course(course: Path) -> Path:
    """Make a course folder of this kit, as a clone has it, with the assignment released: it lacks submitted/ alone."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("solutions", "assignments"):
        shutil.copytree(ROOT / name, course / name, ignore=ignored)
    for file in ("course.toml", "nbgrader_config.py"):
        shutil.copy(ROOT / file, course)
    settings = (course / "course.toml").read_text(encoding="utf-8")
    asked = settings.replace("written_questions = false", "written_questions = true")
    (course / "course.toml").write_text(asked, encoding="utf-8")
    run_module(course, "autograder", "release", NAME)
    return course


def make_stock_course(course: Path) -> Path:
    """Make a stock course folder with the assignment generated: it lacks submitted/ alone."""
    from autograder.release import notebook  # late: needs nbgrader and jupytext

    exercise: Exercise = load_exercise(find_course(ROOT).exercise_folder(NAME))
    text = (exercise.folder / f"{NAME}.py").read_text(encoding="utf-8")
    cells = source.parse_cells(text)
    max_points = {name: sum(check.max_points for check in exercise.checks_of(name)) for name in ARGUMENTS}
    source_notebook = json.loads(notebook.make_source_notebook(text, cells, max_points, exercise.folder))
    for cell in source_notebook["cells"]:
        if cell["id"].removeprefix("check_") in ARGUMENTS and cell["id"].startswith("check_"):
            cell["source"] = "".join(cell["source"]) + hidden_test(cell["id"].removeprefix("check_"), cells)
    folder = course / "source" / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_text(json.dumps(source_notebook), encoding="utf-8")
    for file in (ROOT / "assignments" / NAME).iterdir():
        if file.is_file() and file.stem != NAME:
            shutil.copy(file, folder)
    (course / "nbgrader_config.py").write_text(NBGRADER_CONFIG, encoding="utf-8")
    run_module(course, "nbgrader", "generate_assignment", NAME)
    return course


def make_otter_folder(course: Path) -> Path:
    """Make a folder of otter-grader with autograder.zip, which holds the hidden tests of the stock course."""
    exercise: Exercise = load_exercise(find_course(ROOT).exercise_folder(NAME))
    cells = source.parse_cells((exercise.folder / f"{NAME}.py").read_text(encoding="utf-8"))
    (course / "tests").mkdir(parents=True)
    for name in ARGUMENTS:
        test = OTTER_TEST_TEMPLATE.format(name=name, code=hidden_test(name, cells))
        (course / "tests" / f"{name}.py").write_text(test, encoding="utf-8")
    support_files = [file for file in (ROOT / "assignments" / NAME).iterdir() if file.suffix in (".py", ".json")]
    for file in support_files:
        shutil.copy(file, course)
    options = ("--no-config", "--no-environment", "--no-requirements")
    run_otter(
        course, "generate", "-t", "tests", "-o", "autograder.zip", *options, *(file.name for file in support_files)
    )
    return course


def run_otter(course: Path, *arguments: str) -> None:
    """Run the `otter` that is on the path; again if it fails, as when two kernels want the same port."""
    env = {**clean_environment(home_folder(course)), "PATH": os.environ["PATH"]}
    for _ in range(2):
        completed = subprocess.run(
            ["otter", *arguments], cwd=course, env=env, capture_output=True, text=True, check=False
        )
        if completed.returncode == 0:
            return
    raise AssertionError(f"otter {' '.join(arguments)}: {completed.returncode}\n{completed.stderr[-4000:]}")


def notebook_from_script(script: Path) -> dict[str, Any]:
    """Return the released notebook with the functions of a script in its cells."""
    text = (ROOT / "assignments" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8")
    notebook: dict[str, Any] = json.loads(text)
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    for parsed in parse_script(script.read_text(encoding="utf-8")):
        names = defined_functions(parsed.original_source, tuple(ARGUMENTS))
        if names:
            for name in names:
                cells[name]["source"] = parsed.original_source if name == names[0] else "# written above"
        elif "def " in parsed.original_source:
            before = next(iter(ARGUMENTS))
            cells[before].setdefault("before", []).append(parsed.original_source)
    for cell in notebook["cells"]:
        cell["source"] = "\n\n\n".join([*cell.pop("before", ()), "".join(cell["source"])])
    return notebook


def hidden_test(name: str, cells: Iterable[source.ExerciseCell]) -> str:
    """Return the source of a hidden test, which holds the answers to the functions that it needs."""
    answers = {cell.name: cell.source for cell in cells if cell.kind == "solution"}
    references = [
        re.sub(r"\n *### (?:BEGIN|END) SOLUTION", "", answers[function]).replace(
            f"def {function}(", f"def reference_{function}("
        )
        for function in dict.fromkeys(("forward", name))
    ]
    code = "\n\n\n".join(["", *references, ""])
    return HIDDEN_TEST_TEMPLATE.format(name=name, arguments=ARGUMENTS[name], references=code, several=name == "forward")


def points_by_student(course: Path) -> Mapping[str, float]:
    """Return the points of each student as formgrader shows them: manual scores before automatic ones."""
    query = """
        SELECT student_id, SUM(COALESCE(grade.manual_score, grade.auto_score, 0)) FROM grade
        JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
        JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
        GROUP BY student_id
    """
    with closing(sqlite3.connect(course / "gradebook.db")) as gradebook:
        return dict(gradebook.execute(query))
