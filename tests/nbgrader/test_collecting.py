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


def extracted(extractor: Any, folder: Path, files: dict[str, bytes]) -> dict[str, bytes]:
    """What lies in the folder that nbgrader collects from, when these lie in its archive."""
    archive, to = folder / "archive", folder / "extracted"
    archive.mkdir()
    for name, data in files.items():
        (archive / name).write_bytes(data)
    extractor.extract(str(archive), str(to))
    return {path.relative_to(to).as_posix(): path.read_bytes() for path in to.rglob("*") if path.is_file()}


def test_a_download_is_unpacked_and_zip_files_in_it_stay(extractor: Any, tmp_path: Path) -> None:
    own = {
        "ada_1_2_rnn_backprop.ipynb": b"{}",
        "bob_LATE_3_4_rnn_backprop.zip": make_zip({"rnn_backprop/rnn_backprop.py": b"1"}),
        "eve_5_6_rnn_backprop.zip": b"PK\x03\x04 and no more",
    }
    found = extracted(extractor, tmp_path, {"submissions.zip": make_zip(own)})
    assert found == {f"submissions/{name}": data for name, data in own.items()}


def test_files_of_students_are_copied(extractor: Any, tmp_path: Path) -> None:
    own = {"ada_1_2_work.zip": make_zip({"rnn_backprop.py": b"1"}), "eve_5_6_rnn_backprop.ipynb": b"{"}
    assert extracted(extractor, tmp_path, own) == own


def test_a_damaged_download_is_named(extractor: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download = bytearray(make_zip({"ada_1_2_rnn_backprop.ipynb": bytes(range(256)) * 20}))
    download[60:90] = bytes(30)
    with pytest.raises(SystemExit):
        extracted(extractor, tmp_path, {"submissions.zip": bytes(download)})
    assert "submissions.zip cannot be unpacked" in capsys.readouterr().err
