"""Tables as CSV that a gradebook imports and a spreadsheet shows without running anything in it."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal

NO_GRADE = "-"
"""What Canvas and Moodle read as no grade; alone in a cell it is no formula."""

CellValue = str | int | float | Decimal | None

# A spreadsheet takes these for the start of a formula, in the full-width letters of East Asian keyboards too.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - these very characters
_COMMAND_STARTS = ("::", "##")  # a CI service takes a line of its log that begins so for a command
_JOINERS = "\u200c\u200d"  # invisible, and part of names in Persian and in scripts of India


def to_csv(header: Sequence[str], rows: Iterable[Sequence[CellValue]]) -> str:
    """Return a CSV file: None becomes an empty cell, numbers are written in full, texts are made safe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([escape_cell(cell) for cell in header])
    writer.writerows([_format_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def escape_cell(text: str) -> str:
    """Return text for a cell, in one line, after an apostrophe if a spreadsheet or a CI service would obey it.

    Letters of every script stay, joiners and combining marks included; other invisible characters go.
    """
    if not text.isprintable():
        text = "".join(map(_replace_unprintable, text))
    # A spreadsheet skips what it does not show before it looks for a formula.
    is_formula = text.strip(f" {_JOINERS}").startswith(_FORMULA_STARTS) and text != NO_GRADE
    return f"'{text}" if is_formula or text.lstrip().startswith(_COMMAND_STARTS) else text


def _replace_unprintable(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return "" if unicodedata.category(character) == "Cf" else " "


def _format_cell(cell: CellValue) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return escape_cell(cell)
    return f"{cell:f}" if isinstance(cell, Decimal) else repr(cell)
