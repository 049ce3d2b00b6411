# ruff: noqa: E501 - one line a floor
"""The shape of the project: what is locked, which way the imports go, what a command loads."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "autograder"
ROOMS = ("assignments", "autograder", "solutions", "tests")
LOCKS = ("requirements.lock", "requirements-dev.lock")


# --- Lock files ---------------------------------------------------------------------------------------------------


def locked(name: str) -> list[tuple[str, str, str]]:
    """The requirements of a lock file: name, version, and whatever else is said of each."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    matches = [re.fullmatch(r"([a-z0-9][a-z0-9.-]*)==(\S+)(.*)", line) for line in lines]
    assert all(matches), f"{name} holds more than pinned requirements"
    return [(match[1], match[2], match[3]) for match in matches if match]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"://|--(?:index|extra|find|trusted)\S*| @ |\S+\.whl|/\S+/\S+", text) == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_has_hashes(lock: str) -> None:
    assert [name for name, _, rest in locked(lock) if "--hash=sha256:" not in rest] == []


def test_both_locks_agree() -> None:
    pins = [{(name, version) for name, version, _ in locked(lock)} for lock in LOCKS]
    assert pins[0] <= pins[1]


def test_grading_needs_neither_jupyter_nor_test_tools() -> None:
    light = {name for name, _, _ in locked("requirements.lock")}
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split(r"[^\w-]", requirement)[0] for requirement in needed} <= light
    assert light.isdisjoint({"nbgrader", "jupytext", "nbformat", "jupyterlab", "pytest", "matplotlib"})


# --- Folders ------------------------------------------------------------------------------------------------------


def test_the_house_has_four_rooms() -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout: cannot tell what belongs to the project")
    # safe.directory: in a container the checkout often belongs to somebody else
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {file.split("/")[0] for file in listed.splitlines() if "/" in file}
    assert folders - {".ci", ".github"} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_guide(room: str) -> None:
    assert (ROOT / room / "README.md").is_file()


# --- Imports ------------------------------------------------------------------------------------------------------

FLOORS = (
    "sandbox.guest.slope student student.calls student.feedback student.layout",
    "sandbox.host.bounded_cache exercise.model evaluation.report submission.safe_files "
    "submission.magics submission.sanitize sandbox sandbox.guest.stub_modules sandbox.protocol.framing sandbox.host.levels sandbox.host.runtime "
    "sandbox.guest.seccomp sandbox.guest.linux sandbox.protocol.vocabulary",
    "evaluation.comparison submission.cells submission.global_reads evaluation.report_codec exercise.source sandbox.guest.escape_tests sandbox.host.bubblewrap sandbox.host.channel sandbox.guest.heap_fill "
    "sandbox.guest.student_module sandbox.guest.lockdown",
    "evaluation.numerical_gradient submission.archive exercise.loader release.notebook sandbox.guest.encoding sandbox.host.spawn sandbox.host.program",
    "course evaluation.findings release.golden_file verification.outcomes submission.reader sandbox.host.fork_server sandbox.host.decoding sandbox.guest.runner sandbox.host.limited_process",
    "evaluation.evaluate feedback.messages sandbox.host.submission_process sandbox.guest.zygote",
    "evaluation.call_plans feedback.diagnosis sandbox.host.jail",
    "feedback.diagnostic_cases",
    "feedback.consistency",
    "feedback.builder",
    "grading release.build sandbox.host.probe",
    "formats",
    "bundles classroom commands.sample_class doctor nbgrader pytest_plugin",
    "verification.verify verification.page",
    "commands",
    "cli",
    "__main__",
)
"""From the ground up: a module imports only what stands on a floor below its own. A folder of ONE counts as one."""

ONE = ("bundles", "classroom", "commands", "formats", "nbgrader")  # folders whose modules may import each other

LEVEL = {module: level for level, modules in enumerate(FLOORS) for module in modules.split()}
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
    if path.parent != PACKAGE / "student" and (path.name != "__init__.py" or path.parent.name in ONE)
}


def imports(path: Path) -> set[str]:
    """Everything that a file imports, anywhere in it, as dotted names; `from a import b` gives a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def imports_of_ours(path: Path) -> set[str]:
    """The modules of the package that a file imports, as they are named in FLOORS."""
    ours = {name.removeprefix("autograder.") for name in imports(path) if name.startswith("autograder.")}
    return {floor_name(name if name in MODULES else name.rpartition(".")[0]) for name in ours}


def floor_name(module: str) -> str:
    folder = module.partition(".")[0]
    return folder if folder in ONE else module


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_stands_below_it(module: str) -> None:
    unit = floor_name(module)
    assert unit in LEVEL, f"give {module} a floor in FLOORS"
    too_high = {name for name in imports_of_ours(MODULES[module]) - {unit} if LEVEL[name] >= LEVEL[unit]}
    assert too_high == set()


GUEST = sorted(name for name in MODULES if name.startswith(("sandbox.guest.", "sandbox.protocol.")))


@pytest.mark.parametrize("module", GUEST)
def test_what_runs_beside_student_code_imports_nothing_of_another_room(module: str) -> None:
    assert imports_of_ours(MODULES[module]) <= set(GUEST)
    others = {name.split(".")[0] for name in imports(MODULES[module])} - {"autograder"}
    assert others - sys.stdlib_module_names <= {"numpy", "msgpack"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "student").glob("*.py")), ids=lambda path: path.name)
def test_what_students_get_needs_numpy_alone(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)}
    assert tops - sys.stdlib_module_names <= {"numpy", "pytest", "calls", "checks", "feedback", "layout"}


# --- What a command loads -----------------------------------------------------------------------------------------


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running `code`."""
    code += "\nimport sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_next_to_nothing() -> None:
    asked = (
        "import sys; sys.argv[1:] = ['--help']\nfrom autograder.cli import main\ntry: main()\nexcept SystemExit: pass"
    )
    assert loaded_by(asked).isdisjoint({"numpy", "msgpack", "rich", "nbgrader", "jupytext", "nbformat", "matplotlib"})


def test_grading_loads_neither_jupyter_nor_plots() -> None:
    heavy = {"nbgrader", "jupytext", "nbformat", "nbconvert", "IPython", "matplotlib", "pytest"}
    assert loaded_by("import autograder.grading, autograder.formats").isdisjoint(heavy)


def test_the_plugin_costs_other_test_runs_nothing() -> None:
    heavy = {"numpy", "msgpack", "rich", "nbgrader", "jupytext"}
    assert loaded_by("import autograder.pytest_plugin").isdisjoint(heavy)
