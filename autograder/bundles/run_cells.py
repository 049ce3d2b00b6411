"""Runs the cells of a submission in the process of the visible checks, by the rules of grading."""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path

from autograder.bundles import CELLS_FILE, PROBLEMS_FILE
from autograder.sandbox.guest import stub_modules
from autograder.sandbox.guest.student_module import StudentModule
from autograder.submission.cells import Cell
from autograder.submission.sanitize import one_line

MAX_PROBLEM_LENGTH = 500  # characters


def run_cells(name: str) -> None:
    """Run the cells in cells.json, of the current folder, in a module that takes the place of module `name`.

    Writes a sentence for each cell that stopped to problems.json.
    """
    cells = [Cell(**cell) for cell in json.loads(Path(CELLS_FILE).read_text(encoding="utf-8"))]
    problems_file = Path(PROBLEMS_FILE).resolve()
    stub_modules.install()
    # The test has imported the checks already; the student's own calls of them do nothing, as in grading.
    sys.modules.pop("checks", None)
    importlib.import_module("checks")
    module, problems = StudentModule(name), []
    for index, cell in enumerate(cells):
        try:
            module.run(index, cell.source)
        except BaseException as error:  # noqa: BLE001 - after any exception, SystemExit too, the next cell runs
            _, line = module.locate_error(error, error.__traceback__, index)
            problems.append(_problem(error, cell.label or f"{name}.py", cell.line_of(line), stopped=module.stopped))
    problems_file.write_text(json.dumps(problems), encoding="utf-8")


def _problem(error: BaseException, where: str, line: int | None, *, stopped: bool) -> str:
    place = where if line is None else f"{where}, line {line}"
    reason = one_line(traceback.format_exception_only(error)[-1], MAX_PROBLEM_LENGTH)
    rest = "What follows in that cell was not run; later cells were." if stopped else "The rest was run."
    return f"While the code was run from top to bottom: {place}: {reason}. {rest}"
