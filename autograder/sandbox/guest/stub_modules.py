"""Stubs for libraries that draw or display something: using them costs no time, does nothing and never fails."""

from __future__ import annotations

import dis
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any, NoReturn

import numpy as np

from autograder.sandbox.guest.slope import slope

STUBBED_PACKAGES = frozenset(
    ("matplotlib", "mpl_toolkits", "seaborn", "plotly", "IPython", "ipywidgets", "google", "tqdm", "checks")
)
_PAIRS = (
    *("xlim", "ylim", "get_xlim", "get_ylim", "get_zlim", "xticks", "yticks", "get_size_inches"),
    *("subplot_mosaic", "get_legend_handles_labels", "legend_elements"),
)
# Functions whose results are usually unpacked, and how many values they return.
_RESULT_COUNTS = {
    **dict.fromkeys(_PAIRS, 2),
    **dict.fromkeys(("hist", "errorbar", "stem"), 3),
    **dict.fromkeys(("hist2d", "specgram", "acorr", "xcorr"), 4),
}
_LINE_FUNCTIONS = frozenset(("plot", "plot3D", "loglog", "semilogx", "semilogy", "fill"))
_UNPACK_OPCODES = frozenset((dis.opmap["UNPACK_SEQUENCE"], dis.opmap["UNPACK_EX"]))


class NullObject:
    """Stands for anything: every attribute, call, item and operator returns another NullObject, and does nothing."""

    def __init__(self, path: str = "", *_: object, **__: object) -> None:
        self._path = path if type(path) is str else ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # protocols that Python and numpy look for: it implements only those below
            raise AttributeError(name)
        return NullObject(f"{self._path}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        owner, _, name = self._path.rpartition(".")
        if name == "subplots":
            axes = _axes_grid(*args, **kwargs)
            return (NullObject(), axes) if owner.endswith(("pyplot", "pylab")) else axes
        if name in _LINE_FUNCTIONS:
            arrays = sum(not isinstance(arg, str) for arg in args)  # x and y of each line
            return [NullObject() for _ in range(max(1, arrays // 2))]
        if name == "pie":
            return tuple(NullObject() for _ in range(3 if "autopct" in kwargs else 2))
        if name in _RESULT_COUNTS:
            return tuple(NullObject() for _ in range(_RESULT_COUNTS[name]))
        return NullObject(self._path)

    def __enter__(self) -> NullObject:
        return self

    def __iter__(self) -> Iterator[Any]:
        """Iterate over as many values as the caller unpacks; over nothing if it does not unpack."""
        return iter([NullObject(self._path) for _ in range(_unpack_count(sys._getframe(1)))])

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, NullObject)

    def __contains__(self, _: object) -> bool:
        return False

    def __float__(self) -> float:
        return 0.0

    def __repr__(self) -> str:
        return f"<stand-in {self._path}>"

    def _return_null(self, *_: object, **__: object) -> NullObject:
        return NullObject(self._path)

    def _return_true(self, *_: object) -> bool:
        return True

    def _return_zero(self) -> int:
        return 0

    def _return_empty_text(self, *_: str) -> str:
        return ""

    def _do_nothing(self, *_: object) -> None:
        return None

    __getitem__ = __array_ufunc__ = __array_function__ = __or__ = __and__ = _return_null
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _return_null
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = _return_null
    __neg__ = __pos__ = __abs__ = __round__ = _return_null
    __bool__ = __lt__ = __le__ = __gt__ = __ge__ = _return_true
    __len__ = __int__ = __index__ = _return_zero
    __str__ = __format__ = _return_empty_text
    __exit__ = __setitem__ = __delitem__ = _do_nothing


class TqdmStub:
    """Stands for tqdm: iterates over what it is given."""

    def __init__(self, iterable: Iterable[Any] | None = None, *_: object, **__: object) -> None:
        self.iterable: Iterable[Any] = () if iterable is None else iterable
        self.n = self.total = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable)  # type: ignore[arg-type]  # like tqdm's, raises TypeError if there is no length

    def __enter__(self) -> TqdmStub:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return NullObject(f"tqdm.{name}")

    @staticmethod
    def write(*_: object, **__: object) -> None:
        """Write nothing."""


# All submodules of tqdm hold the same names.
_TQDM_MEMBERS: dict[str, Callable[..., Iterable[Any]]] = {
    **dict.fromkeys(("tqdm", "tqdm_notebook"), TqdmStub),
    **dict.fromkeys(("trange", "tnrange"), lambda *args, **_: TqdmStub(range(*args))),
    **dict.fromkeys(("thread_map", "process_map"), lambda function, *iterables, **_: list(map(function, *iterables))),
    "tenumerate": lambda iterable, start=0, *_, **__: enumerate(iterable, start),
    "tmap": lambda function, *iterables, **_: map(function, *iterables),
    "tzip": lambda *iterables, **_: zip(*iterables),  # noqa: B905 - as tqdm does
    "product": lambda *iterables, repeat=1, **_: itertools.product(*iterables, repeat=repeat),
}


class Placeholder:
    """Stands for a missing module, a name of it, or what cannot be made without: any use raises its error again."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def _raise_error(self, *_: object, **__: object) -> NoReturn:
        raise self._error.with_traceback(None)

    __getattr__ = __call__ = __getitem__ = __iter__ = __len__ = __contains__ = __enter__ = _raise_error
    __mro_entries__ = __instancecheck__ = __array__ = __array_ufunc__ = __array_function__ = _raise_error
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _raise_error
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = _raise_error
    __neg__ = __lt__ = __le__ = __gt__ = __ge__ = __float__ = __int__ = __index__ = _raise_error


class StubModule(ModuleType):
    """Holds a NullObject under every name."""

    __version__ = "0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return NullObject(f"{self.__name__}.{name}")


class StubFinder(Loader):
    """Imports a stub for every stubbed package and each of its modules. A finder for sys.meta_path."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return how to import `name` if it belongs to a stubbed package."""
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in STUBBED_PACKAGES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return a stub; that of tqdm passes items through, and `slope` of the checks measures as in the notebook."""
        module = StubModule(spec.name)
        if spec.name.partition(".")[0] == "tqdm":
            vars(module).update(_TQDM_MEMBERS)
        if spec.name == "checks":
            vars(module).update(slope=slope)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing."""


def install() -> None:
    """Let imports find the stubs before any installed library."""
    sys.meta_path.insert(0, StubFinder())


def _unpack_count(frame: FrameType) -> int:
    """Return how many values the current instruction of a frame unpacks, 0 if it is of another kind."""
    # Only the bytecode of the caller tells `line, = plt.plot(x)` from `for line in plt.plot(x)`.
    code, offset = frame.f_code.co_code, frame.f_lasti
    return code[offset + 1] if code[offset] in _UNPACK_OPCODES else 0


def _axes_grid(nrows: int = 1, ncols: int = 1, *_: object, squeeze: bool = True, **__: object) -> Any:
    grid = np.empty((int(nrows), int(ncols)), dtype=object)
    for position in np.ndindex(grid.shape):
        grid[position] = NullObject("axes")
    if not squeeze:
        return grid
    return grid.item() if grid.size == 1 else grid.squeeze()
