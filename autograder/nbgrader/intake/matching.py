"""Which of a student's cells stands for each cell that nbgrader knows, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.nbgrader.intake.damage import Damage
from autograder.nbgrader.intake.notebooks import CellDict, grade_id
from autograder.nbgrader.intake.written_answers import is_written_answer
from autograder.submission.cells import MAX_CODE_LINES, defined_functions, normalize_source


@dataclass(frozen=True)
class _Candidate:
    """A student's cell, and what every cell of the release is compared with: found once, since cells may be long."""

    cell: CellDict
    normalized_source: str
    functions: tuple[str, ...]

    @classmethod
    def of(cls, cell: CellDict, names: Sequence[str]) -> _Candidate:
        source = cell["source"]
        is_long = source.count("\n") > MAX_CODE_LINES  # as no cell of a release is
        functions = defined_functions(source, names) if cell["cell_type"] == "code" else ()
        return cls(cell, source if is_long else normalize_source(source), functions)


def match_cells(named: Mapping[str, CellDict], cells: Sequence[CellDict]) -> tuple[dict[str, int], list[Damage]]:
    """Return the index in `cells` for each named cell of the release that is there, and what is wrong with them."""
    chosen: dict[str, int] = {}
    damages: list[Damage] = []
    students = [_Candidate.of(cell, tuple(named)) for cell in cells]
    for name, original in named.items():
        free = [i for i in range(len(cells)) if i not in chosen.values()]
        # A cell that carries the name comes first; without any, one that looks like the cell may stand for it.
        claims = [i for i in free if grade_id(cells[i]) == name]
        candidates = [i for i in claims if _may_replace(cells[i], original)]
        if not claims:
            candidates = [i for i in free if _resembles(students[i], name, original)]
        if len(claims) > 1:
            damages.append(Damage("copied", name))
        if not candidates:
            damages.append(Damage("retyped" if claims else "missing", name))
            continue
        chosen[name] = _choose(candidates, students, name, original)
        damages += _differences(students[chosen[name]], original, name, bool(claims))
    return chosen, damages


def is_locked(cell: CellDict) -> bool:
    """Return whether students may not edit this cell of the release."""
    return bool(cell["metadata"]["nbgrader"]["locked"])


def written_functions(cells: Iterable[CellDict], names: Sequence[str]) -> set[str]:
    """Return those of the names for which some code cell has a `def`."""
    sources = (cell["source"] for cell in cells if cell["cell_type"] == "code")
    return {name for source in sources for name in defined_functions(source, names)}


def _may_replace(cell: CellDict, original: CellDict) -> bool:
    """Return whether a cell is of the right kind: an answer in words is one in a cell of any kind."""
    return cell["cell_type"] == original["cell_type"] or is_written_answer(original)


def _choose(candidates: Sequence[int], students: Sequence[_Candidate], name: str, original: CellDict) -> int:
    """Return which of several cells stands for a cell of the release."""
    if not is_written_answer(original):
        # If several define the function, the last definition counts, as it does in Python.
        defining = [i for i in candidates if name in students[i].functions]
        return (defining or candidates)[-1]
    if grade_id(students[candidates[0]].cell):
        changed = [i for i in candidates if not _same_source(students[i], original)]
        return (changed or candidates)[-1]
    # Without names, several questions may look alike: they stand in the order of the release.
    same_id = [i for i in candidates if students[i].cell["id"] == original["id"]]
    return (same_id or candidates)[0]


def _resembles(candidate: _Candidate, name: str, original: CellDict) -> bool:
    """Return whether a cell without its metadata is the cell of the release, or a student's answer in its place."""
    cell = candidate.cell
    if grade_id(cell) or not _may_replace(cell, original):
        return False
    if cell["id"] == original["id"] or _same_source(candidate, original):
        return True
    nbgrader_metadata = original["metadata"]["nbgrader"]
    if not nbgrader_metadata["solution"]:
        return False
    first_line = original["source"].split("\n")[0]
    return cell["source"].startswith(first_line) if is_written_answer(original) else name in candidate.functions


def _differences(candidate: _Candidate, original: CellDict, name: str, claimed: bool) -> Iterator[Damage]:
    if not claimed:
        yield Damage("stripped", name)
    elif (
        candidate.cell["metadata"]["nbgrader"].get("schema_version")
        != original["metadata"]["nbgrader"]["schema_version"]
    ):
        yield Damage("renewed", name)
    if is_locked(original) and not _same_source(candidate, original):
        yield Damage("changed", name)


def _same_source(candidate: _Candidate, original: CellDict) -> bool:
    return candidate.normalized_source == normalize_source(original["source"])
