"""Untrusted side: source text -> modules. The given modules first, then the student's cells, one by one.

Imports nothing of the trusted side.
"""

from __future__ import annotations
import __future__

import ast
import functools
import importlib
import itertools
import linecache
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import CodeType, CoroutineType, FunctionType, ModuleType, TracebackType

from autograder.sandbox.guest.stub_modules import MissingModule, NullObject
from autograder.sandbox.protocol.framing import MAX_NAME_LENGTH

_IMPORT_NODES = (ast.Import, ast.ImportFrom)
_MAX_JOINED_PIECES = 8  # pieces of a script that may make one piece together
_PASS_THROUGH_MAGICS = frozenset(("time", "capture", "prun"))  # cell magics whose body runs in the notebook itself
_FUTURE_FLAGS = {name: getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}


class SupportModules(Loader):
    """Modules that are imported from their source text, whatever lies on the disk. A finder for sys.meta_path.

    Making it makes them importable and imports them all; raises what they raise.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        sys.meta_path.insert(0, self)
        for name in sources:
            sys.modules.pop(name, None)  # others of that name may have been given before
        self.builder, *_ = [importlib.import_module(name) for name in sources]

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """The way to import `name`, when it is a given module."""
        return ModuleSpec(name, self, origin=f"{name}.py") if name in self.sources else None

    def create_module(self, spec: ModuleSpec) -> None:
        """An ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        source, filename = self.sources[module.__name__], f"{module.__name__}.py"
        register_source(filename, source)
        exec(compile(source, filename, "exec", dont_inherit=True), vars(module))  # noqa: S102 - the course's own file


class StudentModule:
    """The module in which the student's cells run.

    It is a real one, known to sys.modules, so that dataclasses and pickling by name work; and `from __future__ import`
    holds for all cells after it, as in a notebook. `cells` are those that will be run, with their indices.
    """

    def __init__(self, name: str, cells: Iterable[tuple[int, str, str, int]] = ()) -> None:
        self.name = name
        self._pieces = {first_line: source for _, source, label, first_line in cells if not label}
        self._last_piece_line = 0  # the first line of the last piece that was run
        self._module = ModuleType(name)
        self._future_flags = 0
        self._labels_by_filename: dict[str, str] = {}
        self._script_path = os.path.join(os.getcwd(), f"{name}.py")  # noqa: PTH109, PTH118 - pathlib takes 0.2 ms in a fork
        self._lines: list[str] = []
        shell = NullObject("get_ipython")
        vars(self._module).update(display=NullObject("display"), get_ipython=lambda: shell)
        if name != "__main__":
            vars(shell).update(run_cell_magic=self._run_cell_magic)
            self._module.__file__ = self._script_path
            sys.modules["__main__"] = ModuleType("__main__")
        sys.modules[name] = self._module

    def run(self, source: str, label: str, first_line: int) -> None:
        """Run one cell; raises what it raises. Lines are counted from `first_line`, in a file where it has no label.

        The first import that fails for want of a module is raised when all else has run. What it was to give a name
        to raises the same wherever it is used.
        """
        if not label and self._pieces:
            source = self._joined_source(first_line)
        if source:
            self._run_source(source, label, first_line)

    def _joined_source(self, first_line: int) -> str:
        """A piece of a script with those after it that belong to it; empty where it was run with one before."""
        if first_line <= self._last_piece_line:
            return ""
        pieces = [item for item in self._pieces.items() if item[0] >= first_line]
        together = pieces[: count_joined_pieces(pieces, self._script_path)]
        self._last_piece_line, _ = together[-1]
        return _join_pieces(together)

    def _run_source(self, source: str, label: str, first_line: int) -> None:
        filename = f"<{label}>" if label else self._script_path
        self._labels_by_filename[filename] = label
        above = [] if label else self._lines[: first_line - 1]
        above += [""] * (first_line - 1 - len(above))
        self._lines = [*above, *source.split("\n")]
        register_source(filename, "\n".join(self._lines))
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if label else 0  # as in a notebook, and only there
        text = "\n" * (first_line - 1) + source
        code = _compile_cached(text, filename, self._future_flags | flags)
        try:
            self._execute(code)
        except ModuleNotFoundError as error:
            self._run_past_failed_import(error, code, text, flags)

    def _run_past_failed_import(self, absent: ModuleNotFoundError, code: CodeType, text: str, flags: int) -> None:
        """Run what comes after an import that failed, if that is a statement by itself; then raise its error."""
        tree = compile(
            text, code.co_filename, "exec", self._future_flags | flags | ast.PyCF_ONLY_AST, dont_inherit=True
        )
        statements = list(_iter_statements(tree))
        line = _failing_line(code, absent.__traceback__)
        failed = (isinstance(one, _IMPORT_NODES) and one.lineno <= line <= (one.end_lineno or 0) for one in statements)
        for statement in itertools.dropwhile(lambda _: not next(failed), statements):
            one = ast.Module([statement], [])
            try:
                self._execute(compile(one, code.co_filename, "exec", self._future_flags | flags, dont_inherit=True))
            except ModuleNotFoundError as error:
                if not isinstance(statement, _IMPORT_NODES):
                    raise
                vars(self._module).update(dict.fromkeys(_names_bound_by(statement), MissingModule(error)))
        raise absent

    def _execute(self, code: CodeType) -> None:
        for flag in _FUTURE_FLAGS.values():
            self._future_flags |= code.co_flags & flag
        coroutine = eval(code, vars(self._module))  # noqa: S307 - running student code is what this process is for
        if type(coroutine) is CoroutineType:
            with suppress(StopIteration):
                while True:
                    coroutine.send(None)

    def _run_cell_magic(self, name: str, _: str, body: str) -> None:
        """What is left of `%%time` when a notebook was exported as a script."""
        if name in _PASS_THROUGH_MAGICS:
            self._run_source(body, "", sys._getframe(1).f_lineno)

    def get(self, name: str) -> object:
        """What the student's module holds under a name, None if nothing."""
        return vars(self._module).get(name)

    def __contains__(self, name: str) -> bool:
        return name in vars(self._module)

    def function_names(self) -> list[str]:
        """The names of the functions that the student defined."""
        held = {name: value for name, value in vars(self._module).items() if type(name) is str}
        own = [name for name, value in held.items() if type(value) is FunctionType and value.__module__ == self.name]
        return [name for name in own if name.isidentifier() and len(name) <= MAX_NAME_LENGTH]

    def locate_error(
        self, error: BaseException, trace: TracebackType | None, within: str | None = None
    ) -> tuple[str, int | None]:
        """Label and line of the student's own code where an error arose: the last frame in it.

        `within` is the label of the only cell to look at, if one is meant.
        """
        known = {filename for filename, label in self._labels_by_filename.items() if within is None or label == within}
        filename, line = "", None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in known:
                filename, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename in known:
            filename, line = error.filename, error.lineno
        return self._labels_by_filename.get(filename, ""), line


