"""Fixtures of the tests that play student."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.release.student_folder import StudentFolder, copy_release


@pytest.fixture
def student(tmp_path: Path) -> StudentFolder:
    """The released folder, copied elsewhere."""
    return copy_release(tmp_path)
