"""What nbgrader collects: sound records of the exchange, and of a download what the LMS packed, not a student."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.nbgrader.sample_submissions import CANVAS_NAME_PATTERN, make_zip


@pytest.fixture
def extractor() -> Any:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
    from nbgrader.apps.zipcollectapp import ZipCollectApp
    from nbgrader.coursedir import CourseDirectory

    from autograder.nbgrader.exchange.zip_collect import Extractor, FileCollector

    app = ZipCollectApp()
    app.coursedir = CourseDirectory(assignment_id="none")
    app.collector_plugin_inst = FileCollector(parent=app, named_regexp=CANVAS_NAME_PATTERN, valid_ext=[".ipynb", ".py"])
    return Extractor(parent=app)


def extract(extractor: Any, folder: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """Extract an archive folder of these files. Returns what lies then where nbgrader collects from."""
    archive, target = folder / "archive", folder / "extracted"
    archive.mkdir()
    for name, data in files.items():
        (archive / name).parent.mkdir(parents=True, exist_ok=True)
        (archive / name).write_bytes(data)
    extractor.extract(str(archive), str(target))
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def test_a_download_is_unpacked_and_zip_files_in_it_stay(extractor: Any, tmp_path: Path) -> None:
    files = {
        "ada_1_2_rnn_backprop.ipynb": b"{}",
        "bob_LATE_3_4_rnn_backprop.zip": make_zip({"rnn_backprop/rnn_backprop.py": b"1"}),
        "eve_5_6_rnn_backprop.zip": b"PK\x03\x04 and no more",
    }
    unpacked = extract(extractor, tmp_path, {"submissions.zip": make_zip(files)})
    assert unpacked == {f"submissions/{name}": data for name, data in files.items()}


def test_files_of_students_are_copied(extractor: Any, tmp_path: Path) -> None:
    files = {"ada_1_2_work.zip": make_zip({"rnn_backprop.py": b"1"}), "eve_5_6_rnn_backprop.ipynb": b"{"}
    assert extract(extractor, tmp_path, files) == files


FORGED = {"rnn_backprop.ipynb": b"{}", "zoe_91_92_rnn_backprop.ipynb": b"nothing"}


@pytest.mark.parametrize(
    "name",
    [
        "mallory_33_44_rnn_backprop.zip",
        "mal_lory_33_44_rnn_backprop.zip",
        "mallory_33_44_rnn_backprop.ipynb",
        "in/a.zip",
    ],
)
def test_a_students_zip_file_is_never_unpacked(extractor: Any, tmp_path: Path, name: str) -> None:
    files = {"zoe_91_92_rnn_backprop.ipynb": b"{}", name: make_zip(FORGED)}
    assert extract(extractor, tmp_path, files) == files


IN_MOODLE = "assignsubmission_file"
MOODLE_NAME_PATTERN = r".*/(?P<student_id>[^/_]+_\d+)_assignsubmission_file_?/(?P<file_id>[^/]+)"


@pytest.mark.parametrize("is_zipped", [True, False])
@pytest.mark.parametrize(
    ("pattern", "own", "forged"),
    [
        (CANVAS_NAME_PATTERN, "zoe_91_92_a.py", "mallory_33_44_x/zoe_91_92_a.py"),
        (CANVAS_NAME_PATTERN, "zoe_91_92_a.py", "mallory_33_44_x\\zoe_91_92_a.py"),
        (MOODLE_NAME_PATTERN, f"Zoe_91_{IN_MOODLE}/a_1_2_b.py", f"M_33_{IN_MOODLE}/Zoe_91_{IN_MOODLE}/a.py"),
    ],
)  # fmt: skip
def test_a_folder_that_a_student_called_like_another_is_left_out(
    extractor: Any, tmp_path: Path, pattern: str, own: str, forged: str, is_zipped: bool
) -> None:
    extractor.parent.collector_plugin_inst.named_regexp = pattern
    files = {own: b"zoe", forged: b"mallory"}
    on_disk = {f"class_2026_11_20/{name}".replace("\\", "/"): data for name, data in files.items()}
    unpacked = extract(extractor, tmp_path, {"s.zip": make_zip(files)} if is_zipped else on_disk)
    assert list(unpacked.values()) == [b"zoe"]


def test_a_download_is_unpacked_into_its_own_folder_and_so_much_of_each_student(
    extractor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.submission.downloads.MAX_STUDENT_BYTES", 25_000_000)
    bombs = {f"mallory_33_{number}_rnn_backprop.py": bytes(11_000_000) for number in range(3)}
    odd = {
        "../zoe_1_2_out.py": b"1",
        "/zoe_1_2_root.py": b"1",
        "a\\..\\zoe_1_2_back.py": b"1",
        "__MACOSX/zoe_1_2_mac.py": b"1",
        f"{'d/' * 3000}zoe_1_2_deep.py": b"1",
        "notes.txt": b"1",
    }
    files = {"s.zip": make_zip({"zoe_1_2_a.py": b"1", "zoe_1_2_A.py": b"2", **odd, **bombs})}
    unpacked = extract(extractor, tmp_path, files)
    assert {name: data for name, data in unpacked.items() if "zoe" in name} == {
        "s/zoe_1_2_a.py": b"1",
        "s/zoe_1_2_A (2).py": b"2",
    }
    assert {name.partition("_")[0] for name in unpacked} == {"s/zoe", "s/mallory"}
    assert 0 < sum(map(len, unpacked.values())) <= 25_000_000
    assert {len(data) for name, data in unpacked.items() if "mallory" in name} == {10_000_001}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "extracted"]
    assert "Skipped, because" in capsys.readouterr().err


def test_links_in_a_download_are_not_followed(extractor: Any, tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "mallory_1_2_x.py").symlink_to("/etc/passwd")
    (tmp_path / "archive" / "zoe_1_2_x.py").write_bytes(b"1")
    extractor.extract(str(tmp_path / "archive"), str(tmp_path / "extracted"))
    assert [path.name for path in (tmp_path / "extracted").iterdir()] == ["zoe_1_2_x.py"]


@pytest.mark.parametrize(
    ("pattern", "files", "collected"),
    [
        (CANVAS_NAME_PATTERN, ["zoe_1_2_x.py", "zoe_1_3_x.py", "ada_4_5_x.py"], ["zoe_1_2_x.py", "ada_4_5_x.py"]),
        (CANVAS_NAME_PATTERN, ["zoe_1_2_x.py", "zoe_1_3_x.ipynb"], ["zoe_1_2_x.py", "zoe_1_3_x.ipynb"]),
        (CANVAS_NAME_PATTERN, [".._1_2_x.py", "a\nb_1_2_x.py", "zoe_4_5_x.py"], ["zoe_4_5_x.py"]),
        (r".*/(?P<student_id>\w+?)-(?P<file_id>x)?", ["zoe-y.py", "zoe-x.py"], ["zoe-x.py"]),
        (
            r".*/(?P<student_id>\w+?)-(?P<timestamp>[^-]*)-(?P<file_id>\w+)",
            ["zoe-20260301-x.py", "zoe-20260302-x.py", "ada-soon-x.py", "zoe--x.py"],
            ["zoe-20260301-x.py", "zoe-20260302-x.py"],
        ),
    ],
)
def test_a_file_that_nbgrader_would_stop_at_is_not_collected(
    extractor: Any, pattern: str, files: list[str], collected: list[str]
) -> None:
    collector = extractor.parent.collector_plugin_inst
    collector.named_regexp = pattern
    assert [file for file in files if collector.collect(f"/extracted/{file}")] == collected


DOCUMENTED_PATTERN = r".*/(?P<student_id>[^/_]+_(?:LATE_)?\d+)_\d+_(?P<file_id>.+)"
NAMES = ("smithjohn_12350_67895_ex.py", "smithjohn_LATE_12351_67896_ex.py", "lovelaceada_LATE_12345_67890_ex.py")


@pytest.mark.parametrize(
    ("pattern", "students"),
    [
        (
            r".*/(?P<student_id>[^/_]+)_(?:LATE_)?\d+_\d+_(?P<file_id>.+)",
            ["smithjohn", "smithjohn_12351", "lovelaceada"],
        ),
        (DOCUMENTED_PATTERN, ["smithjohn_12350", "smithjohn_12351", "lovelaceada_12345"]),
    ],
    ids=["without the number", "documented"],
)
def test_two_students_of_one_name_are_both_collected(
    extractor: Any, tmp_path: Path, pattern: str, students: list[str]
) -> None:
    collector = extractor.parent.collector_plugin_inst
    collector.named_regexp = pattern
    parsed = [collector.collect(str(tmp_path / name)) for name in NAMES]
    assert [file["student_id"] for file in parsed] == students


def test_the_documented_pattern_is_that_of_the_guide() -> None:
    guide = Path(__file__).parents[2] / "autograder" / "nbgrader" / "README.md"
    assert DOCUMENTED_PATTERN in guide.read_text(encoding="utf-8")


def test_a_damaged_file_of_a_download_is_named_and_the_others_are_unpacked(
    extractor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("ada_1_2_rnn_backprop.ipynb", "zoe_3_4_rnn_backprop.ipynb")
    download = bytearray(make_zip(dict.fromkeys(names, bytes(range(256)) * 20)))
    download[60:90] = bytes(30)
    unpacked = extract(extractor, tmp_path, {"submissions.zip": bytes(download)})
    assert list(unpacked) == ["submissions/zoe_3_4_rnn_backprop.ipynb"]
    assert "ada_1_2_rnn_backprop.ipynb in" in capsys.readouterr().err


@pytest.fixture
def collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that collects from the exchange in tmp_path/exchange, without a gradebook."""
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
    from nbgrader.api import MissingEntry
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default import collect

    from autograder.nbgrader.exchange.exchange import Collect

    class EmptyGradebook(contextlib.nullcontext[Any]):
        def find_assignment(self, name: str) -> None:
            raise MissingEntry

    monkeypatch.setattr(collect, "Gradebook", lambda *_: contextlib.nullcontext(EmptyGradebook()))
    (tmp_path / "exchange" / "rnn" / "inbound").mkdir(parents=True)

    def run(**settings: object) -> dict[str, bytes]:
        coursedir = CourseDirectory(root=str(tmp_path), course_id="rnn", assignment_id="rnn_backprop")
        root = str(tmp_path / "exchange")
        Collect(coursedir=coursedir, root=root, **{"check_owner": False, **settings}).start()
        return {path.parts[-3]: path.read_bytes() for path in tmp_path.glob("submitted/*/rnn_backprop/*.py")}

    return run


