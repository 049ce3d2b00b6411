# %% [markdown]
# The functions of softmax_regression.ipynb, for an editor: the derivation is in the notebook.
# `python softmax_regression.py` and `pytest` check what you wrote.

# %%
import numpy as np

try:
    from checks import check, hint, slope
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"{missing.name}.py is not beside this file: put all files of the exercise into one folder "
        "(in Colab: the folder icon on the left, then Upload) and run this cell again."
    ) from None

# %%
def predict(W, b, X):
    """The probabilities y_hat (N, K): equations (1) and (2).

    W     the weights (K, D)
    b     the biases (K,)
    X     the inputs (N, D), one in each row
    """
    raise NotImplementedError("predict is not written yet")

# %%
def loss(y_hat, y):
    """The loss J, a single number: equation (3).

    y_hat the probabilities (N, K) that a model gives
    y     the truth (N, K), a 1 in each row
    """
    raise NotImplementedError("loss is not written yet")

# %%
def dJ_dW(X, y, y_hat):
    """The gradient dJ/dW, of shape (K, D): equation (5).

    X     the inputs (N, D)
    y     the truth (N, K)
    y_hat the probabilities (N, K), as a right predict makes them
    """
    raise NotImplementedError("dJ_dW is not written yet")

# %%
if __name__ == "__main__":
    print(check())
