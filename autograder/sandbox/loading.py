"""Untrusted side: source text -> modules. The given modules first, then the student's cells, one by one.

Imports nothing of the trusted side.
"""

from __future__ import annotations
import __future__

import importlib
import linecache
import sys
from collections.abc import Mapping
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FunctionType, ModuleType, TracebackType

from autograder.sandbox.frames import LONGEST_NAME
from autograder.sandbox.standins import Inert

_FUTURE = {name: getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}


class GivenModules(Loader):
    """Imports the given modules from their source text, whatever lies on the disk. A finder for sys.meta_path."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """The way to import `name`, when it is a given module."""
        return ModuleSpec(name, self, origin=f"{name}.py") if name in self._sources else None

    def create_module(self, spec: ModuleSpec) -> None:
        """An ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        source, filename = self._sources[module.__name__], f"{module.__name__}.py"
        remember(filename, source)
        exec(compile(source, filename, "exec", dont_inherit=True), vars(module))  # noqa: S102 - the course's own file


class StudentModule:
    """The module in which the student's cells run.

    It is a real one, known to sys.modules, so that dataclasses and pickling by name work; and `from __future__ import`
    holds for all cells after it, as in a notebook.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._module = ModuleType(name)
        self._future = 0
        self._labels: dict[str, str] = {}
        self._file = str(Path.cwd() / f"{name}.py")
        self._lines: list[str] = []
        if name == "__main__":
            vars(self._module).update(display=Inert("display"), get_ipython=Inert("get_ipython"))
        else:
            self._module.__file__ = self._file
            sys.modules["__main__"] = ModuleType("__main__")
        sys.modules[name] = self._module

    def run(self, source: str, label: str, first_line: int) -> None:
        """Run one cell; raises what it raises. Lines are counted from `first_line`, in a file where it has no label."""
        filename = f"<{label}>" if label else self._file
        self._labels[filename] = label
        above = [] if label else self._lines[: first_line - 1]
        above += [""] * (first_line - 1 - len(above))
        self._lines = [*above, *source.split("\n")]
        remember(filename, "\n".join(self._lines))
        code = compile("\n" * (first_line - 1) + source, filename, "exec", flags=self._future, dont_inherit=True)
        for flag in _FUTURE.values():
            self._future |= code.co_flags & flag
        exec(code, vars(self._module))  # noqa: S102 - running student code is what this process is for

    def get(self, name: str) -> object:
        """What the student's module holds under a name, None if nothing."""
        return vars(self._module).get(name)

    def __contains__(self, name: str) -> bool:
        return name in vars(self._module)

    def functions(self) -> list[str]:
        """The names of the functions that the student defined."""
        held = {name: value for name, value in vars(self._module).items() if type(name) is str}
        own = [name for name, value in held.items() if type(value) is FunctionType and value.__module__ == self.name]
        return [name for name in own if name.isidentifier() and len(name) <= LONGEST_NAME]

    def place(
        self, error: BaseException, trace: TracebackType | None, within: str | None = None
    ) -> tuple[str, int | None]:
        """Label and line of the student's own code where an error arose: the last frame in it.

        `within` is the label of the only cell to look at, if one is meant.
        """
        known = {filename for filename, label in self._labels.items() if within is None or label == within}
        filename, line = "", None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in known:
                filename, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename in known:
            filename, line = error.filename, error.lineno
        return self._labels.get(filename, ""), line


def import_given(sources: Mapping[str, str]) -> ModuleType:
    """Make the given modules importable, import them all, and return the first one, the builder."""
    sys.meta_path.insert(0, GivenModules(sources))
    builder, *_ = [importlib.import_module(name) for name in sources]
    return builder


def remember(filename: str, source: str) -> None:
    """Let tracebacks and inspect.getsource show text that is in no file."""
    linecache.cache[filename] = (len(source), None, [f"{line}\n" for line in source.split("\n")], filename)
