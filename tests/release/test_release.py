"""A release: the same bytes each time, up to date, complete, and nothing of the answers in it."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.course import find_course
from autograder.exercise.loader import ExerciseError, load_exercise
from autograder.exercise.model import Exercise
from autograder.exercise.source import (
    SCRIPT_CHECK_CELL,
    extract_released_cells,
    parse_cells,
    solution_lines,
    student_text,
)
from autograder.release.build import ReleaseError, build_release
from autograder.release.install import diff_release, release_exercise

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT / "solutions" / "rnn_backprop"
CLASSIFIER = ROOT / "tests" / "exercises" / "linear_classifier"


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    return load_exercise(REAL)


@pytest.fixture(scope="module")
def files(exercise: Exercise) -> dict[str, bytes]:
    return build_release(exercise).student_files


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of a small exercise for a test to damage."""
    return Path(shutil.copytree(CLASSIFIER, tmp_path / "copy" / CLASSIFIER.name))


def notebook_cells(files: dict[str, bytes], name: str) -> list[Any]:
    cells: list[Any] = json.loads(files[f"{name}.ipynb"])["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


class TestWhatIsReleased:
    @pytest.mark.parametrize("name", find_course(ROOT).exercise_names())
    def test_assignments_are_up_to_date(self, name: str) -> None:
        changes = diff_release(load_exercise(ROOT / "solutions" / name), ROOT / "assignments" / name)
        assert changes == (), "assignments/ is out of date: run `make release`"

    def test_the_same_bytes_from_another_folder(self, files: dict[str, bytes], tmp_path: Path) -> None:
        shutil.copytree(REAL, tmp_path / "elsewhere" / REAL.name, ignore=shutil.ignore_patterns("__pycache__"))
        assert build_release(load_exercise(tmp_path / "elsewhere" / REAL.name)).student_files == files

    def test_names_of_the_files(self, files: dict[str, bytes]) -> None:
        assert sorted(files) == [
            "README.md",
            "arguments.py",
            "asking.py",
            "calls.py",
            "checks.json",
            "checks.py",
            "explain.py",
            "feedback.py",
            "golden.py",
            "layout.py",
            "learning.py",
            "network.py",
            "patterns.py",
            "requirements.txt",
            "results.py",
            "rnn_backprop.ipynb",
            "rnn_backprop.py",
            "rnn_backprop_files.zip",
            "rules.py",
            "slope.py",
            "test_rnn_backprop.py",
            "time_limit.py",
        ]

    def test_support_modules_are_unchanged(self, files: dict[str, bytes]) -> None:
        assert files["network.py"] == (REAL / "network.py").read_bytes()

    def test_the_notebook_is_valid_and_clean(self, files: dict[str, bytes]) -> None:
        notebook = nbformat.reads(files["rnn_backprop.ipynb"].decode(), as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
        assert list(notebook.metadata) == ["kernelspec"]
        assert all(not cell.get("outputs") for cell in notebook.cells)
        assert files["rnn_backprop.ipynb"].endswith(b"}\n")

    def test_points_are_those_of_the_rubric(self, exercise: Exercise, files: dict[str, bytes]) -> None:
        points = {
            cell["id"]: cell["metadata"]["nbgrader"]["points"]
            for cell in notebook_cells(files, "rnn_backprop")
            if cell["metadata"].get("nbgrader", {}).get("grade")
        }
        for function in exercise.functions:
            max_points = sum(check.max_points for check in exercise.checks_of(function.name))
            assert points.pop(f"check_{function.name}") == pytest.approx(max_points)
        assert points == {}

    def test_figures_stand_in_cells_of_their_own_that_nobody_edits(self, files: dict[str, bytes]) -> None:
        figure_cells = [cell for cell in notebook_cells(files, "rnn_backprop") if "![" in cell["source"]]
        assert len(figure_cells) >= 3
        for cell in figure_cells:
            above, _, picture = cell["source"].partition("\n")
            assert above == "<!-- A figure: Shift+Enter shows it again. -->"
            assert re.fullmatch(r"!\[[^\]]+\]\(data:image/png;base64,iVBOR[A-Za-z0-9+/=]+\)", picture)
            assert cell["metadata"] == {"editable": False}
            assert "attachments" not in cell

    def test_a_notebook_with_its_figures_stays_small(self, files: dict[str, bytes]) -> None:
        assert len(files["rnn_backprop.ipynb"]) < 200_000

    @pytest.mark.parametrize("folder", [REAL, CLASSIFIER], ids=lambda folder: folder.name)
    def test_released_cells_are_known_to_the_grader(self, folder: Path) -> None:
        """The grader reads the source as text, the release through jupytext and nbgrader: they agree."""
        files = build_release(load_exercise(folder)).student_files
        known = extract_released_cells((folder / f"{folder.name}.py").read_text(encoding="utf-8"))
        cells_by_kind: dict[str, set[str]] = {"set_up": set(), "check": set(), "stub": set()}
        for cell in notebook_cells(files, folder.name):
            flags = cell["metadata"].get("nbgrader")
            if flags and cell["cell_type"] == "code":
                kind = "check" if flags["grade"] else "stub" if flags["solution"] else "set_up"
                cells_by_kind[kind].add(cell["source"].strip())
        assert known.setup_cells == cells_by_kind["set_up"]
        assert known.check_cells == cells_by_kind["check"] | {SCRIPT_CHECK_CELL}
        assert known.stub_cells == cells_by_kind["stub"]
        script = files[f"{folder.name}.py"].decode().split("\n# %%\n")[1:]
        assert {cell.strip() for cell in script} == known.setup_cells | known.stub_cells | {SCRIPT_CHECK_CELL}


class TestNothingOfTheAnswers:
    def test_no_line_of_a_solution(self, files: dict[str, bytes]) -> None:
        source = (REAL / "rnn_backprop.py").read_text(encoding="utf-8")
        secret_lines = {line for line in solution_lines(source) if len(line) >= 16}
        assert len(secret_lines) > 20
        for name, content in files.items():
            text = "\n".join(_lines(name, content))
            assert not [line for line in secret_lines if line in text], name
            assert "BEGIN SOLUTION" not in text

    def test_no_line_of_the_rubric(self, files: dict[str, bytes]) -> None:
        rubric = (REAL / "rubric.py").read_text(encoding="utf-8").split("def _visible")[0]
        lines = (line.strip() for line in rubric.splitlines())
        secret_lines = {line for line in lines if len(line) >= 40 and not line.startswith(("from ", "import "))}
        for name, content in files.items():
            text = "\n".join(_lines(name, content))
            assert not [line for line in secret_lines if line in text], name

    def test_no_hidden_check_is_named(self, exercise: Exercise, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            text = content.decode(errors="replace")  # a zip file, too: it is not compressed
            assert not [check.id for check in exercise.checks if check.id in text], name
            assert "autograder" not in text

    def test_no_body_of_an_answer_with_other_names(self, exercise: Exercise, files: dict[str, bytes]) -> None:
        names = {function.name for function in exercise.functions}
        answers = {_shape(body) for name, body in _bodies((REAL / "rnn_backprop.py").read_text()) if name in names}
        rubric = {_shape(body) for _, body in _bodies((REAL / "rubric.py").read_text()) if len(body) > 1}
        assert len(answers) == len(names)
        for name in ("rnn_backprop.ipynb", "rnn_backprop.py", "checks.py", "test_rnn_backprop.py"):
            for function, body in _bodies("\n".join(_lines(name, files[name], code=True))):
                assert _shape(body) not in answers | rubric, f"{function} in {name}"

    def test_a_leak_is_refused(self, small: Path) -> None:
        _edit(
            small / "linear_classifier.py", "# Now the gradient", "# return (y_hat - y).T @ x / n\n# Now the gradient"
        )
        with pytest.raises(ReleaseError, match="would give away a line of the solution"):
            build_release(load_exercise(small))


class TestWrongSources:
    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('solution="predict"', 'solution="predcit"', "There is no line `def predcit(`"),
            (
                'check="predict"',
                'check="forecast"',
                'The cell # %% check="forecast" is for no function here: there are predict, dJ_dW.',
            ),
            ('# %% check="predict"\n# check("predict")\n', "", 'There is no cell # %% check="predict".'),
            ('# %% solution="dJ_dW"', "# %%", 'whose header is not # %% solution="..."'),
            (
                "    ### END SOLUTION\n\n\n# %% check",
                "\n\n# %% check",
                "one ### BEGIN SOLUTION and then one ### END SOLUTION",
            ),
            (
                "figures/regions.png",
                "figures/nothing.png",
                "There is no figures/nothing.png in the folder of the exercise.",
            ),
            ("![", "See ![", "within a line: give it a line of its own."),
            ("# %% setup", "# %%", "There must be one cell # %% setup"),
            ('manual="why"', 'manual="predict"', "The question predict has the name of another cell: take another."),
        ],
    )
    def test_a_malformed_source_is_refused_in_one_sentence(self, small: Path, old: str, new: str, message: str) -> None:
        _edit(small / "linear_classifier.py", old, new)
        with pytest.raises((ExerciseError, ReleaseError)) as error:
            build_release(load_exercise(small))
        assert message in str(error.value)
        assert all(line.startswith("linear_classifier.py, line ") for line in str(error.value).splitlines())

    def test_a_failure_of_nbgrader_is_one_sentence(self, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError("one leg\ntoo many")

        monkeypatch.setattr("autograder.release.notebook.InsertStubs.preprocess_cell", fail)
        with pytest.raises(ReleaseError) as error:
            build_release(load_exercise(small))
        assert str(error.value) == (
            "linear_classifier.py: nbgrader cannot make the students' notebook of it: RuntimeError: one leg too many."
        )

    def test_a_handout_that_is_missing_is_made(self, small: Path) -> None:
        shutil.rmtree(small / "handout")
        files = build_release(load_exercise(small)).student_files
        assert files["README.md"].startswith(b"# A linear classifier\n")
        assert files["requirements.txt"] == b"numpy>=2.0\njupyterlab>=4.0\npytest>=7.4\n"


class TestReleasing:
    @pytest.fixture
    def released(self, small: Path, tmp_path: Path) -> tuple[Path, Callable[[], Path]]:
        folder = tmp_path / "assignments" / small.name
        release_exercise(load_exercise(small), folder)
        return folder, lambda: release_exercise(load_exercise(small), folder)

    def test_a_second_release_changes_nothing(self, released: tuple[Path, Callable[[], Path]], small: Path) -> None:
        folder, release_again = released
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert release_again() == folder
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
        assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name, f"{folder.name}.sha256"]
        assert diff_release(load_exercise(small), folder) == ()

    def test_diff_release_names_each_file(self, released: tuple[Path, Callable[[], Path]], small: Path) -> None:
        folder, _ = released
        (folder / "README.md").write_text("changed", encoding="utf-8")
        (folder / "model.py").unlink()
        (folder / "own.txt").touch()
        assert diff_release(load_exercise(small), folder) == (
            "model.py is missing.",
            "own.txt is there, and no release makes it.",
            "README.md differs from what a release makes.",
        )

    def test_an_unknown_file_is_not_deleted(self, released: tuple[Path, Callable[[], Path]]) -> None:
        folder, release_again = released
        (folder / "__pycache__").mkdir()
        release_again()  # what Python leaves behind is nobody's
        (folder / "notes.txt").write_text("mine", encoding="utf-8")
        with pytest.raises(ReleaseError, match=r"holds notes\.txt, which no release makes: move it away"):
            release_again()
        assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"

    def test_a_folder_that_cannot_be_written(self, small: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ReleaseError, match="cannot be written"):
            release_exercise(load_exercise(small), tmp_path / "file" / small.name)

    def test_a_failed_release_leaves_the_older_one(
        self, released: tuple[Path, Callable[[], Path]], small: Path
    ) -> None:
        folder, release_again = released
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        (small / "figures" / "regions.png").unlink()
        with pytest.raises(ReleaseError):
            release_again()
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_another_exercise_is_released_by_the_same_engine(tmp_path: Path) -> None:
    files = build_release(load_exercise(CLASSIFIER, written_questions=True)).student_files
    points = {
        cell["id"]: cell["metadata"]["nbgrader"]["points"]
        for cell in notebook_cells(files, "linear_classifier")
        if cell["metadata"].get("nbgrader", {}).get("grade")
    }
    assert points == {"check_predict": 1.5, "check_dJ_dW": 2, "why": 1.5}
    assert json.loads(files["checks.json"])["given"] == "model"
    why = next(cell for cell in notebook_cells(files, "linear_classifier") if cell["id"] == "why")
    assert why["source"] == "Why is the softmax shifted?\n\nYOUR ANSWER HERE"
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    script = tmp_path / "linear_classifier.py"
    for cell in parse_cells((CLASSIFIER / "linear_classifier.py").read_text(encoding="utf-8")):
        if cell.kind == "solution":
            _edit(script, student_text(cell), cell.source)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "predict: all 2 checks pass" in done.stdout
    assert "It is also the slope of J through your own predict." in done.stdout


def _lines(name: str, content: bytes, code: bool = False) -> Iterator[str]:
    if not name.endswith(".ipynb"):
        yield from content.decode(errors="replace").splitlines()
        return
    for cell in json.loads(content)["cells"]:
        if not code or cell["cell_type"] == "code":
            yield from "".join(cell["source"]).splitlines()


def _bodies(text: str) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Yield the name and body of each function, without its docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.body[1:] if ast.get_docstring(node) is not None else node.body


def _shape(body: list[ast.stmt]) -> str:
    """Return a body with all names made equal, so that renamed variables do not hide a copy."""
    tree = ast.parse(ast.unparse(ast.Module(body, type_ignores=[])), mode="exec")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = "_"
    return ast.dump(tree)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
