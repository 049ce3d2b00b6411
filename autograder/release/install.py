"""Put what was built into folders: refuse edited folders, replace each folder atomically, keep a manifest beside it.

A manifest lists the SHA-256 digests of the files that were built. A file that differs from it was edited by hand.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

from autograder.exercise.model import Exercise
from autograder.release.build import ReleaseError, ReleaseFiles, build_release
from autograder.submission.safe_files import write_atomically

IGNORED_NAMES = frozenset({"__pycache__", ".pytest_cache", ".ipynb_checkpoints", ".DS_Store"})


def release_exercise(
    exercise: Exercise,
    folder: Path,
    source_folder: Path | None = None,
    before_write: Callable[[ReleaseFiles], None] = lambda files: None,
) -> Path:
    """Build the student's files, put them into `folder` in place of an older release, and return the folder.

    nbgrader's source goes to `source_folder`. `before_write` is called before anything is written. Raises ReleaseError,
    also if somebody edited one of the folders; an older release then stays as it was.
    """
    built = build_release(exercise)
    files_by_folder = {folder: built.student_files}
    if source_folder:
        files_by_folder[source_folder] = built.source_files
    for target, files in files_by_folder.items():
        _refuse_edited(exercise, target, files)
    # All folders are checked, and the gradebook is asked, before the first folder changes.
    before_write(built)
    for target, files in files_by_folder.items():
        _install(files, target)
    return folder


def manifest_path(folder: Path) -> Path:
    """Return the path of a folder's manifest, a file that sha256sum writes and checks."""
    return folder.with_name(f"{folder.name}.sha256")


def diff_release(exercise: Exercise, folder: Path) -> tuple[str, ...]:
    """Return what a release into `folder` would change, one sentence per file; empty if it is up to date."""
    files, existing = build_release(exercise).student_files, _file_names(folder)
    missing = [f"{name} is missing." for name in sorted(files.keys() - existing)]
    extra = [f"{name} is there, and no release makes it." for name in sorted(existing - files.keys())]
    changed = [
        f"{name} differs from what a release makes."
        for name in sorted(files.keys() & existing)
        if (folder / name).read_bytes() != files[name]
    ]
    is_stale = _read_manifest(folder) != _digests(files)
    return (*missing, *extra, *changed, *([f"{manifest_path(folder).name} is out of date."] if is_stale else []))


def _refuse_edited(exercise: Exercise, folder: Path, files: Mapping[str, bytes]) -> None:
    manifest = _read_manifest(folder)
    existing = {name: (folder / name).read_bytes() for name in manifest if (folder / name).is_file()}
    digests = _digests(existing)
    if edited := sorted(name for name in existing if digests[name] != manifest[name]):
        raise ReleaseError(
            f"{folder} was edited by hand ({', '.join(edited)}), and it is built from {exercise.folder}: "
            "make the change there, move the edited file away, and try again."
        )
    # What no release made is somebody's own, and replacing the folder deletes it; but a manifest may have got lost.
    unknown = [folder / name for name in sorted(_file_names(folder) - manifest.keys())]
    if extra := [path.name for path in unknown if not path.is_file() or files.get(path.name) != path.read_bytes()]:
        raise ReleaseError(f"{folder} holds {', '.join(extra)}, which no release makes: move it away, then try again.")


def _install(files: Mapping[str, bytes], folder: Path) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # The staging folder lies on the same file system, so that the new folder can be renamed into its place.
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as staging:
            new = Path(staging, "new")
            new.mkdir()
            for name, content in files.items():
                (new / name).write_bytes(content)
            _replace_folder(folder, new, Path(staging, "old"))
        _write_manifest(folder, files)
    except OSError as error:
        raise ReleaseError(f"{folder} cannot be written: {error.strerror or error}.") from None


def _replace_folder(folder: Path, new: Path, old: Path) -> None:
    """Move `folder` to `old` and `new` to `folder`; if that fails, move the old folder back."""
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise


def _write_manifest(folder: Path, files: Mapping[str, bytes]) -> None:
    lines = [f"{digest}  {name}\n" for name, digest in sorted(_digests(files).items())]
    write_atomically(manifest_path(folder), "".join(lines).encode())


def _read_manifest(folder: Path) -> dict[str, str]:
    path = manifest_path(folder)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256(content).hexdigest() for name, content in files.items()}


def _file_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - IGNORED_NAMES if folder.is_dir() else set()
