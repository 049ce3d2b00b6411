"""The files of a bundle -> a zip file or a folder; the same files always give the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from autograder.bundles.sources import BundleError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip file


def write_zip(files: Mapping[str, bytes], path: Path) -> None:
    """Write a zip file with executable scripts, replacing an older one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = _file_mode(name, files[name]) << 16
            archive.writestr(member, files[name], zipfile.ZIP_DEFLATED)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())


def write_folder(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a folder with executable scripts. Raises BundleError if it holds files that are not of this bundle."""
    existing_files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if extra := sorted(existing_files - files.keys()):
        raise BundleError(
            f"{folder} holds {extra[0]}, which is not part of this bundle: move it away, or name another folder."
        )
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(_file_mode(name, content) & 0o777)


def _file_mode(name: str, content: bytes) -> int:
    """Return the mode of a regular file: scripts are executable, and only the owner may read the secret."""
    return 0o100600 if name.endswith("secret") else 0o100755 if content.startswith(b"#!") else 0o100644
