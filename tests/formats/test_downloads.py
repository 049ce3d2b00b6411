"""Downloads of all submissions from Canvas and Moodle become a folder for each student."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.classroom.lms_downloads import DownloadError, group_by_student, open_download

NAME = "rnn_backprop"
ROOT = Path(__file__).parents[2]
PERFECT = (ROOT / "tests/submissions/class/perfect/rnn_backprop.py").read_bytes()
BLANK = (ROOT / "tests/submissions/class/blank/rnn_backprop.py").read_bytes()

CANVAS = {
    "lovelaceada_101_9001_rnn_backprop.py": {"lovelaceada_101": "rnn_backprop.py"},
    "turingalan_LATE_102_9002_rnn_backprop-1.ipynb": {"turingalan_102": "rnn_backprop-1.ipynb"},
    "李小龙_103_9003_my_work_2_3.ipynb": {"李小龙_103": "my_work_2_3.ipynb"},
    "anon_x7Qz1_9004_rnn_backprop.py": {"anon_x7Qz1": "rnn_backprop.py"},
    "LATE_anon_x7Qz2_9005_rnn_backprop.py": {"anon_x7Qz2": "rnn_backprop.py"},
}
MOODLE = {
    "Ada Lovelace_900_assignsubmission_file/rnn_backprop.py": {"Ada Lovelace_900": "rnn_backprop.py"},
    "محمد رضا_901_assignsubmission_file/sub/a.ipynb": {"محمد رضا_901": "a.ipynb"},
    "Group 1_7_assignsubmission_file_/rnn_backprop.py": {"Group 1_7": "rnn_backprop.py"},  # older versions
    "Zoë O'Brien_902_assignsubmission_file_rnn_backprop.py": {"Zoë O'Brien_902": "rnn_backprop.py"},  # without folders
}


@pytest.mark.parametrize(("path", "students"), [*CANVAS.items(), *MOODLE.items()])
def test_group_by_student_reads_the_names_of_both_hosts(path: str, students: Mapping[str, str]) -> None:
    download = group_by_student([path])
    assert download
    assert {student: next(iter(files)) for student, files in download.files_by_student.items()} == students
    assert [file for files in download.files_by_student.values() for file in files.values()] == [path]


@pytest.mark.parametrize(
    "paths",
    [
        [],
        ["ada/rnn_backprop.py"],
        ["ada.ipynb", "bob.py"],
        ["lovelaceada_101_9001_rnn_backprop.py", "bob.py"],  # a file of somebody that fits no pattern
    ],
)
def test_group_by_student_of_another_folder_is_none(paths: list[str]) -> None:
    assert group_by_student(paths) is None


ZOE = "Zoe Young_91_assignsubmission_file"


@pytest.mark.parametrize(
    ("path", "student"),
    [
        (f"{ZOE}_x_33_assignsubmission_file_/a.py", f"{ZOE}_x_33"),
        (f"{ZOE}_33_assignsubmission_file/a.py", f"{ZOE}_33"),
        (f"{ZOE}/x_33_assignsubmission_file_/a.py", "Zoe Young_91"),
        (f"{ZOE}/x_33_assignsubmission_file_a.py", "Zoe Young_91"),
        (f"submissions/{ZOE}/x_33_assignsubmission_file_a.py", "Zoe Young_91"),
        (f"x_33_assignsubmission_file_a/{ZOE}/a.py", "x_33"),  # who wrote a slash
        (f"x_33_assignsubmission_file_a/{ZOE}_a.py", "x_33"),
        ("x_33_assignsubmission_file_a/a.py", "x_33"),
        ("x_33_assignsubmission_onlinetext/a.py", None),  # a file within a text stops nobody else
        (f"x_33_assignsubmission_onlinetext_a/{ZOE}/a.py", None),
        (f"{ZOE}_a.py", "Zoe Young_91"),
        (f"{ZOE}_x_33_assignsubmission_file_a.py", None),  # of 91, who called the file so, or of 33, who is
        ("zoe_91_33_9002_a.py", None),  # likewise
        ("92_33_9002_a.py", None),  # of 92, or of 33, who is called 92
        ("zoe_91_LATE_33_9002_a.py", "zoe_91_33"),
        ("zoe_91_9001_x_33_9002_a.py", "zoe_91"),
    ],
)
def test_the_number_of_the_host_decides_whose_a_file_is(path: str, student: str | None) -> None:
    sure = f"{ZOE}/sure.py" if "assign" in path else "zoe_91_9001_sure.py"
    download = group_by_student([sure, path])
    assert download
    owners = {file: owner for owner, files in download.files_by_student.items() for file in files.values()}
    assert owners[sure] in ("Zoe Young_91", "zoe_91")
    assert owners.get(path) == student
    assert download.skipped == (() if student else (path,))


def test_a_number_in_front_of_a_file_name_is_the_files_own() -> None:
    download = group_by_student(["ada_101_9001_1_homework.py"])
    assert download
    assert download.files_by_student == {"ada_101": {"1_homework.py": "ada_101_9001_1_homework.py"}}


def test_open_download_writes_so_much_of_each_student(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.submission.downloads.MAX_STUDENT_BYTES", 100_000)
    bombs = {f"Mallory_1_assignsubmission_file/{number}.py": bytes(9_999) for number in range(12)}
    download = pack(tmp_path / "s.zip", bombs | {"Zoe_2_assignsubmission_file/x.py": PERFECT})
    with open_download(download, NAME, "lms") as (folder, skipped):
        assert sum(path.stat().st_size for path in folder.glob("Mallory_1/*")) <= 100_000
        assert (folder / "Zoe_2" / "x.py").read_bytes() == PERFECT
    assert len(skipped) == 2


@pytest.mark.parametrize("letter", ["x", "李", "\U0001f600"])
def test_open_download_shortens_long_names(tmp_path: Path, letter: str) -> None:
    names = [f"{letter * 300}_{number}_assignsubmission_file/{letter * 300}.py" for number in (1, 2)]
    with open_download(pack(tmp_path / "s.zip", dict.fromkeys(names, b"1")), NAME, "lms") as (folder, _):
        assert sorted(path.name.rpartition("_")[2] for path in folder.iterdir()) == ["1", "2"]
        assert len(list(folder.glob("*/*.py"))) == 2


def test_open_download_keeps_names_apart_that_a_file_system_folds(tmp_path: Path) -> None:
    names = ["ADA_1", "ada_1", "e\u0301_2", "\u00e9_2", "con.x_3", "ada_1."]
    members = [f"{name}_4_assignsubmission_file/{file}.py" for name in names for file in ("A", "a")]
    with open_download(pack(tmp_path / "s.zip", dict.fromkeys(members, b"1")), NAME, "lms") as (folder, _):
        written = [path.relative_to(folder).as_posix() for path in folder.glob("*/*")]
    assert len({unicodedata.normalize("NFC", path).casefold() for path in written}) == len(members)


def test_group_by_student_skips_files_of_no_student() -> None:
    paths = [*MOODLE, "Ada Lovelace_900_assignsubmission_onlinetext/onlinetext.html", "__MACOSX/x", ".DS_Store"]
    download = group_by_student(paths)
    assert download
    assert download.skipped == ("Ada Lovelace_900_assignsubmission_onlinetext/onlinetext.html",)


def test_group_by_student_renames_files_of_one_name() -> None:
    first, second = (f"Ada_1_assignsubmission_file/{folder}/x.py" for folder in "ab")
    download = group_by_student([first, second])
    assert download
    assert download.files_by_student == {"Ada_1": {"x.py": first, "x (2).py": second}}


def pack(file: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


@pytest.mark.parametrize("names", [CANVAS, MOODLE], ids=["canvas", "moodle"])
@pytest.mark.parametrize("zipped", [True, False])
def test_open_download_makes_a_folder_for_each_student(
    tmp_path: Path, names: dict[str, dict[str, str]], zipped: bool
) -> None:
    source = pack(tmp_path / "submissions.zip", dict.fromkeys(names, PERFECT))
    if not zipped:
        with zipfile.ZipFile(source) as archive:
            archive.extractall(tmp_path / "unpacked")
        source = tmp_path / "unpacked"
    with open_download(source, NAME, "lms") as (folder, skipped):
        written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert written == {f"{student}/{name}" for files in names.values() for student, name in files.items()}
        assert skipped == ()
        assert next(folder.rglob("*.py")).read_bytes() == PERFECT
    assert not folder.exists()


def test_open_download_writes_nothing_outside_its_folder(tmp_path: Path) -> None:
    names = [
        "../evil_1_2_../../up.py",
        "a_1_2_..",
        "b_3_4_/etc/passwd.py",
        "c_5_6_con\\x.py",
        "C_5_6_x.py",
        "c_5_7_X.py",
    ]
    with open_download(pack(tmp_path / "s.zip", dict.fromkeys(names, b"1")), NAME, "lms") as (folder, _):
        inside = [path for path in folder.rglob("*") if path.is_file()]
        assert len(inside) == len(names) - 1  # a name that begins outside belongs to nobody
        assert all(path.resolve().is_relative_to(folder.resolve()) for path in inside)
    assert [path.name for path in tmp_path.iterdir()] == ["s.zip"]


@pytest.mark.parametrize(
    "files",
    [
        ["uni_2026_17_ada.py", "uni_2026_18_bob.py"],
        ["uni_2026_17_rnn_backprop.py", "uni_2026_18_rnn_backprop.py"],
        ["a_1_2_essay.ipynb", "b_3_4_essay.ipynb"],
    ],
    ids=["students", "students with the exercise's name", "no file has the exercise's name"],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_open_download_asks_where_names_of_files_leave_it_open(tmp_path: Path, files: list[str], zipped: bool) -> None:
    source = tmp_path / "handed in"
    source.mkdir()
    for name in files:
        (source / name).write_bytes(PERFECT)
    if zipped:
        source = pack(tmp_path / "s.zip", dict.fromkeys(files, PERFECT))
    with (
        pytest.raises(DownloadError, match=r"say which, with --from lms or --from students\."),
        open_download(source, NAME),
    ):
        pass
    with open_download(source, NAME, "lms") as (folder, _):
        assert folder != source
    if not zipped:
        with open_download(source, NAME, "students") as (folder, _):
            assert folder == source


@pytest.mark.parametrize("names", [CANVAS, MOODLE], ids=["canvas", "moodle"])
def test_open_download_knows_a_download_where_somebody_kept_the_name(tmp_path: Path, names: dict[str, object]) -> None:
    with open_download(pack(tmp_path / "s.zip", dict.fromkeys(names, PERFECT)), NAME) as (folder, _):
        assert len(list(folder.iterdir())) == len(names)


@pytest.mark.parametrize("inner", ["rnn_backprop.py", "rnn_backprop/rnn_backprop.py"])
def test_open_download_takes_folders_with_numbers_in_their_names_as_they_are(tmp_path: Path, inner: str) -> None:
    for student in ("uni_2026_17_ada", "uni_2026_18_bob"):
        (tmp_path / student / inner).parent.mkdir(parents=True)
        (tmp_path / student / inner).write_bytes(PERFECT)
    with open_download(tmp_path, NAME) as (folder, _):
        assert folder == tmp_path


def test_open_download_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "down"
    folder.mkdir()
    (folder / "ada_1_2_rnn_backprop.py").symlink_to(tmp_path / "secret")
    with open_download(folder, NAME, "lms") as (unpacked, _):
        assert next(unpacked.rglob("*.py")).read_bytes() == b""


def test_open_download_cuts_a_huge_member(tmp_path: Path) -> None:
    with open_download(pack(tmp_path / "s.zip", {"ada_1_2_x.py": bytes(30_000_000)}), NAME, "lms") as (folder, _):
        assert next(folder.rglob("*.py")).stat().st_size == 10_000_001


@pytest.mark.parametrize("content", [b"no zip", b"PK\x05\x06" + bytes(18)])
def test_open_download_refuses_other_zip_files(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "s.zip"
    file.write_bytes(content)
    with pytest.raises(DownloadError, match=r"s\.zip is (damaged|not a download)"), open_download(file, NAME, "lms"):
        pass


def test_a_damaged_member_costs_only_its_student(tmp_path: Path) -> None:
    first, second = list(CANVAS)[:2]
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(first, PERFECT)
        archive.writestr(second, PERFECT)
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        start = archive.getinfo(first).header_offset + 30 + len(first.encode())
    content = bytearray((tmp_path / "s.zip").read_bytes())
    content[start : start + 20] = b"\xff" * 20
    (tmp_path / "s.zip").write_bytes(content)
    with open_download(tmp_path / "s.zip", NAME, "lms") as (folder, _):
        sizes = {path.parent.name: path.stat().st_size for path in folder.rglob("rnn_backprop*")}
    assert sizes == {"lovelaceada_101": 0, "turingalan_102": len(PERFECT)}


@given(st.lists(st.text(st.sampled_from("ab_/12.LATEnon py")), max_size=8, unique=True))
def test_group_by_student_loses_no_path(paths: list[str]) -> None:
    download = group_by_student(paths)
    if download:
        assigned = [path for files in download.files_by_student.values() for path in files.values()]
        hidden = [path for path in paths if any(part.startswith(".") for part in path.split("/"))]
        assert sorted([*assigned, *download.skipped]) == sorted(set(paths) - set(hidden))


@pytest.mark.parametrize("names", [CANVAS, MOODLE], ids=["canvas", "moodle"])
def test_class_grades_a_download_and_export_finds_everybody(tmp_path: Path, names: dict[str, dict[str, str]]) -> None:
    first = next(iter(names))
    members = {name: PERFECT if name == first else BLANK for name in names if name.endswith(".py")}
    source = pack(tmp_path / "submissions.zip", members)
    command = [sys.executable, "-m", "autograder"]
    env = {**os.environ, "AUTOGRADER_SECRET": "tests", "PYTHONUTF8": "1"}
    args = ["class", "rnn_backprop", source, "--results", tmp_path / "grades", "--jobs", "1", "--format", "json"]
    done = subprocess.run([*command, *map(str, args)], cwd=ROOT, env=env, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    scores = {report["submission"]: report["score"] for report in json.loads(done.stdout)}
    students = {student: name == first for name in members for student in names[name]}
    assert {student: score > 0 for student, score in scores.items()} == students
    roster = tmp_path / "roster.csv"
    numbers = {student: student.rpartition("_")[2] for student in students}
    lines = [f"{student.rpartition('_')[0]},{number}" for student, number in numbers.items()]
    roster.write_text("\n".join(["name,id", *lines]), encoding="utf-8")
    args = ["export", tmp_path / "grades", "--for", "canvas", "--roster", roster]
    done = subprocess.run([*command, *map(str, args)], cwd=ROOT, env=env, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.decode().count("Unknown")) == (0, 0 if names is MOODLE else 1)
