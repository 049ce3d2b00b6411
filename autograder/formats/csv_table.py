"""Tables as CSV that a spreadsheet shows and does not run, and a gradebook imports."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal

NO_GRADE = "-"
"""What Canvas and Moodle read as no grade; alone in a cell it is no formula."""

CellValue = str | int | float | Decimal | None

# What a spreadsheet takes for the start of a formula, and the same in the full-width letters of East Asian keyboards.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # noqa: RUF001 - these very characters
_COMMAND_STARTS = ("::", "##[")  # and the log of a CI service for the start of a command, where a line begins with it
_JOINERS = "\u200c\u200d"  # invisible, and part of names in Persian and in scripts of India


def to_csv(header: Sequence[str], rows: Iterable[Sequence[CellValue]]) -> str:
    """A CSV file of UTF-8 text: None is an empty cell, numbers are written in full, texts are made safe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([escape_cell(cell) for cell in header])
    writer.writerows([_format_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def escape_cell(text: str) -> str:
    """Text for a cell, in one line, with an apostrophe in front where a spreadsheet or a CI service would obey it.

    Letters of every script stay as they are, joiners and combining marks included; what is invisible goes.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in _JOINERS else _replacement_for(c) for c in text)
    first_character = text.strip(f" {_JOINERS}")[:1]
    is_dangerous = (first_character in _FORMULA_STARTS and text != NO_GRADE) or text.lstrip().startswith(
        _COMMAND_STARTS
    )
    return f"'{text}" if is_dangerous else text


def _replacement_for(character: str) -> str:
    return "" if unicodedata.category(character) == "Cf" else " "


def _format_cell(cell: CellValue) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return escape_cell(cell)
    return f"{cell:f}" if isinstance(cell, Decimal) else repr(cell)
