"""A release does not overwrite files that somebody edited by hand: it names them and stops."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from autograder.release.build import ReleaseError, build_release
from autograder.release.install import manifest_path, release_exercise
from tests.in_process import other_exercise as exercise

NAME = exercise().name


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
    release_and_source = tmp_path / "assignments" / NAME, tmp_path / "build" / NAME
    release_exercise(exercise(), *release_and_source)
    return release_and_source


def test_the_source_is_the_released_folder_with_the_answers(folders: tuple[Path, Path]) -> None:
    released, source = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert released.keys() == source.keys()
    assert [name for name in source if source[name] != released[name]] == [f"{NAME}.ipynb"]
    assert b"BEGIN SOLUTION" in source[f"{NAME}.ipynb"]


def test_sha256sum_reads_the_manifest(folders: tuple[Path, Path]) -> None:
    for folder in folders:
        completed = subprocess.run(["sha256sum", "--check", "--quiet", manifest_path(folder)], cwd=folder, check=False)
        assert completed.returncode == 0


@pytest.mark.parametrize("index", [0, 1])
def test_a_file_edited_by_hand_is_named_and_stays(folders: tuple[Path, Path], index: int) -> None:
    file = folders[index] / "README.md"
    file.write_text("mine\n")
    with pytest.raises(ReleaseError, match=r"was edited by hand \(README.md\).*make the change there"):
        release_exercise(exercise(), *folders)
    assert file.read_text() == "mine\n"


def test_a_deleted_file_comes_back(folders: tuple[Path, Path]) -> None:
    (folders[0] / "README.md").unlink()
    release_exercise(exercise(), *folders)
    assert (folders[0] / "README.md").is_file()


def test_nothing_is_written_where_the_first_step_fails(folders: tuple[Path, Path], tmp_path: Path) -> None:
    def refuse(built: object) -> None:
        raise ReleaseError("The gradebook cannot take it.")

    with pytest.raises(ReleaseError, match="cannot take it"):
        release_exercise(exercise(), tmp_path / "new" / NAME, tmp_path / "source" / NAME, refuse)
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "source").exists()


def test_a_file_that_is_no_longer_released_is_deleted(folders: tuple[Path, Path]) -> None:
    old = folders[0] / "old.py"
    old.write_bytes(b"")
    with manifest_path(folders[0]).open("a") as manifest:
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        manifest.write(f"{empty}  old.py\n")
    release_exercise(exercise(), *folders)
    assert not old.exists()
    assert set(build_release(exercise()).student_files) == {path.name for path in folders[0].iterdir()}
