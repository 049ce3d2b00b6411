"""Files that are kept beside an exercise so that they need not be computed again; none of them is ever needed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from autograder.submission.safe_files import write_atomically

CACHE_FOLDER = ".cache"  # in the folder of the exercise


def cached_file(exercise: Path, kind: str, key: str, suffix: str) -> Path:
    """Return the path of a kept file: `key` is a digest of all that its content depends on."""
    return exercise / CACHE_FOLDER / f"{kind}-{key}{suffix}"


def keep(path: Path, content: bytes) -> None:
    """Write a kept file in place of older ones of its kind; nothing if it cannot be written."""
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        write_atomically(path.with_name(".gitignore"), b"*\n")
        write_atomically(path, content)
        for older in path.parent.glob(f"{path.name.rpartition('-')[0]}-*{path.suffix}"):
            if older != path:
                older.unlink(missing_ok=True)
