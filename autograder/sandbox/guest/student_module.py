"""Makes modules of source text: the support modules of the course, then the module in which the student's cells run."""

from __future__ import annotations
import __future__

import ast
import importlib
import itertools
import linecache
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import CodeType, CoroutineType, FunctionType, ModuleType, TracebackType

from autograder.sandbox.guest.stub_modules import NullObject, Placeholder

_IMPORT_NODES = (ast.Import, ast.ImportFrom)
# Statements that bind all of their names or none: others may have got through a part of them.
_SIMPLE_NODES = (*_IMPORT_NODES, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
_PASS_THROUGH_MAGICS = frozenset(("time", "capture", "prun"))  # cell magics whose body runs in the notebook itself
_FUTURE_FLAGS = {name: getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}


class SupportModules(Loader):
    """Imports modules from source text, whatever lies on the disk. A finder for sys.meta_path.

    The constructor installs the finder and imports all of them; it raises what they raise. `builder` is the first one.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        sys.meta_path.insert(0, self)
        for name in sources:
            sys.modules.pop(name, None)  # a module of another exercise may have the same name
        self.builder, *_ = [importlib.import_module(name) for name in sources]

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return how to import `name` if it is a support module."""
        return ModuleSpec(name, self, origin=f"{name}.py") if name in self.sources else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Return None for an ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the source text of the module."""
        source, filename = self.sources[module.__name__], f"{module.__name__}.py"
        register_source(filename, source)
        exec(compile(source, filename, "exec", dont_inherit=True), vars(module))  # noqa: S102 - the course's own file


class StudentModule:
    """The module in which the student's cells run. `stopped` says whether the last cell that failed ended there.

    It is a real one in sys.modules, so that dataclasses and pickling by name work. As in a notebook, a `from __future__
    import` holds for all later cells, and a cell may await. Nothing here tells a notebook from a script.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._module = ModuleType(name)
        self._future_flags = 0
        self.stopped = True
        self._lacks_names = False  # those of a missing module of which everything was to be imported
        self._cells_by_filename: dict[str, int] = {}
        shell = NullObject("get_ipython")
        vars(shell).update(run_cell_magic=self._run_cell_magic)
        vars(self._module).update(display=NullObject("display"), get_ipython=lambda: shell, __file__=f"{name}.py")
        sys.modules["__main__"] = ModuleType("__main__")
        sys.modules[name] = self._module

    def run(self, index: int, source: str) -> None:
        """Run the cell of this index; raises what it raises.

        Some statements can be left out: an import of a missing module, what needs that module, and a class that cannot
        be defined. The names that they would bind raise their error wherever they are used, the rest of the cell runs,
        and then the first such error is raised.
        """
        self.stopped = True
        filename = f"<cell {index + 1}>"
        self._cells_by_filename[filename] = index
        register_source(filename, source)
        self._run_source(source, filename)

    def _run_source(self, source: str, filename: str) -> None:
        flags = self._future_flags | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code: CodeType = compile(source, filename, "exec", flags, dont_inherit=True)
        try:
            self._execute(code)
        except Exception as error:
            self._run_past_failure(error, code, source, flags)
            raise

    def _run_past_failure(self, first: Exception, code: CodeType, text: str, flags: int) -> None:
        """Run the rest of a cell without its failed statement, if that one and all others that fail can be left out."""
        filename = code.co_filename
        tree = compile(text, filename, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        line = _failing_line(code, first.__traceback__)
        # What stands before has run already. Several imports of one line are run once more, to find those that fail.
        rest = list(itertools.dropwhile(lambda node: not _is_at(node, line), _iter_statements(tree)))
        if not rest or not self._leave_out(rest[0], first):
            return
        for statement in rest if isinstance(rest[0], _IMPORT_NODES) else rest[1:]:
            part = ast.Module([statement], [])
            try:
                self._execute(compile(part, filename, "exec", self._future_flags | flags, dont_inherit=True))
            except Exception as error:
                if not self._leave_out(statement, error):
                    raise
        self.stopped = False

    def _leave_out(self, statement: ast.stmt, error: Exception) -> bool:
        """Bind the names of a failed statement to a placeholder, if the rest can do without it; return whether."""
        is_missing = isinstance(error, ModuleNotFoundError) or (self._lacks_names and isinstance(error, NameError))
        if not is_missing and not isinstance(statement, ast.ClassDef):
            return False
        self._lacks_names |= isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
        names = dict.fromkeys(_names_bound_by(statement), Placeholder(error))
        vars(self._module).update(names if isinstance(statement, _SIMPLE_NODES) else {**names, **vars(self._module)})
        return True

    def _execute(self, code: CodeType) -> None:
        for flag in _FUTURE_FLAGS.values():
            self._future_flags |= code.co_flags & flag
        coroutine = eval(code, vars(self._module))  # noqa: S307 - running student code is what this process is for
        if type(coroutine) is CoroutineType:
            with suppress(StopIteration):
                while True:
                    coroutine.send(None)

    def _run_cell_magic(self, name: str, _: str, body: str) -> None:
        """Run the body of a `%%time` cell in a script that was exported from a notebook."""
        if name in _PASS_THROUGH_MAGICS:
            caller = sys._getframe(1)
            self._run_source("\n" * (caller.f_lineno - 1) + body, caller.f_code.co_filename)

    def get(self, name: str) -> object:
        """Return what the student's module holds under a name, None if nothing."""
        return vars(self._module).get(name)

    def __contains__(self, name: str) -> bool:
        return name in vars(self._module)

    def function_names(self) -> list[str]:
        """Return the names of the functions that the student defined."""
        # Comparing what the student holds there may run code that changes the module, so a copy is read.
        items = [item for item in vars(self._module).items() if type(item[0]) is str and type(item[1]) is FunctionType]
        names = [name for name, function in items if function.__module__ == self.name]
        return [name for name in names if name.isidentifier()]

    def locate_error(
        self, error: BaseException, trace: TracebackType | None, within: int | None = None
    ) -> tuple[int | None, int | None]:
        """Return cell and line of the last frame in the student's code; with `within`, in the cell of this index."""
        filenames = {name for name, index in self._cells_by_filename.items() if within in (None, index)}
        filename, line = "", None
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in filenames:
                filename, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename in filenames:
            filename, line = error.filename, error.lineno
        return self._cells_by_filename.get(filename), line


def _failing_line(code: CodeType, trace: TracebackType | None) -> int:
    """Return the line of a code object at which an error arose, 0 if it has no part in it."""
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    return trace.tb_lineno if trace else 0


def _iter_statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Iterate over the statements of a cell; an import of several modules gives several statements."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                yield ast.copy_location(ast.Import([alias]), statement)
        else:
            yield statement


def _is_at(statement: ast.stmt, line: int) -> bool:
    first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", ()))])
    return bool(first <= line <= (statement.end_lineno or 0))


def _names_bound_by(node: ast.AST) -> list[str]:
    """Return the names that a statement binds in its own scope."""
    match node:
        case ast.Import(names):
            return [alias.asname or alias.name.partition(".")[0] for alias in names]
        case ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names if alias.name != "*"]
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            return [name]
        case ast.Name(id, ast.Store()):
            return [id]
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return []
    return [name for child in ast.iter_child_nodes(node) for name in _names_bound_by(child)]


def register_source(filename: str, source: str) -> None:
    """Let tracebacks and inspect.getsource show a text that is in no file."""
    linecache.cache[filename] = (len(source), None, [f"{line}\n" for line in source.split("\n")], filename)
