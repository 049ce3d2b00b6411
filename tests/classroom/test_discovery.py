"""Who handed in what, in the ways in which classes come."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.classroom.discovery import discover_submissions


def create_files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def discovered_paths(folder: Path) -> dict[str, str]:
    return {
        entry.student: entry.path.relative_to(folder).as_posix() for entry in discover_submissions(folder, "ex").entries
    }


def test_discover_nbgrader_layout(tmp_path: Path) -> None:
    create_files(tmp_path, "mia/ex/ex.ipynb", "mia/other/other.ipynb", "ali/ex/ex.py", "zoe/other/other.py")
    assert discovered_paths(tmp_path) == {"ali": "ali/ex", "mia": "mia/ex"}
    assert discover_submissions(tmp_path, "ex").missing == ("zoe",)


def test_discover_nbgrader_layout_with_misplaced_file(tmp_path: Path) -> None:
    create_files(tmp_path, "mia/ex/ex.ipynb", "ali/ex.py")
    assert discovered_paths(tmp_path) == {"ali": "ali", "mia": "mia/ex"}


def test_discover_folder_for_each_student(tmp_path: Path) -> None:
    create_files(tmp_path, "mia/ex.py", "ali/homework.zip")
    (tmp_path / "empty").mkdir()
    assert discovered_paths(tmp_path) == {"ali": "ali", "empty": "empty", "mia": "mia"}


def test_discover_file_for_each_student(tmp_path: Path) -> None:
    create_files(tmp_path, "mia.py", "ali.ZIP", "zoe.ipynb", "marks.csv", ".DS_Store", "__MACOSX/._mia.py")
    assert discovered_paths(tmp_path) == {"ali": "ali.ZIP", "mia": "mia.py", "zoe": "zoe.ipynb"}
    assert discover_submissions(tmp_path, "ex").skipped == ("marks.csv",)


def test_discover_files_of_equal_name(tmp_path: Path) -> None:
    create_files(tmp_path, "mia.py", "mia.ipynb", "ali/ex.py", "ali.zip")
    assert discovered_paths(tmp_path) == {
        "ali": "ali",
        "ali.zip": "ali.zip",
        "mia.ipynb": "mia.ipynb",
        "mia.py": "mia.py",
    }


@pytest.mark.parametrize("name", ["Łukasz Żółć", "王小明", "محمد", "Zoë", "=1+1", "O'Neill, Ann"])
def test_discover_names_in_any_script(tmp_path: Path, name: str) -> None:
    create_files(tmp_path, f"{name}/ex.py")
    assert discovered_paths(tmp_path) == {name: name}


def test_discover_follows_no_link(tmp_path: Path) -> None:
    create_files(tmp_path, "zoe/ex/ex.py", "mallory/notes.txt")
    (tmp_path / "mallory" / "ex").symlink_to(tmp_path / "zoe" / "ex")
    (tmp_path / "nobody").symlink_to(tmp_path / "zoe")
    assert discovered_paths(tmp_path) == {"mallory": "mallory", "zoe": "zoe/ex"}
    assert discover_submissions(tmp_path, "ex").skipped == ("nobody",)


def test_discover_takes_linear_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count, looked_at = 100, []
    create_files(tmp_path, *(f"student-{number}/ex.py" for number in range(count)))
    is_symlink = Path.is_symlink
    monkeypatch.setattr(Path, "is_symlink", lambda path: looked_at.append(path) or is_symlink(path))
    assert len(discovered_paths(tmp_path)) == count
    assert 0 < len(looked_at) <= 5 * count
