"""Notes to a student on what of the work handed in is not run, or not taken along."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice

from autograder.submission.cells import Cell, ParsedCell, defined_functions
from autograder.submission.names import imported_modules
from autograder.submission.sanitize import join_names, one_line

_MAX_IMPORTS = 100  # that are looked for among the files: each look goes through their names


def dropped_cell_notes(cells: Iterable[ParsedCell], stub_names: Sequence[str]) -> tuple[str, ...]:
    """Return a note for each cell that defines stubs and is not run because of a magic."""
    return tuple(
        f"{cell.runnable.label} starts with {one_line(cell.non_python_magic, 40)}, so what it defines is not kept "
        f"({join_names(names)}): delete that line."
        for cell in cells
        if cell.non_python_magic and (names := defined_functions(cell.original_source, stub_names))
    )


def files_beside_notes(
    cells: Sequence[Cell], released_modules: Collection[str], exists: Callable[[str], bool]
) -> tuple[str, ...]:
    """Return a note on files of the student's own that the code imports, if any.

    `exists` says whether a file of some name lies beside the submission.
    """
    always_there = {"numpy", *sys.stdlib_module_names, *released_modules}
    imported = imported_modules([cell.source for cell in cells])
    others = islice((module for module in imported if module not in always_there), _MAX_IMPORTS)
    files = [f"{module}.py" for module in others if exists(f"{module}.py")]
    if not files:
        return ()
    verb, them = ("lies beside your work and is", "it") if len(files) == 1 else ("lie beside your work and are", "them")
    return (f"{join_names(files)} {verb} not taken along: copy what you use of {them} into your work.",)
