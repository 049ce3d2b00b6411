"""Tables as CSV: a spreadsheet shows every cell and runs none."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.formats import csv_table
from tests.formats import validators

NAMES = [
    "Ada Lovelace",
    "O'Brien, Zoë",
    "李小龙",
    "محمد‌رضا",
    "Ἀριστοτέλης",
    "สมชาย ใจดี",
    "नरेन्द्र",
    "Jean-Luc",
    "a=b",
    "x@y.z",
]


@pytest.mark.parametrize("name", NAMES)
def test_escape_cell_keeps_names_of_every_script(name: str) -> None:
    assert csv_table.escape_cell(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        " =1",
        "\t=1",
        "\r=1",
        "\n=1",
        "\u200b=1",
        "\ufeff=1",
        "\uff1d1",
        "\u202e=1",
        "::error::x",
    ],
)
def test_escape_cell_quotes_formulas(text: str) -> None:
    assert csv_table.escape_cell(text).startswith("'")


@given(st.lists(st.text(), min_size=3, max_size=3), st.decimals(-1000, 1000, places=2))
def test_every_table_can_be_read_back(cells: list[str], number: Decimal) -> None:
    text = csv_table.to_csv(["a", "b", "c", "d", "e"], [[*cells, number, None]])
    validators.table(text)
    _, row = csv.reader(io.StringIO(text))
    assert row[3:] == [f"{number:f}", ""]


def test_numbers_are_written_in_full() -> None:
    assert csv_table.to_csv(["n"], [[Decimal("1E+1")], [-1.5], [3]]) == "n\n10\n-1.5\n3\n"
