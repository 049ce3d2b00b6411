"""The model answers for many cases of the same sizes and functions at once, to grade a class quickly.

The numbers are those of rnn_backprop.py up to rounding; a test compares them. Every array may have leading axes that
broadcast against those of the others: a stack of cases, of candidates or of perturbed parameters. Arrays may be
complex, so that J can be differentiated by a complex step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.exercise.model import Names

Stack = npt.NDArray[Any]
Stacks = Mapping[str, Stack]


def _softmax(a: Stack) -> Stack:
    e = np.exp(a - a.real.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _softmax_vjp(row: Stack, out: Stack) -> Stack:
    product = row * out
    return product - product.sum(axis=-1, keepdims=True) * out


_ACTIVATIONS: Mapping[str, Callable[[Stack], Stack]] = {
    "tanh": np.tanh,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "relu": lambda a: np.where(a.real > 0, a, 0.0),
    "identity": lambda a: a * 1.0,
    "softmax": _softmax,
}
# vector-Jacobian products: a row times the Jacobian at this output, without forming the matrix
_ACTIVATION_VJPS: Mapping[str, Callable[[Stack, Stack], Stack]] = {
    "tanh": lambda row, out: row * (1 - out**2),
    "sigmoid": lambda row, out: row * (out * (1 - out)),
    "relu": lambda row, out: row * (out.real > 0),
    "identity": lambda row, out: row,
    "softmax": _softmax_vjp,
}
_LOSSES: Mapping[str, Callable[[Stack, Stack], Stack]] = {
    "squared_error": lambda y_hat, y: ((y_hat - y) ** 2).sum(axis=-1) / 2,
    "cross_entropy": lambda y_hat, y: -(y * np.log(y_hat)).sum(axis=-1),
    "binary_cross_entropy": lambda y_hat, y: -(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)).sum(axis=-1),
}
_LOSS_GRADIENTS: Mapping[str, Callable[[Stack, Stack], Stack]] = {
    "squared_error": lambda y_hat, y: y_hat - y,
    "cross_entropy": lambda y_hat, y: -y / y_hat,
    "binary_cross_entropy": lambda y_hat, y: (y_hat - y) / (y_hat * (1 - y_hat)),
}


def forward(arrays: Stacks, names: Names) -> tuple[Stack, Stack]:
    """Return h (..., T+1, H) and y_hat (..., T, K)."""
    g1, g2 = _ACTIVATIONS[names["g1"]], _ACTIVATIONS[names["g2"]]
    # U x(t) needs no state: one product for all steps, outside the loop
    W, projected_inputs = arrays["W"], _matvec(arrays["U"][..., None, :, :], arrays["x"])
    states = [arrays["h0"]]
    for t in range(projected_inputs.shape[-2]):
        states.append(g1(_matvec(W, states[-1]) + projected_inputs[..., t, :] + arrays["b_h"]))
    states[0] = np.broadcast_to(states[0], states[-1].shape)  # a stack of W meets a single h0
    h = np.stack(states, axis=-2)
    outputs = _matvec(arrays["V"][..., None, :, :], h[..., 1:, :]) + arrays["b_y"][..., None, :]
    return h, g2(outputs)


def objective(arrays: Stacks, names: Names) -> Stack:
    """Return J (...) of the forward pass from h0."""
    _, y_hat = forward(arrays, names)
    return _LOSSES[names["loss"]](y_hat, arrays["y"]).mean(axis=-1)


def errors(arrays: Stacks, names: Names) -> Stack:
    """Return the derivatives of J by the pre-activations of the outputs, (..., T, K)."""
    y, y_hat = arrays["y"], arrays["y_hat"]
    gradient = _LOSS_GRADIENTS[names["loss"]](y_hat, y)
    if "G_loss" in arrays:
        gradient = _matvec(arrays["G_loss"][..., None, :, :], gradient)
    return _vjp(names["g2"], gradient, y_hat, arrays.get("G_g2")) / y.shape[-2]


def deltas(arrays: Stacks, names: Names, output_errors: Stack) -> Stack:
    """Return the derivatives of J by the pre-activations of the states, (..., T, H), from those of the outputs."""
    h, W, G = arrays["h"], arrays["W"], arrays.get("G_g1")
    rows = output_errors @ arrays["V"]
    deltas_from_last = [_vjp(names["g1"], rows[..., -1, :], h[..., -1, :], G)]
    for t in range(rows.shape[-2] - 1, 0, -1):
        row = rows[..., t - 1, :] + (deltas_from_last[-1][..., None, :] @ W)[..., 0, :]
        deltas_from_last.append(_vjp(names["g1"], row, h[..., t, :], G))
    return np.stack(deltas_from_last[::-1], axis=-2)


def path_deltas(arrays: Stacks, names: Names, output_errors: Stack) -> Stack:
    """Return the terms whose sum over t is the delta of step k, as (..., T, T+1, H): a row for each loss t and step k.

    Step 0 is one too many: its rows belong to h0, and to no gradient.
    """
    h, W, G = arrays["h"], arrays["W"], arrays.get("G_g1")
    rows = output_errors @ arrays["V"]
    carried = np.zeros_like(rows)  # what each loss sends back, 0 before its own step is reached
    from_last = []
    for k in range(rows.shape[-2], -1, -1):
        if k > 0:
            carried[..., k - 1, :] = rows[..., k - 1, :]
        terms = _vjp(names["g1"], carried, h[..., k, None, :], G)
        from_last.append(terms)
        carried = terms @ W
    return np.stack(from_last[::-1], axis=-2)


def gradients(arrays: Stacks, names: Names) -> dict[str, Stack]:
    """Return dJ_dV (..., K, H), dJ_dW (..., H, H) and dJ_dU (..., H, D)."""
    output_errors = errors(arrays, names)
    state_deltas = deltas(arrays, names, output_errors)
    return {
        "dJ_dV": _sum_of_outer_products(output_errors, arrays["h"][..., 1:, :]),
        "dJ_dW": _sum_of_outer_products(state_deltas, arrays["h"][..., :-1, :]),
        "dJ_dU": _sum_of_outer_products(state_deltas, arrays["x"]),
    }


def _vjp(activation: str, rows: Stack, out: Stack, G: Stack | None) -> Stack:
    """Return rows times the Jacobians at these outputs; a custom derivative G comes before them, as in network.py."""
    if G is not None:
        rows = (rows[..., None, :] @ _add_leading_axes(G, rows))[..., 0, :]
    return _ACTIVATION_VJPS[activation](rows, out)


def _add_leading_axes(G: Stack, rows: Stack) -> Stack:
    """Return G with as many leading axes as the rows have."""
    return G.reshape(*G.shape[:-2], *(1,) * (rows.ndim + 1 - G.ndim), *G.shape[-2:])


def _matvec(matrix: Stack, vector: Stack) -> Stack:
    return (matrix @ vector[..., None])[..., 0]


def _sum_of_outer_products(left: Stack, right: Stack) -> Stack:
    """Return the sum over steps of the outer products of two arrays (..., T, n) and (..., T, m)."""
    return left.swapaxes(-1, -2) @ right
