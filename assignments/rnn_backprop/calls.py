"""Calling the functions of this exercise: what they are called with, and what came of it.

Also `slope`, which calls your forward pass many times to measure how J changes.
"""

from __future__ import annotations

import importlib
import json
import linecache
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = tuple[Array, ...]
Status = Literal["pass", "wrong", "not attempted yet", "not there yet"]

STEP = 1e-5  # of central differences
OWN = 1e-6  # the relative error within which a measured slope and a right gradient agree


@dataclass(frozen=True)
class Case:
    """One set of inputs, and the arrays that a function should make of it."""

    id: str
    about: str
    arrays: Mapping[str, Array]
    names: Mapping[str, str]
    expected: Arrays


@dataclass(frozen=True)
class VisibleCheck:
    """One thing that is checked about one function, on cases that go from small to large."""

    function: str
    title: str
    looks_at: Literal["value", "slope", "contract"]
    cases: tuple[Case, ...]
    starts: Mapping[str, str]  # results whose first row is an argument itself
    hint: str  # what to look at when the numbers are wrong


@dataclass(frozen=True)
class Golden:
    """What checks.json holds, and the module that it says is given.

    `ladder` are small cases, the same for everybody, with what is expected of each function there.
    """

    exercise: str
    functions: Mapping[str, Mapping[str, Any]]
    checks: tuple[VisibleCheck, ...]
    ladder: tuple[Mapping[str, Any], ...]
    hints: Mapping[str, Sequence[str]]
    given: Any


@dataclass
class FindingError(Exception):
    """Ends a check: what was found, and on which case."""

    message: str
    status: Status = "wrong"
    feedback: Any = None  # the same in parts, where there are such
    reason: str = ""  # the message without the case, where it names one


