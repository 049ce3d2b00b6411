"""The slope of J, measured: `slope` calls J many times to see how it changes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

STEP = 1e-5  # of central differences
CLOSE_TO_MEASURED = 1e-6  # the relative error within which a measured slope and a right gradient agree


def slope(path: str, J: Any, *arguments: Any, **named: Any) -> Array:
    """The measured slope of J(*arguments) with respect to one argument, for gradient checks of your own.

    Each entry in turn is moved up and down by 1e-5 (central differences), and J is called. `path` is the name of an
    argument of J, or of a part of it:

        slope("a", J, a, b)            has the shape of a, and its entry [i, j] is about dJ/da[i, j]
        slope("model.W", J, model)     the same of model.W;  "layers.0.W" is layers[0].W, and "p.W" also p["W"]

    Compare it with your own gradient: a right one is within a relative error of 1e-6.
    """
    if not callable(J):
        raise TypeError('slope is called as slope("a", J, a, b): the name of an argument, J, and what J is called with')
    call = inspect.signature(J).bind(*arguments, **named)
    name, *parts = path.split(".")
    if name not in call.arguments:
        raise ValueError(f"slope knows {', '.join(call.arguments)}; {path!r} is none of them")
    whole = call.arguments[name]
    place = whole
    for part in parts:
        place = part_of(place, part)

    def loss(moved: Array) -> float:
        call.arguments[name] = with_part(whole, parts, moved if np.ndim(place) else float(moved))
        result = J(*call.args, **call.kwargs)
        if result is None:
            raise ValueError("J returned None: did you forget return?")
        return float(result)

    return central(loss, np.array(place, dtype=np.float64))


def part_of(value: Any, part: str) -> Any:
    """Return one part of a list, a tuple, a dict or an object."""
    if isinstance(value, dict | list | tuple):
        return value[part] if isinstance(value, dict) else value[int(part)]
    return getattr(value, part)


def with_part(value: Any, parts: list[str], moved: Any) -> Any:
    """Return a copy of a value in which the part at the end of a path is another."""
    if not parts:
        return moved
    first, *rest = parts
    new = with_part(part_of(value, first), rest, moved)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{first: new})
    if isinstance(value, dict):
        return {**value, first: new}
    return type(value)(new if i == int(first) else item for i, item in enumerate(value))


def central(loss: Callable[[Array], float], at: Array) -> Array:
    """The slope of `loss` by every entry of `at`, from central differences."""
    slopes = np.empty(at.shape)
    for place, move in zip(np.ndindex(at.shape), STEP * np.eye(at.size).reshape(-1, *at.shape), strict=True):
        slopes[place] = (loss(at + move) - loss(at - move)) / (2 * STEP)
    return slopes
