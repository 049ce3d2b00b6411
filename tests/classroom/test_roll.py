"""Who handed in what, in the ways in which classes come."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.classroom.discovery import discover_submissions


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def found(folder: Path) -> dict[str, str]:
    return {one.student: one.path.relative_to(folder).as_posix() for one in discover_submissions(folder, "ex").entries}


def test_the_layout_of_nbgrader(tmp_path: Path) -> None:
    put(tmp_path, "mia/ex/ex.ipynb", "mia/other/other.ipynb", "ali/ex/ex.py", "zoe/other/other.py")
    assert found(tmp_path) == {"ali": "ali/ex", "mia": "mia/ex"}
    assert discover_submissions(tmp_path, "ex").missing == ("zoe",)


def test_in_that_layout_a_file_in_the_wrong_place_is_not_lost(tmp_path: Path) -> None:
    put(tmp_path, "mia/ex/ex.ipynb", "ali/ex.py")
    assert found(tmp_path) == {"ali": "ali", "mia": "mia/ex"}


def test_a_folder_for_each_student(tmp_path: Path) -> None:
    put(tmp_path, "mia/ex.py", "ali/homework.zip")
    (tmp_path / "empty").mkdir()
    assert found(tmp_path) == {"ali": "ali", "empty": "empty", "mia": "mia"}


def test_a_file_for_each_student(tmp_path: Path) -> None:
    put(tmp_path, "mia.py", "ali.ZIP", "zoe.ipynb", "marks.csv", ".DS_Store", "__MACOSX/._mia.py")
    assert found(tmp_path) == {"ali": "ali.ZIP", "mia": "mia.py", "zoe": "zoe.ipynb"}
    assert discover_submissions(tmp_path, "ex").skipped == ("marks.csv",)


def test_two_files_of_one_name_are_two_submissions(tmp_path: Path) -> None:
    put(tmp_path, "mia.py", "mia.ipynb", "ali/ex.py", "ali.zip")
    assert found(tmp_path) == {"ali": "ali", "ali.zip": "ali.zip", "mia.ipynb": "mia.ipynb", "mia.py": "mia.py"}


@pytest.mark.parametrize("name", ["Łukasz Żółć", "王小明", "محمد", "Zoë", "=1+1", "O'Neill, Ann"])
def test_names_in_any_script(tmp_path: Path, name: str) -> None:
    put(tmp_path, f"{name}/ex.py")
    assert found(tmp_path) == {name: name}


def test_nobody_is_compared_with_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count, asked = 100, []
    put(tmp_path, *(f"student-{number}/ex.py" for number in range(count)))
    once = Path.__hash__
    monkeypatch.setattr(Path, "__hash__", lambda path: asked.append(path) or once(path))
    assert len(found(tmp_path)) == count
    assert 0 < len(asked) <= 5 * count
