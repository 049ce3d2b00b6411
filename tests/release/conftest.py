"""Fixtures of the tests that play student."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.release.student_folder import Student, student_in


@pytest.fixture
def student(tmp_path: Path) -> Student:
    """The released folder, copied elsewhere."""
    return student_in(tmp_path)
