"""The model of the exercise: a linear classifier. There is nothing to fill in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Model:
    """The parameters: W (K, D) and b (K,)."""

    W: np.ndarray
    b: np.ndarray


def softmax(a: np.ndarray) -> np.ndarray:
    """Return the softmax of one example, a (K,)."""
    e = np.exp(a - np.max(a.real))
    return e / np.sum(e)


def mean_loss(model: Model, y_hat: np.ndarray, y: np.ndarray) -> float:
    """Return J, the mean cross-entropy of y_hat (N, K) against the one-hot rows of y (N, K)."""
    return -np.sum(y * np.log(y_hat)) / len(y)


def J(predict, model: Model, x: np.ndarray, y: np.ndarray) -> float:
    """Return J through a prediction of your own."""
    return mean_loss(model, predict(model, x), y)


def arguments(arrays: Mapping[str, np.ndarray], names: Mapping[str, str]) -> dict[str, object]:
    """Return the arguments of the functions, made from plain arrays, as every check passes them."""
    data = {name: arrays[name] for name in ("x", "y", "y_hat") if name in arrays}
    return {"model": Model(arrays["W"], arrays["b"]), **data}
