# %% [markdown]
# # A network of layers
#
# $a_l = g_l(W_l a_{l-1} + b_l)$ from $a_0 = x$; the last $a_L$ are scores of the classes, and $J$ is the cross-entropy
# of their softmax, over all examples its mean or its sum. Write the gradient of $J$ by the weights of the first layer.

# %% setup
import numpy as np
from checks import check, slope  # noqa: F401  # for the check cells
from network import Layer  # noqa: F401  # for your own trials


# %% solution="scores"
def scores(layers, X):
    """The scores (N, K) of the rows of X (N, D)."""
    ### BEGIN SOLUTION
    A = X
    for layer in layers:
        Z = A @ layer.W.T + layer.b
        A = np.tanh(Z) if layer.kind == "tanh" else Z
    return A
    ### END SOLUTION


# %% check="scores"
# check("scores")


# %% solution="classify"
def classify(S):
    """The class with the largest score, for each row of the scores S (N, K): an array (N,) of ints."""
    ### BEGIN SOLUTION
    return np.argmax(S, axis=1)
    ### END SOLUTION


# %% check="classify"
# check("classify")


# %% solution="loss"
def loss(S, labels, reduction):
    """J, a number: the "mean" or the "sum" (`reduction`) of the cross-entropies of the labels (N,), by scores S."""
    ### BEGIN SOLUTION
    losses = np.log(np.sum(np.exp(S), axis=1)) - S[np.arange(len(labels)), labels]
    return losses.mean() if reduction == "mean" else losses.sum()
    ### END SOLUTION


# %% check="loss"
# check("loss")


# %% solution="dJ_dW"
def dJ_dW(layers, X, labels, reduction):
    """The gradient of J by layers[0].W, of its shape."""
    ### BEGIN SOLUTION
    activations = [X]
    for layer in layers:
        Z = activations[-1] @ layer.W.T + layer.b
        activations.append(np.tanh(Z) if layer.kind == "tanh" else Z)
    P = np.exp(activations[-1]) / np.sum(np.exp(activations[-1]), axis=1, keepdims=True)
    D = (P - np.eye(P.shape[1])[labels]) / (len(X) if reduction == "mean" else 1)
    for i in range(len(layers) - 1, -1, -1):
        if layers[i].kind == "tanh":
            D = D * (1 - activations[i + 1] ** 2)
        if i > 0:
            D = D @ layers[i].W
    return D.T @ X
    ### END SOLUTION


# %% check="dJ_dW"
# check("dJ_dW")
