"""Which of a student's cells stands for each cell that nbgrader knows, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from autograder.nbgrader.intake.notebooks import CellDict, grade_id
from autograder.submission.cells import defined_functions, normalize_source


def match_cells(named: Mapping[str, CellDict], cells: Sequence[CellDict]) -> tuple[dict[str, int], list[str]]:
    """Return the index in `cells` for each named cell of the release that is there, and sentences about the damage."""
    chosen: dict[str, int] = {}
    repairs: list[str] = []
    for name, original in named.items():
        free = [i for i in range(len(cells)) if i not in chosen.values()]
        # A cell that carries the name comes first; without any, one that looks like the cell may stand for it.
        claims = [i for i in free if grade_id(cells[i]) == name]
        candidates = [i for i in claims if cells[i]["cell_type"] == original["cell_type"]]
        if not claims:
            candidates = [i for i in free if _resembles(cells[i], name, original)]
        if len(claims) > 1:
            repairs.append(f"There were {len(claims)} cells called {name}: the last one stands for it here.")
        if not candidates:
            problem = "had become a cell of another kind" if claims else "was missing"
            repairs.append(f"The cell {name} {problem}: it was put back.")
            continue
        # If several define the function, the last definition counts, as it does in Python.
        defining = [i for i in candidates if defined_functions(cells[i]["source"], [name])]
        chosen[name] = (defining or candidates)[-1]
        repairs += _differences(cells[chosen[name]], original, name, bool(claims))
    return chosen, repairs


def is_locked(cell: CellDict) -> bool:
    """Return whether students may not edit this cell of the release."""
    return bool(cell["metadata"]["nbgrader"]["locked"])


def _resembles(cell: CellDict, name: str, original: CellDict) -> bool:
    """Return whether a cell without its metadata is the cell of the release, or a student's answer in its place."""
    if cell["cell_type"] != original["cell_type"] or grade_id(cell):
        return False
    if cell["id"] == original["id"] or _same_source(cell, original):
        return True
    nbgrader_metadata = original["metadata"]["nbgrader"]
    if not nbgrader_metadata["solution"]:
        return False
    first_line = original["source"].split("\n")[0]
    is_answer_in_words = nbgrader_metadata["grade"] and cell["source"].startswith(first_line)
    return is_answer_in_words or bool(defined_functions(cell["source"], [name]))


def _differences(cell: CellDict, original: CellDict, name: str, claimed: bool) -> Iterator[str]:
    if not claimed:
        yield f"The cell {name} had lost what nbgrader knows it by: it was put back."
    elif cell["metadata"]["nbgrader"].get("schema_version") != original["metadata"]["nbgrader"]["schema_version"]:
        yield f"The cell {name} had nbgrader's marks of another version: they were renewed."
    if is_locked(original) and not _same_source(cell, original):
        yield f"The cell {name} was changed: it was put back."


def _same_source(cell: CellDict, original: CellDict) -> bool:
    return normalize_source(cell["source"]) == normalize_source(original["source"])
