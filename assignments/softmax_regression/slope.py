"""The slope of J, measured: `slope` calls your forward pass many times to see how J changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

STEP = 1e-5  # of central differences
CLOSE_TO_MEASURED = 1e-6  # the relative error within which a measured slope and a right gradient agree


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
