"""The recurrent network of the exercise: its activations, its losses and its parameters.

    h(t) = g1(W h(t-1) + U x(t) + b_h)        y_hat(t) = g2(V h(t) + b_y)        J = 1/T sum_t L(y_hat(t), y(t))

Everything here works on one time step, so that a solution written true to the formula works for every activation and
every loss. There is nothing to fill in, and nothing here needs to be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np


@dataclass(frozen=True)
class Activation:
    """An activation `out = g(a)` of one time step.

    `function` maps the pre-activation a (n,) to out (n,). `jacobian` maps that output to the matrix d out / d a (n, n),
    with `jacobian(out)[i, j]` = d out[i] / d a[j]: the slope of each activation here follows from its output.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    jacobian: Callable[[np.ndarray], np.ndarray]

    def __call__(self, *_: object) -> NoReturn:
        """Raise TypeError: say what to call instead."""
        raise TypeError(
            "an activation itself is not called: write net.g1.function(a) or net.g2.function(a), "
            "and jacobian(out) for its slope"
        )


@dataclass(frozen=True)
class Loss:
    """The loss L(y_hat, y) of one time step: `function` gives a number, `gradient` gives dL/dy_hat (K,)."""

    name: str
    function: Callable[[np.ndarray, np.ndarray], float]
    gradient: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def __call__(self, *_: object) -> NoReturn:
        """Raise TypeError: say what to call instead."""
        raise TypeError(
            "a loss itself is not called: write net.loss.gradient(y_hat[t], y[t]) for its slope at one step, "
            "or net.loss.function(y_hat[t], y[t]) for its value"
        )


@dataclass(frozen=True)
class RNN:
    """The parameters of a vanilla RNN with D inputs, H hidden states and K outputs, all float64.

    U (H, D) reads the input, W (H, H) the previous hidden state, V (K, H) gives the output; the biases are b_h (H,) and
    b_y (K,). `g1` is the activation of the hidden state, `g2` that of the output, `loss` is L.
    """

    U: np.ndarray
    W: np.ndarray
    V: np.ndarray
    b_h: np.ndarray
    b_y: np.ndarray
    g1: Activation
    g2: Activation
    loss: Loss


def mean_loss(net: RNN, y_hat: np.ndarray, y: np.ndarray) -> float:
    """J = 1/T sum_t L(y_hat(t), y(t)) of the outputs y_hat (T, K) against the targets y (T, K)."""
    return sum(net.loss.function(y_hat[t], y[t]) for t in range(len(y))) / len(y)


def J(
    forward: Callable[[RNN, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    net: RNN,
    x: np.ndarray,
    y: np.ndarray,
    h0: np.ndarray,
) -> float:
    """J through a forward pass: that of the outputs which `forward(net, x, h0)` returns."""
    _, y_hat = forward(net, x, h0)
    return mean_loss(net, y_hat, y)


def _step(array: np.ndarray, name: str, what: str) -> np.ndarray:
    array = np.asarray(array)
    if array.ndim != 1:
        raise ValueError(
            f"{name}.{what} works on one time step, an array of shape (n,), and was given one of shape {array.shape}"
        )
    return array


def _activation(
    name: str, function: Callable[[np.ndarray], np.ndarray], jacobian: Callable[[np.ndarray], np.ndarray]
) -> Activation:
    return Activation(
        name,
        lambda a: function(_step(a, name, "function")),
        lambda out: jacobian(_step(out, name, "jacobian")),
    )


def _loss(
    name: str,
    function: Callable[[np.ndarray, np.ndarray], float],
    gradient: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Loss:
    def pair(y_hat: np.ndarray, y: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
        y_hat, y = _step(y_hat, name, what), _step(y, name, what)
        if y_hat.shape != y.shape:
            shapes = f"{y_hat.shape} and {y.shape}"
            raise ValueError(f"{name}.{what} compares y_hat and y of one shape, and was given {shapes}")
        return y_hat, y

    return Loss(
        name,
        lambda y_hat, y: function(*pair(y_hat, y, "function")),
        lambda y_hat, y: gradient(*pair(y_hat, y, "gradient")),
    )


def _softmax(a: np.ndarray) -> np.ndarray:
    e = np.exp(a - a.real.max())  # the shift keeps exp from overflowing and cancels in the quotient
    return e / e.sum()


def _diagonal(entries: np.ndarray) -> np.ndarray:
    """The matrix (n, n) with these entries (n,) on its diagonal: np.diag, but faster."""
    matrix = np.zeros((len(entries), len(entries)), entries.dtype)
    matrix.flat[:: len(entries) + 1] = entries
    return matrix


ACTIVATIONS = {
    "tanh": _activation("tanh", np.tanh, lambda out: _diagonal(1 - out**2)),
    "sigmoid": _activation("sigmoid", lambda a: 1 / (1 + np.exp(-a)), lambda out: _diagonal(out * (1 - out))),
    "relu": _activation("relu", lambda a: np.where(a.real > 0, a, 0.0), lambda out: _diagonal((out.real > 0) * 1.0)),
    "identity": _activation("identity", lambda a: a * 1.0, lambda out: np.eye(len(out))),
    "softmax": _activation("softmax", _softmax, lambda out: _diagonal(out) - out[:, None] * out),
}

LOSSES = {
    "squared_error": _loss("squared_error", lambda y_hat, y: np.sum((y_hat - y) ** 2) / 2, lambda y_hat, y: y_hat - y),
    "cross_entropy": _loss("cross_entropy", lambda y_hat, y: -np.sum(y * np.log(y_hat)), lambda y_hat, y: -y / y_hat),
    "binary_cross_entropy": _loss(
        "binary_cross_entropy",
        lambda y_hat, y: -np.sum(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)),
        lambda y_hat, y: (y_hat - y) / (y_hat * (1 - y_hat)),
    ),
}


def arguments(arrays: Mapping[str, np.ndarray], names: Mapping[str, str]) -> dict[str, object]:
    """The arguments of the four functions, made from plain arrays and names: how every check passes them in.

    `arrays` holds U, W, V, b_h, b_y and any of x, y, h0, h, y_hat; `names` says which `g1`, `g2` and `loss` are meant.
    A check may also pass in an activation or a loss whose slopes are changed on purpose: `jacobian(out)` or
    `gradient(y_hat, y)` is a matrix G times the usual one. The formula uses what is passed in, whatever it is.
    """
    g1, g2, loss = ACTIVATIONS[names["g1"]], ACTIVATIONS[names["g2"]], LOSSES[names["loss"]]
    net = RNN(
        **{name: arrays[name] for name in ("U", "W", "V", "b_h", "b_y")},
        g1=_with_slope(g1, arrays["G_g1"]) if "G_g1" in arrays else g1,
        g2=_with_slope(g2, arrays["G_g2"]) if "G_g2" in arrays else g2,
        loss=_with_gradient(loss, arrays["G_loss"]) if "G_loss" in arrays else loss,
    )
    return {"net": net, **{name: arrays[name] for name in ("x", "y", "h0", "h", "y_hat") if name in arrays}}


def _with_slope(activation: Activation, G: np.ndarray) -> Activation:
    return replace(activation, jacobian=lambda out: G @ activation.jacobian(out))


def _with_gradient(loss: Loss, G: np.ndarray) -> Loss:
    return replace(loss, gradient=lambda y_hat, y: G @ loss.gradient(y_hat, y))
