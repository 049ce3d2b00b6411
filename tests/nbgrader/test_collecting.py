"""nbgrader's zip_collect: what an LMS packed is unpacked, and what a student packed is left for the grader."""

from __future__ import annotations

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
