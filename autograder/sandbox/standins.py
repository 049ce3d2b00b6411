"""Untrusted side: inert stand-ins for libraries that draw or display: they cost no time and break nothing.

Imports nothing of the trusted side.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import numpy as np

NAMES = frozenset(
    ("matplotlib", "mpl_toolkits", "seaborn", "plotly", "IPython", "ipywidgets", "google", "tqdm", "checks")
)
# How many values a call gives, for those that are unpacked.
_UNPACKED = {
    "hist": 3,
    "hist2d": 4,
    "errorbar": 3,
    "stem": 3,
    "specgram": 4,
    "acorr": 4,
    "xcorr": 4,
    "subplot_mosaic": 2,
    "get_legend_handles_labels": 2,
    "legend_elements": 2,
    **dict.fromkeys(("xlim", "ylim", "get_xlim", "get_ylim", "get_zlim", "xticks", "yticks", "get_size_inches"), 2),
}
_LINES = frozenset(("plot", "plot3D", "loglog", "semilogx", "semilogy", "fill"))


class Inert:
    """Anything: every attribute, call, item and operator of it gives another one, and nothing happens."""

    def __init__(self, path: str = "", *_: object, **__: object) -> None:
        self._path = path if type(path) is str else ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python and numpy ask for themselves: no, it is not one of those
            raise AttributeError(name)
        return Inert(f"{self._path}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        owner, _, name = self._path.rpartition(".")
        if name == "subplots":
            axes = _axes(*args, **kwargs)
            return (Inert(), axes) if owner.endswith(("pyplot", "pylab")) else axes
        if name in _LINES:
            drawn = sum(not isinstance(arg, str) for arg in args)
            return [Inert() for _ in range(max(1, drawn // 2))]
        if name == "pie":
            return tuple(Inert() for _ in range(3 if "autopct" in kwargs else 2))
        if name in _UNPACKED:
            return tuple(Inert() for _ in range(_UNPACKED[name]))
        return Inert(self._path)

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return True

    def __contains__(self, _: object) -> bool:
        return False

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __delitem__(self, key: object) -> None:
        pass

    def __int__(self) -> int:
        return 0

    def __index__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __str__(self) -> str:
        return ""

    def __format__(self, _: str) -> str:
        return ""

    def __repr__(self) -> str:
        return f"<stand-in {self._path}>"

    def _same(self, *_: object, **__: object) -> Inert:
        return Inert(self._path)

    def _true(self, _: object) -> bool:
        return True

    __getitem__ = __array_ufunc__ = __array_function__ = _same
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = __or__ = __and__ = _same
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rmatmul__ = _same
    __neg__ = __pos__ = __abs__ = __round__ = _same
    __lt__ = __le__ = __gt__ = __ge__ = _true


class Progress:
    """tqdm: passes its iterable through."""

    def __init__(self, iterable: Iterable[Any] | None = None, *_: object, **__: object) -> None:
        self.iterable: Iterable[Any] = () if iterable is None else iterable
        self.n = self.total = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable)  # type: ignore[arg-type]  # raises TypeError where the iterable has no length, as tqdm does

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert(f"tqdm.{name}")

    @staticmethod
    def write(*_: object, **__: object) -> None:
        """Nothing is written."""


def progress_range(*args: int, **_: object) -> Progress:
    """tqdm.trange."""
    return Progress(range(*args))


class StandIn(ModuleType):
    """A module in which everything is inert."""

    __version__ = "0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert(f"{self.__name__}.{name}")


class StandIns(Loader):
    """Imports a stand-in for every library named above, and whatever lies below it. A finder for sys.meta_path."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """The way to import `name`, when a stand-in is wanted for it."""
        return ModuleSpec(name, self, is_package=True) if name.partition(".")[0] in NAMES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An inert module, or one that looks like tqdm."""
        module = StandIn(spec.name)
        if spec.name.partition(".")[0] == "tqdm":
            vars(module).update(dict.fromkeys(("tqdm", "tqdm_notebook"), Progress))
            vars(module).update(dict.fromkeys(("trange", "tnrange"), progress_range))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


def install() -> None:
    """Let imports find the stand-ins first."""
    sys.meta_path.insert(0, StandIns())


def _axes(nrows: int = 1, ncols: int = 1, *_: object, squeeze: bool = True, **__: object) -> Any:
    grid = np.empty((int(nrows), int(ncols)), dtype=object)
    for place in np.ndindex(grid.shape):
        grid[place] = Inert("axes")
    if not squeeze:
        return grid
    return grid.item() if grid.size == 1 else grid.squeeze()
