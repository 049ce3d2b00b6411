"""The shape of the project: what is locked, which way the imports go, what a command loads."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from autograder.release.build import SHIPPED_MODULES
from tests.rooms import FIGURE, ROOMS, figure, imported_rooms, imports, modules, room_of

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "autograder"
FOLDERS_OF_THE_HOUSE = ("assignments", "autograder", "solutions", "tests")
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


# --- Exceptions from the rules ---------------------------------------------------------------------------------------

# A code, and after it the reason: words behind a dash or in a comment of their own.
IGNORE = re.compile(r"# (?:noqa|type: ignore|pragma)\b[^#\n]*?(?:: [A-Z0-9, ]+|\[[\w, -]+\])?(?: - \w|  # \w)")


def test_every_ignore_says_why() -> None:
    files = [path for folder in FOLDERS_OF_THE_HOUSE for path in (ROOT / folder).rglob("*.py")]
    lines = [(path, line) for path in files for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    ignores = [(path, line) for path, line in lines if re.search(r"# (noqa|type: ignore|pragma)\b", line)]
    assert len(ignores) > 50
    assert [(path.relative_to(ROOT).as_posix(), line) for path, line in ignores if not IGNORE.search(line)] == []


# --- Folders ------------------------------------------------------------------------------------------------------


def test_the_house_has_four_rooms() -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout: cannot tell what belongs to the project")
    # safe.directory: in a container the checkout often belongs to somebody else
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {file.split("/")[0] for file in listed.splitlines() if "/" in file}
    assert folders - {".ci", ".github"} <= set(FOLDERS_OF_THE_HOUSE)


@pytest.mark.parametrize("room", FOLDERS_OF_THE_HOUSE)
def test_every_room_has_a_guide(room: str) -> None:
    assert (ROOT / room / "README.md").is_file()


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make here")
def test_make_clean_removes_no_source(tmp_path: Path) -> None:
    kept = ["source/ps1/a.ipynb", "build/source/ps2/b.ipynb", "grades/x.json", ".course-secret"]
    for name in (*kept, "build/kit.zip", "build/reports/x.xml", "dist/kit.whl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    subprocess.run(["make", "-f", ROOT / "Makefile", "clean"], cwd=tmp_path, capture_output=True, check=True)
    left = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(kept)


# --- Which room imports which ---------------------------------------------------------------------------------------

MODULES = modules()
LAZY_IMPORT = re.compile(r"#.*\b\d+ m?s\b")  # says how long the import takes


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_the_rooms_that_its_room_may(module: str) -> None:
    room = room_of(module)
    assert room in ROOMS or module == "sandbox", f"give {room} a line in tests/rooms.py"
    assert imported_rooms(MODULES[module]) - {room} <= ROOMS.get(room, set())


def test_no_arrow_of_the_table_runs_back_up() -> None:
    order = list(ROOMS)
    pairs = [(room, used) for room, rooms in ROOMS.items() for used in rooms]
    assert [(room, used) for room, used in pairs if order.index(used) >= order.index(room)] == []


def test_every_arrow_of_the_table_is_used() -> None:
    used: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module, path in MODULES.items():
        if module != "sandbox":
            used[room_of(module)] |= imported_rooms(path) - {room_of(module)}
    assert {room: rooms - used[room] for room, rooms in ROOMS.items() if rooms - used[room]} == {}


@pytest.mark.parametrize("side", ["guest", "protocol"])
def test_what_runs_beside_student_code_needs_numpy_and_msgpack_alone(side: str) -> None:
    for path in (PACKAGE / "sandbox" / side).glob("*.py"):
        others = {name.split(".")[0] for name in imports(path)} - {"autograder"}
        assert others - sys.stdlib_module_names <= {"numpy", "msgpack"}, path.name


@pytest.mark.parametrize("module", sorted(MODULES))
def test_an_import_inside_a_function_says_how_long_it_takes(module: str) -> None:
    """A module is imported late only where that pays: a comment on the line, or above the first of them, says so."""
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    unexplained = []
    for function in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(function, ast.FunctionDef):
            late = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
            if late and not any(LAZY_IMPORT.search(line) for line in lines[late[0].lineno - 2 : late[-1].lineno]):
                unexplained.append(f"{function.name}, line {late[0].lineno}")
    assert unexplained == []


def test_the_figure_shows_the_imports_as_they_are() -> None:
    assert FIGURE.read_text(encoding="utf-8") == figure(), "draw it anew: make figures"


# --- The shape of the rooms -------------------------------------------------------------------------------------------

MOST_LOOSE_MODULES = 8  # in autograder/ itself
MOST_MODULES = 14  # in one folder, beside its sub-folders
LONGEST_MODULE = 400  # lines

FOLDERS = sorted({path.parent for path in PACKAGE.rglob("*.py")})


def test_few_modules_lie_loose() -> None:
    assert len(list(PACKAGE.glob("*.py"))) <= MOST_LOOSE_MODULES


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_holds_few_modules_and_no_long_one(folder: Path) -> None:
    modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES
    assert [path.name for path in modules if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_MODULE] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_room_has_a_face(folder: Path) -> None:
    """Three to eight lines: what comes in, what goes out, what it may import, which file to open first."""
    face = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert 3 <= len(face.splitlines()) <= 8


def test_the_engine_names_no_exercise() -> None:
    exercises = [path.parent.name for path in (ROOT / "solutions").glob("*/*.py") if path.stem == path.parent.name]
    assert exercises
    guides = {folder / "README.md" for folder in FOLDERS}  # they show what commands print for the kit's own exercise
    files = [ROOT / "Makefile", *(path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc")]
    naming = [
        file.relative_to(ROOT).as_posix()
        for file in files
        if file not in guides and any(name in file.read_text(encoding="utf-8", errors="ignore") for name in exercises)
    ]
    assert naming == []


def test_no_two_classes_of_the_engine_have_one_name() -> None:
    names = Counter(
        node.name
        for module, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "student").glob("*.py")), ids=lambda path: path.name)
def test_what_students_get_needs_numpy_alone(path: Path) -> None:
    tops = {name.split(".")[0] for name in imports(path)}
    shipped = {Path(file).stem for file in SHIPPED_MODULES}
    assert tops - sys.stdlib_module_names <= {"numpy", "pytest", *shipped}


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


def test_what_security_md_names_exists() -> None:
    names = set(re.findall(r"`(tests/[\w./*]+)`", (ROOT / "SECURITY.md").read_text(encoding="utf-8")))
    assert len(names) > 15
    assert [name for name in sorted(names) if not list(ROOT.glob(name.rstrip("/")))] == []
