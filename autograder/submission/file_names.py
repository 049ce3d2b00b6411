"""Names for files that stay apart on every file system: on some, "ADA" and "ada" or two ways to write "é" are one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

_MAX_BYTES = 200  # of 255, so that a suffix has room
_FORBIDDEN = frozenset('/\\<>:"|?*')
_WINDOWS_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE | re.DOTALL)


def fold_name(name: str) -> str:
    """Return what a name is compared by: two names that any file system takes for one have the same."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def is_safe_name(name: str) -> bool:
    """Return whether every file system takes a name, with a suffix behind it."""
    is_printable = name.isprintable() and not name.startswith(".") and _FORBIDDEN.isdisjoint(name)
    return bool(name) and is_printable and not _WINDOWS_DEVICE.fullmatch(name)


def safe_name(name: str) -> str:
    """Return a name that every file system takes; letters of every script stay."""
    name = "".join("_" if c in _FORBIDDEN or not c.isprintable() else c for c in name)
    name = name.encode()[-_MAX_BYTES:].decode(errors="ignore").strip().rstrip(". ")
    return f"_{name}" if not name or _WINDOWS_DEVICE.fullmatch(name) else name


def unused_name(name: str, used_names: set[str]) -> str:
    """Return the name, or "stem (2).suffix" if it is used; then it is in `used_names`, which holds folded names."""
    path, count, candidate = PurePosixPath(name), 1, name
    while fold_name(candidate) in used_names:
        count += 1
        candidate = f"{path.stem} ({count}){path.suffix}"
    used_names.add(fold_name(candidate))
    return candidate


def is_in_the_way(path: PurePosixPath, files: Iterable[PurePosixPath]) -> bool:
    """Return whether a file at `path` leaves no room for one of the other files: it is that, above it, or below it."""
    own = fold_name(str(path)) + "/"
    return any(
        own.startswith(f"{other}/") or f"{other}/".startswith(own) for other in (fold_name(str(f)) for f in files)
    )
