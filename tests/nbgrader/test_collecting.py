"""What nbgrader collects: sound records of the exchange, and of a download what the LMS packed, not a student."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from tests.nbgrader.sample_submissions import CANVAS_NAME_PATTERN, make_zip


@pytest.fixture
def extractor() -> Any:
    pytest.importorskip("nbgrader", reason="nbgrader is not installed: make test installs it")
    from nbgrader.apps.zipcollectapp import ZipCollectApp

    from autograder.nbgrader.exchange.exchange import Extractor, FileCollector

    app = ZipCollectApp()
    app.collector_plugin_inst = FileCollector(parent=app, named_regexp=CANVAS_NAME_PATTERN)
    return Extractor(parent=app)


def extract(extractor: Any, folder: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """Extract an archive folder of these files. Returns what lies then where nbgrader collects from."""
    archive, target = folder / "archive", folder / "extracted"
    archive.mkdir()
    for name, data in files.items():
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


def test_a_damaged_download_is_named(extractor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download = bytearray(make_zip({"ada_1_2_rnn_backprop.ipynb": bytes(range(256)) * 20}))
    download[60:90] = bytes(30)
    with pytest.raises(SystemExit):
        extract(extractor, tmp_path, {"submissions.zip": bytes(download)})
    assert "submissions.zip cannot be unpacked" in capsys.readouterr().err


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
    import pwd

    monkeypatch.setattr(pwd, "getpwuid", lambda user: pwd.struct_passwd(("mallory", "x", user, 0, "", "", "")))
    submit(tmp_path, "ada+rnn_backprop+2026-03-02 10:00:00 UTC+a")
    submit(tmp_path, "mallory+rnn_backprop+2026-03-02 10:00:00 UTC+b")
    assert collect(check_owner=True) == {"mallory": b"right"}