def submit(course: Path, name: str, **files: str) -> Path:
    """Put a record called `name` into the exchange; `link` is a file that a link of the submission leads to."""
    record = course / "exchange" / "rnn" / "inbound" / name
    record.mkdir()
    (record / "rnn_backprop.py").write_text(files.get("text", "right"))
    if "link" in files:
        (record / "rnn_backprop.py").unlink()
        (record / "rnn_backprop.py").symlink_to(files["link"])
    return record


def test_collect_leaves_out_odd_records_and_takes_the_newest_sound_one(
    collect: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "reference.py").write_text("reference")
    submit(tmp_path, "ada+rnn_backprop+2026-03-01 10:00:00 UTC+a", text="old")
    submit(tmp_path, "ada+rnn_backprop+2026-03-02 10:00:00 UTC+b", text="new")
    submit(tmp_path, "ada+rnn_backprop+2026-03-03 10:00:00 UTC+c", link=str(tmp_path / "reference.py"))
    submit(tmp_path, "ada+rnn_backprop+\x1b[31msoon+d")
    submit(tmp_path, "zoe+rnn_backprop+2026-03-01 10:00:00 UTC+f", link=str(tmp_path / "reference.py"))
    (tmp_path / "exchange/rnn/inbound/odd+rnn_backprop+").touch()
    submit(tmp_path, "zz+rnn_backprop+2026-03-01 10:00:00 UTC")
    assert collect() == {"ada": b"new", "zz": b"right"}
    assert sorted(path.name for path in (tmp_path / "submitted").iterdir()) == ["ada", "zz"]
    refused = [line.getMessage() for line in caplog.records if line.getMessage().startswith("Not collected")]
    assert len(refused) == 4
    assert all(line.isprintable() for line in refused)


