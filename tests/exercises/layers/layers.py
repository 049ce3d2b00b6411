# %% [markdown]
# # A network of layers
#
# From $a_0 = x$, each layer makes $a_l = g_l(W_l a_{l-1} + b_l)$. The last $a_L$ are scores $s$, one for each class:
# the loss of an example of class $k$ is the cross-entropy of their softmax, and $J$ the "mean" or the "sum" of all.
#
# $$ L = \log \sum_j e^{s_j} - s_k \tag{1} $$

# %% setup
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Layer:
    """A layer W a + b, and then its `kind` of activation: "tanh" or "identity"."""

    W: np.ndarray
    b: np.ndarray
    kind: str


def J(scores, loss, layers, X, labels, reduction):  # through functions of your own
    return loss(scores(layers, X), labels, reduction)


# %% solution="scores" returns="S (N, K)"
def scores(layers, X):
    """Return the scores (N, K) of the rows of X (N, D)."""
    ### BEGIN SOLUTION
    A = X
    for layer in layers:
        Z = A @ layer.W.T + layer.b
        A = np.tanh(Z) if layer.kind == "tanh" else Z
    return A
    ### END SOLUTION


# %% solution="classify"
def classify(S):
    """Return the class with the largest score, an int for each row of the scores S (N, K)."""
    ### BEGIN SOLUTION
    return np.argmax(S, axis=1)
    ### END SOLUTION


# %% solution="loss"
def loss(S, labels, reduction):
    """Return J, a number, by the scores S (N, K) and the classes of the examples (N,): equation (1)."""
    ### BEGIN SOLUTION
    losses = np.log(np.sum(np.exp(S), axis=1)) - S[np.arange(len(labels)), labels]
    return losses.mean() if reduction == "mean" else losses.sum()
    ### END SOLUTION


# %% solution="dJ_dW" slope_of="layers.0.W" points=2 returns="dJ_dW (rows, D)"
def dJ_dW(layers, X, labels, reduction):
    """Return the slope of J by the weights of the first layer, in their shape."""
    ### BEGIN SOLUTION
    A = [X]
    for layer in layers:
        Z = A[-1] @ layer.W.T + layer.b
        A.append(np.tanh(Z) if layer.kind == "tanh" else Z)
    P = np.exp(A[-1]) / np.sum(np.exp(A[-1]), axis=1, keepdims=True)
    D = (P - np.eye(P.shape[1])[labels]) / (len(X) if reduction == "mean" else 1)
    for layer, out in zip(layers[:0:-1], A[:1:-1], strict=True):
        D = (D * (1 - out**2) if layer.kind == "tanh" else D) @ layer.W
    return (D * (1 - A[1] ** 2) if layers[0].kind == "tanh" else D).T @ X
    ### END SOLUTION


# %% teacher
from autograder.exercise.teacher import mistake


def case(rng, N, D, H, K, depth=2, reduction="mean", last="identity"):
    sizes, kinds = [D, *[H] * (depth - 1), K], [*["tanh"] * (depth - 1), last]
    shapes = zip(sizes[1:], sizes[:-1], kinds, strict=True)
    layers = [Layer(rng.normal(size=(n, m)), rng.normal(size=n), kind) for n, m, kind in shapes]
    X, labels = rng.normal(size=(N, D)), rng.integers(K, size=N)
    return dict(layers=layers, X=X, labels=labels, S=scores(layers, X), reduction=reduction)


def objective(layers, X, labels, reduction):
    return J(scores, loss, layers, X, labels, reduction)


SIZES = [dict(N=1, D=1, H=2, K=2), dict(N=4, D=3, H=5, K=2), dict(N=6, D=2, H=3, K=4, reduction="sum")]
SIZES += [dict(N=4, D=3, H=1, K=2, depth=1), dict(N=5, D=2, H=3, K=3, last="tanh")]
SIZES += [dict(N=5, D=2, H=3, K=3, depth=3, reduction="sum")]

MISTAKES = [
    mistake("scores", "bias_forgotten", "What does a layer make of 0?", replace=" + layer.b", by=""),
    mistake("loss", "always_the_mean", "When is J a sum?", replace='if reduction == "mean" else losses.sum()', by=""),
    mistake("dJ_dW", "square_forgotten", "What is the slope of tanh?", replace="out**2", by="out"),
    mistake("dJ_dW", "first_slope_forgotten", "Which layers bend?", replace="(D * (1 - A[1] ** 2) if", by="(D if"),
]
