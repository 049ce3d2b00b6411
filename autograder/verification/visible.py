"""Run the checks that students get on submissions whose verdict is known: do they see what grading sees?

The files are those of a release, imported as students import them. Everything that runs here is the instructor's own:
the reference, the honest variants and the known mistakes. No submission of a student comes this way.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.exercise.model import Exercise
from autograder.release.build import SHIPPED_MODULES, STUDENT_FOLDER
from autograder.release.golden_file import golden_file_text


@contextmanager
def released_checks(exercise: Exercise) -> Iterator[Any]:
    """Import the released checks.py from a folder that holds what students get beside their stubs."""
    files = {"checks.json": golden_file_text(exercise), **exercise.support_modules, **exercise.notebook_modules}
    files |= {name: (STUDENT_FOLDER / name).read_text(encoding="utf-8") for name in SHIPPED_MODULES}
    modules = {Path(name).stem for name in files} | {exercise.name}
    saved = {name: sys.modules.pop(name) for name in modules if name in sys.modules}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        sys.path.insert(0, folder)
        try:
            yield importlib.import_module("checks")
        finally:
            sys.path.remove(folder)
            for name in modules:
                sys.modules.pop(name, None)
            sys.modules.update(saved)


def failed_checks(checks: Any, exercise: Exercise, text: str, functions: Sequence[str]) -> tuple[int, ...]:
    """Return which visible checks the source of a submission fails, as indices in `exercise.visible_checks`.

    Raises whatever running the source raises.
    """
    module = ModuleType(exercise.name)
    vars(module)["__file__"] = f"{exercise.name}.py"
    sys.modules[exercise.name] = module  # dataclasses look their module up there
    exec(compile(text, f"{exercise.name}.py", "exec"), vars(module))  # noqa: S102 - the instructor's own text
    tried = [i for i, check in enumerate(exercise.visible_checks) if check.function in functions]
    results = [result for name in functions for result in checks.results_of(module, (name,))]
    by_name = sorted(tried, key=lambda i: list(functions).index(exercise.visible_checks[i].function))
    return tuple(i for i, result in zip(by_name, results, strict=True) if result.status != "pass")