@pytest.mark.parametrize(("settings", "collected"), [({}, b"old"), ({"update": True}, b"new")])
def test_collect_replaces_what_it_collected_only_when_told_to(
    collect: Any, tmp_path: Path, settings: dict[str, bool], collected: bytes
) -> None:
    submit(tmp_path, "ada+rnn_backprop+2026-03-01 10:00:00 UTC+a", text="old")
    collect()
    submit(tmp_path, "ada+rnn_backprop+2026-03-02 10:00:00 UTC+b", text="new")
    assert collect(**settings) == {"ada": collected}


def test_collect_keeps_what_it_has_if_what_is_newer_is_odd(collect: Any, tmp_path: Path) -> None:
    submit(tmp_path, "ada+rnn_backprop+2026-03-01 10:00:00 UTC+a", text="old")
    collect()
    submit(tmp_path, "ada+rnn_backprop+2026-03-02 10:00:00 UTC+b", link="/etc/passwd")
    assert collect(update=True) == {"ada": b"old"}


def test_collect_believes_no_name_but_the_owners(collect: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import pwd

    monkeypatch.setattr(os, "geteuid", lambda: -2)  # somebody else collects
    monkeypatch.setattr(pwd, "getpwuid", lambda user: pwd.struct_passwd(("mallory", "x", user, 0, "", "", "")))
    submit(tmp_path, "ada+rnn_backprop+2026-03-02 10:00:00 UTC+a")
    submit(tmp_path, "mallory+rnn_backprop+2026-03-02 10:00:00 UTC+b")
    assert collect(check_owner=True) == {"mallory": b"right"}


def test_collect_names_a_time_that_the_exchange_did_not_see(
    collect: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    submit(tmp_path, "ada+rnn_backprop+2026-03-01 10:00:00 UTC+a")
    submit(tmp_path, f"bob+rnn_backprop+{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC+b")
    assert collect().keys() == {"ada", "bob"}
    [warning] = [line.getMessage() for line in caplog.records if "by the clock of the exchange" in line.getMessage()]
    assert warning.startswith("ada: the submission says that it was handed in at 2026-03-01 10:00:00 UTC, and ")


def test_release_feedback_stops_at_nobodys_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
    from nbgrader.coursedir import CourseDirectory

    from autograder.nbgrader.exchange.exchange import ReleaseFeedback

    coursedir = CourseDirectory(root=str(tmp_path), course_id="rnn", assignment_id="rnn_backprop")
    secrets = {
        "ada": b"of ada",
        "binary": b"\xff\xfe",
        "comma,zoe": b"",
        "copied": b"of bob",
        "bob": b"of bob",
        "long": b"x" * 2000,
        "odd": b"of odd",
        "zoe": b"../../of zoe",
    }
    for student in (*secrets, "folder", "link", "missing", "page"):
        folder = tmp_path / "feedback" / student / "rnn_backprop"
        folder.mkdir(parents=True)
        (folder / "rnn_backprop.html").write_text(student)
        if student in secrets:
            (folder / "submission_secret.txt").write_bytes(secrets[student])
    (tmp_path / "feedback/folder/rnn_backprop/submission_secret.txt").mkdir()
    (tmp_path / "feedback/link/rnn_backprop/submission_secret.txt").symlink_to(
        "../../zoe/rnn_backprop/submission_secret.txt"
    )
    (tmp_path / "feedback/page/rnn_backprop/evil.html").mkdir()
    (tmp_path / "feedback/odd/rnn_backprop/\udcff.html").write_text("a name that is no text")
    (tmp_path / "exchange").mkdir()
    ReleaseFeedback(coursedir=coursedir, root=str(tmp_path / "exchange")).start()
    released = list((tmp_path / "exchange" / "rnn" / "feedback").iterdir())
    assert sorted(page.read_text() for page in released) == ["ada", "odd", "zoe"]
    assert all(len(page.stem) == 32 for page in released)
    [warning] = [line.getMessage() for line in caplog.records if "send out" in line.getMessage()]
    assert warning.endswith("binary, comma,zoe, folder, link, long, missing, odd, page, bob and copied.")