def count_joined_pieces(pieces: Sequence[tuple[int, str]], filename: str) -> int:
    """How many of the pieces of a script, from the first one on, are one piece: first lines and texts.

    A line `# %%` may also stand within a function or a string. A piece that is no Python by itself, nor with those
    after it, belongs to the one before, when they are Python together.
    """
    count = _pieces_to_parse(pieces, filename)
    while 0 < count < len(pieces) and not _pieces_to_parse(pieces[count:], filename):
        larger_count = _pieces_to_parse(pieces, filename, count + 1)
        if not larger_count:
            break
        count = larger_count
    return max(1, count)


def _pieces_to_parse(pieces: Sequence[tuple[int, str]], filename: str, minimum: int = 1) -> int:
    """How many pieces, at least so many, it takes for Python that is whole; 0 when there is no such number nearby."""
    numbers = range(minimum, min(minimum + _MAX_JOINED_PIECES, len(pieces) + 1))
    return next((number for number in numbers if _is_valid_python(_join_pieces_in_place(pieces[:number]), filename)), 0)


def _join_pieces(pieces: Sequence[tuple[int, str]]) -> str:
    """Pieces as one, each on its own lines."""
    lines: list[str] = []
    for first_line, source in pieces:
        lines += [""] * (first_line - pieces[0][0] - len(lines))
        lines += source.split("\n")
    return "\n".join(lines)


def _join_pieces_in_place(pieces: Sequence[tuple[int, str]]) -> str:
    """Pieces as one, on the lines on which they stand in their file."""
    first_line, _ = pieces[0]
    return "\n" * (first_line - 1) + _join_pieces(pieces)


@functools.lru_cache(maxsize=_MAX_JOINED_PIECES)
def _compile_cached(text: str, filename: str, flags: int) -> CodeType:
    """What was compiled to see whether it is Python is run then."""
    code: CodeType = compile(text, filename, "exec", flags, dont_inherit=True)
    return code


@functools.lru_cache(maxsize=_MAX_JOINED_PIECES)
def _is_valid_python(text: str, filename: str) -> bool:
    try:
        _compile_cached(text, filename, 0)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def _failing_line(code: CodeType, trace: TracebackType | None) -> int:
    """The line of this very code at which an error arose."""
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    return trace.tb_lineno if trace else 0


def _iter_statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of a cell; an import of several modules is several."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield ast.copy_location(ast.Import([alias]), statement)
        else:
            yield statement


def _names_bound_by(statement: ast.Import | ast.ImportFrom) -> list[str]:
    """The names that an import gives."""
    if isinstance(statement, ast.Import):
        return [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
    return [alias.asname or alias.name for alias in statement.names if alias.name != "*"]


def register_source(filename: str, source: str) -> None:
    """Let tracebacks and inspect.getsource show text that is in no file."""
    linecache.cache[filename] = (len(source), None, [f"{line}\n" for line in source.split("\n")], filename)