@cache
def golden() -> Golden:
    """The golden numbers, read when a check first needs them. Raises OSError with a sentence to act on."""
    try:
        read = json.loads((Path(__file__).parent / "checks.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = "is damaged" if isinstance(error, ValueError) else "is not beside checks.py"
        where = "in Colab: the folder icon on the left, then Upload"
        raise OSError(f"checks.json {what}: put it there as it was handed out ({where}), and check again.") from None
    checks, given = tuple(map(_visible, read["checks"])), importlib.import_module(read["given"])
    return Golden(read["exercise"], read["functions"], checks, tuple(read["ladder"]), read["hints"], given)


def _visible(entry: Mapping[str, Any]) -> VisibleCheck:
    return VisibleCheck(**{**entry, "cases": tuple(map(case_of, entry["cases"]))})


def case_of(entry: Mapping[str, Any]) -> Case:
    arrays = {name: np.array(array, dtype=np.float64) for name, array in entry["arrays"].items()}
    expected = tuple(np.array(array, dtype=np.float64) for array in entry["expected"])
    return Case(entry["id"], entry["about"], arrays, entry["names"], expected)


def answer(name: str, case: Case, module: ModuleType, passes: Sequence[str] = ()) -> tuple[Arrays, Arrays]:
    """Call a function on a case: the very arrays that it returned, and a copy of their numbers."""
    function, entry = find(name, module), golden().functions[name]
    arrays = {key: array.copy() for key, array in case.arrays.items()}
    given = golden().given.arguments(arrays, case.names)
    try:
        try:
            result = function(*(given[argument] for argument in entry["arguments"]))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a student's code raises
            raise _raised(name, error, module) from None
        for key, array in arrays.items():
            if not np.array_equal(array, case.arrays[key]):
                raise FindingError(f"{name} changes its input {key}: work on a copy, {key}.copy().")
        raw = _results(name, result)
        returns = zip(entry["returns"].items(), raw, case.expected or (None,) * len(raw), strict=True)
        return raw, tuple(_plain(name, array, symbols, expected) for (name, symbols), array, expected in returns)
    except FindingError as finding:
        passed = f"\n  passes for      {'; '.join(passes)}" if passes else ""
        where = f"\n\n  case            {case.about or case.id}{passed}" if finding.status == "wrong" else ""
        raise FindingError(finding.message + where, finding.status, reason=finding.message) from None


def find(name: str, module: ModuleType) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if callable(function):
        return function  # type: ignore[no-any-return]  # whatever can be called
    if function is not None:
        raise FindingError(f"{name} is {_a(function)}, not a function: another line took its name.")
    if file := getattr(module, "__file__", None):
        raise FindingError(f"{Path(file).name} does not define {name}: put the line `def {name}(...)` back.")
    raise FindingError(f"Run the cell that defines {name} first, then this one again.", "not there yet")


def _raised(name: str, error: BaseException, module: ModuleType) -> FindingError:
    if isinstance(error, NotImplementedError):
        other = str(error).partition(" is not written yet")[0]
        if other == name or other not in golden().functions:
            return FindingError(f"{name} is not attempted yet.", "not attempted yet")
        return FindingError(f"{name} calls {other}, which is not written yet.")
    if isinstance(error, TypeError) and error.__traceback__ and not error.__traceback__.tb_next:
        call = f"{name}({', '.join(golden().functions[name]['arguments'])})"
        return FindingError(f"{error}: it is called as {call}, so put the first line of the stub back.")
    told = f"{name} stops with {''.join(traceback.format_exception_only(error)).strip()}"
    own = [place for place in traceback.walk_tb(error.__traceback__) if place[0].f_globals is vars(module)]
    return FindingError(f"{told}\n\n  {_line(*own[-1], module)}" if own else told)


def _line(frame: FrameType, line: int, module: ModuleType) -> str:
    """A line of code and where it stands. A notebook's cells are files to Python, with names that nobody has seen."""
    source = linecache.getlines(frame.f_code.co_filename, vars(module))
    cells = [str(cell).strip() for cell in vars(module).get("In", [])]
    runs = [number for number, cell in enumerate(cells) if cell == "".join(source).strip()]
    where = f"cell In[{runs[-1]}]" if runs else Path(frame.f_code.co_filename).name
    return f"{where}, line {line}:  {''.join(source[line - 1 : line]).strip()}"


def _results(name: str, result: Any) -> tuple[Any, ...]:
    """What a function returned, one for each name that it should return."""
    names = list(golden().functions[name]["returns"])
    if result is None:
        raise FindingError(f"{name} returned None: did you forget return?")
    if len(names) == 1 and not isinstance(result, tuple):
        return (result,)
    if len(names) > 1 and isinstance(result, tuple | list) and len(result) == len(names):
        return tuple(result)
    wanted = f"end it with `return {', '.join(names)}`" if len(names) > 1 else "return one array"
    raise FindingError(f"{name} returned {_a(result)}: {wanted}.")


def _plain(name: str, array: Any, symbols: str, expected: Array | None) -> Array:
    """The numbers of one result as float64. Raises FindingError unless it is a plain, real, finite array."""
    if type(array) is not np.ndarray:
        raise FindingError(f"{name} is {_a(array)}, not an array: make one with np.array or np.zeros.")
    if array.dtype.kind not in "fiub":
        hint = " (rows of different lengths?)" if array.dtype.kind == "O" else ""
        raise FindingError(f"{name} has dtype {array.dtype}{hint}: real numbers are needed, dtype float64.")
    if expected is not None and array.shape != expected.shape:
        hint = ": is it transposed?" if array.shape == expected.shape[::-1] else "."
        wanted = f"expected {symbols} = {expected.shape}, got {array.shape}"
        raise FindingError(f"{name} has the wrong shape: {wanted}{hint}")
    if len(bad := np.argwhere(~np.isfinite(array))):
        first = [int(i) for i in bad[0]]
        holds = f"{name} holds {array[tuple(first)]} in {len(bad)} of {array.size} entries, first in {name}{first}"
        raise FindingError(f"{holds}: look for 0/0, log(0) or an overflow.")
    return array.astype(np.float64)


def _a(value: Any) -> str:
    for kind in (tuple, list):
        if isinstance(value, kind):
            return f"a {kind.__name__} of {len(value)}"
    other = f"a value of type {type(value).__name__}"
    return "None" if value is None else "one array" if type(value) is np.ndarray else other


def slope(forward: Callable[..., Any], net: Any, x: Array, y: Array, h0: Array | None = None, wrt: str = "W") -> Array:
    """The measured slope of J with respect to net.U, net.W, ... or h0, for gradient checks of your own.

    Each entry in turn is moved up and down by 1e-5 (central differences), `forward` is run and J taken:

        slope(forward, net, x, y, h0, "W")    has the shape of net.W, and its entry [i, j] is about dJ/dW[i, j]

    Compare it with your dJ_dW(net, x, y, h, y_hat): a right gradient is within a relative error of 1e-6.
    """
    given: Any = sys.modules[type(net).__module__]  # has mean_loss: measuring takes nothing of checks.json
    known = {name: array for name, array in {**vars(net), "h0": h0}.items() if isinstance(array, np.ndarray)}
    if wrt not in known:
        raise ValueError(f"slope knows {', '.join(known)}; {wrt!r} is none of them")

    def loss(moved: Array) -> float:
        own = net if wrt == "h0" else replace(net, **{wrt: moved})
        result = forward(own, x, *([] if h0 is None else [moved if wrt == "h0" else h0]))
        if result is None:
            raise ValueError("forward returned None: did you forget return?")
        return float(given.mean_loss(own, result[-1] if isinstance(result, tuple | list) else result, y))

    return central(loss, known[wrt])


def central(loss: Callable[[Array], float], at: Array) -> Array:
    """The slope of `loss` by every entry of `at`, from central differences."""
    slopes = np.empty(at.shape)
    for place, move in zip(np.ndindex(at.shape), STEP * np.eye(at.size).reshape(-1, *at.shape), strict=True):
        slopes[place] = (loss(at + move) - loss(at - move)) / (2 * STEP)
    return slopes
