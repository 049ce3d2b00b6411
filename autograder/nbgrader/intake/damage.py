"""What was wrong with the cells of a notebook: found as data, told in one sentence for each kind of damage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autograder.submission.sanitize import join_names

Kind = Literal["copied", "stripped", "renewed", "changed", "retyped", "missing", "left blank"]


@dataclass(frozen=True)
class Damage:
    """One kind of damage to one cell of the release, which is named as nbgrader knows it."""

    kind: Kind
    cell: str


_SENTENCES: dict[Kind, str] = {
    "copied": "Cells found more than once, of which the last one counts here: {cells}.",
    "stripped": "Cells recognised without what nbgrader knows them by: {cells}.",
    "renewed": "Cells with nbgrader's marks of another version, which were renewed: {cells}.",
    "changed": "Cells put back because they were changed: {cells}.",
    "retyped": "Cells put back because they had become cells of another kind: {cells}.",
    "missing": "Cells put back because they were missing: {cells}.",
    "left blank": "Answers left blank, though other text was handed in; they wait for a person: {cells}.",
}


def describe_damages(damages: Iterable[Damage]) -> list[str]:
    """Return one sentence for each kind of damage, however many cells have it."""
    cells: dict[Kind, list[str]] = {}
    for damage in damages:
        cells.setdefault(damage.kind, []).append(damage.cell)
    return [sentence.format(cells=join_names(cells[kind])) for kind, sentence in _SENTENCES.items() if kind in cells]
