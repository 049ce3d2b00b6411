"""Where a name that is not defined was meant to come from."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.sandbox.host.program import CellProblem

_UNKNOWN_NAME = re.compile(r"name '(\w+)' is not defined")
_ALWAYS_THERE = frozenset(("numpy", *sys.stdlib_module_names))


@dataclass(frozen=True)
class NameOrigin:
    """What a name that is not there may have been meant to come from.

    `stopped` is a cell that would have defined it, and stopped; without one, `modules` are missing modules of which
    everything was to be imported.
    """

    name: str
    stopped: CellProblem | None
    modules: tuple[str, ...]


def find_origin(error: str, text: str, problems: Sequence[CellProblem]) -> NameOrigin | None:
    """Return where the name of a NameError with this text was meant to come from, None for another error."""
    unknown = _UNKNOWN_NAME.match(text) if error == "NameError" else None
    if unknown is None:
        return None
    stopped = next((problem for problem in problems if problem.stopped and unknown[1] in problem.defines), None)
    imported = (module for problem in problems for module in problem.star_imports)
    modules = tuple(module for module in imported if module.partition(".")[0] not in _ALWAYS_THERE)
    return NameOrigin(unknown[1], stopped, () if stopped else modules)
