"""Text that others made, made fit to be read in a sentence."""

from __future__ import annotations

from collections.abc import Sequence


def plain(text: str, longest: int) -> str:
    """One line of printable characters, cut where it is longer than `longest`."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: longest * 4]).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def listing(names: Sequence[str], most: int = 5) -> str:
    """File names in a sentence: the first few, and how many more."""
    shown = [plain(name, 80) for name in names[:most]]
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
