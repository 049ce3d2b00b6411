"""Names for files that stay apart on every file system: on some, "ADA" and "ada" or two ways to write "é" are one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import count
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


def unused_name(name: str, used_names: dict[str, int]) -> str:
    """Return the name, or "stem (2).suffix" if it is used; then it is in `used_names`.

    That holds folded names, and up to which number each was tried: of ten thousand equal names, none starts at 2 again.
    """
    folded, candidate = fold_name(name), name
    if folded in used_names:
        path = PurePosixPath(name)
        candidates = ((n, f"{path.stem} ({n}){path.suffix}") for n in count(used_names[folded] + 1))
        used_names[folded], candidate = next(item for item in candidates if fold_name(item[1]) not in used_names)
    used_names[fold_name(candidate)] = 1
    return candidate


def is_in_the_way(path: PurePosixPath, files: Iterable[PurePosixPath]) -> bool:
    """Return whether a file at `path` leaves no room for one of the other files: it is that, above it, or below it."""
    own = fold_name(str(path)) + "/"
    return any(
        own.startswith(f"{other}/") or f"{other}/".startswith(own) for other in (fold_name(str(f)) for f in files)
    )
