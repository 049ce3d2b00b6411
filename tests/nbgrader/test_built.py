"""What a release builds is never edited: whoever does is told, and their file stays as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from autograder.release.build import ReleaseError, build_release
from autograder.release.install import manifest_path, release_exercise
from tests.test_toy import exercise

NAME = exercise().name


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
    folders = tmp_path / "assignments" / NAME, tmp_path / "build" / NAME
    release_exercise(exercise(), *folders)
    return folders


def test_the_source_is_the_public_folder_with_the_answers(places: tuple[Path, Path]) -> None:
    handed_out, source = ({path.name: path.read_bytes() for path in place.iterdir()} for place in places)
    assert handed_out.keys() == source.keys()
    assert [name for name in source if source[name] != handed_out[name]] == [f"{NAME}.ipynb"]
    assert b"BEGIN SOLUTION" in source[f"{NAME}.ipynb"]


def test_the_list_is_one_that_sha256sum_reads(places: tuple[Path, Path]) -> None:
    for folder in places:
        done = subprocess.run(["sha256sum", "--check", "--quiet", manifest_path(folder)], cwd=folder, check=False)
        assert done.returncode == 0


@pytest.mark.parametrize("place", [0, 1])
def test_a_file_edited_by_hand_is_named_and_stays(places: tuple[Path, Path], place: int) -> None:
    file = places[place] / "README.md"
    file.write_text("mine\n")
    with pytest.raises(ReleaseError, match=r"was edited by hand \(README.md\).*make the change there"):
        release_exercise(exercise(), *places)
    assert file.read_text() == "mine\n"


def test_a_file_that_was_taken_away_comes_back(places: tuple[Path, Path]) -> None:
    (places[0] / "README.md").unlink()
    release_exercise(exercise(), *places)
    assert (places[0] / "README.md").is_file()


def test_nothing_is_written_where_the_first_step_fails(places: tuple[Path, Path], tmp_path: Path) -> None:
    def refuse(built: object) -> None:
        raise ReleaseError("The gradebook cannot take it.")

    with pytest.raises(ReleaseError, match="cannot take it"):
        release_exercise(exercise(), tmp_path / "new" / NAME, tmp_path / "source" / NAME, refuse)
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "source").exists()


def test_a_file_that_a_release_makes_no_more_goes(places: tuple[Path, Path]) -> None:
    old = places[0] / "old.py"
    old.write_bytes(b"")
    with manifest_path(places[0]).open("a") as listed:
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        listed.write(f"{empty}  old.py\n")
    release_exercise(exercise(), *places)
    assert not old.exists()
    assert set(build_release(exercise()).student_files) == {path.name for path in places[0].iterdir()}
