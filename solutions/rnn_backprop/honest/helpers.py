from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
from network import RNN

log = logging.getLogger(__name__)


class Result(NamedTuple):
    h: np.ndarray
    y_hat: np.ndarray


@dataclass
class Sum:
    """Adds outer products up, then takes the mean."""

    terms: list[np.ndarray] = field(default_factory=list)

    def add(self, left: np.ndarray, right: np.ndarray) -> None:
        self.terms.append(np.outer(left, right))

    def mean(self) -> np.ndarray:
        return np.sum(self.terms, axis=0) / len(self.terms)


def forward(net: RNN, x: np.ndarray, h0: np.ndarray) -> Result:
    h = [h0]
    step = partial(np.dot, net.W)
    for x_t in x:
        h.append(net.g1.function(step(h[-1]) + net.U @ x_t + net.b_h))
    log.info("ran %d steps", len(x))
    return Result(np.array(h), np.array([net.g2.function(net.V @ h_t + net.b_y) for h_t in h[1:]]))


def e(net: RNN, y: np.ndarray, y_hat: np.ndarray) -> np.ndarray:
    return net.loss.gradient(y_hat, y) @ net.g2.jacobian(y_hat)


def dJ_dV(net: RNN, x: np.ndarray, y: np.ndarray, h: np.ndarray, y_hat: np.ndarray) -> np.ndarray:
    total = Sum()
    for h_t, y_t, y_hat_t in zip(h[1:], y, y_hat, strict=True):
        total.add(e(net, y_t, y_hat_t), h_t)
    return total.mean()


def backwards(net: RNN, y: np.ndarray, h: np.ndarray, y_hat: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    delta = np.zeros(len(net.W))
    for t in range(len(y) - 1, -1, -1):
        delta = (e(net, y[t], y_hat[t]) @ net.V + delta @ net.W) @ net.g1.jacobian(h[t + 1])
        yield t, delta


def dJ_dW(net: RNN, x: np.ndarray, y: np.ndarray, h: np.ndarray, y_hat: np.ndarray) -> np.ndarray:
    total = Sum()
    for t, delta in backwards(net, y, h, y_hat):
        total.add(delta, h[t])
    return total.mean()


def dJ_dU(net: RNN, x: np.ndarray, y: np.ndarray, h: np.ndarray, y_hat: np.ndarray) -> np.ndarray:
    total = Sum()
    for t, delta in backwards(net, y, h, y_hat):
        total.add(delta, x[t])
    return total.mean()


if __name__ == "__main__":
    from network import ACTIVATIONS, LOSSES

    rng = np.random.default_rng(1)
    net = RNN(rng.normal(size=(2, 3)), rng.normal(size=(2, 2)), rng.normal(size=(4, 2)), np.ones(2), np.ones(4),
              ACTIVATIONS["tanh"], ACTIVATIONS["softmax"], LOSSES["cross_entropy"])
    print(forward(net, rng.normal(size=(5, 3)), np.zeros(2)))
