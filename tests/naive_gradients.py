"""The gradients of rnn_backprop a second time: straight from the formula, term by term of the double sum.

    dJ(t)/dW = sum_{k=1..t} dJ(t)/dy_hat(t) . dy_hat(t)/dh(t) . (prod_{j=k+1..t} dh(j)/dh(j-1)) . dh(k)/dW

dh(k)/dW is written out as an array with three axes. Slow on purpose; shares no line with the reference.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np

EXERCISE_FOLDER = Path(__file__).parents[1] / "solutions" / "rnn_backprop"


def load_reference() -> tuple[ModuleType, ModuleType]:
    """Return the modules `rnn_backprop` (the model answer) and `network`, and leave no trace in sys.modules."""
    with mock.patch.dict(sys.modules, checks=mock.Mock(), learning=mock.Mock()):  # it calls none of them
        network = _load("network")
        return _load("rnn_backprop"), network


def dJ_dV(net: Any, x: np.ndarray, y: np.ndarray, h: np.ndarray, y_hat: np.ndarray) -> np.ndarray:
    """Return dJ/dV (K, H)."""
    return sum(
        np.tensordot(
            net.loss.gradient(y_hat[t - 1], y[t - 1]),
            np.multiply.outer(net.g2.jacobian(y_hat[t - 1]), h[t]),  # dy_hat(t)/dV (K, K, H)
            axes=1,
        )
        for t in range(1, len(x) + 1)
    ) / len(x)


def dJ_dW(net: Any, x: np.ndarray, y: np.ndarray, h: np.ndarray, y_hat: np.ndarray) -> np.ndarray:
    """Return dJ/dW (H, H)."""
    return _double_sum(net, x, y, h, y_hat, lambda k: np.multiply.outer(net.g1.jacobian(h[k]), h[k - 1]))


def dJ_dU(net: Any, x: np.ndarray, y: np.ndarray, h: np.ndarray, y_hat: np.ndarray) -> np.ndarray:
    """Return dJ/dU (H, D)."""
    return _double_sum(net, x, y, h, y_hat, lambda k: np.multiply.outer(net.g1.jacobian(h[k]), x[k - 1]))


def _double_sum(
    net: Any,
    x: np.ndarray,
    y: np.ndarray,
    h: np.ndarray,
    y_hat: np.ndarray,
    immediate_derivative: Callable[[int], np.ndarray],
) -> np.ndarray:
    total = 0.0
    for t in range(1, len(x) + 1):
        for k in range(1, t + 1):
            product = np.eye(h.shape[1])
            for j in range(k + 1, t + 1):
                product = net.g1.jacobian(h[j]) @ net.W @ product
            dJ_dy_hat = net.loss.gradient(y_hat[t - 1], y[t - 1])
            dy_hat_dh = net.g2.jacobian(y_hat[t - 1]) @ net.V
            total = total + np.tensordot(dJ_dy_hat @ dy_hat_dh @ product, immediate_derivative(k), axes=1)
    return total / len(x)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXERCISE_FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
